//! Nothing is lost, and nothing out of order, while the broker is away.

use super::plant::{self, Plant, SOON, offset, value};
use harness::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const OUTAGE: Duration = Duration::from_secs(20);

#[test]
fn nothing_is_lost_when_the_broker_restarts() {
    let mut plant = Plant::start();
    plant
        .cloud
        .wait_for("values before the outage", SOON, |message| value(message, "probe-1", "temperature").is_some());
    plant.broker.stop();
    let polled_before = plant.gateway.json(&["status"])["values"].as_u64().expect("a count");
    plant.cloud.collect(OUTAGE);
    let during = plant.gateway.json(&["status"]);
    let polled = during["values"].as_u64().expect("a count") - polled_before;
    assert!(polled >= 2 * 2 * 4 * 15, "polling goes on without the broker: {polled} values in {OUTAGE:?}");
    plant.broker.start();

    let marker = during["journal"]["head"].as_u64().expect("an offset");
    let beyond = |message: &Message| offset(message).is_some_and(|offset| offset > marker + 50);
    plant.cloud.wait_for_new("messages from after the outage", SOON * 2, beyond);
    plant.cloud.collect(Duration::from_secs(2));
    assert_complete(&plant.cloud.messages);
    assert_in_order(&plant.cloud.messages);
}

#[test]
fn a_broker_that_is_away_at_the_start_gets_everything_later() {
    let modbus = harness::ModbusServer::start();
    let mut broker = harness::Broker::new();
    let site = tempfile::tempdir().expect("a temporary folder");
    plant::write_site(site.path(), modbus.port, &plant::routes(broker.port, ""));
    let gateway = harness::Gateway::run(site.path());
    let head = |gateway: &harness::Gateway| gateway.json(&["status"])["journal"]["head"].as_u64().expect("an offset");
    harness::wait_for("messages in the journal", SOON, || (head(&gateway) > 20).then_some(()));
    broker.start();
    let mut cloud = harness::Subscriber::new(&broker, "edgeway/#");
    // The route may have connected before the subscriber has: then there is nothing left to see of the start.
    let recent = |message: &Message| offset(message).is_some_and(|offset| offset > 20);
    cloud.wait_for("messages", SOON * 2, recent);
    assert_eq!(gateway.stop(), 0);
}

#[test]
#[should_panic(expected = "1 of 3 messages are missing: [1]")]
fn the_check_for_completeness_sees_a_gap() {
    assert_complete(&[message(0), message(2)]);
}

#[test]
#[should_panic(expected = "0 came after Some(1)")]
fn the_check_for_order_sees_a_swap() {
    assert_in_order(&[message(1), message(0)]);
}

fn message(offset: u64) -> Message {
    let json = serde_json::json!({"id": format!("{offset:032x}"), "subject": "property/x", "device": "probe-1"});
    Message { topic: "t".into(), json }
}

/// The route takes every message, so the ids that arrived have no gaps.
fn assert_complete(messages: &[Message]) {
    let offsets: BTreeSet<u64> = messages.iter().filter_map(offset).collect();
    let (first, last) = (*offsets.first().expect("messages"), *offsets.last().expect("messages"));
    assert_eq!(first, 0, "the route began at the start");
    let missing: Vec<u64> = (first..=last).filter(|offset| !offsets.contains(offset)).collect();
    assert!(missing.is_empty(), "{} of {} messages are missing: {missing:?}", missing.len(), last - first + 1);
}

/// Repeats are allowed, by their ids; what comes for the first time comes in order for each device and class: what is
/// critical does not wait behind measurements.
fn assert_in_order(messages: &[Message]) {
    let mut newest: BTreeMap<(String, bool), u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for message in messages {
        let (Some(device), Some(offset)) = (message.json["device"].as_str(), offset(message)) else { continue };
        let measured = message.json["subject"].as_str().is_some_and(|subject| subject.starts_with("property/"));
        if seen.insert(offset) {
            let before = newest.insert((device.to_owned(), measured), offset);
            assert!(before.is_none_or(|before| before < offset), "{device}: {offset} came after {before:?}");
        }
    }
}
