//! A valve made with Paho, behind mosquitto.

use super::broker::Broker;
use super::process::Script;
use crate::bench::{Bench, Named};
use crate::wait::wait_for;
use edgeway_sdk::{Access, Fault, Json, Quality, Timestamp, Value};
use serde_json::json;
use std::time::Duration;

const VERSIONS: [&str; 2] = ["5", "3.1.1"];

fn valve() -> Json {
    json!({
        "topic": "plant/valve",
        "availability": [{ "topic": "{topic}/lwt" }],
        "services": {
            "calibrate": { "topic": "{topic}/calibrate", "response": "{topic}/calibrate/answer", "timeout": "1s" },
            "tagged": {
                "topic": "{topic}/calibrate",
                "response": "{topic}/calibrate/answer",
                "correlation": "transaction",
                "payload": "{\"target\": {target}, \"transaction\": \"{transaction}\"}",
            },
            "nudge": { "topic": "{topic}/get" },
            "nobody": { "topic": "{topic}/nobody" },
        },
    })
}

fn points() -> [Named<'static>; 3] {
    [
        ("position", json!({ "at": "position" }), Access::ReadWrite),
        ("mode", json!({ "at": "mode" }), Access::Read),
        ("on", json!({ "at": "on", "map": { "ON": true, "OFF": false } }), Access::ReadWrite),
    ]
}

async fn connected(broker: &Broker, version: &str, more: Json) -> Bench {
    let mut link = broker.link(json!({ "version": version }));
    link.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let bench = Bench::new(link, valve(), &points()).await;
    bench.connect().await.expect("the broker is there");
    bench
}

async fn device(broker: &Broker, version: &str) -> Script {
    Script::start("mqtt_device.py", &[&broker.port.to_string(), version]).await
}

