//! The demo does the main job with nothing installed.

#[test]
fn the_demo_does_its_work_and_sums_it_up() {
    let output = harness::edgeway(&["demo", "--for", "30s", "--json"]);
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    let summary: serde_json::Value =
        serde_json::from_str(last).unwrap_or_else(|error| panic!("the last line is no JSON ({error}): {text}"));
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let positive = |value: &serde_json::Value| value.as_f64().is_some_and(|n| n > 0.0);
    for key in ["readings", "values", "scene_firings", "query_rows", "journal_messages", "seconds"] {
        assert!(positive(&summary[key]), "{key} in {summary}");
    }
    assert!(positive(&summary["commands"]["ok"]), "{summary}");
    assert!(summary["bad_values"].is_u64());
    let routes = summary["routes"].as_object().expect("routes by name");
    assert!(!routes.is_empty());
    for (name, route) in routes {
        assert_eq!(route["dropped"], 0, "{name} in {summary}");
        assert!(["taken", "delivered", "queued"].iter().all(|key| route[key].is_u64()), "{name} in {summary}");
    }
}
