//! What each word means.

use super::site::Site;
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;

const NOTHING: [&str; 0] = [];

fn when(trigger: &str) -> Site {
    Site::new(&format!("scene(\"s\").when({trigger}).then([notify(\"x\", \"yes\")]);"))
}

fn only_if(condition: &str) -> Site {
    Site::new(&format!("scene(\"s\").only_if({condition}).then([notify(\"x\", \"yes\")]);"))
}

impl Site {
    fn passes(&mut self) -> bool {
        let passed = self.scenes.run(self.now, "s", &mut self.effects).is_ok();
        assert_eq!(passed, self.done() == ["x: yes"]);
        passed
    }

    fn went_off(&mut self) -> bool {
        let done = self.done();
        assert!(done.len() <= 1, "{done:?}");
        !done.is_empty()
    }
}

#[test]
fn a_comparison_fires_when_it_becomes_true_and_not_while_it_stays_true() {
    let mut site = when("prop(\"room-301\", \"temperature\") > 28");
    let mut fires = |celsius: f64| {
        site.report("room-301", "temperature", celsius);
        site.went_off()
    };
    assert!(!fires(20.0));
    assert!(fires(29.0));
    assert!(!fires(30.0));
    assert!(!fires(20.0));
    assert!(fires(28.1));
}

#[test]
fn the_first_good_value_alone_is_no_crossing() {
    let mut site = when("prop(\"room-301\", \"temperature\") > 28");
    site.report("room-301", "temperature", 30.0);
    assert_eq!(site.done(), NOTHING);
    site.report_quality("room-301", "temperature", Value::Null, Quality::BadTimeout);
    site.report("room-301", "temperature", 31.0);
    assert_eq!(site.done(), NOTHING);
}

#[test]
fn a_crossing_during_a_gap_is_seen_after_it() {
    let mut site = when("prop(\"room-301\", \"temperature\") > 28");
    site.report("room-301", "temperature", 20.0);
    site.report_quality("room-301", "temperature", 30.0, Quality::Stale);
    site.report_quality("room-301", "temperature", 30.0, Quality::Uncertain);
    assert_eq!(site.done(), NOTHING);
    site.report("room-301", "temperature", 30.0);
    assert!(site.went_off());
}

#[test]
fn a_crossing_is_seen_against_seeded_values_and_seeding_sets_nothing_off() {
    let text = "scene(\"s\").when(prop(\"room-301\", \"temperature\") > 28).then([notify(\"x\", \"yes\")]);";
    let mut site = Site::unstarted(super::site::NOON, text);
    site.seed("room-301", "temperature", 20.0);
    site.seed("room-301", "temperature", 25.0);
    site.scenes.start(site.now, &mut site.effects);
    assert_eq!(site.done(), NOTHING);
    site.report("room-301", "temperature", 30.0);
    assert!(site.went_off());
}

#[test]
fn level_fires_with_every_matching_report_of_good_quality() {
    let mut site = when("level(prop(\"room-301\", \"temperature\") > 28)");
    for (celsius, quality, fires) in [
        (30.0, Quality::Good, true),
        (30.0, Quality::Good, true),
        (30.0, Quality::Stale, false),
        (20.0, Quality::Good, false),
    ] {
        site.report_quality("room-301", "temperature", celsius, quality);
        assert_eq!(site.went_off(), fires, "{celsius} {quality}");
    }
    site.report("room-301", "humidity", 50.0);
    assert_eq!(site.done(), NOTHING);
}

#[test]
fn changed_needs_two_good_values_that_differ() {
    let mut site = when("changed(prop(\"wt-01\", \"power_limit\"))");
    for (limit, quality, fires) in [
        (3000, Quality::Good, false),
        (3000, Quality::Good, false),
        (2000, Quality::Stale, false),
        (2000, Quality::Good, true),
        (2000, Quality::Good, false),
    ] {
        site.report_quality("wt-01", "power_limit", limit, quality);
        assert_eq!(site.went_off(), fires, "{limit} {quality}");
    }
}

#[test]
fn events_fire_each_time_and_only_for_their_device() {
    let mut site = when("event(\"wt-01\", \"alarm\")");
    site.happen("wt-02", "alarm");
    assert_eq!(site.done(), NOTHING);
    site.happen("wt-01", "alarm");
    assert!(site.went_off());
    site.happen("wt-01", "alarm");
    assert!(site.went_off());
}

