//! Recorded messages of Zigbee2MQTT, published as it publishes them.

use super::broker::Broker;
use crate::bench::{Bench, Named};
use edgeway_driver_mqtt::Mqtt;
use edgeway_sdk::{Access, DeviceIx, Discovered, Driver, Json, Quality, Value};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

const DEVICES: &str = include_str!("../../messages/zigbee2mqtt-devices.json");

async fn bridge() -> Broker {
    let broker = Broker::start().await;
    broker.keep("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#).await;
    broker.keep("zigbee2mqtt/bridge/devices", DEVICES).await;
    broker
}

pub(super) async fn discovered(hint: Json, within: Duration) -> Vec<Discovered> {
    let (sender, mut found) = mpsc::channel(4);
    let looking = Mqtt.discover(hint, sender, Instant::now() + within);
    let mut all = vec![];
    let gathering = async {
        while let Some(device) = found.recv().await {
            all.push(device);
        }
    };
    let (looked, ()) = tokio::join!(looking, gathering);
    looked.expect("the broker is there");
    all
}

pub(super) async fn browsed(link: Json, device: Json) -> Vec<Discovered> {
    let bench = Bench::new(link, device, &[]).await;
    let by = Instant::now() + Duration::from_secs(9);
    bench.link.browse(DeviceIx(0), None, by).await.expect("it is described")
}

#[tokio::test]
async fn the_devices_of_a_bridge_are_found() {
    let broker = bridge().await;
    let found = discovered(broker.link(json!({})), Duration::from_secs(3)).await;
    let topics: Vec<&str> = found.iter().filter_map(|found| found.options["topic"].as_str()).collect();
    let expected = ["room-101/door", "room-101/bulb", "room-101/valve", "minibar", "0x00aabbccddeeff00"];
    assert_eq!(topics, expected.map(|name| format!("zigbee2mqtt/{name}")));
    assert!(found[0].identity.contains(&("model".into(), "MCCGQ11LM".into())), "{:?}", found[0].identity);
}

/// What was found and browsed is read as it is.
#[tokio::test]
async fn a_device_that_was_browsed_is_read() {
    let broker = bridge().await;
    let device = json!({ "topic": "zigbee2mqtt/minibar", "bridge": "zigbee2mqtt" });
    let found = browsed(broker.link(json!({})), device.clone()).await;
    let offers: Vec<(String, Json, Access)> = found
        .into_iter()
        .filter_map(|found| found.offer.map(|offer| (offer.name, found.options, offer.access)))
        .collect();
    let points: Vec<Named<'_>> =
        offers.iter().map(|(name, options, access)| (&**name, options.clone(), *access)).collect();
    let bench = Bench::new(broker.link(json!({})), device, &points).await;
    bench.connect().await.expect("the broker is there");
    let state = r#"{"child_lock":false,"energy":1.24,"last_seen":"2026-11-26T10:00:00+01:00","linkquality":120,"power":61.5,"state":"ON"}"#;
    broker.publish("zigbee2mqtt/minibar", state, &[]).await;
    bench.told("power", 61.5, Quality::Good).await;
    bench.told("state", true, Quality::Good).await;
    bench.told("child_lock", false, Quality::Good).await;
    broker.publish("zigbee2mqtt/minibar", r#"{"power":null,"state":"BROKEN"}"#, &[]).await;
    bench.told("power", Value::Null, Quality::Bad).await;
    bench.told("state", Value::Null, Quality::BadOutOfRange).await;
}

#[tokio::test]
async fn the_bridge_and_the_device_say_who_is_there() {
    let broker = bridge().await;
    broker.keep("zigbee2mqtt/room-101/door/availability", r#"{"state":"online"}"#).await;
    broker.keep("zigbee2mqtt/room-101/door", r#"{"battery":97,"contact":true,"voltage":2985}"#).await;
    let device = json!({ "topic": "zigbee2mqtt/room-101/door", "bridge": "zigbee2mqtt" });
    let contact = ("contact", json!({ "at": "contact" }), Access::Read);
    let bench = Bench::new(broker.link(json!({})), device, &[contact]).await;
    bench.connect().await.expect("the broker is there");
    bench.online(0, None).await;
    bench.told("contact", true, Quality::Good).await;
    broker.keep("zigbee2mqtt/room-101/door/availability", r#"{"state":"offline"}"#).await;
    bench.online(0, Some("offline")).await;
    broker.keep("zigbee2mqtt/room-101/door/availability", "online").await;
    bench.online(0, None).await;
    broker.keep("zigbee2mqtt/bridge/state", r#"{"state":"offline"}"#).await;
    bench.online(0, Some("offline")).await;
}

/// Availability of devices is off in Zigbee2MQTT unless it is set: then nobody knows how old a state is.
#[tokio::test]
async fn a_retained_state_of_a_device_without_availability_is_uncertain() {
    let broker = bridge().await;
    broker.keep("zigbee2mqtt/room-101/door", r#"{"contact":true}"#).await;
    let device = json!({ "topic": "zigbee2mqtt/room-101/door", "bridge": "zigbee2mqtt" });
    let contact = ("contact", json!({ "at": "contact" }), Access::Read);
    let bench = Bench::new(broker.link(json!({})), device, &[contact]).await;
    bench.connect().await.expect("the broker is there");
    bench.told("contact", true, Quality::Uncertain).await;
}
