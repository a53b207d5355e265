//! A restart at any moment: rows are neither lost nor different, and what is told again has the id that it had.

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
pub(crate) fn journal() -> Vec<(u64, Arc<Message>)> {
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

pub(crate) fn heard(entry: &(u64, Arc<Message>)) -> Timestamp {
    entry.1.time
}

/// Pushes entries one by one and lets time pass between them.
fn live(queries: &mut Queries, entries: &[(u64, Arc<Message>)], out: &mut Vec<Message>) {
    for entry in entries {
        queries.advance(heard(entry), out);
        queries.push(heard(entry), std::slice::from_ref(entry), out);
    }
}

fn saved(queries: &mut Queries) -> Vec<u8> {
    queries.save().expect("every function can say its state")
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
        let state = saved(&mut before);
        // What comes behind the state is lost with the crash, and told again.
        live(&mut before, &journal[stop..(stop + 30).min(journal.len())], &mut told);
        drop(before);

        let mut after = load(&ALL);
        let restored = after.restore(heard(&journal[stop - 1]), u64::MAX, &state).expect("a state");
        assert_eq!(restored.anew, [] as [Arc<str>; 0]);
        assert_eq!(after.next_offset(), Some(1000 + stop as u64));
        live(&mut after, &journal[stop..], &mut told);
        after.advance(at(1000.0), &mut told);
        let told = by_query(without_repeats(rows(told)));
        assert_eq!(told.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "stopped after {stop}");
        for (query, expected) in &expected {
            assert_eq!(ids(&told[query]), ids(expected), "stopped after {stop}");
            assert_eq!(values(&told[query]), values(expected), "{query}, stopped after {stop}");
        }
    }
}

/// The rows as a receiver has them who drops those whose ids it knows. That a repeat says the same is checked.
fn without_repeats(rows: Vec<Row>) -> Vec<Row> {
    let mut known: BTreeMap<Arc<str>, Row> = BTreeMap::new();
    let mut first = vec![];
    for row in rows {
        match known.get(&row.id) {
            Some(before) => assert_eq!(before.values, row.values, "{}", row.id),
            None => {
                known.insert(row.id.clone(), row.clone());
                first.push(row);
            }
        }
    }
    first
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
    let state = saved(&mut first);
    let mut second = load(&ALL);
    second.restore(heard(&journal[49]), u64::MAX, &state).expect("a state");
    assert_eq!(saved(&mut second), state);
}

#[test]
fn saving_changes_nothing() {
    let journal = journal();
    let (mut often, mut never) = (load(&ALL), load(&ALL));
    let (mut one, mut other) = (vec![], vec![]);
    for entry in &journal {
        live(&mut often, std::slice::from_ref(entry), &mut one);
        saved(&mut often);
    }
    live(&mut never, &journal, &mut other);
    assert_eq!(rows(one), rows(other));
}

/// DataFusion's `first_value` cannot say the state of no groups at all.
#[test]
fn what_has_no_groups_yet_is_saved_and_taken_up() {
    const SELECT: &str =
        "SELECT device, first_value(wind_speed ORDER BY ts) AS first FROM wind_turbine GROUP BY device,";
    let windows = [
        ("session", "SESSION(ts, INTERVAL '5 seconds')"),
        ("tumble", "TUMBLE(ts, INTERVAL '10 seconds')"),
        ("hop", "HOP(ts, INTERVAL '5 seconds', INTERVAL '10 seconds')"),
        ("so_far", "CUMULATE(ts, INTERVAL '5 seconds', INTERVAL '10 seconds')"),
        ("rows", "COUNTWINDOW(3)"),
    ];
    let sql = windows.map(|(_, window)| format!("{SELECT} {window}"));
    let all = windows.iter().zip(&sql).map(|((name, _), sql)| (*name, sql.as_str())).collect::<Vec<_>>();
    let journal = journal();
    let told = |queries: &mut Queries| {
        let mut out = vec![];
        live(queries, &journal, &mut out);
        rows(out)
    };

    let state = saved(&mut load(&all));
    let mut after = load(&all);
    after.restore(START, u64::MAX, &state).expect("a state");
    let rows = told(&mut after);
    assert_eq!(rows, told(&mut load(&all)));
    assert_eq!(by_query(rows).len(), windows.len(), "each of them tells something");
}

