//! What is read, written and notified by connecting.

use super::bench::{Bench, SENSOR, quality};
use super::bluez::Bluez;
use super::wait_for;
use edgeway_sdk::{Batch, Fault, PointIx, Quality, Value, WriteOp};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::Instant;

const OTHER: &str = "A4:C1:38:00:11:33";

/// A thermometer with a setpoint, an alarm that can only be written, and something that nobody may read.
fn services() -> Json {
    json!([
        { "uuid": "181a", "characteristics": [
            { "uuid": "2a6e", "flags": ["read", "notify"], "value": "f608" },
            { "uuid": "2a6f", "flags": ["read"], "value": "8813" },
        ] },
        { "uuid": "ffe0", "characteristics": [
            { "uuid": "ffe1", "flags": ["read", "write"], "value": "d200", "longest": 2 },
            { "uuid": "ffe2", "flags": ["write-without-response"], "value": "00" },
            { "uuid": "ffe3", "flags": [], "value": "00" },
        ] },
    ])
}

/// It advertises as long as nobody is connected to it.
pub(super) async fn with_thermometer(address: &str) -> Bluez {
    let mut bluez = Bluez::start().await;
    add_thermometer(&mut bluez, address).await;
    bluez
}

pub(super) async fn add_thermometer(bluez: &mut Bluez, address: &str) {
    bluez.set(json!({ "do": "device", "address": address, "name": "a thermometer" })).await;
    bluez.set(json!({ "do": "gatt", "address": address, "services": services() })).await;
    bluez.set(json!({ "do": "repeat", "address": address, "every_ms": 100, "rssi": -60 })).await;
}

/// Who is not kept is let go, soon after.
pub(super) async fn nobody_is_connected(bluez: &mut Bluez) {
    wait_for("the devices to be let go", async || (bluez.stat("connected").await == 0).then_some(())).await;
}

fn temperature() -> Json {
    json!({ "at": "gatt:181a/2a6e", "type": "i16" })
}

fn setpoint() -> Json {
    json!({ "at": "gatt:ffe0/ffe1", "type": "i16", "write": "too" })
}

#[tokio::test]
async fn a_step_connects_reads_and_disconnects() {
    let mut bluez = with_thermometer(SENSOR).await;
    let points = [temperature(), json!({ "at": "gatt:181a/2a6f", "type": "u8", "byte": 1 }), temperature()];
    let bench = Bench::new(&bluez, &points).await;
    bench.begin().await;
    assert_eq!(bench.exec(0).await.unwrap(), ["0 = 2294", "2 = 2294", "1 = 19"]);
    nobody_is_connected(&mut bluez).await;
    assert_eq!(bench.exec(0).await.unwrap().len(), 3);
    assert_eq!(bluez.stat("connects").await, 2);
}

#[tokio::test]
async fn a_device_that_is_kept_is_connected_once_until_the_link_is_closed() {
    let mut bluez = with_thermometer(SENSOR).await;
    let device = json!({ "address": SENSOR, "keep": "connected" });
    let bench = Bench::of(&bluez, json!({}), &[device], vec![(0, temperature())]).await;
    bench.begin().await;
    for _ in 0..3 {
        assert_eq!(bench.exec(0).await.unwrap(), ["0 = 2294"]);
    }
    assert_eq!((bluez.stat("connects").await, bluez.stat("connected").await), (1, 1));
    bench.link.close(super::bench::soon()).await;
    nobody_is_connected(&mut bluez).await;
}

#[tokio::test]
async fn a_command_for_a_device_that_has_disconnected_connects_it_anew() {
    let mut bluez = with_thermometer(SENSOR).await;
    bluez.set(json!({ "do": "device", "address": OTHER })).await;
    let devices = [json!({ "address": SENSOR, "keep": "connected" }), json!({ "address": OTHER })];
    let bench = Bench::of(&bluez, json!({}), &devices, vec![(0, setpoint()), (1, json!({ "at": "rssi" }))]).await;
    bench.begin().await;
    assert_eq!(bench.exec(0).await.unwrap(), ["0 = 210"]);
    bluez.ask(json!({ "do": "drop", "address": SENSOR })).await;
    // What comes after it has been heard, so it has too.
    bluez.ask(json!({ "do": "heard", "address": OTHER, "rssi": -40 })).await;
    bench.heard.wait("1 = -40").await;
    assert_eq!(bench.write(0, Value::Int(5)).await.unwrap(), Some(Value::Int(5)));
    assert_eq!(bluez.stat("connects").await, 2);
    assert_eq!(bench.counted("strangers"), 0);
}

