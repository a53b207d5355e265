//! Every mistake that is found while loading, with its exact text and place.

use super::site::{load_all, problems};

/// Wraps a trigger or condition so that it stands at column 18 or 20 of line 1.
fn when(text: &str) -> Vec<String> {
    problems(&format!("scene(\"s\").when({text}).then([notify(\"x\", \"y\")]);"))
}

fn then(text: &str) -> Vec<String> {
    problems(&format!("scene(\"s\").when(goes_online(\"wt-01\")).then([{text}]);"))
}

#[test]
fn names_that_do_not_exist() {
    let cases = [
        (when(r#"prop("wt-1", "state") == 2"#), "1:17: no device is called `wt-1` (did you mean `wt-01`?)"),
        (
            when(r#"prop("wt-01", "wind_sped") > 2"#),
            "1:17: `wind-turbine` has no property `wind_sped` (did you mean `wind_speed`?)",
        ),
        (when(r#"event("wt-01", "alram")"#), "1:17: `wind-turbine` has no event `alram` (did you mean `alarm`?)"),
        (when(r#"row("it")"#), "1:17: there is no query `it` (one of `ti`)"),
        (
            when(r#"row("ti", #{ devise: "wt-01" })"#),
            "1:17: rows of `ti` have no column `devise` (did you mean `device`?)",
        ),
        (when(r#"row(7)"#), "1:17: a query's name is text in quotes, this is a whole number"),
        (then(r#"invoke("wt-01", "sotp")"#), "1:45: `wind-turbine` has no service `sotp` (did you mean `stop`?)"),
        (then(r#"run_scene("t")"#), "1:45: no scene is called `t` (one of `s`)"),
        (
            problems(r#"for t in devices(#{ model: "wind-turbin" }) { }"#),
            "1:10: no model is called `wind-turbin` (did you mean `wind-turbine`?)",
        ),
        (problems(r#"devices(#{ rwo: "a" });"#), "1:1: no device has the label `rwo` (one of `row`, `model`)"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn values_that_do_not_fit() {
    let cases = [
        (
            when(r#"prop("wt-01", "wind_speed") > "fast""#),
            "1:45: `wind_speed` compared with what it can never be: the value is \"fast\", not a number",
        ),
        (
            when(r#"prop("wt-01", "wind_speed") > 600"#),
            "1:45: `wind_speed` compared with what it can never be: the value is 600 m/s, above its maximum of 60 m/s",
        ),
        (
            when(r#"prop("wt-01", "state") == "runing""#),
            "1:40: `state` compared with what it can never be: the value is \"runing\", which is not one of 0 (stopped), 1 (starting), 2 (production), 3 (derated), 4 (fault), 5 (maintenance)",
        ),
        (when(r#"prop("wt-01", "state") > 2"#), "1:40: `>` needs a number, `state` is an enum"),
        (
            when(r#"prop("wt-01", "state") == ()"#),
            "1:40: a comparison with `()` is never what was meant (a missing value makes the condition unknown by itself)",
        ),
        (
            when(r#"prop("wt-01", "state") == prop("wt-01", "wind_speed")"#),
            "1:40: `==` does not work between an enum and a float",
        ),
        (then(r#"set("wt-01", "power_limit", 5000)"#), "1:45: `power_limit` is 5000 kW, above its maximum of 3000 kW"),
        (then(r#"set("wt-01", "power_limit", "all")"#), "1:45: `power_limit` is \"all\", not a whole number"),
        (then(r#"set("wt-01", "wind_speed", 5)"#), "1:45: `wind_speed` can only be read"),
        (then(r#"set("wt-01", "wind_speed", || 5)"#), "1:45: `wind_speed` can only be read"),
        (then(r#"invoke("wt-01", "stop")"#), "1:45: `mode` is missing"),
        (then(r#"invoke("wt-01", "stop", #{ mod: 1 })"#), "1:45: `stop` has no input `mod` (did you mean `mode`?)"),
        (
            then(r#"invoke("wt-01", "stop", #{ mode: 7 })"#),
            "1:45: `mode` is 7, which is not one of 0 (normal), 1 (emergency)",
        ),
        (
            then(r#"notify("a/b", "text")"#),
            "1:45: `a/b` is no name for a channel (one word without `/`, `+` and `#`: \"on-call\")",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
}

#[test]
fn times_that_are_none() {
    let cases = [
        (
            when(r#"held(prop("wt-01", "state") == 2, "10")"#),
            "1:17: `10` is not a duration (write \"500ms\", \"30s\", \"10m\" or \"2h 30m\")",
        ),
        (
            when(r#"time_between("22", "06:00")"#),
            "1:17: `22` is not a time of day (write \"06:30\", \"22:00:15\", \"sunset\" or \"sunrise + 30m\")",
        ),
        (
            when(r#"time_between("25:00", "06:00")"#),
            "1:17: `25:00` is not a time of day (write \"06:30\", \"22:00:15\", \"sunset\" or \"sunrise + 30m\")",
        ),
        (when(r#"time_between("06:00", "06:00")"#), "1:17: both times are the same, so there is nothing between them"),
        (then(r#"delay("0s")"#), "1:45: `0s` is not a duration (write \"500ms\", \"30s\", \"10m\" or \"2h 30m\")"),
        (
            when(r#"cron("0 0 31 2 *")"#),
            "1:17: `0 0 31 2 *` is not a cron pattern: it never comes (minute, hour, day of month, month, day of week: \"0 7 * * 1-5\" is 07:00 from Monday to Friday)",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, [expected]);
    }
    for pattern in ["", "every day", "61 * * * *", "* * * *", "0 0 7 * * *"] {
        let found = when(&format!("cron(\"{pattern}\")"));
        assert_eq!(found.len(), 1, "{pattern}");
        assert!(found[0].starts_with(&format!("1:17: `{pattern}` is not a cron pattern: ")), "{found:?}");
    }
}

#[test]
fn words_in_the_wrong_place() {
    let trigger =
        r#"scene("s").when(goes_online("wt-01")).only_if(changed(prop("wt-01", "state"))).then([notify("x", "y")]);"#;
    let no_bool = "join conditions with `all([..])`, `any([..])`, `&` or `|`, not with `&&`, `||` or `if`";
    let cases = [
        (problems(trigger), "1:39: a trigger is a moment, a condition is a state (put the trigger into `.when(..)`)".to_owned()),
        (
            when(r#"prop("wt-01", "state") == 2 && prop("wt-02", "state") == 2"#),
            format!("1:40: a condition is neither true nor false while the script loads ({no_bool})"),
        ),
        (
            when("5"),
            "1:12: a trigger is needed here, this is a whole number (write `prop(device, property) > 28`, `changed(..)`, `event(..)`, `row(..)` or `cron(..)`)".into(),
        ),
        (
            when(r#"prop("wt-01", "wind_speed")"#),
            "1:12: `wt-01.wind_speed` is not true or false, so it is no condition by itself (compare it: `prop(device, property) > 28`)".into(),
        ),
        (
            when(r#"check("c", || true)"#),
            "1:12: a `check` cannot be waited for: nothing says when to ask it (put it into `.only_if(..)` and a property into `.when(..)`)".into(),
        ),
        (
            when(r#"level(is_online("wt-01"))"#),
            "1:17: `level` fires with every report, and this condition reads no property (without `level` it fires when it becomes true)".into(),
        ),
        (when("all([])"), "1:17: the list of conditions is empty".into()),
        (then("|| 5"), "1:39: a step is needed here, this is a closure (put the closure into `run(|| ..)`)".into()),
        (then("run(|x| x)"), "1:45: the closure in `run` gets no arguments (write `|| ..`)".into()),
        (then("run(5)"), "1:45: `run` needs a closure, this is a whole number (write `run(|| emit(set(device, property, value)))`)".into()),
        (
            then(r#"set("wt-01", "power_limit", value("wt-01", "power_limit"))"#),
            "1:73: `value` reads a value when a scene runs; while the script loads there is none yet; write `prop(..)` or put it into a closure, `|| ..`".into(),
        ),
        (
            problems(r#"scene("s").mode("paralel").then([delay("1s")]);"#),
            "1:12: there is no mode `paralel` (did you mean `parallel`?)".into(),
        ),
        (
            problems(r#"scene("my scene").then([delay("1s")]);"#),
            "1:1: `my scene` is no name for a scene (without spaces, `/`, `+` and `#`: \"room-301.welcome\")".into(),
        ),
    ];
    for (found, expected) in cases {
        assert!(found.contains(&expected), "{found:#?} should contain {expected}");
    }
}

#[test]
fn words_that_do_not_exist() {
    let cases = [
        (
            then(r#"nitify("x", "y")"#),
            "1:45: no function is called `nitify` that takes (text, text) (did you mean `notify`?)",
        ),
        (then(r#"notify("x")"#), "1:45: `notify` does not take (text) (write `notify(channel, text)`)"),
        (problems("scene(naem);"), "1:7: no variable is called `naem`"),
    ];
    for (found, expected) in cases {
        assert_eq!(found[0], expected);
    }
    assert_eq!(problems("scene(\"s\").then([").len(), 1);
    let call = "`call` is a word of the language, for closures (for a service write `invoke(device, service)`)";
    assert_eq!(problems("call(\"wt-01\", \"stop\");"), [format!("1:6: {call}")]);
}

#[test]
fn scenes_that_make_no_sense() {
    let twice = "scene(\"s\").then([delay(\"1s\")]);\n  scene(\"s\").then([delay(\"1s\")]);";
    assert_eq!(problems(twice)[1], "2:3: there is already a scene `s` (the first is in a.rhai, line 1)");
    let empty = problems("scene(\"s\").when(goes_online(\"wt-01\"));");
    assert_eq!(empty, ["1:1: scene `s` does nothing (add `.then([..])`)"]);
    let alone = problems("scene(\"s\").then([delay(\"1s\")]);");
    let expected = "warning 1:1: nothing sets off scene `s` (add `.when(..)`, or run it from another scene; if it is run by hand, write `.allow(\"idle\")`)";
    assert_eq!(alone, [expected]);
    assert_eq!(problems("scene(\"s\").allow(\"idle\").then([delay(\"1s\")]);"), [""; 0]);
    let called =
        "scene(\"a\").when(goes_online(\"wt-01\")).then([run_scene(\"s\")]);\nscene(\"s\").then([delay(\"1s\")]);";
    assert_eq!(problems(called), [""; 0]);
}

#[test]
fn warnings_do_not_stop_a_site() {
    assert_eq!(problems("print(1 + 1);"), ["warning 1:1: printed: 2"]);
    assert_eq!(problems("devices(#{ row: \"z\" });"), ["warning 1:1: no device fits this filter"]);
}

#[test]
fn all_mistakes_of_all_scripts_come_at_once_in_order() {
    let scripts = [
        (
            "b.rhai",
            "scene(\"b\")\n  .when(prop(\"wt-01\", \"stat\") == 2)\n  .when(prop(\"wt-99\", \"state\") == 2)\n  .then([set(\"wt-01\", \"power_limit\", -1)]);",
        ),
        ("a.rhai", "let x = ;"),
        (
            "c.rhai",
            "scene(\"b\").then([run_scene(\"d\")]); scene(\"c\").when(goes_online(\"mast-1\")).then([run_scene(\"d\")]);",
        ),
    ];
    let found: Vec<String> =
        load_all(&scripts).expect_err("full of mistakes").iter().map(ToString::to_string).collect();
    let starts =
        ["b.rhai:2:9: ", "b.rhai:3:9: ", "b.rhai:4:10: ", "a.rhai:1:", "c.rhai:1:1: ", "c.rhai:1:", "c.rhai:1:"];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (line, start) in found.iter().zip(starts) {
        assert!(line.starts_with(start), "{line} should start with {start}");
    }
}

#[test]
fn a_mistake_in_a_loop_is_told_once() {
    let text = "for t in devices(#{ model: \"wind-turbine\" }) {\n  scene(t).when(prop(t, \"windspeed\") > 3).then([delay(\"1s\")]);\n}";
    assert_eq!(problems(text), ["2:17: `wind-turbine` has no property `windspeed` (did you mean `wind_speed`?)"]);
}
