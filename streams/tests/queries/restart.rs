//! A restart at any moment: rows are neither lost nor told twice nor different.

use crate::*;

const TEN: &str = "SELECT device, window_end, avg(wind_speed) AS mean, count(*) AS n FROM wind_turbine
                   WHERE wind_speed > 2 GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds') HAVING count(*) > 1";
const MINUTE: &str =
    "SELECT device, stddev(mean) AS spread, sum(n) AS n FROM parts GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')";
const PARTS: &str = "SELECT n, mean, device FROM ten";
const STRONG: &str = "SELECT device, ts, wind_speed FROM wind_turbine WHERE wind_speed > 8";
const STEADY: &str = "SELECT device, mean FROM ten WHERE mean < 6";
const HALF_MINUTE: &str = "SELECT device, window_end, stddev(wind_speed) AS spread, count(*) AS n FROM wind_turbine
                           GROUP BY device, HOP(ts, INTERVAL '4 seconds', INTERVAL '30 seconds')";
const SO_FAR: &str = "SELECT device, avg(wind_speed) AS mean FROM wind_turbine
                      GROUP BY device, CUMULATE(ts, INTERVAL '10 seconds', INTERVAL '1 minute')";
const HALVES: &str =
    "SELECT sum(n) AS n, max(spread) AS spread FROM half_minute GROUP BY TUMBLE(ts, INTERVAL '1 minute')";
const ALL: [(&str, &str); 8] = [
    ("ten", TEN),
    ("parts", PARTS),
    ("minute", MINUTE),
    ("strong", STRONG),
    ("steady", STEADY),
    ("half_minute", HALF_MINUTE),
    ("so_far", SO_FAR),
    ("halves", HALVES),
];

/// Out of order by up to 1.5 s, with a gap, some late rows and a clock that is ahead.
fn journal() -> Vec<(u64, Arc<Message>)> {
    let mut random = 7_u64;
    let mut next = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as f64 / f64::from(1_u32 << 31)
    };
    let messages = (0..600).map(|at| {
        let heard = f64::from(at) * 0.5 + if at > 300 { 100.0 } else { 0.0 };
        let ts = match at % 97 {
            0 => heard - 25.0,
            1 => heard + 90.0,
            _ => heard - next() * 1.5,
        };
        wind_heard(&format!("wind-turbine-{}", 1 + at % 3), heard, ts, next() * 10.0)
    });
    entries(1000, messages)
}

fn heard(entry: &(u64, Arc<Message>)) -> Timestamp {
    entry.1.time
}

/// Pushes entries one by one, lets time pass between them, and tells nothing twice.
fn live(queries: &mut Queries, entries: &[(u64, Arc<Message>)], out: &mut Vec<Message>) {
    for entry in entries {
        queries.advance(heard(entry), out);
        queries.push(heard(entry), std::slice::from_ref(entry), out);
    }
}

#[test]
fn a_restart_anywhere_gives_exactly_the_rows_of_an_undisturbed_run() {
    let journal = journal();
    let mut undisturbed = vec![];
    let mut queries = load(&ALL);
    live(&mut queries, &journal, &mut undisturbed);
    queries.advance(at(1000.0), &mut undisturbed);
    let expected = by_query(rows(undisturbed));
    assert!(
        expected.values().all(|rows| rows.len() > 5) && expected.len() == ALL.len(),
        "the journal makes every query tell something"
    );

    for stop in (1..journal.len()).step_by(11) {
        let mut told = vec![];
        let mut before = load(&ALL);
        live(&mut before, &journal[..stop], &mut told);
        let progress = before.progress();
        let resume = before.resume_offset().expect("it has begun");
        drop(before);

        let mut after = load(&ALL);
        after.restore(&progress);
        assert_eq!(after.resume_offset(), Some(resume));
        let from = (resume - 1000) as usize;
        assert!(from <= stop);
        after.push(heard(&journal[stop - 1]), &journal[from..stop], &mut told);
        live(&mut after, &journal[stop..], &mut told);
        after.advance(at(1000.0), &mut told);
        let told = by_query(rows(told));
        assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "stopped after {stop}");
        for (query, expected) in &expected {
            assert_eq!(ids(&told[query]), ids(expected), "stopped after {stop}");
            assert_eq!(values(&told[query]), values(expected), "{query}, stopped after {stop}");
        }
    }
}

fn values(rows: &[Row]) -> Vec<&[Value]> {
    rows.iter().map(|row| &*row.values).collect()
}

fn by_query(rows: Vec<Row>) -> BTreeMap<String, Vec<Row>> {
    let mut map: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    rows.into_iter().for_each(|row| map.entry(row.query.to_string()).or_default().push(row));
    map
}

#[test]
fn a_second_restart_before_anything_was_pushed_loses_nothing() {
    let journal = journal();
    let mut first = load(&ALL);
    live(&mut first, &journal[..50], &mut vec![]);
    let mut second = load(&ALL);
    second.restore(&first.progress());
    assert_eq!(second.progress(), first.progress());
}

#[test]
fn progress_of_another_text_is_not_taken_up_but_of_another_layout_it_is() {
    let journal = journal();
    let mut first = load(&[("strong", STRONG)]);
    live(&mut first, &journal[..50], &mut vec![]);
    let spaced = STRONG.replace(' ', "  -- a comment\n");
    let mut same = load(&[("strong", &spaced)]);
    same.restore(&first.progress());
    assert_eq!(same.resume_offset(), Some(1050));
    let mut other = load(&[("strong", &STRONG.replace('8', "7"))]);
    other.restore(&first.progress());
    assert_eq!(other.resume_offset(), None);
}

#[test]
fn nothing_seen_is_no_progress() {
    let queries = load(&ALL);
    assert_eq!((queries.resume_offset(), queries.progress()), (None, vec![]));
}

#[test]
fn progress_survives_being_written_down() {
    let mut queries = load(&ALL);
    live(&mut queries, &journal()[..50], &mut vec![]);
    let text = serde_json::to_string(&queries.progress()).expect("JSON");
    assert_eq!(serde_json::from_str::<Vec<edgeway_streams::Progress>>(&text).expect("JSON"), queries.progress());
}
