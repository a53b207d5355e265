//! What one scene has to do with another: chains of causes, one moment, one property.

use super::site::{NOON, Site};
use edgeway_sdk::Quality;
use edgeway_thing_models::{CommandState, Online};

const NOTHING: [&str; 0] = [];

impl Site {
    /// Lets the device report what the scenes have just set it to, and say what was done.
    fn echo(&mut self, property: &str, value: i64) -> Vec<String> {
        self.report("wt-01", property, value);
        self.done()
    }
}

#[test]
fn two_scenes_that_answer_one_report_with_the_same_value_are_stopped() {
    let mut site = Site::new(
        r#"for name in ["a", "b"] {
             scene(name).when(level(prop("wt-01", "power_limit") < 2000)).then([set("wt-01", "power_limit", 500)]);
           }"#,
    );
    assert_eq!(site.echo("power_limit", 500).len(), 2);
    for _ in 0..3 {
        site.echo("power_limit", 500);
    }
    assert_eq!(site.echo("power_limit", 500), NOTHING);
}

#[test]
fn an_event_that_is_told_twice_is_known_both_times() {
    let mut site = Site::new(
        r#"let alarm = emit("wt-01", "alarm", #{ code: 7 });
           scene("s").when(event("wt-01", "alarm")).only_if(prop("wt-01", "state") == 2).then([notify("x", "yes")])
               .otherwise([alarm, alarm]);"#,
    );
    site.happen("wt-01", "alarm");
    assert_eq!(site.done().len(), 2);
    site.happen("wt-01", "alarm");
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), NOTHING);
    assert_eq!(site.verdicts("s"), ["loop", "loop", "otherwise"]);
}

#[test]
fn a_loop_that_takes_its_time_is_stopped_too() {
    let mut site = Site::new(
        r#"scene("up").when(held(prop("wt-01", "power_limit") == 1000, "2s")).then([set("wt-01", "power_limit", 2000)]);
           scene("down").when(held(prop("wt-01", "power_limit") == 2000, "2s")).then([set("wt-01", "power_limit", 1000)]);"#,
    );
    let mut step = |value: i64| {
        site.report("wt-01", "power_limit", value);
        site.report("wt-01", "wind_speed", 5.0);
        site.advance("2s");
        site.done()
    };
    assert_eq!(step(1000), ["wt-01.power_limit = 2000"]);
    assert_eq!(step(2000), ["wt-01.power_limit = 1000"]);
    assert_eq!(step(1000), NOTHING);
}

#[test]
fn a_scene_that_acts_later_is_not_in_the_way_of_what_a_message_did() {
    let mut site = Site::new(
        r#"scene("a").when(event("wt-01", "alarm")).then([set("wt-01", "power_limit", 500)]);
           scene("b").when(event("wt-01", "alarm")).then([delay("1h"), set("wt-01", "power_limit", 3000)]);"#,
    );
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["wt-01.power_limit = 500"]);
    site.advance("1h");
    assert_eq!(site.done(), ["wt-01.power_limit = 3000"]);
}

#[test]
fn who_sets_the_same_does_not_take_a_property_from_whom_comes_first() {
    let mut site = Site::new(
        r#"scene("first").priority(5).when(event("wt-01", "alarm"))
               .then([set("wt-01", "power_limit", 500), delay("1m")]);
           scene("same").when(event("wt-02", "alarm")).then([set("wt-01", "power_limit", 500)]);
           scene("other").priority(3).when(event("wt-03", "alarm")).then([set("wt-01", "power_limit", 3000)]);"#,
    );
    site.happen("wt-01", "alarm");
    site.happen("wt-02", "alarm");
    assert_eq!(site.done().len(), 2);
    site.happen("wt-03", "alarm");
    assert_eq!(site.done(), NOTHING, "the first is still at it");
    site.advance("1m");
    site.happen("wt-03", "alarm");
    assert_eq!(site.done(), ["wt-01.power_limit = 3000"]);
}

#[test]
fn a_step_of_a_transaction_that_may_fail_may_lose() {
    let mut site = Site::new(
        r#"scene("a").when(event("wt-01", "alarm")).then([set("wt-01", "power_limit", 500)]);
           scene("b").when(event("wt-01", "alarm"))
               .then([transaction([set("wt-01", "power_limit", 3000).may_fail(), notify("x", "on")])]);"#,
    );
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["wt-01.power_limit = 500", "x: on"]);
}

#[test]
fn a_transaction_goes_back_to_what_was_before_the_first_try() {
    let mut site = Site::new(
        r#"scene("s").when(event("wt-01", "alarm")).then([transaction([
               set("wt-01", "power_limit", 500).retry(1, "5s"),
               wait_for(prop("wt-01", "state") == "stopped", "1m"),
           ])]);"#,
    );
    site.report("wt-01", "power_limit", 3000);
    site.answer = Some(CommandState::Unconfirmed { reason: "no answer".into() });
    site.happen("wt-01", "alarm");
    // It was done all the same.
    site.report("wt-01", "power_limit", 500);
    site.answer = Some(CommandState::Applied { result: None });
    site.advance("2m");
    assert_eq!(site.done(), ["wt-01.power_limit = 500", "wt-01.power_limit = 500", "wt-01.power_limit = 3000"]);
}

#[test]
fn what_comes_true_at_one_moment_sets_off_a_scene_once_and_by_priority() {
    let mut site = Site::new(
        r#"scene("low").when(held(prop("wt-01", "wind_speed") > 10, "10s")).when(held(prop("wt-01", "state") == 2, "10s"))
               .then([notify("x", "low")]);
           scene("high").priority(1).when(held(prop("wt-01", "wind_speed") > 5, "10s")).then([notify("x", "high")]);"#,
    );
    site.observe("wt-01", &[("wind_speed", 12.0.into(), Quality::Good), ("state", 2.into(), Quality::Good)]);
    site.advance("10s");
    assert_eq!(site.done(), ["x: high", "x: low"]);
}

#[test]
fn what_comes_true_at_one_moment_sets_off_a_scene_for_each_device() {
    let mut site = Site::new(
        r#"let s = scene("s").per_device().then([notify("x", || cause().device)]);
           for t in devices(#{ row: "b" }) { s.when(held(!is_online(t), "10s")); }"#,
    );
    for turbine in ["wt-05", "wt-06", "wt-07", "wt-08"] {
        site.turn(turbine, Online::Online);
        site.turn(turbine, Online::Offline);
    }
    site.advance("10s");
    assert_eq!(site.done(), ["x: wt-05", "x: wt-06", "x: wt-07", "x: wt-08"]);
}

#[test]
fn what_comes_true_just_in_time_is_not_waited_for_in_vain() {
    let mut site = Site::starting_at(
        NOON,
        r#"scene("s").when(event("wt-01", "alarm")).then([wait_for(time_between("12:00:10", "13:00"), "10s"), notify("x", "yes")]);"#,
    );
    site.happen("wt-01", "alarm");
    site.advance("10s");
    assert_eq!(site.done(), ["x: yes"]);
}

#[test]
fn a_run_is_for_the_device_that_the_trigger_names_first() {
    let mut site = Site::new(
        r#"scene("s").per_device().when(any([held(prop("wt-02", "state") == 2, "1s"), prop("wt-01", "state") == 2]))
               .then([notify("x", || cause().device)]);"#,
    );
    site.report("wt-01", "state", 0);
    site.report("wt-02", "state", 0);
    site.report("wt-01", "state", 2);
    assert_eq!(site.done(), ["x: wt-02"]);
}
