//! What a script cannot do, however hard it tries.

use super::site::{Site, problems};

fn stopped(closure: &str) -> String {
    let mut site = Site::new(&format!("fn deep(x) {{ deep(x + 1) }}\nscene(\"s\").then([run(|| {{ {closure} }})]);"));
    site.scenes.run(site.now, "s", &mut site.effects).expect("the conditions are true");
    assert_eq!(site.scenes.counters().errors, 1, "{closure}");
    assert_eq!(site.done(), [""; 0]);
    let why = site.scenes.why("s", site.now).expect("the scene");
    assert_eq!(why.decisions[0].verdict, "failed");
    why.decisions[0].detail.clone()
}

const TOO_LONG: &str = "step 1: the script ran too long (20,000 operations or 5 ms for a closure, \
    200,000 operations or 500 ms for a script while it loads)";

#[test]
fn an_endless_loop_is_stopped() {
    assert!(stopped("loop {}").starts_with(TOO_LONG));
    assert!(stopped("while true { let x = 1; }").starts_with(TOO_LONG));
}

#[test]
fn loops_inside_of_closures_inside_of_loops_share_one_budget() {
    let detail = stopped("for i in 0..1000 { [0].map(|x| { for j in 0..1000 { let k = j; } }); }");
    assert!(detail.starts_with(TOO_LONG), "{detail}");
}

#[test]
fn deep_recursion_is_stopped() {
    let detail = stopped("deep(0)");
    assert!(detail.starts_with("step 1: functions call each other too deeply (24 levels)"), "{detail}");
}

#[test]
fn texts_arrays_and_maps_stay_small() {
    for (closure, what) in [
        ("let s = \"x\"; loop { s += s; }", "text"),
        ("let a = [0]; loop { a += a; }", "array"),
        ("let a = []; loop { a = [a, a]; }", ""),
    ] {
        let detail = stopped(closure);
        assert!(detail.starts_with("step 1: too large"), "{what}: {detail}");
    }
}

#[test]
fn a_closure_emits_a_bounded_number_of_steps() {
    let detail = stopped("for i in 0..2000 { emit(delay(\"1s\")); }");
    assert!(detail.starts_with("step 1: more than 1024 steps emitted by one closure"), "{detail}");
}

#[test]
fn arithmetic_errors_are_traced() {
    assert_eq!(stopped("1 / 0"), "step 1: division by zero: 1 / 0, line 2, column 29");
    assert_eq!(
        stopped("9223372036854775807 + 1"),
        "step 1: addition overflow: 9223372036854775807 + 1, line 2, column 47"
    );
}

#[test]
fn a_script_that_never_ends_is_refused_while_it_loads() {
    let found = problems("loop {}");
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("the script ran too long"), "{found:?}");
}

#[test]
fn words_that_block_or_reach_outside_do_not_exist() {
    let cases = [
        ("sleep(1);", "1:1: `sleep` does not exist here: a scene must not block; write `delay(\"3s\")` as a step"),
        ("sleep(1.5);", "1:1: `sleep` does not exist here: a scene must not block; write `delay(\"3s\")` as a step"),
        (
            "let t = timestamp();",
            "1:9: `timestamp` does not exist here: scripts have no clock; write `held(..)`, `fresh(..)`, `time_between(..)` or `cron(..)`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text), [expected], "{text}");
    }
    for (text, word) in [("eval(\"1\");", "eval"), ("import \"x\" as x;", "import"), ("export x;", "export")] {
        let found = problems(text);
        assert_eq!(found, [format!("1:1: `{word}` does not exist here")]);
    }
}

#[test]
fn closures_cannot_declare_and_scripts_cannot_read_while_loading() {
    assert!(stopped("scene(\"late\")").starts_with("step 1: `scene` declares and works only while the script loads"));
    assert!(
        stopped("prop(\"wt-01\", \"state\") == 2")
            .starts_with("step 1: `prop` declares and works only while the script loads")
    );
    assert!(stopped("emit(run(|| 1))").starts_with("step 1: `run` declares and works only while the script loads"));
}

#[test]
fn comparing_with_nothing_or_across_kinds_is_an_error() {
    let detail = stopped("let x = (); x > 1");
    assert!(
        detail.starts_with("step 1: `>` between nothing, `()` and a whole number is never what was meant"),
        "{detail}"
    );
    assert!(stopped("let x = (); x == ()").contains("is never what was meant"));
    assert!(stopped("let x = \"5\"; x == 5").contains("between text and a whole number"));
    assert!(stopped("let x = true; x == 1.0").contains("between true or false and a number"));
}

#[test]
fn numbers_compare_and_calculate_as_ever() {
    let mut site = Site::new(
        r#"scene("s").then([notify("x", || `${1 < 1.5} ${"a" < "b"} ${2 == 2.0} ${[1, 2].contains(2)} ${7 / 2} ${7.0 / 2.0}`)]);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: true true true true 3 3.5"]);
}

#[test]
fn scenes_that_run_each_other_are_stopped_and_counted() {
    let mut site = Site::new(
        r#"scene("a").then([notify("x", "a"), run_scene("b")]);
           scene("b").then([notify("x", "b"), run_scene("a")]);"#,
    );
    site.scenes.run(site.now, "a", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: a", "x: b"]);
    assert_eq!(site.scenes.counters().loops_stopped, 1);
    assert_eq!(site.verdicts("a"), ["loop", "fired"]);
    assert!(site.why("a").contains("LOOP  cause: scene b  after a > b"), "{}", site.why("a"));
}

#[test]
fn a_chain_ends_after_eight_scenes() {
    let mut site = Site::new(
        r#"for n in 1..=9 { scene(`s${n}`).then([notify("x", `${n}`), run_scene(if n < 9 { `s${n + 1}` } else { "end" })]); }
           scene("end").then([notify("x", "end")]);"#,
    );
    site.scenes.run(site.now, "s1", &mut site.effects).expect("runs");
    assert_eq!(site.done().len(), 8);
    assert_eq!(site.scenes.counters().loops_stopped, 1);
}

#[test]
fn scenes_that_set_each_other_off_through_a_device_are_stopped() {
    let mut site = Site::new(
        r#"scene("up").when(prop("wt-01", "power_limit") == 1000).then([set("wt-01", "power_limit", 2000)]);
           scene("down").when(prop("wt-01", "power_limit") == 2000).then([set("wt-01", "power_limit", 1000)]);"#,
    );
    site.report("wt-01", "power_limit", 500);
    site.report("wt-01", "power_limit", 1000);
    assert_eq!(site.done(), ["wt-01.power_limit = 2000"]);
    site.report("wt-01", "power_limit", 2000);
    assert_eq!(site.done(), ["wt-01.power_limit = 1000"]);
    site.report("wt-01", "power_limit", 1000);
    assert_eq!(site.done(), [""; 0]);
    assert_eq!(site.scenes.counters().loops_stopped, 1);
    // A person who sets it later is nobody's echo.
    site.report("wt-01", "power_limit", 500);
    site.advance("11s");
    site.report("wt-01", "power_limit", 1000);
    assert_eq!(site.done(), ["wt-01.power_limit = 2000"]);
}
