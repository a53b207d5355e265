//! Who is there, and what each has to offer.

use super::bench::{Bench, SENSOR, soon};
use super::bluez::Bluez;
use super::gatt::{nobody_is_connected, with_thermometer};
use edgeway_driver_ble::Ble;
use edgeway_sdk::{Access, DeviceIx, Discovered, Driver, Holds, Json};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

#[tokio::test]
async fn a_scan_finds_who_is_heard_and_says_what_they_speak() {
    let mut bluez = Bluez::start().await;
    for (address, advertisement) in [
        (SENSOR, json!({ "rssi": -70, "service": { "fcd2": "41a47266c95f730011223378237214" } })),
        (
            "A4:C1:38:00:00:01",
            json!({ "rssi": -50, "manufacturer": { "0499": "03291A1ECE1EFC18F94202CA0B53" }, "uuids": ["180f"] }),
        ),
    ] {
        bluez.set(json!({ "do": "device", "address": address, "name": "a device" })).await;
        let mut repeat = json!({ "do": "repeat", "address": address, "every_ms": 100 });
        repeat.as_object_mut().unwrap().extend(advertisement.as_object().unwrap().clone());
        bluez.set(repeat).await;
    }
    let (sender, mut receiver) = mpsc::channel(8);
    let by = Instant::now() + Duration::from_secs(4);
    Ble.discover(json!({ "bus": bluez.address() }), sender, by).await.expect("BlueZ is there");
    let mut found = vec![];
    while let Some(device) = receiver.recv().await {
        found.push((device.options["address"].clone(), said(&device)));
    }
    let expected =
        |address: &str, said: &[&str]| (json!(address), said.iter().map(|text| (*text).to_owned()).collect());
    assert_eq!(
        found,
        [
            expected(
                "A4:C1:38:00:00:01",
                &["name a device", "rssi -50 dBm", "speaks ruuvi", "services 180f", "companies 0x0499"]
            ),
            expected(
                SENSOR,
                &["name a device", "rssi -70 dBm", "speaks bthome (encrypted: set `secret`)", "services fcd2"]
            ),
        ]
    );
}

fn said(found: &Discovered) -> Vec<String> {
    found.identity.iter().map(|(name, text)| format!("{name} {text}")).collect()
}

async fn browse(bench: &Bench, at: Option<&str>) -> Vec<Discovered> {
    bench.link.connect(soon()).await.expect("BlueZ is there");
    bench.link.browse(DeviceIx(0), at, Instant::now() + Duration::from_secs(8)).await.expect("the device is there")
}

#[tokio::test]
async fn browsing_lists_fields_and_characteristics_as_points_that_work() {
    let mut bluez = with_thermometer(SENSOR).await;
    let repeat = json!({ "do": "repeat", "address": SENSOR, "every_ms": 100, "rssi": -60, "service": { "fcd2": "4002ca0902cb093a00" }, "manufacturer": { "ffff": "01" } });
    bluez.set(repeat).await;
    let bench = Bench::new(&bluez, &[]).await;
    let found = browse(&bench, None).await;
    let find =
        |at: &str| found.iter().find(|point| point.options["at"] == at).unwrap_or_else(|| panic!("{at}: {found:?}"));
    let offer = |at: &str| find(at).offer.clone().expect("an offer");
    assert_eq!(
        (offer("bthome:temperature").name.as_str(), offer("bthome:temperature").unit.as_str()),
        ("temperature", "°C")
    );
    assert_eq!(offer("bthome:temperature#2").name, "temperature_2");
    assert_eq!(offer("bthome:button").holds, Holds::Text);
    assert_eq!(offer("manufacturer:0xffff").name, "manufacturer_ffff");
    let temperature = find("gatt:181a/2a6e");
    assert_eq!(temperature.options, json!({ "at": "gatt:181a/2a6e", "type": "i16", "scale": 0.01, "watch": "notify" }));
    assert_eq!(offer("gatt:181a/2a6e").unit, "°C");
    assert_eq!((offer("gatt:ffe0/ffe1").access, offer("gatt:ffe0/ffe2").access), (Access::ReadWrite, Access::Write));
    for point in &found {
        let mut options = point.options.clone();
        options.as_object_mut().unwrap().remove("scale");
        let problems = Ble.check_point(&options, point.offer.as_ref().unwrap().access);
        assert!(problems.is_empty(), "{options}: {problems:?}");
    }
    nobody_is_connected(&mut bluez).await;
    let advertised: Vec<Json> =
        browse(&bench, Some("advertisement")).await.into_iter().map(|point| point.options).collect();
    assert!(advertised.iter().all(|options| !options["at"].as_str().unwrap().starts_with("gatt")), "{advertised:?}");
}

#[tokio::test]
async fn browsing_leaves_the_connection_of_a_running_gateway_alone() {
    let mut bluez = with_thermometer(SENSOR).await;
    let gateway = Bench::new(&bluez, &[json!({ "at": "gatt:181a/2a6e", "type": "i16", "watch": "notify" })]).await;
    gateway.begin().await;
    gateway.heard.wait("device 0 back").await;
    let visitor = Bench::new(&bluez, &[]).await;
    let found = browse(&visitor, Some("gatt")).await;
    assert!(found.iter().any(|point| point.options["at"] == "gatt:181a/2a6e"), "{found:?}");
    visitor.link.close(soon()).await;
    assert_eq!((bluez.stat("connects").await, bluez.stat("notifying").await), (1, 1));
}
