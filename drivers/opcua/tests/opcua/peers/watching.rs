//! What the server tells: values, states, events.

use super::asyncua::Asyncua;
use super::{lab, link, told};
use crate::host::Host;
use crate::wait_for;
use edgeway_sdk::{Quality, Timestamp, Value};
use serde_json::json;

#[tokio::test]
async fn present_values_are_told_first_and_then_every_change() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Power", "WTG01.Name", "Types.Trip"]));
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    host.hears(1, "WTG-01").await;
    let before = Timestamp::now();
    for n in 0..5 {
        server.set("WTG01.Power", 2000.5 + f64::from(n)).await;
        host.hears(0, 2000.5 + f64::from(n)).await;
    }
    let (_, _, time) = host.heard.told().latest[&0].clone();
    assert!(time >= before && time <= Timestamp::now(), "{time} is the source's");
    assert!(matches!(host.heard.told().latest[&2], (Value::Struct(_), Quality::Good, _)));
    server.ask("status WTG01.Power BadSensorFailure").await;
    host.hears_quality(0, Quality::BadDevice).await;
    server.ask("status WTG01.Power UncertainLastUsableValue").await;
    host.hears_quality(0, Quality::Uncertain).await;
    assert_eq!(server.load().await, (1, 1));
    host.close().await;
    wait_for("the server to forget the session", async || (server.load().await == (0, 0)).then_some(())).await;
    assert_eq!(host.heard.told().lost, Vec::<String>::new(), "who closes is not lost");
}

#[tokio::test]
async fn events_are_told_with_the_fields_that_were_asked_for() {
    let mut server = Asyncua::start(&[]).await;
    let types: serde_json::Value = serde_json::from_str(&server.ask("types").await).unwrap();
    let lab_event = types["LabEvent"].as_str().unwrap();
    let device = json!({
        "namespace": "http://lab",
        "events": {
            "trip": {
                "node": "s=WTG01",
                "type": lab_event,
                "fields": { "text": "Message", "load": "nsu=http://lab;Load", "severity": "Severity", "none": "Nothing" },
            },
        },
    });
    let host = Host::new(&link(server.port), device, &told(&["WTG01.Name"]));
    host.listen().await.unwrap();
    host.hears(0, "WTG-01").await;
    let before = Timestamp::now();
    server.ask("event 12.5 too much wind").await;
    let told = wait_for("an event", async || host.heard.told().events.pop()).await;
    assert_eq!(told.0, "trip");
    assert_eq!(told.1, json!({ "text": "too much wind", "load": 12.5, "severity": 700, "none": null }));
    assert!(told.2 >= before && told.2 <= Timestamp::now());
    assert_eq!(host.heard.told().events.len(), 1, "events of another type are not told");
    host.close().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_makes_its_point_bad_and_the_others_go_on() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Power", "WTG01.Name", "WTG01.Speed"]));
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    host.hears(1, "WTG-01").await;
    server.garble("WTG01.Name").await;
    server.set("WTG01.Power", 7.5).await;
    host.hears_quality(1, Quality::Bad).await;
    host.hears(0, 7.5).await;
    server.set("WTG01.Speed", 1.5).await;
    host.hears(2, 1.5).await;
    assert_eq!(host.counted("unreadable_notifications"), 1);
    assert_eq!(host.counted("refused_items"), 1, "it is watched again before long");
    assert_eq!(host.heard.told().lost, Vec::<String>::new());
    host.close().await;
}

/// The one that is told first may be the one that cannot be read.
#[tokio::test]
async fn a_first_message_that_cannot_be_read_is_not_the_end() {
    let mut server = Asyncua::start(&[]).await;
    server.garble("WTG01.Name").await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Power", "WTG01.Name"]));
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    host.hears_quality(1, Quality::Bad).await;
    server.set("WTG01.Power", 7.5).await;
    host.hears(0, 7.5).await;
    assert_eq!(host.heard.told().lost, Vec::<String>::new());
    host.close().await;
}