#[test]
fn queries_that_have_not_changed_do_not_notice_that_others_come_and_go() {
    let journal = journal();
    let mut undisturbed = vec![];
    live(&mut load(&ALL), &journal, &mut undisturbed);
    let mut expected = by_query(rows(undisturbed));
    let strong = expected.remove("strong").expect("it tells rows");
    expected.remove("halves");

    let others: Vec<_> = ALL.into_iter().filter(|(name, _)| !["strong", "halves"].contains(name)).collect();
    let after = [&others[..], &[("added", STRONG)]].concat();
    for stop in (1..journal.len()).step_by(53) {
        let (mut told, mut told_after) = (vec![], vec![]);
        let mut old = load(&ALL);
        live(&mut old, &journal[..stop], &mut told);
        let mut new = load(&after);
        new.take_over(heard(&journal[stop - 1]), &mut old, None).expect("every function can say its state");
        assert_eq!(rows_in(&new, "ten"), rows_in(&old, "ten"), "its counters go on");
        live(&mut new, &journal[stop..], &mut told_after);

        let mut told_after = by_query(rows(told_after));
        let added = told_after.remove("added").unwrap_or_default();
        assert_eq!(values(&added), values(&strong[strong.len() - added.len()..]), "it begins with the next message");
        let mut told = by_query(rows(told));
        told.retain(|query, _| expected.contains_key(query));
        told_after.into_iter().for_each(|(query, rows)| told.entry(query).or_default().extend(rows));
        assert_eq!(told, expected, "replaced after {stop}");
    }
}

#[test]
fn a_query_that_is_warmed_tells_whole_windows_from_the_first_on() {
    let journal = journal();
    let mut after = ALL.to_vec();
    after.push(("added", TEN));
    for stop in (1..journal.len()).step_by(53) {
        let (mut old, mut warm, mut new) = (load(&ALL), load(&after), load(&after));
        live(&mut old, &journal[..stop], &mut vec![]);
        live(&mut warm, &journal[..stop], &mut vec![]);
        let now = heard(&journal[stop - 1]);
        let taken_over = new.take_over(now, &mut old, Some(&mut warm)).expect("every function can say its state");
        assert_eq!(taken_over.anew.iter().map(|name| &**name).collect::<Vec<_>>(), ["added"]);
        let mut told = vec![];
        live(&mut new, &journal[stop..], &mut told);
        let told = by_query(rows(told));
        let of = |query| told.get(query).map_or(&[][..], Vec::as_slice);
        assert_eq!(values(of("added")), values(of("ten")), "replaced after {stop}");
    }
}

fn rows_in(queries: &Queries, name: &str) -> u64 {
    queries.list().iter().find(|query| &*query.name == name).expect("it is there").rows_in
}

/// Which queries begin anew when `before` is replaced by `after` in the middle of windows.
fn anew(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
    let journal = journal();
    let mut first = load(before);
    live(&mut first, &journal[..50], &mut vec![]);
    let mut second = load(after);
    let restored = second.restore(heard(&journal[49]), u64::MAX, &saved(&mut first)).expect("a state");
    restored.anew.iter().map(|name| name.to_string()).collect()
}

#[test]
fn an_edited_query_keeps_the_state_that_still_fits() {
    let spaced = TEN.replace(", ", ",  -- a comment\n");
    assert_eq!(anew(&[("ten", TEN)], &[("ten", &spaced)]), [""; 0], "another layout");
    let having = TEN.replace("count(*) > 1", "count(*) > 5").replace("AS n", "AS reports");
    assert_eq!(anew(&[("ten", TEN)], &[("ten", &having)]), [""; 0], "another HAVING and other names");
    assert_eq!(anew(&[("ten", TEN)], &[("ten", &TEN.replace("10", "20"))]), ["ten"], "another window");
    assert_eq!(anew(&[("ten", TEN)], &[("ten", &TEN.replace("> 2", "> 3"))]), ["ten"], "another condition");
    let chain = [("ten", TEN), ("parts", PARTS), ("minute", MINUTE)];
    let changed = TEN.replace("> 2", "> 3");
    let edited = [("ten", changed.as_str()), ("parts", PARTS), ("minute", MINUTE)];
    assert_eq!(anew(&chain, &edited), ["ten", "minute"], "and those that read it");
}

#[test]
fn a_state_that_is_none_is_refused_and_nothing_is_taken_up() {
    let mut queries = load(&ALL);
    let error = queries.restore(START, u64::MAX, b"something else that is long enough").expect_err("not a state");
    assert_eq!(error.to_string(), "it is something else");
    let mut state = saved(&mut load(&ALL));
    *state.last_mut().expect("bytes") ^= 1;
    assert_eq!(queries.restore(START, u64::MAX, &state).expect_err("damaged").to_string(), "it is damaged");
    assert_eq!(queries.next_offset(), None);
}
