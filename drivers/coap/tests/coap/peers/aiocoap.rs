//! A thermostat made with aiocoap.

use super::process::Process;
use crate::bench::{Bench, good, soon, wait_for};
use edgeway_conformance::free_port;
use edgeway_driver_coap::Coap;
use edgeway_sdk::{Access, Batch, DeviceIx, Driver, Fault, Holds, Json, Quality, Timestamp, Value};
use serde_json::json;
use tokio::sync::mpsc;

struct Thermostat {
    port: u16,
    process: Process,
}

impl Thermostat {
    async fn start() -> Self {
        let port = free_port();
        Thermostat { port, process: Process::thermostat(port).await }
    }

    fn link(&self) -> Json {
        json!({ "endpoint": format!("coap://127.0.0.1:{}", self.port), "renew": "1s" })
    }

    async fn bench(&self, points: &[Json]) -> Bench {
        Bench::new(self.link(), json!({ "path": "/room/1" }), points).await.connected().await
    }
}

#[tokio::test]
async fn every_format_is_read() {
    let thermostat = Thermostat::start().await;
    let bench = thermostat
        .bench(&[
            json!({ "path": "state", "at": "temperature" }),
            json!({ "path": "state", "at": "mode" }),
            json!({ "path": "temp" }),
            json!({ "path": "climate", "at": "urn:dev:room1:humidity", "format": "senml-json" }),
            json!({ "path": "cbor", "at": "level" }),
            json!({ "path": "state", "at": "nowhere" }),
        ])
        .await;
    assert_eq!(bench.plan.steps.len(), 4, "points of one resource share a question");
    let read = bench.poll().await.expect("values");
    let expected = [good(21.5), good("heat"), good(21.5), good(40), good(7), (Value::Null, Quality::Bad)];
    assert_eq!(read, expected);
    let senml = bench.plan.steps.iter().find(|step| step.points[0].0 == 3).expect("a step");
    let mut batch = Batch::default();
    bench.link.exec(senml.id, &mut batch, soon()).await.expect("a value");
    assert_eq!(batch.source_times, [Timestamp::from_secs(1_700_000_005)], "SenML has times of its own");
}

#[tokio::test]
async fn what_changes_is_told_and_nobody_is_left_over() {
    let mut thermostat = Thermostat::start().await;
    let bench = thermostat
        .bench(&[
            json!({ "path": "temp", "watch": "observe" }),
            json!({ "path": "state", "at": "temperature", "watch": "observe" }),
            json!({ "path": "climate", "at": "urn:dev:room1:temperature", "format": "senml-json", "watch": "observe" }),
        ])
        .await;
    assert_eq!((bench.plan.watched.len(), bench.plan.steps.len()), (3, 0));
    for point in 0..3 {
        bench.told(point, good(21.5)).await;
    }
    assert_eq!(thermostat.process.ask("observers").await, "2");
    assert_eq!(thermostat.process.ask("set 22.5").await, "ok");
    // What cannot be observed is asked for instead.
    for point in 0..3 {
        bench.told(point, good(22.5)).await;
    }
    let values = bench.inbox.all(0);
    bench.link.close(soon()).await;
    assert!(values.iter().all(|read| read.1.is_good()), "{values:?}");
    wait_for("nobody to observe any more", async || (thermostat.process.ask("observers").await == "0").then_some(()))
        .await;
}

