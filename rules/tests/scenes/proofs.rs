//! What is known to be wrong before anything runs.

use super::site::{load_all, problems, things, things_of_hotel};
use edgeway_rules::{Options, Scenes, Script};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A turbine's scene with this trigger and these conditions, at line 1.
fn judged(trigger: &str, only_ifs: &[&str]) -> Vec<String> {
    let only_ifs: String = only_ifs.iter().map(|condition| format!(".only_if({condition})")).collect();
    problems(&format!("{NAMES}\nscene(\"s\").when({trigger}){only_ifs}.then([notify(\"x\", \"y\")]);"))
}

const NAMES: &str = r#"let oil = prop("wt-01", "gear_oil_temperature"); let wind = prop("wt-01", "wind_speed"); let state = prop("wt-01", "state"); let limit = prop("wt-01", "power_limit"); let code = prop("wt-01", "alarm_code");"#;

fn is_dead(trigger: &str, only_ifs: &[&str]) -> bool {
    judged(trigger, only_ifs).iter().any(|found| found.contains("can never fire"))
}

fn with(text: &str, change: impl FnOnce(&mut Options)) -> Vec<String> {
    let mut options = Options { position: Some((52.5, 13.4)), ..Options::default() };
    change(&mut options);
    let script = Script { file: "a.rhai".into(), text: text.to_owned() };
    let (_, warnings) = Scenes::load(things(), &[script], options).expect("no mistakes");
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_scene_whose_conditions_contradict_each_other_can_never_fire() {
    let found = judged("held(oil > 75, \"10m\")", &["state == \"production\"", "oil < 60"]);
    let expected = "warning 2:1: scene `s` can never fire: `wt-01.gear_oil_temperature > 75 °C` and \
                    `wt-01.gear_oil_temperature < 60 °C` cannot both be true (change one of them, or write `any([..])` if \
                    one of them is enough)";
    assert_eq!(found, [expected]);
}

#[test]
fn contradictions_of_every_kind_are_found_and_what_only_looks_like_one_is_not() {
    let dead: [(&str, &[&str]); 16] = [
        ("oil > 75", &["oil <= 75"]),
        ("state == \"fault\"", &["state == \"stopped\""]),
        ("state == \"fault\"", &["state != \"fault\""]),
        ("changed(state)", &["any([state == 0, state == 1])", "state == 2"]),
        ("code > 4", &["code < 5"]),
        ("wind > 60", &[]),
        ("event(\"wt-01\", \"alarm\")", &["is_online(\"wt-01\")", "!is_online(\"wt-01\")"]),
        ("goes_offline(\"wt-01\")", &["is_online(\"wt-01\")"]),
        ("cron(\"0 7 * * *\")", &["on_days(\"mon-wed\")", "on_days(\"sat, sun\")"]),
        ("time_between(\"22:00\", \"06:00\")", &["time_between(\"08:00\", \"18:00\")"]),
        ("oil > 75", &["!time_between(\"22:00\", \"06:00\")", "time_between(\"23:00\", \"05:00\")"]),
        ("wind > wind", &[]),
        ("oil > 75", &["not(any([oil > 70, wind > 3]))"]),
        ("goes_stale(oil)", &["oil > 75"]),
        ("!fresh(oil, \"5m\")", &["fresh(oil, \"2m\")"]),
        ("oil > 75", &["any([oil < 60, wind > 60])"]),
    ];
    for (trigger, only_ifs) in dead {
        assert!(is_dead(trigger, only_ifs), "{trigger} {only_ifs:?}: {:?}", judged(trigger, only_ifs));
    }
    let alive: [(&str, &[&str]); 16] = [
        ("oil > 75", &["oil >= 75"]),
        ("oil >= 75", &["oil <= 75"]),
        ("state == \"fault\"", &["prop(\"wt-02\", \"state\") == \"stopped\""]),
        ("changed(state)", &["any([state == 0, state == 1])", "state != 0"]),
        ("code > 4", &["code < 6"]),
        ("oil > 4", &["oil < 5"]),
        ("wind >= 60", &[]),
        ("goes_offline(\"wt-01\")", &["is_online(\"wt-02\")"]),
        ("cron(\"0 7 * * *\")", &["on_days(\"fri-mon\")", "on_days(\"mon-wed\")"]),
        ("time_between(\"22:00\", \"06:00\")", &["time_between(\"05:00\", \"18:00\")"]),
        ("time_between(\"22:00\", \"06:00\")", &["time_between(\"sunset\", \"sunrise\")"]),
        ("wind > prop(\"wt-02\", \"wind_speed\")", &["wind < prop(\"wt-02\", \"wind_speed\")"]),
        ("oil > 75", &["or_unknown(wind > 3)", "check(\"never\", || false)"]),
        ("goes_stale(oil)", &["wind > 3"]),
        ("!fresh(oil, \"2m\")", &["fresh(oil, \"5m\")"]),
        ("held(oil > 75, \"1m\")", &["!held(oil > 75, \"1h\")"]),
    ];
    for (trigger, only_ifs) in alive {
        assert_eq!(judged(trigger, only_ifs), [""; 0], "{trigger} {only_ifs:?}");
    }
}

#[test]
fn what_is_unknown_may_still_be_wanted() {
    assert!(is_dead("oil < 60", &["or_unknown(oil > 75)"]));
    assert!(!is_dead("wind > 3", &["or_unknown(oil > 75)", "!(oil < 70)"]));
    assert!(is_dead("wind > 3", &["is_stale(oil)", "!or_unknown(oil > 75)"]));
}

#[test]
fn only_the_parts_that_contradict_are_named() {
    let found =
        judged("oil > 75", &["all([wind > 3, state == 2, oil < 100])", "any([state == 3, state == 4])", "limit > 5"]);
    let expected = "scene `s` can never fire: `wt-01.state == production` and `(wt-01.state == derated or wt-01.state == fault)` cannot both be true";
    assert!(found[0].contains(expected), "{found:?}");
    let found = judged("wind > 60", &["oil > 75"]);
    let expected = "can never fire: `wt-01.wind_speed > 60 m/s` is never true: its values go from 0 m/s to 60 m/s (compare with a value that it can have, or take it out)";
    assert!(found[0].ends_with(expected), "{found:?}");
    assert_eq!(found.len(), 1, "{found:?}");
    let found = judged("any([oil > 75, oil < 60])", &["any([wind > 20, wind < 1])", "any([oil == 65, wind == 10])"]);
    assert!(found[0].contains("cannot all be true"), "{found:?}");
}

#[test]
fn a_dead_trigger_among_others_is_told_as_one() {
    let text = r#"scene("s").when(prop("wt-01", "state") == 4).when(prop("wt-01", "wind_speed") > 20).only_if(prop("wt-01", "state") == 2).then([notify("x", "y")]);"#;
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("warning 1:1: `wt-01.state == fault` can never make scene `s` fire: "), "{found:?}");
    let called = format!(
        "{NAMES} scene(\"t\").when(oil > 75).then([run_scene(\"s\")]); scene(\"s\").when(state == 4).only_if(state == 2).then([notify(\"x\", \"y\")]);"
    );
    assert!(problems(&called)[0].contains(": the trigger of scene `s` can never make it fire: "));
    let otherwise = format!(
        "{NAMES} scene(\"s\").when(wind > 3).only_if(state == 4).only_if(state == 2).then([notify(\"x\", \"y\")]).otherwise([notify(\"x\", \"z\")]);"
    );
    assert!(problems(&otherwise)[0].contains(": only the `otherwise` of scene `s` can ever run: "));
}

