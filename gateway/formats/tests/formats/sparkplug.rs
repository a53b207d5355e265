//! A session of an edge node, from its birth on.
//!
//! `golden/sparkplug-b-session.txt` is what is said; `EDGEWAY_BLESS=1` writes it.

use crate::printed::{printed, said_at};
use crate::sample::{PUMP, item, late, leak, report, seen, status};
use crate::{encoded, gathering, golden, refused};
use edgeway_formats::{Format, Item};
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use std::path::Path;

/// The messages of the session, each with what it stands for.
pub(crate) fn messages() -> Vec<(&'static str, Item)> {
    let flow = |offset, value: f64| item(offset, report(PUMP, vec![seen(1, value, Quality::Good)]));
    let silent = item(8, report(PUMP, vec![seen(1, Value::Null, Quality::BadNotConnected)]));
    vec![
        ("a first report is a birth", flow(1, 1.5)),
        ("a second one is data", flow(2, 2.5)),
        ("a late one is history, and the birth to come does not show it", late(flow(3, 99.0))),
        ("an event is data", item(4, leak())),
        ("a stale value says so", item(5, report(PUMP, vec![seen(1, 2.5, Quality::Stale)]))),
        ("a late status does not end the device's life", late(item(6, status(Online::Offline, "old news")))),
        ("a device that goes dies", item(7, status(Online::Offline, "no answer"))),
        ("without one usable value it stays dead", silent),
        ("its history is still said", late(flow(9, 98.0))),
        ("a device that comes back is born with what is known", item(10, status(Online::Online, ""))),
    ]
}

fn said(format: &mut dyn Format, messages: &[(&str, Item)]) -> String {
    let mut text = String::new();
    for (what, item) in messages {
        text += &format!("== {what}\n");
        text += &encoded(format, std::slice::from_ref(item)).iter().map(printed).collect::<String>();
    }
    text
}

fn greeting(format: &mut dyn Format, time_ms: i64) -> String {
    let births = format.greeting(time_ms);
    let shown = births.iter().map(|(topic, bytes)| said_at(topic, bytes));
    // The number of the session depends on when it began.
    let is_session = |line: &&str| !line.contains("bdSeq");
    shown.collect::<String>().lines().filter(is_session).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_session_says_exactly_what_it_said_before() {
    let mut format = gathering(&golden::sparkplug());
    let mut found = format!("== the first connection\n{}", greeting(&mut *format, 1_795_424_400_000));
    found += &said(&mut *format, &messages());
    found += &format!("== the second connection\n{}", greeting(&mut *format, 1_795_424_500_000));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/golden/sparkplug-b-session.txt");
    if std::env::var_os("EDGEWAY_BLESS").is_some() {
        std::fs::write(&file, &found).unwrap();
    }
    let wanted = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == wanted, "-- expected\n{wanted}\n-- found\n{found}");
}

#[test]
fn a_message_that_cannot_be_said_takes_no_number() {
    let mut format = gathering(&golden::sparkplug());
    let good = || item(1, leak());
    let misfit = item(2, report(PUMP, vec![seen(1, "fast", Quality::Good)]));
    let unfit = format.encode(&[good(), misfit.clone()]).expect_err("text is no flow");
    assert_eq!((unfit.item, unfit.reason.as_str()), (1, "`flow` is fast, which is not the float of its model"));
    assert_eq!(refused(&mut *format, &misfit), unfit.reason);
    let first = printed(&encoded(&mut *format, &[good()])[0]);
    assert!(first.contains("DBIRTH") && first.ends_with("\n3: 0\n"), "{first}");
}