#[tokio::test]
async fn points_that_are_not_there_or_may_not_be_read_are_bad_alone() {
    let bluez = with_thermometer(SENSOR).await;
    let at = |at: &str| json!({ "at": at, "type": "u8" });
    let points =
        [temperature(), at("gatt:181a/2a00"), at("gatt:ffe0/ffe3"), json!({ "at": "gatt:181a/2a6f", "type": "f64" })];
    let bench = Bench::new(&bluez, &points).await;
    bench.begin().await;
    let mut read = bench.exec(0).await.unwrap();
    read.sort();
    assert_eq!(read, ["0 = 2294", "1 = bad:config", "2 = bad:config", "3 = bad"]);
}

#[tokio::test]
async fn what_is_written_is_read_back() {
    let mut bluez = with_thermometer(SENSOR).await;
    let points = [
        setpoint(),
        json!({ "at": "gatt:ffe0/ffe2", "type": "u8", "write": "only" }),
        json!({ "at": "gatt:181a/2a6f", "type": "u16", "write": "too" }),
        json!({ "at": "gatt:ffe0/ffe1", "type": "u32", "write": "too" }),
        json!({ "at": "gatt:ffe0/ffe9", "type": "u8", "write": "only" }),
    ];
    let bench = Bench::new(&bluez, &points).await;
    bench.begin().await;
    assert_eq!(bench.write(0, Value::Int(-7)).await.unwrap(), Some(Value::Int(-7)));
    assert_eq!(bluez.ask(json!({ "do": "value", "address": SENSOR, "uuid": "ffe1" })).await["value"], "f9ff");
    assert_eq!(bench.write(1, Value::Bool(true)).await.unwrap(), None, "it cannot be read");
    assert_eq!(
        bluez.ask(json!({ "do": "value", "address": SENSOR, "uuid": "ffe2" })).await,
        json!({ "value": "01", "writes": 1 })
    );
    for (point, value, expected) in [
        (0, 70_000, Quality::BadOutOfRange),
        (2, 1, Quality::BadConfig),
        (3, 1, Quality::BadOutOfRange),
        (4, 1, Quality::BadConfig),
    ] {
        let fault = bench.write(point, Value::Int(value)).await.expect_err("refused");
        assert_eq!(quality(&fault), expected, "{point}: {fault}");
    }
    assert_eq!(bluez.ask(json!({ "do": "value", "address": SENSOR, "uuid": "ffe1" })).await["writes"], 1);
    nobody_is_connected(&mut bluez).await;
}

#[tokio::test]
async fn what_is_notified_is_told_with_the_present_value_first() {
    let mut bluez = with_thermometer(SENSOR).await;
    let mut notified = temperature();
    notified["watch"] = json!("notify");
    let points = [notified, setpoint(), json!({ "at": "gatt:181a/2a6f", "type": "u16", "watch": "notify" })];
    let bench = Bench::new(&bluez, &points).await;
    assert_eq!((bench.plan.watched.len(), bench.plan.steps.len()), (2, 1));
    bench.begin().await;
    bench.heard.wait("0 = 2294").await;
    bench.heard.wait("2 = bad:config").await;
    bench.heard.wait("device 0 back").await;
    for value in ["0a00", "0b00"] {
        assert_eq!(
            bluez.ask(json!({ "do": "notify", "address": SENSOR, "uuid": "2a6e", "value": value })).await,
            "told"
        );
    }
    bench.heard.wait("0 = 10").await;
    bench.heard.wait("0 = 11").await;
    // A device that is kept is read and written through the same connection.
    assert_eq!(bench.exec(0).await.unwrap(), ["1 = 210"]);
    assert_eq!(bench.write(1, Value::Int(5)).await.unwrap(), Some(Value::Int(5)));
    assert_eq!((bluez.stat("connects").await, bluez.stat("connected").await), (1, 1));
    bluez.ask(json!({ "do": "drop", "address": SENSOR })).await;
    bench.heard.wait("device 0 gone: A4:C1:38:00:11:22 has disconnected").await;
    bench.heard.wait("0 = 11").await;
    bench.heard.wait("device 0 back").await;
    assert_eq!(bluez.stat("notifying").await, 1);
}

