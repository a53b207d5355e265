//! Any message, through every format.

mod strategy;

use crate::golden::FORMATS;
use crate::wire;
use arrow_ipc::reader::StreamReader;
use edgeway_formats::{Content, Item, Payload};
use proptest::prelude::*;

pub(crate) use strategy::items;

/// The payloads that formats make, checked as far as a second reader can.
fn check(format: &str, items: &[Item], payloads: &[Payload]) {
    let mut next = 0;
    for payload in payloads {
        assert_eq!(payload.items.start, next, "{format} leaves a gap");
        assert!(!payload.items.is_empty(), "{format} makes a payload of no message");
        next = payload.items.end;
        readable(format, &items[payload.items.clone()], payload);
    }
    assert_eq!(next, items.len(), "{format} leaves messages out");
}

fn readable(format: &str, items: &[Item], payload: &Payload) {
    let bytes = match &payload.content {
        Content::Bytes(bytes, _) => bytes,
        Content::Table(table) => return assert_eq!(table.batch.num_rows(), items.len()),
    };
    match format {
        "json" | "json-alone" | "alink" => drop(serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON")),
        "json-lines" => lines(items, bytes),
        "csv" => rows(items, bytes),
        "protobuf" | "sparkplug-b" => drop(wire::dump(bytes)),
        "arrow" => {
            let batches = StreamReader::try_new(&bytes[..], None).expect("an Arrow stream");
            assert_eq!(batches.map(|batch| batch.expect("a batch").num_rows()).sum::<usize>(), items.len());
        }
        _ => drop(std::str::from_utf8(bytes).expect("text")),
    }
}

/// Each line is an object with the id of its message.
fn lines(items: &[Item], bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).expect("text");
    assert_eq!(text.lines().count(), items.len());
    for (item, line) in items.iter().zip(text.lines()) {
        let json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(json["id"], item.id.to_string());
    }
}

/// A header, then as many rows as there are values, all of one length.
fn rows(items: &[Item], bytes: &[u8]) {
    let mut reader = csv::Reader::from_reader(bytes);
    let rows: Result<Vec<_>, _> = reader.records().collect();
    let wanted = items.iter().map(|item| match (&item.selected, &item.message.body) {
        (None, edgeway_thing_models::Body::Report(report)) => report.values.len(),
        _ => 1,
    });
    assert_eq!(rows.expect("rows of the header's length").len(), wanted.sum::<usize>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_message_breaks_a_format_and_what_is_made_can_be_read(items in items()) {
        for (name, format) in FORMATS {
            let mut format = format();
            format.will();
            format.greeting(1_795_424_400_000);
            match format.encode(&items) {
                Ok(payloads) => check(name, &items, &payloads),
                Err(unfit) => {
                    prop_assert!(unfit.item < items.len() && !unfit.reason.is_empty());
                    // The others can still be said.
                    if unfit.item > 0 {
                        let before = format.encode(&items[..unfit.item]).expect("only the named one is unfit");
                        check(name, &items[..unfit.item], &before);
                    }
                }
            }
        }
    }
}
