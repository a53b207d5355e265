//! How much queries may hold, and what happens where there is no room.

use crate::{advance, at, entries, info, load, push, report, site, source, things};
use edgeway_sdk::{Quality, Value};
use edgeway_streams::{Queries, QueryInfo};
use edgeway_thing_models::Message;

const MEGABYTE: usize = 1 << 20;
/// What a push of 4,096 messages with a new key each may add beyond a limit.
const SLACK: usize = 2 * MEGABYTE;

/// A report with a number that the queries take for a key.
fn count(ts: f64, key: usize) -> Message {
    report(&things(), "probe-1", at(ts), &[("count", Value::Int(key as i64), Quality::Good, at(ts))])
}

/// Pushes reports with a key each, a thousand in a second.
fn push_keys(queries: &mut Queries, keys: std::ops::Range<usize>, mut look: impl FnMut(&Queries)) {
    for first in keys.clone().step_by(4096) {
        let some = first..(first + 4096).min(keys.end);
        let now = some.start as f64 / 1000.0;
        push(queries, now, &entries(some.start as u64, some.map(|key| count(key as f64 / 1000.0, key))));
        look(queries);
    }
}

#[test]
fn many_keys_stay_within_the_limit() {
    let texts = [
        "SELECT count AS key, count(*) AS n, avg(level) AS mean FROM probe GROUP BY count, TUMBLE(ts, INTERVAL '1 hour')",
        "SELECT count AS key, count(*) AS n FROM probe GROUP BY count, HOP(ts, INTERVAL '10 minutes', INTERVAL '1 hour')",
        "SELECT count AS key, count(*) AS n FROM probe GROUP BY count, SESSION(ts, INTERVAL '1 hour')",
        "SELECT count AS key, count(*) AS n FROM probe GROUP BY count, COUNTWINDOW(2)",
        "SELECT count AS key, lag(level) OVER (PARTITION BY count) AS l FROM probe",
    ];
    for at_limit in ["drop", "evict"] {
        for text in texts {
            let options = format!("state_limit = '2MiB', group_limit = '10000000', at_limit = '{at_limit}'");
            let mut queries = load(&[("q", &format!("CREATE QUERY q WITH ({options}) AS {text}"))]);
            push_keys(&mut queries, 0..60_000, |queries| {
                let held = info(queries, "q").state_bytes;
                assert!(held <= 2 * MEGABYTE + SLACK, "{text}: {held} bytes");
            });
            let QueryInfo { dead, evicted, .. } = info(&queries, "q");
            assert!(dead + evicted > 10_000, "{text}: {dead} rows without room, {evicted} evictions");
            assert!(at_limit == "drop" || evicted > 0 || text.contains("TUMBLE") || text.contains("HOP"), "{text}");
            assert!(at_limit == "evict" || evicted == 0, "{text}");
        }
    }
}

#[test]
fn all_queries_together_stay_within_the_sites_limit_and_small_ones_go_on() {
    let large = "SELECT count AS key, count(*) AS n FROM probe GROUP BY count, TUMBLE(ts, INTERVAL '1 hour')";
    let small = "SELECT device, count(*) AS n FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '1 hour')";
    let sources = [source("one", large), source("other", large), source("small", small)];
    let limited = edgeway_streams::Site { memory: 5 * MEGABYTE, ..site() };
    let mut queries = Queries::load(&limited, &sources).expect("queries");
    push_keys(&mut queries, 0..100_000, |queries| {
        let held: usize = queries.list().iter().map(|query| query.state_bytes).sum();
        assert!(held <= 5 * MEGABYTE + 2 * SLACK, "{held} bytes");
    });
    assert!(info(&queries, "one").dead > 0 && info(&queries, "other").dead > 0);
    assert_eq!(info(&queries, "small").dead, 0, "it takes less than its share");
    // As soon as windows close, there is room again.
    advance(&mut queries, 10_000.0);
    advance(&mut queries, 10_001.0);
    let before = info(&queries, "one").dead;
    push(&mut queries, 10_002.0, &entries(100_000, [count(10_002.0, 1)]));
    assert_eq!(info(&queries, "one").dead, before);
}

#[test]
fn rows_left_out_leave_no_keys_behind() {
    let text = "CREATE QUERY q WITH (group_limit = '10') AS
                SELECT count AS key, count(*) AS n FROM probe GROUP BY count, SESSION(ts, INTERVAL '1 hour')";
    let mut queries = load(&[("q", text)]);
    push_keys(&mut queries, 0..50_000, |queries| {
        let held = info(queries, "q").state_bytes;
        assert!(held <= 2 * MEGABYTE, "{held} bytes");
    });
}

#[test]
fn a_state_weighs_as_much_when_it_has_been_taken_up() {
    let texts = [
        "SELECT count AS key, count(*) AS n, avg(level) AS mean FROM probe
         GROUP BY count, HOP(ts, INTERVAL '1 second', INTERVAL '1 minute')",
        "SELECT count AS key, sum(level) OVER (PARTITION BY count ORDER BY ts ROWS BETWEEN 50 PRECEDING AND CURRENT ROW) AS s
         FROM probe",
    ];
    for text in texts {
        let mut queries = load(&[("q", text)]);
        let rows = |from: usize| entries(from as u64, (from..from + 5000).map(|at| count(at as f64 / 100.0, at % 100)));
        push(&mut queries, 50.0, &rows(0));
        let state = queries.save().expect("every function can say its state");
        let mut again = load(&[("q", text)]);
        again.restore(at(50.0), u64::MAX, &state).expect("a state");
        push(&mut queries, 100.0, &rows(5000));
        push(&mut again, 100.0, &rows(5000));
        let [before, after] = [&queries, &again].map(|queries| info(queries, "q").state_bytes);
        assert!(after < before * 3 / 2, "{text}: {before} bytes, and {after} after a restart");
    }
}

#[test]
fn a_long_array_comes_in_pieces_with_ids_that_go_on() {
    let text = "SELECT device, item FROM (SELECT device, ts, json_get_array(label) AS items FROM probe) AS t
                CROSS JOIN UNNEST(items) AS item";
    let mut queries = load(&[("q", text)]);
    let array = |length: usize| Value::from(format!("[{}]", vec!["7"; length].join(",")).as_str());
    let message = |ts: f64, length: usize| {
        report(&things(), "probe-1", at(ts), &[("label", array(length), Quality::Good, at(ts))])
    };
    let rows = push(&mut queries, 1.0, &entries(0, [message(0.0, 3), message(1.0, 20_000)]));
    assert_eq!(rows.len(), 20_003);
    let ids: std::collections::BTreeSet<&str> = rows.iter().map(|row| &*row.id).collect();
    assert_eq!(ids.len(), 20_003, "each has an id of its own");
    assert!(rows[20_002].id.ends_with("/1/19999"), "{}", rows[20_002].id);
}