#[test]
fn rows_of_a_query_set_off_scenes_that_mean_them() {
    let row = |device: &str, high: bool, n: Value| [("device", device.into()), ("high", high.into()), ("n", n)];
    let mut any = when("row(\"ti\")");
    any.tell("other", &row("wt-01", true, Value::Int(3)));
    assert_eq!(any.done(), NOTHING);
    any.tell("ti", &row("wt-02", false, Value::Null));
    assert!(any.went_off());
    let mut meant = when("row(\"ti\", #{ device: \"wt-01\", high: true, n: 3 })");
    let others = [
        row("wt-02", true, Value::Int(3)),
        row("wt-01", false, Value::Int(3)),
        row("wt-01", true, Value::Int(4)),
        row("wt-01", true, Value::Null),
    ];
    for other in others {
        meant.tell("ti", &other);
        assert_eq!(meant.done(), NOTHING, "{other:?}");
    }
    meant.tell("ti", &row("wt-01", true, Value::Float(3.0)));
    assert!(meant.went_off(), "3.0 is 3");
    meant.tell("ti", &row("wt-01", true, Value::Int(3)));
    assert!(meant.went_off(), "each such row");
    meant.tell("ti", &[("device", "wt-01".into())]);
    assert_eq!(meant.done(), NOTHING, "it has no such columns");
}

#[test]
fn going_online_and_offline_are_changes_of_what_was_known() {
    let mut site = when("goes_offline(\"wt-01\")");
    for (online, fires) in [
        (Online::Offline, false),
        (Online::Online, false),
        (Online::Degraded, false),
        (Online::Offline, true),
        (Online::Offline, false),
    ] {
        site.turn("wt-01", online);
        assert_eq!(site.went_off(), fires, "{online:?}");
    }
    let mut site = when("goes_online(\"wt-01\")");
    for (online, fires) in [(Online::Online, false), (Online::Offline, false), (Online::Online, true)] {
        site.turn("wt-01", online);
        assert_eq!(site.went_off(), fires, "{online:?}");
    }
}

#[test]
fn several_triggers_of_one_report_fire_a_scene_once() {
    let mut site = Site::new(
        r#"scene("s").when(prop("room-301", "temperature") > 28).when(prop("room-301", "humidity") > 60)
            .then([notify("x", "yes")]);"#,
    );
    let good = |name, value: f64| (name, Value::Float(value), Quality::Good);
    site.observe("room-301", &[good("temperature", 20.0), good("humidity", 50.0)]);
    site.observe("room-301", &[good("temperature", 30.0), good("humidity", 70.0)]);
    assert_eq!(site.fired(), ["s"]);
}

#[test]
fn a_report_counts_as_a_whole() {
    let mut site = when("prop(\"room-301\", \"temperature\") > prop(\"room-301\", \"setpoint\")");
    let good = |name, value: f64| (name, Value::Float(value), Quality::Good);
    site.observe("room-301", &[good("temperature", 20.0), good("setpoint", 22.0)]);
    site.observe("room-301", &[good("temperature", 23.0), good("setpoint", 25.0)]);
    assert_eq!(site.done(), NOTHING);
    site.observe("room-301", &[good("temperature", 26.0)]);
    assert!(site.went_off());
}

#[test]
fn comparisons_compare() {
    let cases = [("==", [false, true, false]), ("!=", [true, false, true]), (">", [false, false, true])];
    let more = [(">=", [false, true, true]), ("<", [true, false, false]), ("<=", [true, true, false])];
    for (op, expected) in cases.into_iter().chain(more) {
        let mut site = only_if(&format!("prop(\"wt-01\", \"wind_speed\") {op} 10"));
        let mut flipped = only_if(&format!("10 {op} prop(\"wt-01\", \"wind_speed\")"));
        for (speed, holds) in [9.0, 10.0, 11.0].into_iter().zip(expected) {
            site.report("wt-01", "wind_speed", speed);
            assert_eq!(site.passes(), holds, "{speed} {op} 10");
            flipped.report("wt-01", "wind_speed", 20.0 - speed);
            assert_eq!(flipped.passes(), holds, "10 {op} {}", 20.0 - speed);
        }
    }
}

