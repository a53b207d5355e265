//! Watermarks, late and future rows, silence, limits; all in virtual time.

use crate::*;

const COUNT: &str =
    "SELECT device, window_end, count(*) AS n FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";

#[test]
fn a_window_closes_when_the_watermark_reaches_its_end_and_not_before() {
    let mut queries = load(&[("q", COUNT)]);
    assert!(
        push(&mut queries, 11.9, &entries(0, [wind("wind-turbine-1", 9.9, 1.0), wind("wind-turbine-1", 11.9, 1.0)]))
            .is_empty()
    );
    let rows = push(&mut queries, 12.0, &entries(2, [wind("wind-turbine-1", 12.0, 1.0)]));
    assert_eq!(ids(&rows), ["q/wind-turbine-1/1767225600000"]);
    assert_eq!(rows[0].source_time, at(10.0));
    assert_eq!(rows[0].values[1..], [Value::Int(at(10.0).as_millis()), Value::Int(1)]);
    assert_eq!(info(&queries, "q").watermark, Some(at(10.0)));
}

#[test]
fn the_delay_can_be_set() {
    let text = format!("CREATE QUERY q WITH (watermark_delay = '30s') AS {COUNT}");
    let mut queries = load(&[("q", &text)]);
    assert!(
        push(&mut queries, 39.0, &entries(0, [wind("wind-turbine-1", 5.0, 1.0), wind("wind-turbine-1", 39.0, 1.0)]))
            .is_empty()
    );
    assert_eq!(push(&mut queries, 40.0, &entries(2, [wind("wind-turbine-1", 40.0, 1.0)])).len(), 1);
}

#[test]
fn a_row_whose_window_has_closed_is_counted_as_late_and_changes_nothing() {
    let mut queries = load(&[("q", COUNT)]);
    let messages =
        [wind("wind-turbine-1", 5.0, 1.0), wind("wind-turbine-1", 13.0, 1.0), wind("wind-turbine-1", 9.0, 1.0)];
    let rows = push(&mut queries, 13.0, &entries(0, messages));
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].values[2], Value::Int(1));
    assert_eq!((info(&queries, "q").late, info(&queries, "q").rows_in), (1, 3));
}

#[test]
fn one_clock_that_is_ahead_neither_closes_windows_nor_enters_them() {
    let mut queries = load(&[("q", COUNT)]);
    let wrong = wind_heard("wind-turbine-2", 5.0, 70.0, 1.0);
    assert!(push(&mut queries, 5.0, &entries(0, [wind("wind-turbine-1", 5.0, 1.0), wrong])).is_empty());
    let rows = push(&mut queries, 12.0, &entries(2, [wind("wind-turbine-1", 12.0, 1.0)]));
    assert_eq!(ids(&rows), ["q/wind-turbine-1/1767225600000"]);
    assert_eq!((info(&queries, "q").future, info(&queries, "q").late), (1, 0));
}

#[test]
fn a_query_without_a_window_leaves_out_future_rows_too() {
    let text = "CREATE QUERY q WITH (max_future_skew = '1s') AS SELECT device FROM wind_turbine";
    let mut queries = load(&[("q", text)]);
    let messages = [wind_heard("wind-turbine-1", 5.0, 6.0, 1.0), wind_heard("wind-turbine-1", 5.0, 6.1, 1.0)];
    assert_eq!(push(&mut queries, 5.0, &entries(7, messages)).len(), 1);
    assert_eq!(info(&queries, "q").future, 1);
}

#[test]
fn the_last_window_closes_in_silence() {
    let mut queries = load(&[("q", COUNT)]);
    assert!(push(&mut queries, 5.0, &entries(0, [wind("wind-turbine-1", 5.0, 1.0)])).is_empty());
    assert!(advance(&mut queries, 21.9).is_empty());
    assert_eq!(ids(&advance(&mut queries, 22.0)), ["q/wind-turbine-1/1767225600000"]);
    assert_eq!((info(&queries, "q").open_windows, info(&queries, "q").groups), (0, 0));
}

#[test]
fn windows_come_in_order_and_keys_within_them() {
    let mut queries = load(&[("q", COUNT)]);
    let devices = ["wind-turbine-3", "wind-turbine-1", "wind-turbine-2"];
    let messages =
        devices.iter().flat_map(|device| [wind(device, 11.0, 1.0), wind(device, 10.5, 1.0), wind(device, 9.5, 1.0)]);
    push(&mut queries, 11.0, &entries(0, messages));
    let rows = advance(&mut queries, 60.0);
    let expected = [
        "q/wind-turbine-1/1767225600000",
        "q/wind-turbine-2/1767225600000",
        "q/wind-turbine-3/1767225600000",
        "q/wind-turbine-1/1767225610000",
        "q/wind-turbine-2/1767225610000",
        "q/wind-turbine-3/1767225610000",
    ];
    assert_eq!(ids(&rows), expected);
}

#[test]
fn a_roll_up_closes_with_the_last_window_that_it_covers_and_holds_exactly_those() {
    let minute = "SELECT device, window_start, sum(n) AS n, count(*) AS parts FROM parts GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')";
    let mut queries = load(&[("minute", minute), ("parts", "SELECT n, device FROM ten"), ("ten", COUNT)]);
    let seconds = (0..=62).map(|second| wind("wind-turbine-1", f64::from(second), 1.0));
    let rows = push(&mut queries, 62.0, &entries(0, seconds));
    let minutes: Vec<_> = rows.iter().filter(|row| &*row.query == "minute").collect();
    assert_eq!(minutes.len(), 1);
    assert_eq!(minutes[0].values[1..], [Value::Int(START.as_millis()), Value::Int(60), Value::Int(6)]);
    assert_eq!(info(&queries, "minute").late, 0);
}

