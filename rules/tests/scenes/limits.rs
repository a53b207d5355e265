//! What a script cannot do, however hard it tries.

use super::site::{NOON, Site, at, problems, site_of, things};
use edgeway_rules::{Options, Scenes, Script, Stopwatch};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn stopped(closure: &str) -> String {
    let mut site = Site::new(&format!("fn deep(x) {{ deep(x + 1) }}\nscene(\"s\").then([run(|| {{ {closure} }})]);"));
    site.scenes.run(site.now, "s", &mut site.effects).expect("the conditions are true");
    assert_eq!(site.scenes.counters().errors, 1, "{closure}");
    assert_eq!(site.done(), [""; 0]);
    let why = site.scenes.why("s", site.now).expect("the scene");
    assert_eq!(why.decisions[0].verdict, "failed");
    why.decisions[0].detail.clone()
}

const TOO_LONG: &str = "run a script: the script ran too long (20,000 operations or 5 ms for a closure, \
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
    assert!(detail.starts_with("run a script: functions call each other too deeply (24 levels)"), "{detail}");
}

#[test]
fn texts_arrays_and_maps_stay_small() {
    for (closure, what) in [
        ("let s = \"x\"; loop { s += s; }", "text"),
        ("let a = [0]; loop { a += a; }", "array"),
        ("let a = []; loop { a = [a, a]; }", ""),
        ("let m = #{}; for i in 0..2000 { m += #{ i: i }; m.set(`k${i}`, i); }", "map"),
        ("let s = \"\"; s.pad(16000, \"y\"); s.replace(\"y\", s)", "text"),
        ("let s = \"\"; s.pad(16000, \"y\"); s.replace('y', s)", "text"),
        ("let b = blob(4096); b += b;", "blob"),
    ] {
        let detail = stopped(closure);
        assert!(detail.starts_with("run a script: too large"), "{what}: {detail}");
    }
}

#[test]
fn values_are_not_deep_in_each_other() {
    let detail = stopped("let a = []; loop { a = [a]; }");
    assert!(detail.starts_with("run a script: too large: `a`, with all that is in it (text 16 KiB,"), "{detail}");
    assert!(detail.contains("in each other 32 levels and 8,192 items"), "{detail}");
    let copies = "let a = []; a.pad(4000, 1); let f = || [a, a]; let g = || [f, f]; let h = || g; g.call()";
    assert_eq!(
        stopped(&format!("let b = []; b.pad(4096, 1); let c = b; let f = || [b, c]; {copies}; let g = || f; 1 / 0"))
            .split(':')
            .nth(1),
        Some(" division by zero")
    );
    let doubled = "let f = || 1; loop { let g = f; let h = f; f = || [g, h]; }";
    assert!(stopped(doubled).starts_with("run a script: too large: "));
}

#[test]
fn conditions_are_not_deep_in_each_other() {
    for (grow, what) in [("c = !c", "depth"), ("c = all([c, c])", "size"), ("c = any([c])", "depth")] {
        let found = problems(&format!("let c = prop(\"wt-01\", \"wind_speed\") > 1;\nloop {{ {grow}; }}"));
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert!(found[0].contains("the condition is too large (32 levels, 16 KiB when written out)"), "{found:?}");
    }
    let found = problems("let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = held(c, \"1m\"); }");
    assert!(found[0].contains("the script declares too much"), "{found:?}");
}

#[test]
fn expressions_functions_and_variables_are_few() {
    let brackets = |count: usize| format!("let a = {}1{};", "(".repeat(count), ")".repeat(count));
    assert_eq!(problems(&brackets(200)), ["1:40: expression exceeds maximum complexity"]);
    let functions: String = (0..65).map(|n| format!("fn f{n}() {{}}\n")).collect();
    assert_eq!(problems(&functions).len(), 1);
    assert!(problems(&functions)[0].contains("number of functions defined exceeds maximum limit"));
    let variables: String = (0..257).map(|n| format!("let v{n} = 1;\n")).collect();
    assert_eq!(problems(&variables), ["257:1: too many variables (256)"]);
}

#[test]
fn a_script_is_not_longer_than_256_kib() {
    assert_eq!(problems(&" ".repeat(256 * 1024)), [""; 0]);
    let found = problems(&" ".repeat(256 * 1024 + 1));
    assert_eq!(found, ["the script is too long: 257 KiB (256 KiB; split it into several)"]);
}