#[test]
fn a_comparison_that_decides_nothing_is_told() {
    let found = judged("oil > 75", &["wind >= 0"]);
    let expected = "in scene `s` `wt-01.wind_speed >= 0 m/s` is always true: its values go from 0 m/s to 60 m/s (take it out, or compare with a value that decides something)";
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with(expected), "{found:?}");
    let found = judged("any([oil > 75, wind > 60])", &[]);
    assert!(found[0].contains("`wt-01.wind_speed > 60 m/s` is never true"), "{found:?}");
    let found = judged("wind >= 0", &[]);
    assert!(
        found[0].contains("can never fire: `wt-01.wind_speed >= 0 m/s` is always true, and it fires only"),
        "{found:?}"
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(is_dead("any([state == 2, state != 2])", &[]));
    // With each report.
    assert_eq!(judged("level(wind >= 0)", &[]), [""; 0]);
    assert_eq!(judged("oil > 75", &["wind >= 0.1", "prop(\"wt-01\", \"energy_total\") > 0"]), [""; 0]);
}

#[test]
fn branches_and_waits_that_come_to_nothing_are_told_at_their_step() {
    let steps = |steps: &str| problems(&format!("{NAMES}\nscene(\"s\").when(oil > 75).then([\n  {steps}\n]);"));
    let cases = [
        (
            r#"if_true(wind > 60, [delay("1s")])"#,
            "warning 3:3: the steps of this `if_true` never run: `wt-01.wind_speed > 60 m/s` is never true: ",
        ),
        (
            r#"if_true(all([state == 2, state == 3]), [delay("1s")])"#,
            "warning 3:3: the steps of this `if_true` never run: `wt-01.state == production` and `wt-01.state == derated` cannot both be true",
        ),
        (
            r#"if_true(wind >= 0, [delay("1s")])"#,
            "warning 3:3: `wt-01.wind_speed >= 0 m/s` is always true: it decides nothing",
        ),
        (
            r#"if_true(wind >= 0, [delay("1s")]).otherwise([delay("2s")])"#,
            "warning 3:3: `wt-01.wind_speed >= 0 m/s` is always true: its `otherwise` runs only while a value is missing",
        ),
        (
            r#"wait_for(wind > 60, "20s"), delay("1s")"#,
            "warning 3:3: nothing behind this `wait_for` can run: `wt-01.wind_speed > 60 m/s` is never true",
        ),
        (r#"wait_for(wind > 60, "20s").may_fail()"#, "warning 3:3: it always waits as long as it may: "),
    ];
    for (text, start) in cases {
        let found = steps(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].starts_with(start), "{text}: {found:?}");
    }
    let fine = r#"if_true(wind > 20, [delay("1s")]).otherwise([delay("2s")]), wait_for(state == 2, "20s")"#;
    assert_eq!(steps(fine), [""; 0]);
}

