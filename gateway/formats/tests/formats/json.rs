//! JSON and JSON lines.

use crate::{encoded, gathering, sample, text};
use edgeway_formats::format;
use edgeway_site::FormatSite;
use serde_json::Value;

#[test]
fn a_route_of_single_messages_sends_objects_and_one_that_gathers_sends_arrays_of_any_length() {
    let items = [sample::item(1, sample::leak()), sample::item(2, sample::row())];
    let around = sample::around();
    let alone = encoded(&mut *format(&FormatSite::Json, 1, &around), &items);
    assert_eq!(alone.iter().map(|payload| payload.items.clone()).collect::<Vec<_>>(), [0..1, 1..2]);
    assert!(alone.iter().all(|payload| text(payload).starts_with('{')));
    for count in [1, 2] {
        let together = encoded(&mut *format(&FormatSite::Json, 2, &around), &items[..count]);
        assert_eq!(together.len(), 1);
        let array: Vec<Value> = serde_json::from_str(text(&together[0])).unwrap();
        assert_eq!(array.len(), count);
    }
}

#[test]
fn an_array_holds_exactly_the_objects_that_go_alone() {
    let items: Vec<_> = sample::kinds().into_iter().flat_map(|(_, items)| items).collect();
    let alone = encoded(&mut *format(&FormatSite::Json, 1, &sample::around()), &items);
    let objects: Vec<&str> = alone.iter().map(text).collect();
    let together = encoded(&mut *gathering(&FormatSite::Json), &items);
    assert_eq!(text(&together[0]), format!("[{}]", objects.join(",")));
    let lines = encoded(&mut *gathering(&FormatSite::JsonLines), &items);
    assert_eq!(text(&lines[0]), objects.iter().map(|object| format!("{object}\n")).collect::<String>());
}

#[test]
fn a_payload_of_csv_holds_one_kind() {
    let (event, row) = (sample::item(1, sample::leak()), sample::item(2, sample::row()));
    let mixed = [event.clone(), event.clone(), row.clone(), event];
    let payloads = encoded(&mut *gathering(&FormatSite::Csv), &mixed);
    assert_eq!(payloads.iter().map(|payload| payload.items.clone()).collect::<Vec<_>>(), [0..2, 2..3, 3..4]);
    assert!(payloads.iter().all(|payload| text(payload).starts_with("id,time,")));
}
