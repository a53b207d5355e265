//! An edge node of pysparkplug's.

use super::broker::Broker;
use super::process::Script;
use super::zigbee2mqtt::{browsed, discovered};
use crate::bench::{Bench, Named};
use crate::wait::wait_for;
use edgeway_sdk::{Access, Json, Quality, Timestamp, Value};
use edgeway_sparkplug::{Message as _, Metric, MetricValue, Payload, data_type};
use serde_json::json;
use std::time::Duration;

async fn node(broker: &Broker) -> Script {
    Script::start("sparkplug_node.py", &[&broker.port.to_string()]).await
}

async fn bench(broker: &Broker, version: &str) -> Bench {
    let metric = |name: &str| json!({ "metric": name });
    let points: [(u32, Named<'_>); 3] = [
        (0, ("load", metric("Load"), Access::Read)),
        (1, ("power", metric("Power"), Access::Read)),
        (1, ("limit", metric("Limit"), Access::ReadWrite)),
    ];
    let devices = [json!({ "sparkplug": "plant/edge" }), json!({ "sparkplug": "plant/edge/meter" })];
    Bench::of(broker.link(json!({ "version": version, "timeout": "1s" })), &devices, &points).await
}

/// What a node says that nobody made: one metric.
fn message(seq: u64, name: &str, value: f64) -> Vec<u8> {
    let (name, datatype, value) = (Some(name.to_owned()), Some(data_type::DOUBLE), Some(MetricValue::Double(value)));
    let metric = Metric { name, datatype, value, ..Metric::default() };
    Payload { timestamp: None, metrics: vec![metric], seq: Some(seq) }.encode_to_vec()
}

#[tokio::test]
async fn a_node_that_was_born_before_says_everything_anew() {
    let broker = Broker::start().await;
    for version in ["5", "3.1.1"] {
        let mut node = node(&broker).await;
        let bench = bench(&broker, version).await;
        bench.connect().await.expect("the broker is there");
        bench.told("load", 0.25, Quality::Good).await;
        bench.told("limit", 10, Quality::Good).await;
        node.tell("power 7.5").await;
        let time = bench.told("power", 7.5, Quality::Good).await;
        assert!(Timestamp::now().since(time) < Duration::from_secs(60), "{time:?}");
        assert_eq!(bench.write("limit", 25).await, Ok(Some(Value::Int(25))));
        bench.write("limit", 1e12).await.expect_err("it does not fit 32 bits");
        node.kill().await;
        bench.online(1, Some("its edge node has died")).await;
    }
}

#[tokio::test]
async fn a_message_that_is_missing_makes_the_node_say_everything_anew() {
    let broker = Broker::start().await;
    let mut node = node(&broker).await;
    let bench = bench(&broker, "5").await;
    bench.connect().await.expect("the broker is there");
    bench.told("power", 2.5, Quality::Good).await;
    node.tell("silent 8.5").await;
    bench.told("power", 8.5, Quality::Good).await;
    assert_eq!(bench.counted("rebirth_requests"), 1);
    node.tell("power 9.5").await;
    bench.told("power", 9.5, Quality::Good).await;
    assert_eq!(bench.counted("rebirth_requests"), 1);
}

#[tokio::test]
async fn a_node_that_is_not_there_is_told_to_be_gone_and_comes() {
    let broker = Broker::start().await;
    let bench = bench(&broker, "5").await;
    bench.connect().await.expect("the broker is there");
    wait_for("the node to be given up", async || {
        let fault = bench.write("limit", 7).await.expect_err("there is no node");
        (fault.to_string() == "no birth has told of `Limit`, so nothing was sent").then_some(())
    })
    .await;
    wait_for("devices that are gone", async || bench.is_gone(0, "its edge node does not answer").then_some(())).await;
    let _node = node(&broker).await;
    bench.told("limit", 10, Quality::Good).await;
    bench.online(1, None).await;
}

/// A message is missing, and the node does not say everything anew: what it said before is of no use any more.
#[tokio::test]
async fn a_node_that_falls_silent_after_a_gap_is_told_to_be_gone() {
    let broker = Broker::start().await;
    let bench = bench(&broker, "5").await;
    bench.connect().await.expect("the broker is there");
    broker.publish("spBv1.0/plant/NBIRTH/edge", message(0, "Load", 0.25), &[]).await;
    broker.publish("spBv1.0/plant/DBIRTH/edge/meter", message(1, "Power", 2.5), &[]).await;
    bench.told("power", 2.5, Quality::Good).await;
    bench.online(1, None).await;
    broker.publish("spBv1.0/plant/DDATA/edge/meter", message(9, "Power", 8.5), &[]).await;
    bench.online(0, Some("its edge node does not answer")).await;
    bench.online(1, Some("its edge node does not answer")).await;
    assert!(bench.all("power").iter().all(|told| told.value == Value::Float(2.5)), "{:?}", bench.all("power"));
}

#[tokio::test]
async fn nodes_and_devices_are_found_by_their_births() {
    let broker = Broker::start().await;
    let mut node = node(&broker).await;
    let told = async {
        // Whoever looks around hears of the node only by what it says.
        for n in 0..20 {
            node.tell(format!("power {n}.5")).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let (found, ()) = tokio::join!(discovered(broker.link(json!({})), Duration::from_secs(4)), told);
    let names: Vec<&Json> = found.iter().map(|found| &found.options["sparkplug"]).collect();
    assert_eq!(names, ["plant/edge", "plant/edge/meter"]);
    let points = browsed(broker.link(json!({})), json!({ "sparkplug": "plant/edge/meter" })).await;
    let names: Vec<&Json> = points.iter().map(|found| &found.options["metric"]).collect();
    assert_eq!(names, ["Power", "Limit"]);
}