#[tokio::test]
async fn what_was_notified_is_bad_while_its_device_is_only_heard() {
    let mut bluez = with_thermometer(SENSOR).await;
    let mut notified = temperature();
    notified["watch"] = json!("notify");
    let bench = Bench::new(&bluez, &[notified, json!({ "at": "rssi" })]).await;
    bench.begin().await;
    bench.heard.wait("0 = 2294").await;
    bench.heard.wait("device 0 back").await;
    // It is heard again, and cannot be connected.
    bluez.set(json!({ "do": "stuck", "address": SENSOR })).await;
    bluez.ask(json!({ "do": "drop", "address": SENSOR })).await;
    // Before the device is gone: a value is a sign of life.
    bench.heard.wait("0 = bad:not-connected").await;
    bench.heard.wait("device 0 gone: A4:C1:38:00:11:22 has disconnected").await;
    bench.heard.wait("1 = -60").await;
    bench.heard.wait("device 0 gone: A4:C1:38:00:11:22 could not be connected").await;
}

#[tokio::test]
async fn a_device_that_is_not_there_is_one_that_does_not_answer() {
    let bluez = with_thermometer("5A:00:00:00:00:01").await;
    let bench = Bench::new(&bluez, &[temperature(), setpoint()]).await;
    bench.begin().await;
    let fault = bench.exec(0).await.expect_err("nobody is there");
    assert_eq!(fault, Fault::Device(format!("{SENSOR} has not been heard yet, so it cannot be connected")));
    // Nothing was written, and that is known.
    let fault = bench.write(1, Value::Int(1)).await.expect_err("nobody is there");
    assert!(matches!(fault, Fault::Busy(_)), "{fault:?}");
}

#[tokio::test]
async fn a_device_that_never_shows_its_services_is_given_up() {
    let mut bluez = with_thermometer(SENSOR).await;
    bluez.set(json!({ "do": "stuck", "address": SENSOR })).await;
    let device = json!({ "address": SENSOR });
    let bench = Bench::of(&bluez, json!({ "connect_timeout": "1s" }), &[device], vec![(0, temperature())]).await;
    bench.begin().await;
    let fault = bench.exec(0).await.expect_err("it hangs");
    assert_eq!(fault, Fault::Device(format!("{SENSOR} could not be connected in time (`connect_timeout`)")));
    nobody_is_connected(&mut bluez).await;
}

#[tokio::test]
async fn no_more_devices_are_connected_at_once_than_the_adapter_manages() {
    let mut bluez = Bluez::start().await;
    let addresses: Vec<String> = (1..=6).map(|n| format!("A4:C1:38:00:00:0{n}")).collect();
    for address in &addresses {
        add_thermometer(&mut bluez, address).await;
    }
    let devices: Vec<Json> = addresses.iter().map(|address| json!({ "address": address })).collect();
    let points = (0..6).map(|device| (device, temperature())).collect();
    let bench = Bench::of(&bluez, json!({ "connections": 2 }), &devices, points).await;
    bench.begin().await;
    let read = futures::future::join_all((0..6).map(|step| bench.exec(step))).await;
    assert!(read.iter().all(Result::is_ok), "{read:?}");
    assert!(bluez.stat("peak").await <= 2);
    nobody_is_connected(&mut bluez).await;
}

#[tokio::test]
async fn a_device_that_gets_no_connection_does_not_count_as_there() {
    let mut bluez = with_thermometer(SENSOR).await;
    add_thermometer(&mut bluez, OTHER).await;
    let devices = [json!({ "address": SENSOR, "keep": "connected" }), json!({ "address": OTHER })];
    let points = vec![(0, temperature()), (1, temperature()), (1, setpoint())];
    let bench = Bench::of(&bluez, json!({ "connections": 1 }), &devices, points).await;
    bench.begin().await;
    assert!(bench.exec(0).await.is_ok());
    let (step, by) = (bench.plan.steps[1].id, Instant::now() + Duration::from_secs(1));
    let fault = bench.link.exec(step, &mut Batch::default(), by).await.expect_err("the other one is kept");
    let reason = "all connections of the adapter are in use (`connections = 1`: allow more, or keep fewer devices)";
    assert_eq!(fault, Fault::Device(reason.into()));
    // Nothing was written, and that is known.
    let (op, by) = (WriteOp { point: PointIx(2), value: 1.into() }, Instant::now() + Duration::from_secs(1));
    assert_eq!(bench.link.write(&op, by).await, Err(Fault::Busy(reason.into())));
}