#[test]
fn an_enum_is_compared_by_label_or_number_and_a_bool_by_itself() {
    for condition in ["prop(\"wt-01\", \"state\") == \"production\"", "prop(\"wt-01\", \"state\") == 2"] {
        let mut site = only_if(condition);
        site.report("wt-01", "state", 2);
        assert!(site.passes());
        site.report("wt-01", "state", 3);
        assert!(!site.passes());
    }
    let mut site = only_if("prop(\"room-301\", \"key_card\")");
    site.report("room-301", "key_card", true);
    assert!(site.passes());
}

#[test]
fn conditions_join_and_unknown_decides_only_where_it_must() {
    let hot = "prop(\"room-301\", \"temperature\") > 28";
    let humid = "prop(\"room-301\", \"humidity\") > 60";
    let cases = [
        (format!("all([{hot}, {humid}])"), [false, false]),
        (format!("any([{hot}, {humid}])"), [false, true]),
        (format!("({hot}) & ({humid})"), [false, false]),
        (format!("({hot}) | ({humid})"), [false, true]),
        (format!("!({hot})"), [true, false]),
        (format!("not({hot})"), [true, false]),
        (format!("not(all([{hot}, {humid}]))"), [true, false]),
    ];
    for (condition, expected) in cases {
        let mut site = only_if(&condition);
        assert!(!site.passes(), "{condition} with nothing known");
        for (celsius, passes) in [20.0, 30.0].into_iter().zip(expected) {
            site.report("room-301", "temperature", celsius);
            assert_eq!(site.passes(), passes, "{condition} at {celsius}");
        }
    }
}

#[test]
fn a_value_that_is_stale_or_bad_neither_passes_nor_fails() {
    for quality in [Quality::Stale, Quality::Uncertain, Quality::Bad, Quality::BadTimeout] {
        for condition in ["prop(\"wt-01\", \"wind_speed\") > 5", "prop(\"wt-01\", \"wind_speed\") <= 5"] {
            let mut site = only_if(condition);
            site.report_quality("wt-01", "wind_speed", 10.0, quality);
            assert!(!site.passes(), "{quality} {condition}");
            assert!(site.why("s").contains("unknown"), "{}", site.why("s"));
        }
    }
}

#[test]
fn fresh_looks_at_when_the_device_measured() {
    let mut site = only_if("fresh(prop(\"wt-01\", \"wind_speed\"), \"2m\")");
    assert!(!site.passes());
    site.report("wt-01", "wind_speed", 10.0);
    site.advance("2m");
    assert!(site.passes());
    site.advance("1ms");
    assert!(!site.passes());
}

#[test]
fn is_online_needs_a_known_state() {
    for (online, yes, no) in [
        (None, false, false),
        (Some(Online::Online), true, false),
        (Some(Online::Degraded), true, false),
        (Some(Online::Offline), false, true),
        (Some(Online::Unknown), false, false),
    ] {
        for (condition, expected) in [("is_online(\"wt-01\")", yes), ("!is_online(\"wt-01\")", no)] {
            let mut site = only_if(condition);
            online.into_iter().for_each(|online| site.turn("wt-01", online));
            assert_eq!(site.passes(), expected, "{condition} {online:?}");
        }
    }
}

#[test]
fn a_check_decides_and_one_that_fails_does_not_act() {
    let mut site = only_if("check(\"strong\", || value(\"wt-01\", \"wind_speed\") > 5)");
    assert!(!site.passes());
    assert!(
        site.why("s").contains("error: `wt-01.wind_speed` has not been reported yet, line 1, column 39"),
        "{}",
        site.why("s")
    );
    site.report("wt-01", "wind_speed", 10.0);
    assert!(site.passes());
    site.report_quality("wt-01", "wind_speed", 10.0, Quality::Stale);
    assert!(!site.passes());
    assert!(site.why("s").contains("`wt-01.wind_speed` is stale, 0 s old"), "{}", site.why("s"));
    assert_eq!(site.scenes.counters().errors, 2);
}

#[test]
fn a_negated_check_that_fails_does_not_act_either() {
    let mut site = only_if("!check(\"strong\", || value(\"wt-01\", \"wind_speed\") > 5)");
    assert!(!site.passes());
    let mut site = only_if("check(\"number\", || 5)");
    assert!(!site.passes());
    assert!(
        site.why("s").contains("a check answers true or false, this one answered a whole number"),
        "{}",
        site.why("s")
    );
}

