//! Alink's rules beyond the golden files.

use crate::golden;
use crate::sample::{PUMP, TURBINE, item, late, leak, report, seen};
use crate::{encoded, gathering, refused, text};
use edgeway_formats::Item;
use edgeway_sdk::{Quality, Value};
use serde_json::Value as Json;

fn said(items: &[Item]) -> Vec<(String, Json, std::ops::Range<usize>)> {
    let payloads = encoded(&mut *gathering(&golden::alink()), items);
    let parsed = payloads.into_iter().map(|payload| {
        let json = serde_json::from_str(text(&payload)).unwrap();
        (payload.topic.unwrap(), json, payload.items)
    });
    parsed.collect()
}

fn flow(offset: u64, value: f64) -> Item {
    item(offset, report(PUMP, vec![seen(1, value, Quality::Good)]))
}

#[test]
fn one_report_has_the_published_shape() {
    let (topic, json, _) = said(&[flow(123, 10.0)]).remove(0);
    assert_eq!(topic, "/sys/a1pump/pump-1/thing/event/property/post");
    let expected = r#"{"id":"123","version":"1.0","sys":{"ack":0},"params":{"flow":{"value":10.0,"time":1795424400480}},"method":"thing.event.property.post"}"#;
    assert_eq!(json, serde_json::from_str::<Json>(expected).unwrap());
}

#[test]
fn reports_and_events_of_a_device_share_a_batch() {
    let (topic, json, items) = said(&[flow(1, 1.5), item(2, leak()), flow(3, 2.5)]).remove(0);
    assert_eq!((topic.as_str(), items), ("/sys/a1pump/pump-1/thing/event/property/batch/post", 0..3));
    assert_eq!(json["method"], "thing.event.property.batch.post");
    let values: Vec<_> =
        json["params"]["properties"]["flow"].as_array().unwrap().iter().map(|seen| &seen["value"]).collect();
    assert_eq!(values, [1.5, 2.5]);
    assert_eq!(json["params"]["events"]["leak"][0]["value"]["liters"], 2.0);
}

#[test]
fn what_is_late_is_history_and_names_its_device() {
    let said = said(&[late(flow(1, 1.5)), late(item(2, leak())), flow(3, 2.5)]);
    let (topic, json, items) = &said[0];
    assert_eq!((topic.as_str(), items), ("/sys/a1pump/pump-1/thing/event/property/history/post", &(0..2)));
    assert_eq!(json["params"][0]["identity"]["productKey"], "a1pump");
    assert_eq!(json["params"][0]["identity"]["deviceName"], "pump-1");
    assert_eq!(json["params"][0]["properties"][0]["flow"]["value"], 1.5);
    assert_eq!(json["params"][0]["events"][0]["leak"]["value"]["seen"], "1690000000000");
    assert_eq!(said[1].1["method"], "thing.event.property.post");
}

#[test]
fn a_payload_is_of_one_device_and_a_model_without_a_key_is_its_own() {
    let wind = item(2, report(TURBINE, vec![seen(0, 7.5, Quality::Good)]));
    let topics: Vec<_> = said(&[flow(1, 1.5), wind, flow(3, 2.5)]).into_iter().map(|(topic, ..)| topic).collect();
    let expected = ["a1pump/pump-1", "wind-turbine/wt-07", "a1pump/pump-1"];
    assert_eq!(topics, expected.map(|device| format!("/sys/{device}/thing/event/property/post")));
}

#[test]
fn a_request_stays_within_the_platforms_limits() {
    let full = |offset| item(offset, report(PUMP, (0..90).map(|_| seen(1, 1.5, Quality::Good)).collect()));
    let runs: Vec<_> = said(&[full(1), full(2), full(3)]).into_iter().map(|(_, _, items)| items).collect();
    assert_eq!(runs, [0..2, 2..3]);
    let events: Vec<_> = (0..21).map(|offset| item(offset, leak())).collect();
    let runs: Vec<_> = said(&events).into_iter().map(|(_, _, items)| items).collect();
    assert_eq!(runs, [0..20, 20..21]);
    let huge = item(1, report(PUMP, (0..201).map(|_| seen(1, 1.5, Quality::Good)).collect()));
    let reason = refused(&mut *gathering(&golden::alink()), &huge);
    assert!(reason.starts_with("a report of 201 values"), "{reason}");
}

#[test]
fn values_that_cannot_be_used_are_left_out() {
    let values =
        vec![seen(1, Value::Null, Quality::BadTimeout), seen(2, f64::NAN, Quality::Bad), seen(3, true, Quality::Good)];
    let (_, json, _) = said(&[item(1, report(PUMP, values))]).remove(0);
    assert_eq!(json["params"].as_object().unwrap().keys().collect::<Vec<_>>(), ["running"]);
}
