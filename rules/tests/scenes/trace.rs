//! Why something happened, and why nothing did.

use super::site::Site;
use edgeway_rules::RunError;
use edgeway_sdk::Quality;
use edgeway_thing_models::Online;

const OIL: &str = r#"scene("oil").title("Gear oil hot: derate")
    .when(held(prop("wt-01", "gear_oil_temperature") > 75, "10m"))
    .only_if(prop("wt-01", "state") == "production")
    .only_if(fresh(prop("wt-01", "gear_oil_temperature"), "2m"))
    .then([set("wt-01", "power_limit", 2000)]);"#;

#[test]
fn a_scene_that_declined_shows_each_condition_with_value_quality_and_age() {
    let mut site = Site::new(OIL);
    site.report("wt-01", "state", 2);
    site.report("wt-01", "gear_oil_temperature", 76.0);
    site.advance("10m");
    let expected = "\
oil  (a.rhai:1)
  Gear oil hot: derate
  when wt-01.gear_oil_temperature > 75 °C for 10m
    not armed: already true, must become false first
    went off 08-01 12:10:00.000
    [wt-01.gear_oil_temperature = 76 °C good 600 s old]
08-01 12:10:00.000  DECLINED  cause: wt-01.gear_oil_temperature > 75 °C for 10m
    pass    wt-01.state == production                      [wt-01.state = production good 600 s old]
    fail    wt-01.gear_oil_temperature is newer than 2m    [wt-01.gear_oil_temperature = 76 °C good 600 s old]
";
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(squeezed(&site.why("oil")), squeezed(expected), "\n{}", site.why("oil"));
}

#[test]
fn a_trigger_that_never_came_says_what_it_saw_last_and_when_its_time_comes() {
    let mut site = Site::new(OIL);
    let why = site.why("oil");
    assert!(why.contains("not armed: no good value has been seen"), "{why}");
    assert!(why.contains("[wt-01.gear_oil_temperature = - missing]"), "{why}");
    assert!(why.contains("no decision since the scenes were loaded"), "{why}");
    site.report("wt-01", "gear_oil_temperature", 76.0);
    let why = site.why("oil");
    assert!(why.contains("armed: last known false, fires when it becomes true"), "{why}");
    assert!(why.contains("due 08-01 12:10:00.000"), "{why}");
    site.report_quality("wt-01", "gear_oil_temperature", 76.0, Quality::Stale);
    assert!(site.why("oil").contains("= 76 °C stale 0 s old"), "{}", site.why("oil"));
    assert!(!site.why("oil").contains("due"), "{}", site.why("oil"));
}

#[test]
fn a_trace_survives_as_json() {
    let mut site = Site::new(OIL);
    site.report("wt-01", "gear_oil_temperature", 76.0);
    site.advance("10m");
    let why = serde_json::to_value(site.scenes.why("oil", site.now)).expect("plain data");
    assert_eq!(why["triggers"][0]["reads"][0]["value"], 76.0);
    assert_eq!(why["triggers"][0]["fired"], "2026-08-01T12:10:00.000+02:00");
    assert_eq!(why["decisions"][0]["conditions"][0]["outcome"], "unknown");
    assert_eq!(why["decisions"][0]["conditions"][0]["reads"][0]["quality"], "missing");
}

#[test]
fn the_last_32_decisions_are_kept() {
    let mut site = Site::new(r#"scene("s").when(event("wt-01", "alarm")).then([notify("x", || `${1 + 1}`)]);"#);
    for _ in 0..40 {
        site.advance("1s");
        site.happen("wt-01", "alarm");
    }
    let why = site.scenes.why("s", site.now).expect("the scene");
    assert_eq!(why.decisions.len(), 32);
    assert_eq!(why.decisions[0].time, "2026-08-01T12:00:40.000+02:00");
    assert_eq!(why.decisions[31].time, "2026-08-01T12:00:09.000+02:00");
}

#[test]
fn prints_appear_in_the_trace() {
    let mut site =
        Site::new(r#"scene("s").only_if(check("c", || { print("seen " + 5); true })).then([notify("x", "y")]);"#);
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert!(site.why("s").contains("printed: seen 5"), "{}", site.why("s"));
}

#[test]
fn the_list_and_the_counters_count() {
    let mut site = Site::new(
        r#"scene("s").title("A title").priority(3).when(event("wt-01", "alarm")).only_if(is_online("wt-01")).then([notify("x", "y")]);"#,
    );
    site.happen("wt-01", "alarm");
    site.turn("wt-01", Online::Online);
    site.happen("wt-01", "alarm");
    let list = site.scenes.list();
    assert_eq!(list.len(), 1);
    let scene = &list[0];
    assert_eq!(
        (&*scene.name, &*scene.title, &*scene.file, scene.line, scene.priority),
        ("s", "A title", "a.rhai", 1, 3)
    );
    assert_eq!((scene.fired, scene.declined, scene.errors, scene.running), (1, 1, 0, false));
    assert_eq!(scene.last_fired, Some(site.now));
    assert_eq!(scene.triggers.iter().map(|text| &**text).collect::<Vec<_>>(), ["event alarm of wt-01"]);
    let counters = site.scenes.counters();
    assert_eq!((counters.decisions, counters.firings, counters.errors, counters.loops_stopped), (2, 1, 0, 0));
    let edgeway_rules::Effect::Firing(firing) = &site.effects[0] else { panic!("{:?}", site.effects) };
    assert_eq!((&*firing.scene, &*firing.cause), ("s", "event alarm of wt-01"));
}

#[test]
fn running_by_hand_says_why_it_did_not() {
    let mut site = Site::new(r#"scene("s").only_if(is_online("wt-01")).then([notify("x", "y")]);"#);
    let error = site.scenes.run(site.now, "t", &mut site.effects).expect_err("unknown");
    assert_eq!(error.to_string(), "no scene is called `t` (one of `s`)");
    let error = site.scenes.run(site.now, "s", &mut site.effects).expect_err("declined");
    assert_eq!(error.to_string(), "scene `s` did not run: unknown: wt-01 is online");
    assert!(matches!(error, RunError::Declined { .. }));
}

#[test]
fn the_engine_can_live_in_another_thread() {
    fn is_send<T: Send>(_: &T) {}
    is_send(&Site::new("").scenes);
}

#[test]
fn what_a_step_prints_stays_with_its_scene() {
    let mut site = Site::new(
        r#"scene("a").then([run(|| print("from a"))]);
           scene("b").only_if(check("c", || true)).then([delay("1s")]);"#,
    );
    site.scenes.run(site.now, "a", &mut site.effects).expect("runs");
    site.scenes.run(site.now, "b", &mut site.effects).expect("runs");
    assert!(site.why("a").contains("printed: from a"), "{}", site.why("a"));
    assert!(!site.why("b").contains("printed"), "{}", site.why("b"));
}
