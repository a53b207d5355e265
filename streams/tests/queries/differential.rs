//! Random messages, shuffled within the delay and cut into random pushes, against a plain reference, row by row.

use crate::*;
use proptest::prelude::*;

const SQL: &str = "SELECT device, window_start, count(*) AS n, count(wind_speed) AS known, sum(wind_speed) AS total,
                          avg(wind_speed) AS mean, min(wind_speed) AS low, max(wind_speed) AS high
                   FROM wind_turbine WHERE device <> 'wind-turbine-3' GROUP BY device, TUMBLE(ts, INTERVAL '3 seconds', INTERVAL '1 second')";

/// Device, time in milliseconds, value in tenths, or none.
type Sample = (u8, i64, Option<i32>);

fn reference(samples: &[Sample]) -> Vec<Vec<Value>> {
    let mut groups: BTreeMap<(i64, u8), Vec<Option<f64>>> = BTreeMap::new();
    for (device, ms, value) in samples.iter().filter(|sample| sample.0 != 3) {
        let start = (ms - 1000).div_euclid(3000) * 3000 + 1000;
        groups.entry((start, *device)).or_default().push(value.map(|tenths| f64::from(tenths) / 10.0));
    }
    groups.into_iter().map(|((start, device), values)| answer(start, device, &values)).collect()
}

fn answer(start: i64, device: u8, values: &[Option<f64>]) -> Vec<Value> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let number = |value: f64| if known.is_empty() { Value::Null } else { Value::Float(value) };
    let total: f64 = known.iter().sum();
    vec![
        Value::from(format!("wind-turbine-{device}").as_str()),
        Value::Int(START.as_millis() + start),
        Value::Int(values.len() as i64),
        Value::Int(known.len() as i64),
        number(total),
        number(total / known.len() as f64),
        number(known.iter().copied().fold(f64::INFINITY, f64::min)),
        number(known.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
    ]
}

fn message(things: &Things, (device, ms, value): Sample) -> Message {
    let ts = Timestamp::from_millis(START.as_millis() + ms);
    let (value, quality) = value
        .map_or((Value::Null, Quality::BadTimeout), |tenths| (Value::Float(f64::from(tenths) / 10.0), Quality::Good));
    report(things, &format!("wind-turbine-{device}"), ts, &[("wind_speed", value, quality, ts)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_hold_what_a_plain_loop_finds(
        mut samples in prop::collection::vec((1_u8..=3, 0_i64..60_000, prop::option::weighted(0.8, -500_i32..500)), 1..400),
        jitter in prop::collection::vec(0_i64..2_000, 400),
        cuts in prop::collection::vec(1_usize..50, 1..40),
        restart in any::<prop::sample::Index>(),
    ) {
        let mut late_by: Vec<_> = samples.drain(..).zip(jitter).collect();
        late_by.sort_by_key(|((_, ms, _), jitter)| ms + jitter);
        let samples: Vec<Sample> = late_by.into_iter().map(|(sample, _)| sample).collect();
        let things = things();
        let journal = entries(0, samples.iter().map(|sample| message(&things, *sample)));
        let load = || Queries::load(things.clone(), &[source("q", SQL)]).expect("it loads");

        let stop = restart.index(journal.len());
        let (mut out, mut queries) = (vec![], load());
        let now = at(60.0);
        let mut rest = &journal[..stop];
        for cut in cuts.iter().cycle() {
            let (part, behind) = rest.split_at((*cut).min(rest.len()));
            queries.push(now, part, &mut out);
            rest = behind;
            if rest.is_empty() { break; }
        }
        let (progress, resume) = (queries.progress(), queries.resume_offset().unwrap_or(0));
        queries = load();
        queries.restore(&progress);
        queries.push(now, &journal[resume as usize..], &mut out);
        prop_assert_eq!(queries.list()[0].late, 0);
        queries.advance(at(200.0), &mut out);

        let found: Vec<Vec<Value>> = rows(out).into_iter().map(|row| row.values).collect();
        let expected = reference(&samples);
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(&found[..4], &expected[..4]);
            for (found, expected) in found[4..].iter().zip(&expected[4..]) {
                match (found, expected) {
                    (Value::Float(a), Value::Float(b)) => prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{} {}", a, b),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
}