/// Scenes of room 301, one a line: name, trigger and conditions, steps.
fn room(scenes: &[(&str, &str, &str)]) -> Vec<String> {
    room_with(scenes, "")
}

fn room_with(scenes: &[(&str, &str, &str)], more: &str) -> Vec<String> {
    let mut text = "let r = \"room-301\";".to_owned();
    for (name, when, then) in scenes {
        text.push_str(&format!("\nscene(\"{name}\"){when}.then([{then}]){more};"));
    }
    problems(&text)
}

const ON: &str = r#".when(prop(r, "ac_power") == true)"#;
const OFF: &str = r#".when(prop(r, "ac_power") == false)"#;

#[test]
fn scenes_that_set_each_other_off_are_a_loop() {
    let found = room(&[("a", ON, r#"set(r, "ac_power", false)"#), ("b", OFF, r#"set(r, "ac_power", true)"#)]);
    let expected = "warning 2:1: possible loop: a -> b -> a: a sets room-301.ac_power = false, which sets off b; b sets \
                    room-301.ac_power = true, which sets off a (a chain is stopped at run time after 8; if it is meant, \
                    write `.allow(\"loop\")`)";
    assert_eq!(found, [expected]);
}

fn loops(scenes: &[(&str, &str, &str)]) -> Vec<String> {
    let found = room(scenes);
    assert!(found.iter().all(|found| found.contains("possible loop")), "{found:?}");
    let chain = |found: &String| found.split(": ").nth(2).unwrap_or_default().to_owned();
    found.iter().map(chain).collect()
}

#[test]
fn a_loop_goes_through_values_that_fit() {
    let level = |level: i64| format!(r#".when(prop(r, "curtain") == {level})"#);
    let set = |level: i64| format!(r#"set(r, "curtain", {level})"#);
    let round = |last: i64| {
        loops(&[
            ("a", &level(10), &set(20)),
            ("b", &level(20), &set(30)),
            ("c", r#".when(held(prop(r, "curtain") > 25, "10m"))"#, &set(last)),
        ])
    };
    assert_eq!(round(10), ["a -> b -> c -> a"]);
    assert_eq!(round(20), ["b -> c -> b"]);
    assert_eq!(round(40), [""; 0]);
    let guarded = |mode: &str| {
        loops(&[
            ("a", ON, r#"set(r, "ac_mode", "heat"), set(r, "ac_power", false)"#),
            ("b", &format!(r#"{OFF}.only_if(prop(r, "ac_mode") == "{mode}")"#), r#"set(r, "ac_power", true)"#),
        ])
    };
    assert_eq!(guarded("heat"), ["a -> b -> a"]);
    assert_eq!(guarded("cool"), [""; 0]);
}

#[test]
fn what_is_true_already_sets_nothing_off() {
    assert_eq!(loops(&[("a", ON, r#"set(r, "ac_power", true)"#)]), [""; 0]);
    assert_eq!(loops(&[("a", ON, r#"set(r, "ac_power", false)"#)]), [""; 0]);
    // Nothing switches the power off again.
    let once = [
        ("a", ON, r#"set(r, "main_power", true)"#),
        ("b", r#".when(prop(r, "main_power") == true)"#, r#"set(r, "ac_power", true)"#),
    ];
    assert_eq!(loops(&once), [""; 0]);
    let off_and_on = r#"set(r, "ac_power", false), delay("1s"), set(r, "ac_power", true)"#;
    assert_eq!(loops(&[("a", ON, off_and_on)]), ["a -> a"]);
    assert_eq!(
        loops(&[("a", r#".when(level(prop(r, "ac_power") == true))"#, r#"set(r, "ac_power", true)"#)]),
        ["a -> a"]
    );
}

#[test]
fn a_change_goes_on_only_if_another_value_comes() {
    let changed = r#".when(changed(prop(r, "setpoint")))"#;
    assert_eq!(loops(&[("a", changed, r#"set(r, "setpoint", 21)"#)]), [""; 0]);
    assert_eq!(loops(&[("a", changed, r#"set(r, "setpoint", || value(r, "setpoint") + 1)"#)]), ["a -> a"]);
    let two = [("a", changed, r#"set(r, "setpoint", 21)"#), ("b", changed, r#"set(r, "setpoint", 22)"#)];
    let found = room_with(&two, ".allow(\"conflict\")");
    assert!(found.iter().any(|found| found.contains("possible loop: a -> b -> a: ")), "{found:?}");
}

#[test]
fn loops_go_through_scenes_events_branches_and_undoing() {
    let run = [("a", "", r#"run_scene("b")"#), ("b", "", r#"run_scene("a")"#)];
    let found = room(&run);
    assert!(found[0].contains("possible loop: a -> b -> a: a runs b; b runs a"), "{found:?}");
    let event =
        r#"scene("a").when(event("wt-01", "alarm")).then([delay("1s"), emit("wt-01", "alarm", #{ code: 1 })]);"#;
    let found = problems(event);
    assert!(
        found.iter().any(|found| found.contains("a -> a: a tells the event alarm of wt-01, which sets it off again")),
        "{found:?}"
    );
    let otherwise = r#"let r = "room-301"; scene("a").when(prop(r, "ac_power") == true).only_if(prop(r, "presence") == true).then([notify("x", "y")]).otherwise([set(r, "ac_power", false)]);
        scene("b").when(prop(r, "ac_power") == false).then([set(r, "ac_power", true)]);"#;
    let found = problems(otherwise);
    assert!(found[0].contains("the `otherwise` of a sets room-301.ac_power = false"), "{found:?}");
    let undo = r#"let r = "room-301"; scene("a").when(prop(r, "ac_power") == true).then([transaction([set(r, "curtain", 1).undo(set(r, "ac_power", false))])]);
        scene("b").when(prop(r, "ac_power") == false).then([set(r, "ac_power", true)]);"#;
    assert_eq!(problems(undo).len(), 1);
}

#[test]
fn another_scene_may_be_what_keeps_a_loop_going() {
    let (a, b) = (r#"set(r, "main_power", true)"#, r#".when(prop(r, "main_power") == true)"#);
    let third = r#"set(r, "ac_power", false), set(r, "main_power", false)"#;
    let found = room(&[
        ("a", ON, a),
        ("b", b, r#"set(r, "ac_power", true)"#),
        ("c", r#".when(level(prop(r, "main_power") == true))"#, third),
    ]);
    let expected = "possible loop: a -> b -> a: a sets room-301.main_power = true, which sets off b; b sets \
                    room-301.ac_power = true, which sets off a; in between c sets room-301.ac_power = false; in between c \
                    sets room-301.main_power = false (";
    assert!(found.iter().any(|found| found.contains(expected)), "{found:#?}");
}

#[test]
fn a_long_loop_is_told_shortly() {
    let text = r#"for n in 0..100 { scene(`s${n / 10}${n % 10}`).then([run_scene(`s${(n + 1) % 100 / 10}${(n + 1) % 10}`)]); }"#;
    let found = problems(text);
    assert_eq!(found.len(), 1, "{found:?}");
    let start = "warning 1:19: possible loop: s00 -> s01 -> s02 -> s03 -> s04 -> s05 -> s06 -> s07 -> (92 more) -> s00: s00 runs s01; ";
    assert!(found[0].starts_with(start), "{found:?}");
    assert!(found[0].contains("; (91 more); s99 runs s00 ("), "{found:?}");
}

#[test]
fn a_loop_that_one_of_its_scenes_allows_is_none() {
    let text = |allow: &str| {
        format!(
            r#"let r = "room-301"; scene("a"){ON}.then([set(r, "ac_power", false)]);
               scene("b"){OFF}{allow}.then([set(r, "ac_power", true)]);"#
        )
    };
    assert_eq!(problems(&text("")).len(), 1);
    assert_eq!(problems(&text(".allow(\"loop\")")), [""; 0]);
    assert_eq!(problems(&text(".allow(\"conflict\")")).len(), 1);
}

#[test]
fn loops_go_through_queries() {
    let text = |device: &str| {
        format!(r#"scene("a").when(row("ti", #{{ device: "{device}" }})).then([set("wt-01", "power_limit", || 100)]);"#)
    };
    let found = |text: &str, property: &str| {
        let (model, property) = (things().model_ix("wind-turbine").expect("a model"), property);
        let property = things().model(model).property(property).expect("a property").0;
        with(text, |options| options.reads = BTreeMap::from([("ti".into(), vec![(model, property)])]))
    };
    let expected = "a.rhai:1:1: possible loop: a -> a: a sets wt-01.power_limit to what a closure says, which the query ti \
                    reads, whose rows set it off again (a chain is stopped at run time after 8; if it is meant, write \
                    `.allow(\"loop\")`)";
    assert_eq!(found(&text("wt-01"), "power_limit"), [expected]);
    assert_eq!(found(&text("wt-02"), "power_limit"), [""; 0]);
    assert_eq!(found(&text("wt-01"), "wind_speed"), [""; 0]);
}

fn conflicts(scenes: &[(&str, &str, &str)]) -> Vec<String> {
    room(scenes).into_iter().filter(|found| found.contains("can both act")).collect()
}

#[test]
fn two_scenes_that_overrule_each_other_are_told() {
    let found = room(&[
        ("b", r#".when(prop(r, "temperature") > 25)"#, r#"set(r, "setpoint", 21)"#),
        ("a", r#".when(prop(r, "temperature") > 28)"#, r#"set(r, "setpoint", 19.5)"#),
    ]);
    let expected = "warning 3:1: `a` and `b` can both act on one change of room-301.temperature and set room-301.setpoint to \
                    19.5 °C and 21 °C; the name decides: `a` comes first (give one of them a priority, or write \
                    `.allow(\"conflict\")`)";
    assert_eq!(found, [expected]);
}

#[test]
fn scenes_that_never_act_together_do_not_overrule_each_other() {
    const HOT: &str = r#".when(prop(r, "temperature") > 25)"#;
    const COLD: &str = r#".when(prop(r, "temperature") < 18)"#;
    let (low, high) = (r#"set(r, "setpoint", 18)"#, r#"set(r, "setpoint", 24)"#);
    let pair = |a: &str, b: &str| conflicts(&[("a", a, low), ("b", b, high)]).len();
    assert_eq!(pair(HOT, HOT), 1);
    assert_eq!(pair(HOT, COLD), 0);
    let by = |presence: bool| format!(r#"{HOT}.only_if(prop(r, "presence") == {presence})"#);
    assert_eq!((pair(&by(true), &by(true)), pair(&by(true), &by(false))), (1, 0));
    let held = |span: &str| format!(r#".when(held(prop(r, "temperature") > 25, "{span}"))"#);
    assert_eq!((pair(&held("1m"), &held("1m")), pair(&held("1m"), &held("2m")), pair(HOT, &held("1m"))), (1, 0, 0));
    assert_eq!((pair(HOT, &format!("{HOT}.priority(1)")), pair(HOT, r#".when(prop(r, "humidity") > 80)"#)), (0, 0));
    assert_eq!(pair(HOT, &format!("{HOT}.allow(\"conflict\")")), 0);
    let cron = |hour: u8| format!(".when(cron(\"0 {hour} * * *\"))");
    assert_eq!((pair(&cron(7), &cron(7)), pair(&cron(7), &cron(8))), (1, 0));
    let row = |device: &str| format!("when(row(\"ti\", #{{ device: \"{device}\" }}))");
    let rows = |a: &str, b: &str| pair(&format!(".{}", row(a)), &format!(".{}", row(b)));
    assert_eq!((rows("room-301", "room-301"), rows("room-301", "room-302")), (1, 0));
    assert_eq!(conflicts(&[("a", HOT, low), ("b", HOT, low)]).len(), 0);
    assert_eq!(conflicts(&[("a", HOT, low), ("b", HOT, r#"delay("1h"), set(r, "setpoint", 24)"#)]).len(), 0);
    let run =
        [("a", HOT, r#"set(r, "setpoint", 18), run_scene("c")"#), ("b", HOT, high), ("c", "", r#"run_scene("b")"#)];
    assert_eq!(conflicts(&run).len(), 0);
    let branches = |want: bool| {
        format!(r#"if_true(prop(r, "presence") == {want}, [set(r, "setpoint", 18)]).otherwise([delay("1s")])"#)
    };
    let with_branch = |want| conflicts(&[("a", HOT, &branches(want)), ("b", &by(true), high)]).len();
    assert_eq!((with_branch(true), with_branch(false)), (1, 0));
}

#[test]
fn spans_shorter_than_the_polls_are_told() {
    let found = |condition: &str| {
        let text = format!("{NAMES}\nscene(\"s\").when(code > 5).only_if({condition}).then([notify(\"x\", \"y\")]);");
        with(&text, |options| {
            let things = things();
            let device = things.device_ix("wt-01").expect("a device");
            let property = |name| (device, things.model_of(device).property(name).expect("a property").0);
            let seconds = Duration::from_secs;
            options.periods =
                HashMap::from([(property("wind_speed"), seconds(10)), (property("gear_oil_temperature"), seconds(60))]);
        })
    };
    let cases = [
        (
            "held(all([wind > 20, oil > 50]), \"30s\")",
            "a.rhai:2:1: in scene `s` one value decides whether `(wt-01.wind_speed > 20 m/s and wt-01.gear_oil_temperature > 50 °C) for 30s`: wt-01.gear_oil_temperature is read every 1m (hold it for longer than two polls, or poll more often)",
        ),
        (
            "fresh(oil, \"30s\")",
            "a.rhai:2:1: in scene `s` `wt-01.gear_oil_temperature` has to be newer than 30s, and is read every 1m: it is too old before the next poll comes (allow two polls at least, or poll more often)",
        ),
        (
            "!fresh(wind, \"15s\")",
            "a.rhai:2:1: in scene `s` `wt-01.wind_speed` has to be newer than 15s, and is read every 10s: one late poll is enough to make it too old (allow two polls at least, or poll more often)",
        ),
    ];
    for (condition, expected) in cases {
        assert_eq!(found(condition), [expected]);
    }
    for fine in ["held(wind > 20, \"30s\")", "fresh(oil, \"2m\")", "held(state == 2, \"1s\")", "fresh(state, \"1s\")"] {
        assert_eq!(found(fine), [""; 0], "{fine}");
    }
}

#[test]
fn closures_and_scenes_that_do_nothing_are_told() {
    let run = |closure: &str| {
        problems(&format!(
            "fn tell() {{ emit(notify(\"x\", \"y\")); }}\nscene(\"s\").when(goes_online(\"wt-01\")).then([run({closure})]);"
        ))
    };
    let expected = "warning 2:45: this closure does nothing: it calls no function (write `run(|| emit(set(device, property, value)))`)";
    for idle in ["|| {}", "|| { let x = 1; x + 2 }", "|| ()", "|| { if 1 > 2 { 3 } else { 4 } }"] {
        assert_eq!(run(idle), [expected], "{idle}");
    }
    let busy = [
        "|| emit(notify(\"x\", \"y\"))",
        "|| tell()",
        "|| { for t in [\"a\"] { emit(notify(t, \"y\")); } }",
        "|| { if value(\"wt-01\", \"state\") == \"fault\" { throw \"no\" } }",
        "|| print(\"here\")",
        "|| { let x = [\"a\"]; x.for_each(|t| emit(notify(t, \"y\"))) }",
        "|| throw \"no\"",
    ];
    for busy in busy {
        assert_eq!(run(busy), [""; 0], "{busy}");
    }
    let empty = problems("scene(\"s\").when(goes_online(\"wt-01\")).then([]);");
    assert_eq!(
        empty,
        ["warning 1:1: scene `s` does nothing: its `then` is empty (write what it does, or take it out)"]
    );
}

#[test]
fn numbers_of_different_units_are_not_compared() {
    let found = judged("wind > oil", &[]);
    assert_eq!(
        found,
        ["2:22: `>` compares m/s with °C (convert one of them: `check(\"why\", || value(a, p) * 1000 > value(b, q))`)"]
    );
    assert_eq!(judged("oil > prop(\"room-301\", \"temperature\")", &[]), [""; 0]);
    // Without a unit it may be anything.
    assert_eq!(judged("code > limit", &[]), [""; 0]);
}

#[test]
fn a_mistake_in_a_loop_over_devices_is_told_once() {
    let text = r#"for t in devices(#{ model: "wind-turbine" }) {
        scene(t).when(prop(t, "wind_speed") > 20).only_if(prop(t, "wind_speed") < 10).only_if(prop(t, "state") == 2).then([delay("1s")]);
        scene(`${t}.b`).when(prop(t, "state") == 1).only_if(prop(t, "alarm_code") >= 0).only_if(prop(t, "alarm_code") <= 9999).then([delay("1s")]);
    }"#;
    let found = problems(text);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].contains("scene `wt-01` can never fire: "), "{found:#?}");
    assert!(found.iter().all(|found| found.contains("; and 7 more like it (")), "{found:#?}");
    let text = r#"for r in devices(#{ model: "hotel-room" }) { for n in 0..2 {
        scene(`${r}.off${n}`).when(prop(r, "ac_power") == true).then([set(r, "ac_power", false), set(r, "setpoint", 20 + n), set(r, "curtain", n)]);
        scene(`${r}.on${n}`).when(prop(r, "ac_power") == false).then([set(r, "ac_power", true)]);
    } }"#;
    let found = problems(text);
    let count = |what: &str| found.iter().filter(|found| found.contains(what)).count();
    // One loop of each two scenes and one of all four; the setpoint and the curtain.
    assert_eq!((count("possible loop"), count("can both act")), (2, 2), "{found:#?}");
}

#[test]
fn many_scenes_are_proved_in_no_time() {
    let one = r#"for n in 0..900 { let t = `wt-0${n % 8 + 1}`; scene(`NAME${n}`).when(prop(t, "wind_speed") > 20 + n % 9).only_if(prop(t, "state") == 2).then([set(t, "power_limit", n)]); }"#;
    let texts: Vec<(String, String)> =
        (0..6).map(|at| (format!("{at}.rhai"), one.replace("NAME", &format!("s{at}.")))).collect();
    let scripts: Vec<(&str, &str)> = texts.iter().map(|(file, text)| (&**file, &**text)).collect();
    let (_, warnings) = load_all(&scripts).expect("no mistakes");
    // 5,400 scenes, nearly any two of which overrule each other, out of one line in each of six files.
    assert!((6..=20).contains(&warnings.len()), "{}", warnings.len());
    assert!(warnings.iter().all(|found| found.problem.message.contains("can both act")));
}

#[test]
fn the_scenes_of_the_shipped_sites_are_beyond_doubt() {
    for folder in ["examples", "../sites/hotel/scenes", "../sites/wind-farm/scenes"] {
        let folder = format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"));
        let paths = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
        let is_script = |path: &std::path::PathBuf| {
            let name = path.to_string_lossy();
            name.ends_with(".rhai") && !name.ends_with("_test.rhai")
        };
        let paths = paths.filter(is_script);
        let text = |path: &std::path::Path| std::fs::read_to_string(path).expect("text");
        let scripts: Vec<Script> =
            paths.map(|path| Script { file: path.to_string_lossy().into(), text: text(&path) }).collect();
        assert!(scripts.len() > 2);
        let (_, warnings) = Scenes::load(things_of_hotel(), &scripts, Options::default()).expect("no mistakes");
        assert_eq!(warnings, []);
    }
}