#[test]
fn a_script_declares_a_bounded_number_of_things() {
    let found = problems("let a = []; a.pad(4000, delay(\"1s\"));\nfor n in 0..30 { scene(`s${n}`).then(a); }");
    let last = found.iter().find(|problem| problem.starts_with("2:33"));
    let expected = "2:33: the script declares too much (100000 scenes, conditions and steps)";
    assert_eq!(last.map(String::as_str), Some(expected));
    let found = problems("let s = \"\"; s.pad(5000, \"y\"); scene(\"s\").title(s).then(delay(\"1s\"));");
    assert!(found.contains(&"1:42: a title is too long (4 KiB)".to_owned()), "{found:?}");
}

#[test]
fn mistakes_are_told_up_to_256_and_what_is_printed_is_cut() {
    assert_eq!(problems("for n in 0..1000 { print(`${n}`); }").len(), 256);
    let mut site = Site::new(r#"scene("s").then([run(|| { let s = ""; s.pad(5000, "y"); print(s); throw s })]);"#);
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    let why = site.scenes.why("s", site.now).expect("the scene");
    assert!(why.decisions.iter().all(|decision| decision.printed.iter().all(|text| text.len() == 1024)));
    assert!(why.decisions[0].detail.len() < 1100, "{}", why.decisions[0].detail);
}

/// Loads a script with a stopwatch that somebody winds.
fn timed(text: &str, stopwatch: Stopwatch) -> Result<Site, Vec<String>> {
    let source = Script { file: "a.rhai".into(), text: text.to_owned() };
    let options = Options { stopwatch: Some(stopwatch), ..Options::default() };
    let loaded = Scenes::load(things(), &[source], options);
    let (scenes, _) = loaded.map_err(|problems| problems.iter().map(|p| p.problem.to_string()).collect::<Vec<_>>())?;
    Ok(site_of(scenes, at(NOON)))
}

#[test]
fn time_ends_what_takes_few_operations() {
    let readings = Arc::new(AtomicU64::new(0));
    let read = readings.clone();
    let stopwatch = Stopwatch::new(move || Duration::from_millis(read.fetch_add(1, Ordering::Relaxed)));
    let text =
        "let i = 0; while i < 50 { i += 1; }\nscene(\"s\").then([run(|| { let i = 0; while i < 50 { i += 1; } })]);";
    let mut site = timed(text, stopwatch.clone()).expect("500 readings are enough to load");
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    let why = site.scenes.why("s", site.now).expect("the scene");
    assert!(why.decisions[0].detail.starts_with(TOO_LONG), "{}", why.decisions[0].detail);
    let found = timed("let i = 0; while i < 5000 { i += 1; }", stopwatch).err().expect("too long");
    assert!(found[0].contains("the script ran too long"), "{found:?}");
}

#[test]
fn a_panic_ends_its_call_and_nothing_else() {
    let readings = Arc::new(AtomicU64::new(0));
    let read = readings.clone();
    let stopwatch = Stopwatch::new(move || {
        assert!(read.fetch_add(1, Ordering::Relaxed) != 41, "the stopwatch broke");
        Duration::ZERO
    });
    let text = "scene(\"s\").then([notify(\"x\", || { let i = 0; while i < 20 { i += 1; } \"done\" })]);";
    let mut site = timed(text, stopwatch).expect("few readings");
    for _ in 0..9 {
        site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    }
    assert_eq!(site.done(), ["x: done"; 8]);
    let why = site.scenes.why("s", site.now).expect("the scene").to_string();
    assert!(why.contains("the script met a bug of the gateway: the stopwatch broke"), "{why}");
    assert_eq!(site.scenes.counters().errors, 1);
}

#[test]
fn a_panic_while_loading_is_a_mistake_of_that_script() {
    let text = "let i = 0; while i < 20 { i += 1; }";
    let readings = AtomicU64::new(0);
    let breaks = Stopwatch::new(move || {
        assert!(readings.fetch_add(1, Ordering::Relaxed) == 0, "the stopwatch broke");
        Duration::ZERO
    });
    let found = timed(text, breaks).err().expect("a panic");
    assert_eq!(found, ["the script met a bug of the gateway: the stopwatch broke (please report it with the script)"]);
}

#[test]
fn what_closures_capture_does_not_change() {
    let mut site = Site::new(
        r#"scene("s").then([notify("x", || { let n = 2; let twice = [1, 2].map(|x| x * n); let copy = n; copy += 1; `${twice} ${copy}` })]);"#,
    );
    site.scenes.run(site.now, "s", &mut site.effects).expect("runs");
    assert_eq!(site.done(), ["x: [2, 4] 3"]);
    let lost = "closures get a copy of `sum`, so changing it in one is lost \
        (write `for item in list { .. }`, or `list.reduce(|sum, item| sum + item, 0)`)";
    for change in ["sum += x", "sum = x", "sum[0] = x", "sum.push(x)", "sum.a.push(x)", "sum[0].push(x)"] {
        let found = problems(&format!("let sum = [0];\n[1, 2].for_each(|x| {change});"));
        assert_eq!(found, [format!("2:21: {lost}")], "{change}");
    }
    assert_eq!(
        problems(
            "let sum = [0]; [1].map(|x| { let other = sum; other += x; other.push(sum.len()); sum.map(|y| y).push(1) });"
        ),
        [""; 0]
    );
    let detail = stopped("let n = 1; let f = || n; n += 1;");
    assert!(
        detail.starts_with("run a script: `n` would change a constant, or a variable that a closure has captured"),
        "{detail}"
    );
    assert!(detail.contains("copy it first: `let copy = variable;`"), "{detail}");
}

#[test]
fn a_closure_emits_a_bounded_number_of_steps() {
    let detail = stopped("for i in 0..2000 { emit(delay(\"1s\")); }");
    assert!(detail.starts_with("run a script: more than 1024 steps emitted by one closure"), "{detail}");
}

#[test]
fn arithmetic_errors_are_traced() {
    assert_eq!(stopped("1 / 0"), "run a script: division by zero: 1 / 0, line 2, column 29");
    assert_eq!(
        stopped("9223372036854775807 + 1"),
        "run a script: addition overflow: 9223372036854775807 + 1, line 2, column 47"
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
    for (text, word) in [
        ("eval(\"1\");", "eval"),
        ("curry(1);", "curry"),
        ("this;", "this"),
        ("import \"x\" as x;", "import"),
        ("export x;", "export"),
    ] {
        let found = problems(text);
        assert_eq!(found, [format!("1:1: `{word}` does not exist here")]);
    }
}

#[test]
fn closures_cannot_declare_and_scripts_cannot_read_while_loading() {
    assert!(
        stopped("scene(\"late\")").starts_with("run a script: `scene` declares and works only while the script loads")
    );
    assert!(
        stopped("prop(\"wt-01\", \"state\") == 2")
            .starts_with("run a script: `prop` declares and works only while the script loads")
    );
    assert!(
        stopped("emit(run(|| 1))").starts_with("run a script: `run` declares and works only while the script loads")
    );
}

#[test]
fn comparing_with_nothing_or_across_kinds_is_an_error() {
    let detail = stopped("let x = (); x > 1");
    assert!(
        detail.starts_with("run a script: `>` between nothing, `()` and a whole number is never what was meant"),
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

#[test]
fn blocks_in_blocks_stay_small() {
    let steps = |build: &str| {
        super::site::problems(&format!("let s = notify(\"x\", \"y\"); {build} scene(\"s\").allow(\"idle\").then([s]);"))
    };
    let too_large = "the block is too large (4096 steps, 16 levels)";
    for build in [
        "for n in 0..40 { s = parallel([s, notify(\"x\", \"z\")]); }",
        "for n in 0..40 { s = if_true(is_online(\"wt-01\"), [s, s]); }",
        "for n in 0..3 { let a = []; a.pad(64, s); s = parallel(a); }",
    ] {
        let found = steps(build);
        assert!(found.iter().any(|problem| problem.contains(too_large)), "{build}: {found:?}");
    }
    let deep = "let c = prop(\"wt-01\", \"wind_speed\") > 5; for n in 0..40 { c = or_unknown(c); } scene(\"s\").when(c).then([delay(\"1s\")]);";
    assert!(super::site::problems(deep)[0].contains("the condition is too large"));
}