#[test]
fn what_comes_out_does_not_depend_on_how_messages_are_cut_into_pushes() {
    // The second row closes the first one's window, so that the third is late, also within one push.
    let messages =
        [wind("wind-turbine-1", 1.0, 1.0), wind("wind-turbine-1", 40.0, 1.0), wind("wind-turbine-1", 2.0, 1.0)];
    let entries = entries(0, messages);
    let mut whole = load(&[("q", COUNT)]);
    let at_once = push(&mut whole, 40.0, &entries);
    let mut parts = load(&[("q", COUNT)]);
    let one_by_one: Vec<Row> =
        entries.iter().flat_map(|entry| push(&mut parts, 40.0, std::slice::from_ref(entry))).collect();
    assert_eq!(at_once, one_by_one);
    assert_eq!((info(&whole, "q").late, info(&parts, "q").late), (1, 1));
}

#[test]
fn groups_beyond_the_limit_are_left_out_and_those_that_are_there_go_on() {
    let text = "SELECT wind_speed AS w, count(*) AS n FROM wind_turbine GROUP BY wind_speed, TUMBLE(ts, INTERVAL '10 seconds')";
    let mut queries = load(&[("q", text)]);
    let things = things();
    let value = |number: i32| ("wind_speed", Value::Float(f64::from(number)), Quality::Good, at(1.0));
    let many = (0..100_500).map(|number| report(&things, "wind-turbine-1", at(1.0), &[value(number)]));
    push(&mut queries, 1.0, &entries(0, many));
    assert_eq!((info(&queries, "q").groups, info(&queries, "q").dead), (100_000, 500));
    push(&mut queries, 1.0, &entries(100_500, [wind("wind-turbine-1", 1.0, 0.0), wind("wind-turbine-1", 1.0, 1e9)]));
    assert_eq!(info(&queries, "q").dead, 501);
    let rows = advance(&mut queries, 60.0);
    assert_eq!(rows.len(), 100_000);
    assert_eq!(rows[0].values, [Value::Float(0.0), Value::Int(2)]);
}

#[test]
fn a_bad_row_is_counted_and_its_neighbours_go_on() {
    let divide = "SELECT device, 100 / count AS share FROM probe";
    let sum = "SELECT sum(100 / count) AS shares FROM probe GROUP BY TUMBLE(ts, INTERVAL '10 seconds')";
    let mut queries = load(&[("divide", divide), ("total", sum)]);
    let things = things();
    let count =
        |value: i64| report(&things, "probe-1", at(1.0), &[("count", Value::Int(value), Quality::Good, at(1.0))]);
    let rows = push(&mut queries, 1.0, &entries(0, [4, 0, 5, 0, 0, 10].map(count)));
    assert_eq!(rows.iter().map(|row| row.values[1].clone()).collect::<Vec<_>>(), [25, 20, 10].map(Value::Int));
    assert_eq!((info(&queries, "divide").errors, info(&queries, "total").errors), (3, 3));
    assert_eq!(advance(&mut queries, 30.0)[0].values, [Value::Int(55)]);
}

#[test]
fn rows_in_the_journal_are_not_read_again() {
    let mut queries = load(&[("q", COUNT), ("r", "SELECT n FROM q")]);
    let rows =
        push(&mut queries, 12.0, &entries(0, [wind("wind-turbine-1", 1.0, 1.0), wind("wind-turbine-1", 12.0, 1.0)]));
    assert_eq!(ids(&rows), ["q/wind-turbine-1/1767225600000", "r/wind-turbine-1/1767225600000"]);
    let back = rows.into_iter().map(|row| Message { time: at(12.0), body: Body::Row(row) });
    assert!(push(&mut queries, 12.0, &entries(2, back)).is_empty());
    assert_eq!(info(&queries, "r").rows_in, 1);
}

#[test]
fn state_beyond_the_limit_of_bytes_is_left_out_until_the_window_closes() {
    let text = "SELECT string_agg(label, ',') AS all_labels FROM probe GROUP BY TUMBLE(ts, INTERVAL '10 seconds')";
    let mut queries = load(&[("q", text)]);
    let (things, label) = (things(), Value::from("x".repeat(8_192).as_str()));
    let labelled = |ts: f64| report(&things, "probe-1", at(ts), &[("label", label.clone(), Quality::Good, at(ts))]);
    push(&mut queries, 1.0, &entries(0, (0..12_288).map(|_| labelled(1.0))));
    assert_eq!(
        info(&queries, "q").dead,
        4096,
        "two pushes of 4,096 messages of 8 KiB go beyond 64 MiB, the third is left out"
    );
    push(&mut queries, 13.0, &entries(20_000, [labelled(13.0)]));
    push(&mut queries, 13.0, &entries(20_001, [labelled(13.0)]));
    assert_eq!((info(&queries, "q").dead, info(&queries, "q").open_windows), (4096, 1));
}

#[test]
fn time_can_pass_before_the_journals_first_message() {
    let mut queries =
        load(&[("ten", "SELECT count(*) AS n FROM wind_turbine GROUP BY TUMBLE(ts, INTERVAL '10 seconds')")]);
    queries.begin_at(0);
    queries.advance(at(1.0), &mut vec![]);
    assert_eq!(queries.next_offset(), Some(0));
}