#[test]
fn a_check_is_asked_only_while_nothing_has_failed() {
    let text = r#"scene("s").only_if(prop("wt-01", "state") == "fault").only_if(check("boom", || 1 / 0 == 1)).then([notify("x", "yes")]);"#;
    let mut site = Site::new(text);
    assert!(!site.passes());
    assert_eq!(site.scenes.counters().errors, 0);
    assert!(site.why("s").contains("skipped"), "{}", site.why("s"));
}

#[test]
fn closures_read_labels_numbers_and_defaults() {
    let mut site = Site::new(
        r#"scene("s").then([notify("x", || `${value("wt-01", "state")} ${value_or("wt-01", "wind_speed", 3.5)}`)]);"#,
    );
    site.report("wt-01", "state", 2);
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: production 3.5"]);
}

#[test]
fn otherwise_runs_when_a_condition_is_not_true() {
    let mut site = Site::new(
        r#"scene("s").when(event("wt-01", "alarm")).only_if(prop("wt-01", "state") == "production")
            .then([notify("x", "then")]).otherwise([notify("x", "otherwise")]);"#,
    );
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: otherwise"]);
    site.report("wt-01", "state", 2);
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: then"]);
    assert_eq!(site.verdicts("s"), ["fired", "otherwise"]);
}

#[test]
fn commands_say_who_wants_them_and_how_much() {
    let mut site = Site::new(
        r#"scene("outer").when(event("wt-01", "alarm")).then([run_scene("inner")]);
           scene("inner").priority(7).then([invoke("wt-01", "reset"), set("wt-01", "power_limit", 1500.0)]);"#,
    );
    site.happen("wt-01", "alarm");
    let effects = site.effects.clone();
    let edgeway_rules::Effect::Command { scene, chain, priority, .. } = &effects[2] else { panic!("{effects:?}") };
    assert_eq!((&**scene, *priority), ("inner", 7));
    assert_eq!(chain.iter().map(|name| &**name).collect::<Vec<_>>(), ["outer"]);
    assert_eq!(site.done(), ["wt-01.reset()", "wt-01.power_limit = 1500"]);
}

#[test]
fn of_two_scenes_the_higher_priority_acts_first_and_then_the_name_decides() {
    let mut site = Site::new(
        r#"for s in [["b", 0], ["a", 0], ["c", 5]] {
             scene(s[0]).priority(s[1]).when(event("wt-01", "alarm")).then([notify("x", s[0])]);
           }"#,
    );
    site.happen("wt-01", "alarm");
    assert_eq!(site.done(), ["x: c", "x: a", "x: b"]);
}

#[test]
fn run_emits_steps_before_the_next_step() {
    let mut site = Site::new(
        r#"scene("s").then([
             run(|| { for t in devices(#{ model: "wind-turbine", row: "b" }) { emit(notify("x", t)); } emit(delay("1s")); emit(notify("x", "late")); }),
             notify("x", "last"),
           ]);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: wt-05", "x: wt-06", "x: wt-07", "x: wt-08"]);
    site.advance("1s");
    assert_eq!(site.done(), ["x: late", "x: last"]);
}

#[test]
fn a_step_that_fails_ends_the_run_and_is_traced() {
    let mut site = Site::new(
        r#"scene("s").then([notify("x", "one"), set("wt-01", "power_limit", || 9000), notify("x", "three")]);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: one"]);
    assert_eq!(site.verdicts("s"), ["failed", "fired"]);
    assert!(
        site.why("s").contains("set wt-01.power_limit = ..: `power_limit` is 9000 kW, above its maximum of 3000 kW"),
        "{}",
        site.why("s")
    );
    assert_eq!(site.scenes.counters().errors, 1);
}

#[test]
fn closures_in_a_loop_keep_their_own_values() {
    let mut site = Site::new(
        r#"let list = [];
           for n in 1..=3 { let text = `n${n}`; let inner = || text; list.push(notify("x", || `${n} ${inner.call()}`)); }
           scene("s").then(list);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: 1 n1", "x: 2 n2", "x: 3 n3"]);
}

#[test]
fn functions_and_constants_of_the_script_are_there_at_run_time() {
    let mut site = Site::new(
        r#"const LIMIT = 5.0;
           fn twice(x) { x * 2.0 }
           scene("s").then([notify("x", || `${twice(LIMIT)}`)]);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: 10.0"]);
}