#[tokio::test]
async fn present_values_come_first_and_then_what_is_new() {
    let broker = Broker::start().await;
    for version in VERSIONS {
        let mut valve = device(&broker, version).await;
        let bench = connected(&broker, version, json!({})).await;
        bench.told("position", 40, Quality::Good).await;
        bench.told("on", true, Quality::Good).await;
        bench.online(0, None).await;
        valve.tell(json!({ "publish": ["plant/valve", r#"{"position": 55}"#, false] })).await;
        bench.told("position", 55, Quality::Good).await;
        assert_eq!(bench.all("mode").len(), 1, "it was not told again");
    }
}

#[tokio::test]
async fn a_write_is_done_when_the_device_tells_it() {
    let broker = Broker::start().await;
    for version in VERSIONS {
        for qos in [0, 1, 2] {
            let mut valve = device(&broker, version).await;
            let bench = connected(&broker, version, json!({ "qos": qos, "timeout": "1s" })).await;
            assert_eq!(bench.write("position", 70 + qos).await, Ok(Some(Value::Int(70 + qos))));
            assert_eq!(bench.write("on", false).await, Ok(Some(Value::Bool(false))));
            valve.tell(json!({ "mute": true })).await;
            let fault = bench.write("position", 10).await.expect_err("it tells nothing");
            assert_eq!(fault, Fault::Device("the device has told no state within 1s of the write".into()));
        }
    }
}

#[tokio::test]
async fn a_write_that_nobody_hears_is_known_to_be_lost() {
    let broker = Broker::start().await;
    let bench = connected(&broker, "5", json!({})).await;
    let fault = bench.write("position", 10).await.expect_err("there is no device");
    assert_eq!(fault.to_string(), "nobody listens to `plant/valve/set`, so nothing was written");
    let fault = bench.write("on", 7).await.expect_err("it is no word");
    assert!(matches!(&fault, Fault::Point { quality: Quality::BadOutOfRange, .. }), "{fault:?}");
}

#[tokio::test]
async fn a_service_is_called_and_answers() {
    let broker = Broker::start().await;
    for version in VERSIONS {
        let _valve = device(&broker, version).await;
        let bench = connected(&broker, version, json!({})).await;
        let answer = bench.call("calibrate", json!({ "target": 6 })).await.expect("it answers");
        assert_eq!(answer["offset"], 7);
        let both =
            tokio::join!(bench.call("tagged", json!({ "target": 1 })), bench.call("tagged", json!({ "target": 2 })));
        assert_eq!(
            (both.0.expect("it answers")["offset"].clone(), both.1.expect("it answers")["offset"].clone()),
            (json!(2), json!(3))
        );
        assert_eq!(bench.call("nudge", json!({})).await, Ok(json!({})), "the broker has taken it");
        let unknown = bench.call("calibrat", json!({})).await.expect_err("there is none").to_string();
        assert!(unknown.contains("did you mean `calibrate`?"), "{unknown}");
        let silent = bench.call("calibrate", json!({ "silent": true })).await;
        assert_eq!(silent, Err(Fault::Device("no answer came in time".into())));
    }
    let bench = connected(&broker, "5", json!({})).await;
    let lost = bench.call("nobody", json!({})).await.expect_err("nobody listens");
    assert!(matches!(lost, Fault::Busy(_)), "{lost:?}");
}

/// Without correlation the next answer is taken; one that may be of another call is not.
#[tokio::test]
async fn an_answer_that_could_be_of_another_call_is_not_waited_for() {
    let broker = Broker::start().await;
    let _valve = device(&broker, "3.1.1").await;
    let bench = connected(&broker, "3.1.1", json!({})).await;
    bench.call("calibrate", json!({ "silent": true })).await.expect_err("it is silent");
    let busy = bench.call("calibrate", json!({ "target": 1 })).await;
    assert_eq!(busy, Err(Fault::Busy("the answer to another call may still come".into())));
    let again =
        wait_for("the late answer to be given up", async || bench.call("calibrate", json!({ "target": 1 })).await.ok());
    assert_eq!(again.await["offset"], 2);
}

/// It may come on the next connection, where what the broker has kept on its topic comes too and is none.
#[tokio::test]
async fn an_answer_is_still_to_come_after_a_connection_has_ended() {
    let broker = Broker::start().await;
    broker.keep("answer", "kept").await;
    let reset = json!({ "topic": "reset", "response": "answer", "timeout": "3s" });
    let device = json!({ "services": { "reset": reset } });
    let bench = Bench::new(broker.link(json!({ "version": "3.1.1" })), device, &[]).await;
    bench.connect().await.expect("the broker is there");
    bench.call("reset", json!({})).await.expect_err("nobody answers");
    bench.connect().await.expect("the broker is there");
    wait_for("what was kept", async || (bench.counted("messages") == 2).then_some(())).await;
    let busy = bench.call("reset", json!({})).await;
    assert_eq!(busy, Err(Fault::Busy("the answer to another call may still come".into())));
}

#[tokio::test]
async fn a_last_will_says_that_the_device_is_gone() {
    let broker = Broker::start().await;
    let valve = device(&broker, "5").await;
    let bench = connected(&broker, "5", json!({})).await;
    bench.online(0, None).await;
    valve.kill().await;
    bench.online(0, Some("said to be `offline`")).await;
    bench.forget();
    bench.connect().await.expect("the broker is there");
    bench.online(0, Some("said to be `offline`")).await;
    let _valve = device(&broker, "5").await;
    bench.online(0, None).await;
    bench.told("position", 40, Quality::Good).await;
    assert_eq!(bench.all("position").len(), 1, "what was kept of it while it was gone is not told");
}

#[tokio::test]
async fn a_retained_message_of_nobody_knows_when_is_uncertain_until_it_is_told_anew() {
    let broker = Broker::start().await;
    broker.keep("t", "7").await;
    let bench = Bench::new(broker.link(json!({})), json!({ "topic": "t" }), &[("v", json!({}), Access::Read)]).await;
    bench.connect().await.expect("the broker is there");
    bench.told("v", 7, Quality::Uncertain).await;
    broker.keep("t", "7").await;
    let live = bench.told("v", 7, Quality::Good).await;
    bench.forget();
    bench.connect().await.expect("the broker is there");
    assert_eq!(bench.told("v", 7, Quality::Good).await, live, "it was told then, not now");
}

#[tokio::test]
async fn user_properties_carry_time_and_quality() {
    let broker = Broker::start().await;
    let mut valve = device(&broker, "5").await;
    let options = json!({ "time_property": "ts", "time_unit": "ms", "quality_property": "q" });
    let bench =
        Bench::new(broker.link(json!({})), json!({ "topic": "stamped" }), &[("v", options, Access::Read)]).await;
    bench.connect().await.expect("the broker is there");
    let properties = json!({ "ts": "1764000000500", "q": "good" });
    valve.tell(json!({ "publish": ["stamped", "7", false], "properties": properties })).await;
    assert_eq!(bench.told("v", 7, Quality::Good).await, Timestamp::from_millis(1_764_000_000_500));
    valve
        .tell(json!({ "publish": ["stamped", "8", false], "properties": { "ts": "1764000000600", "q": "bad" } }))
        .await;
    bench.told("v", Value::Null, Quality::Bad).await;
}

#[tokio::test]
async fn a_filter_covers_the_topics_of_many_devices() {
    let broker = Broker::start().await;
    let devices: Vec<Json> = (0..2_000).map(|n| json!({ "topic": format!("many/{n}/state") })).collect();
    let points: Vec<(u32, Named<'_>)> = (0..2_000).map(|n| (n, ("v", json!({ "at": "v" }), Access::Read))).collect();
    let bench = Bench::of(broker.link(json!({ "subscribe": ["many/+/state"] })), &devices, &points).await;
    bench.connect().await.expect("the broker is there");
    assert_eq!(broker.log().matches("many/+/state (QoS 1)").count(), 1, "{}", broker.log());
    broker.publish("many/0/state", r#"{"v": 1}"#, &[]).await;
    bench.told("v", 1, Quality::Good).await;
    broker.publish("many/7000/state", r#"{"v": 1}"#, &[]).await;
    wait_for("a topic of nobody", async || (bench.counted("unknown_topics") == 1).then_some(())).await;
}

/// Each message of a group comes to one of its members.
#[tokio::test]
async fn a_group_shares_messages() {
    let broker = Broker::start().await;
    for version in VERSIONS {
        let link = broker.link(json!({ "share": "gateways", "subscribe": ["shared/#"], "version": version }));
        let point = || [("v", json!({}), Access::Read)];
        let members = [
            Bench::new(link.clone(), json!({ "topic": "shared/v" }), &point()).await,
            Bench::new(link, json!({ "topic": "shared/v" }), &point()).await,
        ];
        for member in &members {
            member.connect().await.expect("the broker is there");
        }
        for n in 0..20 {
            broker.publish("shared/v", n.to_string(), &[]).await;
        }
        let counts = || members.each_ref().map(|member| member.all("v").len());
        wait_for("20 values", async || (counts().iter().sum::<usize>() >= 20).then_some(())).await;
        assert!(counts().iter().all(|count| *count > 0) && counts().iter().sum::<usize>() == 20, "{:?}", counts());
    }
}

/// What comes while a link is away is kept for it, if it wants that.
#[tokio::test]
async fn a_session_that_is_kept_brings_what_came_meanwhile() {
    let broker = Broker::start().await;
    for version in VERSIONS {
        let link =
            broker.link(json!({ "session": "keep", "client_id": format!("kept-{version}"), "version": version }));
        let topic = format!("kept/{version}");
        let bench = Bench::new(link, json!({ "topic": topic }), &[("v", json!({}), Access::ReadWrite)]).await;
        bench.connect().await.expect("the broker is there");
        bench.link.close(crate::wait::soon()).await;
        for n in 1..=3 {
            broker.publish(&topic, n.to_string(), &[]).await;
        }
        bench.connect().await.expect("the broker is there");
        bench.told("v", 3, Quality::Uncertain).await;
        let told: Vec<(Value, Quality)> = bench.all("v").into_iter().map(|told| (told.value, told.quality)).collect();
        let expected = [1, 2, 3].map(|n| (Value::Int(n), Quality::Uncertain));
        assert_eq!(told, expected, "version {version}: nobody knows when they were sent");
        broker.publish(&topic, "4", &[]).await;
        bench.told("v", 4, Quality::Good).await;
    }
}

/// Whoever looks around leaves nothing behind, though the link keeps its session.
#[tokio::test]
async fn a_look_around_keeps_no_session_and_says_goodbye() {
    let broker = Broker::start().await;
    broker.keep("plant/pump", "7").await;
    for version in VERSIONS {
        let link = broker.link(json!({ "session": "keep", "client_id": "kept", "version": version }));
        let bench = Bench::new(link, json!({ "topic": "plant/pump" }), &[]).await;
        let by = tokio::time::Instant::now() + Duration::from_secs(5);
        bench.link.browse(edgeway_sdk::DeviceIx(0), None, by).await.expect("it has said something");
    }
    let log = broker.log();
    let came = log.lines().filter(|line| line.contains(" as edgeway"));
    let came: Vec<bool> = came.map(|line| line.contains(", c1,")).collect();
    assert_eq!(came, [true, true], "each session is clean: {log}");
    let has_left = |line: &&str| line.contains("Client edgeway") && line.contains(" disconnected.");
    wait_for("two goodbyes", async || (broker.log().lines().filter(has_left).count() == 2).then_some(())).await;
}

#[tokio::test]
async fn present_values_can_be_asked_for() {
    let broker = Broker::start().await;
    let _valve = device(&broker, "5").await;
    broker.publish("plant/valve", "", &["-r"]).await;
    let options = json!({ "at": "position", "get": {} });
    let bench =
        Bench::new(broker.link(json!({})), json!({ "topic": "plant/valve" }), &[("p", options, Access::Read)]).await;
    bench.connect().await.expect("the broker is there");
    bench.told("p", 40, Quality::Good).await;
}

#[tokio::test]
async fn a_plain_device_is_browsed_by_what_it_says() {
    let broker = Broker::start().await;
    broker.keep("plant/pump", r#"{"speed": 7, "motor": {"t": 40.5}}"#).await;
    broker.keep("plant/pump/mode", "auto").await;
    let bench = Bench::new(broker.link(json!({})), json!({ "topic": "plant/pump" }), &[]).await;
    let by = tokio::time::Instant::now() + Duration::from_secs(5);
    let found = bench.link.browse(edgeway_sdk::DeviceIx(0), None, by).await.expect("it has said something");
    let mut names: Vec<(String, Json)> =
        found.into_iter().map(|found| (found.offer.expect("an offer").name, found.options)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let names: Vec<&str> = names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["mode_value", "motor_t", "speed"]);
}