#[tokio::test]
async fn a_long_resource_is_read_in_blocks_and_observed() {
    let mut thermostat = Thermostat::start().await;
    for block_size in [64, 1024] {
        let mut link = thermostat.link();
        link["block_size"] = json!(block_size);
        let points = [
            json!({ "path": "big", "at": "numbers[4999]" }),
            json!({ "path": "big", "at": "last", "watch": "observe" }),
        ];
        let bench = Bench::new(link, json!({ "path": "/room/1" }), &points).await.connected().await;
        assert_eq!(bench.read().await, Ok(good(4999)), "blocks of {block_size}");
        let new = 23.0 + f64::from(block_size);
        thermostat.process.ask(&format!("set {new}")).await;
        bench.told(1, good(new)).await;
    }
    let mut link = thermostat.link();
    link["max_payload"] = json!("4KiB");
    let bench = Bench::new(link, json!({ "path": "/room/1" }), &[json!({ "path": "big", "at": "last" })]).await;
    let fault = bench.connected().await.read().await.expect_err("it is too long");
    assert!(matches!(&fault, Fault::Point { quality: Quality::BadOutOfRange, .. }), "{fault:?}");
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let thermostat = Thermostat::start().await;
    let bench = thermostat
        .bench(&[
            json!({ "path": "state", "at": "setpoint", "write": true }),
            json!({ "path": "setpoint", "format": "text", "write": true }),
            json!({ "path": "state", "at": "mode", "write": true, "payload": r#"{ "mode": {value} }"#, "map": { "heat": 1, "off": 0 } }),
            json!({ "path": "store", "write": true }),
            json!({ "path": "temp", "format": "text", "write": true }),
        ])
        .await;
    assert_eq!(bench.write(0, 19.5).await, Ok(Some(Value::Float(19.5))));
    assert_eq!(bench.write(1, 18.0).await, Ok(Some(Value::Float(18.0))));
    assert_eq!(bench.write(2, 0).await, Ok(Some(Value::Int(0))));
    // Many blocks there, and many back.
    let long = "x".repeat(4800);
    assert_eq!(bench.write(3, long.as_str()).await, Ok(Some(long.as_str().into())));
    let fault = bench.write(4, 1.0).await.expect_err("it can only be read");
    assert!(fault.to_string().contains("4.05 method not allowed"), "{fault}");
}

#[tokio::test]
async fn a_service_is_called() {
    let thermostat = Thermostat::start().await;
    let services = json!({ "blink": { "path": "blink", "query": "soft" }, "gone": { "path": "gone" } });
    let device = json!({ "path": "/room/1", "services": services });
    let bench = Bench::new(thermostat.link(), device, &[]).await.connected().await;
    let call = async |service, input| bench.link.call(DeviceIx(0), service, input, soon()).await;
    let said = call("blink", json!({ "times": 3 })).await;
    assert_eq!(said, Ok(json!({ "blinks": [0, 1, 2], "query": ["soft"] })));
    let long = call("blink", json!({ "times": 2000 })).await.expect("an answer in blocks");
    assert_eq!(long["blinks"][1999], 1999);
    let fault = call("gone", json!({})).await.expect_err("there is no such resource");
    assert_eq!(fault.to_string(), "/room/1/gone: 4.04 not found");
    assert!(matches!(call("other", json!({})).await, Err(Fault::Config(_))));
}

#[tokio::test]
async fn what_there_is_is_found_out() {
    let thermostat = Thermostat::start().await;
    let (sender, mut found) = mpsc::channel(8);
    Coap.discover(thermostat.link(), sender, soon()).await.expect("it answers");
    let device = found.recv().await.expect("a device");
    assert_eq!(device.options, json!({ "path": "/room/1" }));
    let bench = Bench::new(thermostat.link(), device.options, &[]).await.connected().await;
    let points = bench.link.browse(DeviceIx(0), None, soon()).await.expect("it says what it has");
    let point = |name: &str| {
        let named = |offered: &&edgeway_sdk::Discovered| offered.offer.as_ref().is_some_and(|offer| offer.name == name);
        points.iter().find(named).unwrap_or_else(|| panic!("no {name} in {points:#?}"))
    };
    let temperature = point("state_temperature");
    assert_eq!(temperature.options, json!({ "path": "/state", "at": "temperature", "watch": "observe" }));
    assert_eq!(point("temp").options, json!({ "path": "/temp", "format": "text", "watch": "observe" }));
    let humidity = point("climate_humidity").offer.clone().expect("an offer");
    assert_eq!((humidity.unit.as_str(), humidity.access), ("%", Access::Read));
    assert!(matches!(humidity.holds, Holds::Float { .. }));
    for found in &points {
        assert_eq!(Coap.check_point(&found.options, Access::Read), [], "{found:?}");
    }
}

#[tokio::test]
async fn an_answer_of_its_own_is_taken_and_a_refusal_is_of_its_resource() {
    let thermostat = Thermostat::start().await;
    let of = async |path: &str| thermostat.bench(&[json!({ "path": path })]).await.read().await;
    assert_eq!(of("slow").await, Ok(good(17)));
    let busy = of("busy").await.expect_err("it comes back later");
    assert_eq!(busy, Fault::Busy("/room/1/busy: 5.03 service unavailable: later".into()));
    let gone = of("gone").await.expect_err("there is no such resource");
    assert!(matches!(&gone, Fault::Point { quality: Quality::BadConfig, .. }), "{gone:?}");
    let points = [json!({ "path": "gone", "at": "a" }), json!({ "path": "gone", "at": "b" })];
    let both = thermostat.bench(&points).await.poll().await.expect_err("there is no such resource");
    assert_eq!(both.to_string(), "/room/1/gone: 4.04 not found");
}

#[tokio::test]
async fn after_20_kills_data_comes_again_each_time_and_nothing_grows() {
    let mut thermostat = Thermostat::start().await;
    let mut link = thermostat.link();
    link["timeout"] = json!("2s");
    let points = [json!({ "path": "temp" }), json!({ "path": "state", "at": "temperature", "watch": "observe" })];
    let bench = Bench::new(link, json!({ "path": "/room/1" }), &points).await.connected().await;
    let held = || ["/proc/self/fd", "/proc/self/task"].map(|folder| std::fs::read_dir(folder).expect("linux").count());
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let mut before = None;
    for round in 0..20 {
        bench.told(1, good(21.5)).await;
        assert_eq!(bench.read().await, Ok(good(21.5)));
        before = before.or(Some((held(), tasks())));
        thermostat.process.kill().await;
        wait_for("a fault", async || bench.read().await.err()).await;
        wait_for("the link to be lost", async || bench.inbox.lost_because()).await;
        assert!(matches!(bench.connect().await, Err(Fault::Link(_))), "round {round}");
        thermostat.process = Process::thermostat(thermostat.port).await;
        wait_for("a connection", async || bench.connect().await.ok()).await;
    }
    bench.told(1, good(21.5)).await;
    assert_eq!(thermostat.process.ask("observers").await, "1");
    let (before, tasks_before) = before.expect("20 rounds");
    let after = held();
    assert!(after.iter().zip(before).all(|(after, before)| *after <= before + 5), "{before:?} {after:?}");
    assert!(tasks() <= tasks_before + 3, "{} {tasks_before}", tasks());
}

#[tokio::test]
async fn a_server_that_has_forgotten_us_is_asked_again() {
    let mut thermostat = Thermostat::start().await;
    let bench = thermostat.bench(&[json!({ "path": "temp", "watch": "observe" })]).await;
    bench.told(0, good(21.5)).await;
    // It starts anew so fast that nothing is lost on the way: nobody says that it knows us no more.
    thermostat.process.kill().await;
    thermostat.process = Process::thermostat(thermostat.port).await;
    thermostat.process.ask("set 30.5").await;
    let is_told = async || (bench.inbox.last(0) == Some(good(30.5))).then_some(());
    wait_for("the new value", async || {
        if bench.inbox.lost_because().is_some() {
            // A renewal has met the closed port.
            let _ = bench.connect().await;
        }
        is_told().await
    })
    .await;
}
