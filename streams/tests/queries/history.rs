//! The same words, asked of the past.

use crate::*;
use edgeway_streams::History;

fn ask(queries: &[(&str, &str)], text: &str, entries: &[(u64, Arc<Message>)]) -> Vec<Vec<Value>> {
    let sources: Vec<_> = queries.iter().map(|(name, text)| source(name, text)).collect();
    let mut history = History::new(&site(), &sources, text).unwrap_or_else(|problems| panic!("{problems:#?}"));
    entries.chunks(7).for_each(|part| history.push(part));
    history.finish().into_iter().map(|row| row.values).collect()
}

fn winds() -> Vec<(u64, Arc<Message>)> {
    entries(0, (0..60).map(|at| wind(&format!("wind-turbine-{}", 1 + at % 3), f64::from(at), f64::from(at % 10))))
}

#[test]
fn an_aggregate_without_a_window_is_over_all_rows() {
    let rows =
        ask(&[], "SELECT device, count(*) AS n, max(wind_speed) AS gust FROM wind_turbine GROUP BY device", &winds());
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0], [Value::from("wind-turbine-1"), Value::Int(20), Value::Float(9.0)]);
    assert_eq!(ask(&[], "SELECT count(*) AS n FROM wind_turbine", &winds()), [[Value::Int(60)]]);
}

#[test]
fn windows_that_are_not_over_are_told_as_they_are() {
    let text = "SELECT window_start, count(*) AS n FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '25 seconds')";
    let counts: Vec<_> = ask(&[], text, &winds()).into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(counts, [25, 25, 10].map(Value::Int));
}

#[test]
fn an_answer_can_be_ordered_and_limited() {
    let text = "SELECT device, ts, wind_speed FROM wind_turbine WHERE device <> 'wind-turbine-2' ORDER BY wind_speed DESC, 1 LIMIT 3 OFFSET 1";
    let rows = ask(&[], text, &winds());
    let speeds: Vec<_> = rows.iter().map(|row| (row[0].to_string(), row[2].to_string())).collect();
    let one = |device: &str| (device.to_owned(), "9".to_owned());
    assert_eq!(speeds, [one("wind-turbine-1"), one("wind-turbine-3"), one("wind-turbine-3")]);
}

#[test]
fn a_statement_can_name_the_sites_queries() {
    let ten =
        "SELECT device, avg(wind_speed) AS mean FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";
    let rows = ask(
        &[("ten", ten), ("other", "SELECT device FROM met_mast")],
        "SELECT count(*) AS n, min(mean) AS low FROM ten",
        &winds(),
    );
    assert_eq!(rows, [[Value::Int(18), Value::Float(4.0)]]);
}

#[test]
fn mistakes_have_their_place() {
    let problem = |text: &str| {
        let problems = History::new(&site(), &[], text).expect_err("a mistake");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        problem("SELECT wind FROM wind_turbine"),
        "sql: 1:8: unknown column `wind` in `wind_turbine` (did you mean `wind_speed`?)"
    );
    assert!(problem("SELECT device FROM wind_turbine ORDER BY devise").contains("the answer has no such column"));
    assert_eq!(
        problem("CREATE FUNCTION f(x) AS x"),
        "sql: 1:17: only a SELECT can be asked (put definitions into the site's queries)"
    );
}

#[test]
fn what_a_query_does_can_be_explained() {
    let text =
        "SELECT w.device, sum(w.n) AS n FROM (SELECT device, count(*) AS n FROM wind_turbine WHERE wind_speed > 3
                GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')) w JOIN devices d ON d.device = w.device
                GROUP BY w.device, HOP(w.ts, INTERVAL '1 minute', INTERVAL '1 hour')";
    let queries = load(&[("q", text)]);
    let expected = "q#1
  reads wind_turbine: rows may be 2s late and 1m ahead; after 10s without rows time goes on
  windows of 10s
  2 columns
  hands on device, n

q
  reads q#1
  beside a table of 15 rows
  windows of 1h every 1m, in parts of 1m
  2 columns
  tells device, n
";
    assert_eq!(queries.explain("q").expect("it is there"), expected);
    assert_eq!(queries.explain("r"), None);
}
