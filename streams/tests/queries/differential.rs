//! Random messages, more or less late and cut into random pushes, through random windows with a restart between, against a
//! plain reference, row by row.

use crate::*;
use proptest::prelude::*;

const COLUMNS: &str =
    "device, window_start, window_end, count(*) AS n, count(wind_speed) AS known, sum(wind_speed) AS total,
                       avg(wind_speed) AS mean, min(wind_speed) AS low, max(wind_speed) AS high";
/// How long a window waits, in milliseconds: the default.
const DELAY: i64 = 2_000;

/// Device, time in milliseconds, value in tenths, or none.
type Sample = (u8, i64, Option<i32>);

/// In milliseconds.
#[derive(Debug, Clone, Copy)]
enum Window {
    Tumble { size: i64, offset: i64 },
    Hop { step: i64, size: i64, offset: i64 },
    Cumulate { step: i64, size: i64, offset: i64 },
}

impl Window {
    fn sql(self) -> String {
        let interval = |ms: i64| format!("INTERVAL '{ms} milliseconds'");
        let list = |lengths: &[i64]| lengths.iter().map(|ms| interval(*ms)).collect::<Vec<_>>().join(", ");
        match self {
            Window::Tumble { size, offset } => format!("TUMBLE(ts, {})", list(&[size, offset])),
            Window::Hop { step, size, offset } => format!("HOP(ts, {})", list(&[step, size, offset])),
            Window::Cumulate { step, size, offset } => format!("CUMULATE(ts, {})", list(&[step, size, offset])),
        }
    }

    /// All windows that hold a moment.
    fn holding(self, ms: i64) -> Vec<(i64, i64)> {
        let floor = |ms: i64, length: i64, offset: i64| (ms - offset).div_euclid(length) * length + offset;
        match self {
            Window::Tumble { size, offset } => vec![(floor(ms, size, offset), floor(ms, size, offset) + size)],
            Window::Hop { step, size, offset } => {
                let last = floor(ms, step, offset);
                let starts = (0..=size / step).map(|back| last - back * step);
                starts.map(|start| (start, start + size)).filter(|(_, end)| ms < *end).collect()
            }
            Window::Cumulate { step, size, offset } => {
                let start = floor(ms, size, offset);
                (1..=size / step).map(|steps| (start, start + steps * step)).filter(|(_, end)| ms < *end).collect()
            }
        }
    }
}

fn windows() -> impl Strategy<Value = Window> {
    let ms = |hundreds: std::ops::Range<i64>| hundreds.prop_map(|hundreds| hundreds * 100);
    prop_oneof![
        (ms(5..100), ms(0..50)).prop_map(|(size, offset)| Window::Tumble { size, offset }),
        (ms(2..100), ms(5..150), ms(0..50)).prop_map(|(step, size, offset)| Window::Hop { step, size, offset }),
        (ms(3..50), 1_i64..8, ms(0..50)).prop_map(|(step, steps, offset)| Window::Cumulate {
            step,
            size: step * steps,
            offset
        }),
    ]
}

/// A row counts into a window if that has not closed when the row comes, the row's own time included.
fn reference(window: Window, samples: &[Sample]) -> Vec<Vec<Value>> {
    let mut groups: BTreeMap<(i64, i64, u8), Vec<Option<f64>>> = BTreeMap::new();
    let start = START.as_millis();
    let mut newest = i64::MIN;
    for (device, ms, value) in samples {
        newest = newest.max(*ms);
        let open = window.holding(start + ms).into_iter().filter(|(_, end)| *end > start + newest - DELAY);
        for (start, end) in open.filter(|_| *device != 3) {
            groups.entry((end, start, *device)).or_default().push(value.map(|tenths| f64::from(tenths) / 10.0));
        }
    }
    groups.into_iter().map(|((end, start, device), values)| answer(start, end, device, &values)).collect()
}

fn answer(start: i64, end: i64, device: u8, values: &[Option<f64>]) -> Vec<Value> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let number = |value: f64| if known.is_empty() { Value::Null } else { Value::Float(value) };
    let total: f64 = known.iter().sum();
    vec![
        Value::from(format!("wind-turbine-{device}").as_str()),
        Value::Int(start),
        Value::Int(end),
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

/// All that a query tells of messages which are cut into pushes, with a restart between.
pub(crate) fn run(
    sql: &str,
    journal: &[(u64, Arc<Message>)],
    cuts: &[usize],
    restart: prop::sample::Index,
) -> Vec<Message> {
    let load = || Queries::load(&site(), &[source("q", sql)]).expect("it loads");
    let stop = restart.index(journal.len());
    let (mut out, mut queries) = (vec![], load());
    let now = at(60.0);
    let mut rest = &journal[..stop];
    for cut in cuts.iter().cycle() {
        let (part, behind) = rest.split_at((*cut).min(rest.len()));
        queries.push(now, part, &mut out);
        rest = behind;
        if rest.is_empty() {
            break;
        }
    }
    let state = queries.save().expect("every function can say its state");
    queries = load();
    queries.restore(now, u64::MAX, &state).expect("a state");
    queries.push(now, &journal[stop..], &mut out);
    // A table of which nothing has come begins to be idle with the first of them.
    [1_000.0, 2_000.0].into_iter().for_each(|now| queries.advance(at(now), &mut out));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_hold_what_a_plain_loop_finds(
        window in windows(),
        mut samples in prop::collection::vec((1_u8..=3, 0_i64..60_000, prop::option::weighted(0.8, -500_i32..500)), 1..300),
        jitter in prop::collection::vec(0_i64..6_000, 300),
        cuts in prop::collection::vec(1_usize..50, 1..40),
        restart in any::<prop::sample::Index>(),
    ) {
        let mut late_by: Vec<_> = samples.drain(..).zip(jitter).collect();
        late_by.sort_by_key(|((_, ms, _), jitter)| ms + jitter);
        let samples: Vec<Sample> = late_by.into_iter().map(|(sample, _)| sample).collect();
        let things = things();
        let journal = entries(0, samples.iter().map(|sample| message(&things, *sample)));
        let sql = format!("SELECT {COLUMNS} FROM wind_turbine WHERE device <> 'wind-turbine-3' GROUP BY device, {}", window.sql());
        let out = run(&sql, &journal, &cuts, restart);

        let found: Vec<Vec<Value>> = rows(out).into_iter().map(|row| row.values).collect();
        let expected = reference(window, &samples);
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            prop_assert_eq!(&found[..5], &expected[..5]);
            for (found, expected) in found[5..].iter().zip(&expected[5..]) {
                match (found, expected) {
                    (Value::Float(a), Value::Float(b)) => prop_assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{} {}", a, b),
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
}
