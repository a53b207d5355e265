//! Why a scene does not fire, and what it would take.

use super::site::{Site, at};
use edgeway_sdk::{Quality, Value};

const OIL: &str = r#"
scene("derate")
    .when(held(prop("wt-01", "gear_oil_temperature") > 75.0, "10m"))
    .only_if(prop("wt-01", "state") == "production")
    .only_if(fresh(prop("wt-01", "gear_oil_temperature"), "2m"))
    .only_if(is_online("wt-01"))
    .cooldown("30m")
    .then([set("wt-01", "power_limit", 2000)]);
"#;

fn why_not(site: &Site, scene: &str) -> String {
    site.scenes.why_not(scene, site.now).expect("it is there").to_string()
}

#[test]
fn each_condition_says_what_it_would_take() {
    let mut site = Site::new(OIL);
    site.report("wt-01", "gear_oil_temperature", 70.5);
    site.report("wt-01", "state", 0);
    site.advance("3m");
    assert_eq!(
        why_not(&site, "derate"),
        "derate
  when    false   wt-01.gear_oil_temperature > 75 °C for 10m
                  [wt-01.gear_oil_temperature = 70.5 °C good 180 s old]
                  it would take: wt-01.gear_oil_temperature has to be > 75 °C, 4.5 °C away
                  it would take: and stay so for 600 s
  only if false   wt-01.state == production
                  [wt-01.state = stopped good 180 s old]
                  it would take: wt-01.state has to be == production
  only if false   wt-01.gear_oil_temperature is newer than 2m
                  [wt-01.gear_oil_temperature = 70.5 °C good 180 s old]
                  it would take: wt-01.gear_oil_temperature has to be read again: a good value not older than 120 s
  only if unknown wt-01 is online
                  [wt-01 = unknown]
                  it would take: wt-01 has to answer
"
    );
}

#[test]
fn a_clock_that_counts_says_how_long_it_still_takes() {
    let mut site = Site::new(OIL);
    site.report("wt-01", "gear_oil_temperature", 70.0);
    site.report("wt-01", "gear_oil_temperature", 80.0);
    site.advance("4m");
    assert!(why_not(&site, "derate").contains("it has to stay true for 360 s more"), "{}", why_not(&site, "derate"));
    site.report_quality("wt-01", "gear_oil_temperature", Value::Null, Quality::BadTimeout);
    assert!(why_not(&site, "derate").contains("is bad:timeout; a good value > 75 °C is needed"));
}

#[test]
fn a_trigger_that_is_true_already_and_a_cooldown_are_told() {
    let mut site =
        Site::new(r#"scene("s").when(prop("room-301", "presence")).cooldown("1h").then([notify("x", "y")]);"#);
    site.report("room-301", "presence", false);
    site.report("room-301", "presence", true);
    let text = why_not(&site, "s");
    assert!(text.contains("held back: cooling down until 2026-08-01T13:00:00.000+02:00"), "{text}");
    assert!(text.contains("it is true already: it has to become false first, and true again"), "{text}");
}

#[test]
fn the_steps_of_a_run_stand_in_the_trace_with_their_commands() {
    let mut site = Site::new(
        r#"scene("s").when(event("wt-01", "alarm")).then([set("wt-01", "power_limit", 100), invoke("wt-02", "reset"), delay("1s"), notify("x", "y")]);"#,
    );
    site.happen("wt-01", "alarm");
    site.advance("1s");
    let why = site.scenes.why("s", site.now).expect("it is there");
    let steps: Vec<(&str, bool, &str)> =
        why.decisions[0].steps.iter().map(|step| (&*step.text, step.command.is_some(), step.result)).collect();
    assert_eq!(
        steps,
        [
            ("set wt-01.power_limit = 100 kW", true, "applied"),
            ("invoke wt-02.reset()", true, "applied"),
            ("notify x: y", false, "done"),
        ]
    );
}

#[test]
fn decisions_can_be_followed_and_looked_up_by_time() {
    let mut site = Site::new(r#"scene("s").when(event("wt-01", "alarm")).then([notify("x", "y")]);"#);
    for _ in 0..3 {
        site.happen("wt-01", "alarm");
        site.advance("10s");
    }
    let all = site.scenes.decisions_after(0, None, 10);
    assert_eq!(all.iter().map(|decision| decision.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(site.scenes.decisions_after(2, Some("s"), 10).len(), 1);
    let then = at("2026-08-01T12:00:10+02:00");
    let why = site.scenes.why_at("s", site.now, then).expect("it is there");
    assert_eq!(why.decisions.iter().map(|decision| decision.number).collect::<Vec<_>>(), [2, 1]);
}

#[test]
fn a_scene_shows_what_was_understood() {
    let site = Site::new(
        r#"scene("s").title("All of it").when(event("wt-01", "alarm")).mode("queue").per_device().priority(3).then([
            if_true(prop("wt-01", "wind_speed") > 10, [notify("x", "a")]).otherwise([notify("x", "b")]),
            repeat(2, [transaction([set("wt-01", "power_limit", 100)]), delay("1s")]),
            parallel([notify("x", "c"), [notify("x", "d")]]),
        ]).otherwise([notify("x", "e")]);"#,
    );
    assert_eq!(
        site.scenes.show("s").expect("it is there").to_string(),
        "s  (a.rhai:1)
  All of it
  when      event alarm of wt-01
  then      if wt-01.wind_speed > 10 m/s
              notify x: a
            otherwise
              notify x: b
            repeat 2 times
              transaction
                set wt-01.power_limit = 100 kW
              delay 1s
            parallel, 2 branches
              branch 1
                notify x: c
              branch 2
                notify x: d
  otherwise notify x: e
  manner    set off while it runs: waits for its turn
            for each device by itself
            priority 3
"
    );
}

#[test]
fn the_graph_and_the_definitions_name_what_there_is() {
    let site = Site::new(
        r#"scene("s").when(prop("wt-01", "wind_speed") > 10).only_if(prop("room-301", "presence")).then([set("wt-01", "power_limit", 100), run_scene("t")]);
           scene("t").when(row("ti")).then([notify("on-call", "x")]);"#,
    );
    let dot = site.scenes.graph(None).to_dot();
    for name in ["wt-01.wind_speed", "wt-01.power_limit", "room-301.presence", "ti", "on-call"] {
        assert!(dot.contains(&format!("label=\"{name}\"")), "{name}: {dot}");
    }
    assert_eq!(dot.matches("->").count(), 6, "{dot}");
    assert_eq!(site.scenes.graph(Some("t")).nodes.len(), 3);
    let definitions = edgeway_rules::definitions();
    assert!(definitions.contains("/// `held(condition, \"10m\")`\nfn held(condition: ?, duration: ?) -> condition;"));
}
