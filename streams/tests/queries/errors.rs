//! Mistakes, each with its place, what was found and what would be right.

use crate::*;

/// The problems of one query called `q`.
fn problems(text: &str) -> Vec<String> {
    let problems = Queries::load(&site(), &[source("q", text)]).expect_err(text);
    problems.iter().map(|problem| problem.problem.to_string()).collect()
}

fn check(cases: &[(&str, &str)]) {
    let wrong = cases.iter().filter_map(|(text, expected)| {
        let found = problems(text).join("\n");
        (found != *expected).then(|| format!("{text}\n  expected {expected}\n  found    {found}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn unknown_names_come_with_their_place_and_the_one_that_was_meant() {
    check(&[
        ("SELECT device FROM wind_turbin", "1:20: unknown table `wind_turbin` (did you mean `wind_turbine`?)"),
        (
            "SELECT device,\n  wind_sped\nFROM wind_turbine WHERE activ_power > 1",
            "2:3: unknown column `wind_sped` in `wind_turbine` (did you mean `wind_speed`?)\n\
             3:25: unknown column `activ_power` in `wind_turbine` (did you mean `active_power`?)",
        ),
        ("SELECT t.device FROM wind_turbine AS w", "1:8: unknown table `t` (this query reads `w`)"),
        ("SELECT rount(wind_speed) FROM wind_turbine", "1:8: unknown function `rount` (did you mean `round`?)"),
        (
            "SELECT place FROM probe",
            "1:8: `place` is a struct, which is not a column (name its fields: `place.x`, `place.y`)",
        ),
        (
            "SELECT device FROM wind_turbine WHERE window_start > ts",
            "1:39: `window_start` is known only with a window in GROUP BY",
        ),
    ]);
}

#[test]
fn what_is_not_supported_is_named() {
    check(&[
        (
            "SELECT device FROM wind_turbine\nORDER BY device",
            "2:1: ORDER BY is not supported (rows come ordered by the end of their window, then by key)",
        ),
        (
            "SELECT device FROM wind_turbine LIMIT 3",
            "1:33: LIMIT is not supported (a query has no end; choose rows with WHERE or HAVING)",
        ),
        (
            "SELECT w.device FROM wind_turbine w CROSS JOIN met_mast m",
            "1:48: any join but JOIN, LEFT JOIN and ASOF JOIN is not supported",
        ),
        ("SELECT device FROM wind_turbine, met_mast", "1:34: a second table in FROM is not supported"),
        (
            "SELECT device FROM wind_turbine WHERE ts IN (SELECT ts FROM met_mast)",
            "1:46: a sub-query is not supported (put it behind FROM or JOIN)",
        ),
        (
            "SELECT DISTINCT device FROM wind_turbine",
            "1:8: SELECT DISTINCT is not supported (group by the columns and TUMBLE(ts, INTERVAL '10 seconds'))",
        ),
        (
            "SELECT device FROM probe UNION SELECT device FROM probe",
            "1:26: UNION is not supported (write UNION ALL; to leave out rows that repeat, group by their columns and a window)",
        ),
        ("INSERT INTO probe VALUES (1)", "1:1: any statement but SELECT is not supported"),
        ("SELECT 1", "1:1: there is no FROM (name the table whose rows the query reads)"),
    ]);
}

#[test]
fn a_query_of_any_length_and_depth_gets_an_answer() {
    let chain = |terms| vec!["wind_speed = 1"; terms].join(" OR ");
    let long = format!("SELECT device FROM wind_turbine WHERE {}", chain(900));
    assert!(Queries::load(&site(), &[source("q", &long)]).is_ok(), "a long chain is flat");
    let sum = format!("SELECT {} AS s FROM wind_turbine", vec!["wind_speed"; 900].join(" + "));
    assert_eq!(
        problems(&sum),
        [
            "1:8: this expression is nested more than 32 levels deep (a query can name parts of it, and be read by another)"
        ]
    );
    let calls = format!("SELECT {}wind_speed{} AS s FROM wind_turbine", "abs(".repeat(500), ")".repeat(500));
    assert!(problems(&calls)[0].contains("more than 16 brackets are nested here"));
    let words = format!("SELECT device FROM wind_turbine WHERE {}", chain(9_000));
    assert!(problems(&words)[0].contains("this text has more than 4000 words"));
}

#[test]
fn aggregates_without_a_window_say_what_to_add() {
    check(&[
        (
            "SELECT avg(wind_speed) FROM wind_turbine",
            "1:8: `avg` over rows that never end never has an answer (add GROUP BY TUMBLE(ts, INTERVAL '10 seconds'))",
        ),
        (
            "SELECT device, avg(wind_speed) FROM wind_turbine GROUP BY device",
            "1:59: GROUP BY without a window never has an answer (add TUMBLE(ts, INTERVAL '10 seconds') to GROUP BY)",
        ),
        ("SELECT device FROM wind_turbine HAVING device = 'a'", "1:40: HAVING without GROUP BY (use WHERE)"),
    ]);
}

#[test]
fn windows_are_over_time_and_of_a_fixed_size() {
    let grouped = |key: &str| format!("SELECT count(*) AS n FROM wind_turbine GROUP BY {key}");
    let cases = [
        (
            "HOP(ts, INTERVAL '1 month', INTERVAL '1 year')",
            "the step of a window cannot be in months or years, which differ in length (write for example INTERVAL '10 seconds')",
        ),
        (
            "TUMBLE(ts, 10)",
            "the size of a window cannot be `10`, which is not an interval (write for example INTERVAL '10 seconds')",
        ),
        (
            "TUMBLE(ts, INTERVAL '0 seconds')",
            "the size of a window is in whole milliseconds (write for example INTERVAL '10 seconds')",
        ),
        (
            "TUMBLE(wind_speed, INTERVAL '1 second')",
            "a window is over `ts`, the time of the row (write TUMBLE(ts, ...))",
        ),
        (
            "HOP(ts, INTERVAL '1 second', INTERVAL '2 hours')",
            "with a delay of 2 s, 7203 parts of windows can be open; 4096 is the most (make the window or its step larger, or watermark_delay smaller)",
        ),
        (
            "HOP(ts, INTERVAL '0 seconds', INTERVAL '10 seconds')",
            "the step of a window is in whole milliseconds (write for example INTERVAL '10 seconds')",
        ),
        (
            "CUMULATE(ts, INTERVAL '7 seconds', INTERVAL '1 minute')",
            "the size of a cumulating window is a multiple of its step (write for example CUMULATE(ts, INTERVAL '10 minutes', INTERVAL '1 hour'))",
        ),
        (
            "TUMBLE(ts, INTERVAL '1 second'), TUMBLE(ts, INTERVAL '1 minute')",
            "a second window in GROUP BY (a query has one window)",
        ),
    ];
    for (key, expected) in cases {
        let column = if expected.starts_with("a second") { 82 } else { 49 };
        assert_eq!(problems(&grouped(key)).join("\n"), format!("1:{column}: {expected}"), "{key}");
    }
}

#[test]
fn answers_that_change_when_asked_again_are_refused() {
    for function in ["now()", "current_timestamp", "current_date()", "random()", "uuid()"] {
        let found = problems(&format!("SELECT device FROM wind_turbine WHERE {function} IS NOT NULL")).join("\n");
        assert!(
            found.contains("is not available: a query must give the same rows when it is run again"),
            "{function}: {found}"
        );
        assert!(found.starts_with("1:39: "), "{function}: {found}");
    }
}

#[test]
fn options_are_checked() {
    let with = |options: &str| {
        format!(
            "CREATE QUERY q WITH ({options}) AS SELECT count(*) AS n FROM probe GROUP BY TUMBLE(ts, INTERVAL '1 minute')"
        )
    };
    check(&[
        (&with("watermark_dely = '5s'"), "1:22: unknown option `watermark_dely` (did you mean `watermark_delay`?)"),
        (&with("idle_timeout = 30"), "1:37: `30` is not a duration (write '250ms', '5s' or '2m')"),
        (&with("idle_timeout = '30'"), "1:37: `30` is not a duration (write '250ms', '5s' or '2m')"),
        (&with("idle_timeout = '3s', idle_timeout = '4s'"), "1:43: `idle_timeout` is set twice"),
        (
            "CREATE QUERY q WITH (idle_timeout = '1s') AS SELECT device FROM probe",
            "1:22: `idle_timeout` has no effect here: the query has no window (take it out)",
        ),
        (
            "CREATE QUERY r AS SELECT device FROM probe",
            "1:14: the query calls itself `r`, but its file makes it `q` (write CREATE QUERY q, or rename the file)",
        ),
    ]);
}

#[test]
fn wrong_syntax_has_a_place() {
    check(&[
        ("", "there is no statement in this file (write one SELECT)"),
        ("-- only a comment\n", "there is no statement in this file (write one SELECT)"),
        ("SELECT device\nFROM", "expected identifier, found the end of the file"),
        (
            "SELECT device FROM probe; SELECT device FROM probe",
            "1:1: of several statements in a file each needs a name (write CREATE QUERY name AS SELECT ...)\n1:27: of several statements in a file each needs a name (write CREATE QUERY name AS SELECT ...)",
        ),
        ("SELECT 'abc FROM probe", "1:8: unterminated string literal"),
        (
            "CREATE TABLE t (a INT)",
            "1:14: unknown source `` (write WITH (source = 'devices') or the name of a file in `tables`, without .csv)",
        ),
    ]);
}

#[test]
fn types_that_do_not_fit_and_columns_outside_groups_are_told() {
    let found = problems("SELECT label + 1 AS x FROM probe").join("\n");
    assert!(found.contains("1:") && found.to_lowercase().contains("utf8"), "{found}");
    let found = problems("SELECT device, label FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')").join("\n");
    assert!(found.starts_with("1:16: ") && found.contains("GROUP BY"), "{found}");
    let found =
        problems("SELECT string_agg(label, ',' ORDER BY ts) AS l FROM probe GROUP BY TUMBLE(ts, INTERVAL '1 minute')")
            .join("\n");
    assert_eq!(found, "1:1: `string_agg` with ORDER BY needs sorted rows, which a stream does not have");
    check(&[(
        "SELECT [INTERVAL '1 day'] AS days FROM probe",
        "1:1: column `days` is of type List(Interval(MonthDayNano)), which a row cannot hold (CAST it)",
    )]);
}

#[test]
fn queries_in_a_circle_are_named_once() {
    let sources = [
        source("a", "SELECT device FROM b"),
        source("b", "SELECT device FROM c"),
        source("c", "SELECT device\nFROM a"),
        source("d", "SELECT device FROM a"),
    ];
    let problems = Queries::load(&site(), &sources).expect_err("a circle");
    let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        [
            "queries/a.sql: 1:20: queries read each other in a circle: `a` reads `b` reads `c` reads `a` (one of them has to read something else)"
        ]
    );
}

#[test]
fn the_mistakes_of_all_files_are_told_together_without_echoes() {
    let sources = [
        source("a", "SELECT nothing FROM probe"),
        source("b", "SELECT device FROM a"),
        source("c", "SELECT device FROM"),
        source("probe", "SELECT 1 FROM a"),
        source("Bad-Name", "SELECT device FROM probe"),
    ];
    let problems = Queries::load(&site(), &sources).expect_err("mistakes");
    let mut files: Vec<&str> = problems.iter().map(|problem| &*problem.file).collect();
    files.dedup();
    assert_eq!(files, ["queries/Bad-Name.sql", "queries/a.sql", "queries/c.sql", "queries/probe.sql"]);
}

#[test]
fn what_does_not_fit_together_is_told_in_one_line_with_a_place() {
    let grouped = |select: &str| format!("{select} FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')");
    let texts = [
        "SELECT label + 1 AS x FROM probe".to_owned(),
        "SELECT device FROM probe WHERE avg(level) > 1".to_owned(),
        "SELECT device FROM probe WHERE level".to_owned(),
        "SELECT device, device FROM probe".to_owned(),
        "SELECT device FROM probe WHERE open > 'x' AND level = open".to_owned(),
        "SELECT round('a', 'b', 'c') FROM probe".to_owned(),
        "SELECT window_start FROM probe".to_owned(),
        grouped("SELECT avg(label) AS m"),
        grouped("SELECT label"),
        grouped("SELECT *"),
        grouped("SELECT max(window_end) AS e"),
        grouped("SELECT window_start() AS e"),
        grouped("SELECT tumble(ts, INTERVAL '1 minute') AS e"),
        grouped("SELECT sum(avg(level)) AS s"),
        grouped("SELECT count(*) FILTER (WHERE window_start > ts) AS s"),
        grouped("SELECT corr(level) AS s"),
    ];
    for text in texts {
        let found = problems(&text);
        assert!(
            found.iter().all(|line| line.starts_with("1:") && !line.contains('\n') && line.len() < 300),
            "{text}: {found:#?}"
        );
    }
}

/// A word, drawn from what queries are made of.
fn word() -> impl proptest::strategy::Strategy<Value = String> {
    let words = "SELECT FROM WHERE GROUP BY HAVING ORDER LIMIT JOIN ON AS AND OR NOT IN IS NULL CASE WHEN THEN ELSE END CREATE QUERY WITH \
                 probe wind_turbine q device ts level count open label window_start window_end avg( sum( count(*) TUMBLE( ts, INTERVAL \
                 '10 seconds' '1 month' ( ) , . * + - / % = < > 1 0 2.5 1e400 'x' \"y\" ; :: CAST( EXTRACT( DISTINCT OVER( PARTITION lag( latest( rank() QUALIFY ASOF MATCH_CONDITION LEFT SESSION( STATEWINDOW( COUNTWINDOW( CUMULATE( VIEW STREAM TABLE FUNCTION THING devices tw_avg( time_in( window_start FILTER ROLLUP( [ ] -- @a $1 ?";
    proptest::sample::select(words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 100, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_text_makes_loading_panic(words in proptest::collection::vec(word(), 0..25), tail in ".{0,20}") {
        let soup = words.join(" ");
        let texts = [
            soup.clone(),
            format!("SELECT {soup} FROM probe"),
            format!("SELECT device FROM probe WHERE {soup}"),
            format!("SELECT {soup} FROM probe GROUP BY TUMBLE(ts, INTERVAL '1 minute')"),
            format!("SELECT count(*) AS n FROM probe GROUP BY {soup}, TUMBLE(ts, INTERVAL '1 minute')"),
            format!("CREATE QUERY q WITH ({soup}) AS SELECT device FROM probe"),
            tail,
        ];
        for text in texts {
            if let Err(problems) = Queries::load(&site(), &[source("q", &text)]) {
                proptest::prop_assert!(!problems.is_empty());
            }
        }
    }
}
