//! BlueZ, D-Bus or the adapter is gone, or nothing is heard any more.

use super::bench::{Bench, SENSOR, soon};
use super::bluez::Bluez;
use super::gatt::with_thermometer;
use super::wait_for;
use edgeway_sdk::Fault;
use serde_json::{Value as Json, json};

fn rssi() -> Vec<(u32, Json)> {
    vec![(0, json!({ "at": "rssi" }))]
}

fn sensor() -> [Json; 1] {
    [json!({ "address": SENSOR })]
}

async fn reason(bench: &Bench) -> String {
    match bench.link.connect(soon()).await {
        Err(Fault::Link(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_bluez_the_link_says_how_to_get_it() {
    let bluez = Bluez::absent().await;
    let bench = Bench::new(&bluez, &[]).await;
    let reason = reason(&bench).await;
    assert!(reason.starts_with("BlueZ is not running (`systemctl enable --now bluetooth`"), "{reason}");
}

#[tokio::test]
async fn of_several_adapters_one_has_to_be_named() {
    let mut bluez = Bluez::start().await;
    bluez.set(json!({ "do": "adapter", "name": "hci1" })).await;
    let bench = Bench::new(&bluez, &[]).await;
    let fault = bench.link.connect(soon()).await.expect_err("which?");
    assert_eq!(
        fault,
        Fault::Config("there are several adapters: `hci0`, `hci1` (say which: `adapter = \"hci0\"`)".into())
    );
    let second = Bench::of(&bluez, json!({ "adapter": "hci1" }), &[], vec![]).await;
    let identity = second.link.connect(soon()).await.unwrap().identity;
    assert_eq!(identity, [("adapter".into(), "hci1".into()), ("address".into(), "01:02:03:04:05:06".to_owned())]);
    let third = Bench::of(&bluez, json!({ "adapter": "hci7" }), &[], vec![]).await;
    assert_eq!(reason(&third).await, "there is no adapter `hci7`, only `hci0`, `hci1`");
}

#[tokio::test]
async fn an_adapter_that_is_switched_off_is_switched_on_and_told_when_it_goes() {
    let mut bluez = with_thermometer(SENSOR).await;
    bluez.ask(json!({ "do": "power", "on": false })).await;
    let bench = Bench::of(&bluez, json!({}), &sensor(), rssi()).await;
    bench.begin().await;
    bench.heard.wait("0 = -60").await;
    bluez.ask(json!({ "do": "power", "on": false })).await;
    bench.heard.wait("lost: hci0 was switched off").await;
    bench.come_back().await;
    bench.heard.wait("0 = -60").await;
    bluez.ask(json!({ "do": "unplug" })).await;
    bench.heard.wait("lost: hci0 is gone").await;
    assert_eq!(reason(&bench).await, "there is no Bluetooth adapter");
}

#[tokio::test]
async fn dbus_itself_may_be_restarted() {
    let mut bluez = with_thermometer(SENSOR).await;
    let bench = Bench::of(&bluez, json!({}), &sensor(), rssi()).await;
    bench.begin().await;
    bench.heard.wait("0 = -60").await;
    bluez.restart_bus().await;
    bench.heard.wait("lost: ").await;
    bench.come_back().await;
    bench.heard.wait("0 = -60").await;
}

#[tokio::test]
async fn a_scan_that_falls_silent_is_started_again() {
    let mut bluez = with_thermometer(SENSOR).await;
    let bench = Bench::of(&bluez, json!({ "watchdog": "1s" }), &sensor(), rssi()).await;
    bench.begin().await;
    bench.heard.wait("0 = -60").await;
    bluez.ask(json!({ "do": "deaf", "until": "scan" })).await;
    wait_for("the scan to be started again", async || (bench.counted("scan_restarts") == 1).then_some(())).await;
    bench.heard.take();
    bench.heard.wait("0 = -60").await;
    assert_eq!((bench.counted("bluez_reconnects"), bluez.stat("scans").await), (0, 2));
}

#[tokio::test]
async fn if_that_does_not_help_the_connection_to_bluez_is_made_anew() {
    let mut bluez = with_thermometer(SENSOR).await;
    let bench = Bench::of(&bluez, json!({ "watchdog": "1s" }), &sensor(), rssi()).await;
    bench.begin().await;
    bench.heard.wait("0 = -60").await;
    bluez.ask(json!({ "do": "deaf", "until": "client" })).await;
    bench.heard.wait("lost: nobody is heard any more").await;
    assert_eq!((bench.counted("scan_restarts"), bench.counted("bluez_reconnects")), (1, 1));
    bluez.ask(json!({ "do": "deaf", "until": "no" })).await;
    bench.come_back().await;
    bench.heard.wait("0 = -60").await;
}

#[tokio::test]
async fn nobody_around_is_no_reason_to_do_anything() {
    let mut bluez = Bluez::start().await;
    let bench = Bench::of(&bluez, json!({ "watchdog": "1s" }), &sensor(), rssi()).await;
    bench.begin().await;
    // Two and a half times the watchdog: nobody was heard before, so nothing has stopped.
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    assert_eq!((bench.counted("scan_restarts"), bluez.stat("scans").await), (0, 1));
}
