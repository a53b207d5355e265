//! As `differential`, for what is made key by key: sessions, and joins of two streams.

use crate::differential::run;
use crate::*;
use proptest::prelude::*;

/// How long rows are waited for, in milliseconds: the default.
const DELAY: i64 = 2_000;
/// So long that no stream is ever idle.
const OPTIONS: &str = "idle_timeout = '10m'";

/// Whether it is of the right table, its device, its time in milliseconds, its value.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    is_right: bool,
    device: u8,
    ms: i64,
    value: i32,
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let sample = (any::<bool>(), 1_u8..=3, 0_i64..60_000, 0_i32..1000, 0_i64..5_000);
    prop::collection::vec(sample, 1..200).prop_map(|mut made| {
        made.sort_by_key(|(_, _, ms, _, late_by)| ms + late_by);
        let sample = |(is_right, device, ms, value, _)| Sample { is_right, device, ms, value };
        made.into_iter().map(sample).collect()
    })
}

fn journal(samples: &[Sample]) -> Vec<(u64, Arc<Message>)> {
    let message = |sample: &Sample| {
        let ts = Timestamp::from_millis(START.as_millis() + sample.ms);
        let model = if sample.is_right { "met-mast" } else { "wind-turbine" };
        let value = Value::Float(f64::from(sample.value));
        report(&things(), &format!("{model}-{}", sample.device), ts, &[("wind_speed", value, Quality::Good, ts)])
    };
    entries(0, samples.iter().map(message))
}

/// The samples of a table that come before its watermark has passed them, in the order of time, then of the journal.
fn timely(samples: &[Sample], is_right: bool) -> Vec<Sample> {
    let mut newest = i64::MIN;
    let mut timely = vec![];
    for sample in samples.iter().filter(|sample| sample.is_right == is_right) {
        newest = newest.max(sample.ms);
        if sample.ms >= newest - DELAY {
            timely.push(*sample);
        }
    }
    timely.sort_by_key(|sample| sample.ms);
    timely
}

fn number(value: i32) -> Value {
    Value::Float(f64::from(value))
}

fn time(ms: i64) -> Value {
    Value::Int(START.as_millis() + ms)
}

/// In an order of their own, since rows of different keys may come in any.
fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<String> {
    rows.sort_by_key(|row| format!("{row:?}"));
    rows.into_iter().map(|row| format!("{row:?}")).collect()
}

fn sessions(samples: &[Sample], gap: i64) -> Vec<Vec<Value>> {
    let mut rows = vec![];
    for device in 1..=3 {
        let own: Vec<Sample> = timely(samples, false).into_iter().filter(|sample| sample.device == device).collect();
        for session in own.chunk_by(|one, next| next.ms - one.ms < gap) {
            let (first, last) = (session[0], session[session.len() - 1]);
            let most = session.iter().map(|sample| sample.value).max().unwrap_or_default();
            rows.push(vec![
                Value::from(format!("wind-turbine-{device}").as_str()),
                time(first.ms),
                time(last.ms + gap),
                Value::Int(session.len() as i64),
                number(most),
            ]);
        }
    }
    rows
}

fn near(samples: &[Sample], low: i64, high: i64, keeps_left: bool) -> Vec<Vec<Value>> {
    let rights = timely(samples, true);
    let mut rows = vec![];
    for left in timely(samples, false) {
        let is_near = |right: &&Sample| (low..=high).contains(&(right.ms - left.ms)) && right.value > 100;
        let found: Vec<Value> = rights.iter().filter(is_near).map(|right| number(right.value)).collect();
        let alone = (found.is_empty() && keeps_left).then_some(Value::Null);
        rows.extend(found.into_iter().chain(alone).map(|right| vec![number(left.value), right]));
    }
    rows
}

fn newest_before(samples: &[Sample], tolerance: i64) -> Vec<Vec<Value>> {
    let rights = timely(samples, true);
    let row = |left: Sample| {
        let is_before = |right: &&Sample| right.device == left.device && right.ms <= left.ms;
        let newest = rights.iter().rfind(is_before).filter(|right| left.ms - right.ms <= tolerance);
        vec![number(left.value), newest.map_or(Value::Null, |right| number(right.value))]
    };
    timely(samples, false).into_iter().map(row).collect()
}

fn values(messages: Vec<Message>) -> Vec<Vec<Value>> {
    rows(messages).into_iter().map(|row| row.values).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sessions_are_those_that_a_plain_loop_finds(
        samples in samples(), gap in 1_i64..8_000, cuts in prop::collection::vec(1_usize..50, 1..40), restart: prop::sample::Index,
    ) {
        let sql = format!(
            "CREATE QUERY q WITH ({OPTIONS}) AS SELECT device, window_start, window_end, count(*) AS n, max(wind_speed) AS most
             FROM wind_turbine GROUP BY device, SESSION(ts, INTERVAL '{gap} milliseconds')"
        );
        let found = values(run(&sql, &journal(&samples), &cuts, restart));
        prop_assert_eq!(sorted(found), sorted(sessions(&samples, gap)));
    }

    #[test]
    fn rows_near_each_other_are_those_that_a_plain_loop_finds(
        samples in samples(), low in -3_000_i64..1_000, length in 0_i64..4_000, keeps_left: bool,
        cuts in prop::collection::vec(1_usize..50, 1..40), restart: prop::sample::Index,
    ) {
        let (high, join) = (low + length, if keeps_left { "LEFT JOIN" } else { "JOIN" });
        let sql = format!(
            "CREATE QUERY q WITH ({OPTIONS}) AS SELECT l.wind_speed AS one, r.wind_speed AS other
             FROM wind_turbine AS l {join} met_mast AS r ON r.wind_speed > 100
             AND r.ts BETWEEN l.ts + INTERVAL '{low} milliseconds' AND l.ts + INTERVAL '{high} milliseconds'"
        );
        let found = values(run(&sql, &journal(&samples), &cuts, restart));
        prop_assert_eq!(sorted(found), sorted(near(&samples, low, high, keeps_left)));
    }

    #[test]
    fn the_newest_row_before_is_that_which_a_plain_loop_finds(
        samples in samples(), tolerance in 0_i64..20_000, cuts in prop::collection::vec(1_usize..50, 1..40),
        restart: prop::sample::Index,
    ) {
        let sql = format!(
            "CREATE QUERY q WITH ({OPTIONS}, asof_tolerance = '{tolerance}ms') AS SELECT l.wind_speed AS one, r.wind_speed AS other
             FROM wind_turbine AS l ASOF JOIN met_mast AS r MATCH_CONDITION (l.ts >= r.ts)
             ON replace(l.device, 'wind-turbine', '') = replace(r.device, 'met-mast', '')"
        );
        let found = values(run(&sql, &journal(&samples), &cuts, restart));
        prop_assert_eq!(sorted(found), sorted(newest_before(&samples, tolerance)));
    }
}
