//! Descriptions in the form of Home Assistant's discovery.

use super::broker::Broker;
use super::zigbee2mqtt::{browsed, discovered};
use crate::bench::{Bench, Named};
use edgeway_sdk::{Access, Json, Quality, Value};
use serde_json::json;
use std::time::Duration;

async fn described() -> Broker {
    let broker = Broker::start().await;
    let messages: Vec<Json> = serde_json::from_str(include_str!("../../messages/home-assistant.json")).expect("JSON");
    for message in messages {
        broker.keep(message["topic"].as_str().expect("a topic"), message["payload"].to_string()).await;
    }
    broker
}

#[tokio::test]
async fn described_devices_are_found_browsed_and_read() {
    let broker = described().await;
    let found = discovered(broker.link(json!({})), Duration::from_secs(3)).await;
    assert_eq!(found.len(), 5, "{found:?}");
    let device = found.into_iter().find(|found| found.options["home_assistant"] == "5A1B2C").expect("it is described");
    let points = browsed(broker.link(json!({})), device.options.clone()).await;
    let offers: Vec<(String, Json, Access)> = points
        .into_iter()
        .filter_map(|found| found.offer.map(|offer| (offer.name, found.options, offer.access)))
        .collect();
    let named: Vec<Named<'_>> =
        offers.iter().map(|(name, options, access)| (&**name, options.clone(), *access)).collect();
    let bench = Bench::new(broker.link(json!({ "timeout": "500ms" })), device.options, &named).await;
    bench.connect().await.expect("the broker is there");
    broker.publish("heater/stat/RESULT", r#"{"POWER":"ON"}"#, &[]).await;
    bench.told("Relay", true, Quality::Good).await;
    broker.publish("tele/~/SENSOR", r#"{"ENERGY":{"Power":"12.5"}}"#, &[]).await;
    bench.told("Power", 12.5, Quality::Good).await;
    bench.write("Relay", false).await.expect_err("there is no heater");
    broker.keep("heater/tele/LWT", "Offline").await;
    bench.online(0, Some("Offline")).await;
}

#[tokio::test]
async fn a_template_that_says_more_than_a_path_is_evaluated() {
    let broker = described().await;
    let points = browsed(broker.link(json!({})), json!({ "home_assistant": "fc-1" })).await;
    let named = |name: &str| {
        let found = points.iter().find(|found| found.offer.as_ref().is_some_and(|offer| offer.name == name));
        found.unwrap_or_else(|| panic!("{points:?}")).options.clone()
    };
    let bench = Bench::new(
        broker.link(json!({})),
        json!({}),
        &[
            ("t", named("Fan coil_current_temperature"), Access::Read),
            ("mode", named("Fan coil_mode"), Access::ReadWrite),
        ],
    )
    .await;
    bench.connect().await.expect("the broker is there");
    broker.publish("fc/state", r#"{"t": 215, "sp": 22}"#, &[]).await;
    bench.told("t", 21.5, Quality::Good).await;
    broker.publish("fc/mode", "cool", &[]).await;
    bench.told("mode", Value::Int(2), Quality::Good).await;
}
