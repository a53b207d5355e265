//! What queries hold after a long time, and with many keys.

use super::rows::Maker;
use super::{Clock, Figure, figure, since, source};
use crate::queries::{Queries, Site};

/// Says how much memory this process has, in bytes.
pub type Resident = fn() -> u64;

/// Rows of 100,000 devices' reports in a second.
const RATE: u64 = 100_000;
const BATCH: usize = 4096;
const MINUTE: usize = 60 * RATE as usize;

/// Those whose state comes and goes: windows that hop, sessions, two windows side by side and rows near each other.
const LASTING: [(&str, &str); 4] = [
    ("hop", "SELECT device, avg(wind_speed) AS a, count(*) AS n FROM wind_turbine GROUP BY device, HOP(ts, INTERVAL '1 second', INTERVAL '10 seconds')"),
    ("session", "SELECT device, max(wind_speed) AS m FROM wind_turbine WHERE wind_speed > 19 GROUP BY device, SESSION(ts, INTERVAL '200 milliseconds')"),
    (
        "near",
        "SELECT a.device, b.wind_speed - a.wind_speed AS d
              FROM (SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 18) AS a
              JOIN (SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 18) AS b
              ON a.device = b.device AND b.ts BETWEEN a.ts + INTERVAL '1 millisecond' AND a.ts + INTERVAL '20 milliseconds'",
    ),
    ("windows", "SELECT l.device, l.a - r.a AS d FROM
                 (SELECT device, window_start, avg(wind_speed) AS a FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '1 second')) AS l
                 JOIN (SELECT device, window_start, avg(wind_speed) AS a FROM wind_turbine WHERE wind_speed > 10
                       GROUP BY device, TUMBLE(ts, INTERVAL '1 second')) AS r
                 ON l.device = r.device AND l.window_start = r.window_start"),
];

/// How much memory ten minutes of 100,000 rows/s take, as fast as they go; after the first two nothing should be added.
pub(super) fn ten_minutes(clock: Clock, resident: Resident, minutes: usize) -> Vec<Figure> {
    let mut maker = Maker::new(1_000, RATE);
    let sources: Vec<_> = LASTING.iter().map(|(name, text)| source(name, text)).collect();
    let mut queries = Queries::load(&Site::from(maker.things.clone()), &sources).expect("no mistakes in them");
    let begun = clock();
    let mut memory = vec![];
    for _ in 0..minutes {
        (0..MINUTE.div_ceil(BATCH)).for_each(|_| queries.push_taken(&maker.with_names(BATCH)));
        memory.push(resident() as f64 / f64::from(1 << 20));
    }
    let rate = (minutes * MINUTE) as f64 / since(clock, begun);
    let early = memory.get(1).copied().unwrap_or_default();
    let most = memory.iter().skip(2).copied().fold(0.0, f64::max);
    let what = "hop, sessions, two joins";
    vec![
        figure(format!("memory after {minutes} min of 100,000 rows/s: {what}"), most, "MiB", "after 2 min", early),
        figure(format!("rate of that: {what}"), rate, "rows/s", "rows/s that they stand for", RATE as f64),
    ]
}

/// How much a window of a million keys holds that may hold 32 MiB.
pub(super) fn million_keys(clock: Clock) -> Figure {
    let mut maker = Maker::new(1_000, RATE);
    let text = "CREATE QUERY q WITH (state_limit = '32MiB', group_limit = '10000000') AS SELECT device, wind_speed, count(*) AS n
                FROM wind_turbine GROUP BY device, wind_speed, TUMBLE(ts, INTERVAL '1 hour')";
    let mut queries =
        Queries::load(&Site::from(maker.things.clone()), &[source("q", text)]).expect("no mistakes in it");
    let begun = clock();
    let mut most = 0;
    // Of two million keys that there can be, a million comes.
    for _ in 0..1_400_000_usize.div_ceil(BATCH) {
        queries.push_taken(&maker.taken(BATCH));
        most = most.max(queries.held().bytes);
    }
    assert!(since(clock, begun) > 0.0);
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    figure("most state, a million keys, limit 32 MiB".into(), mib(most), "MiB", "the limit", 32.0)
}
