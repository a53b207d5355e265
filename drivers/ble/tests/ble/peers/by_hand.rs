//! Against the real BlueZ, by hand: `vm/run` does it in a virtual machine with two emulated controllers.

use super::bench::{Bench, soon};
use edgeway_driver_ble::Ble;
use edgeway_sdk::{DeviceIx, Driver, Json, Value};
use serde_json::json;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

fn given(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` has to be set, see vm/guest"))
}

/// A device that advertises BTHome's temperature 25.06 and holds 2294 in `gatt:181a/2a6e`, which it notifies when it is written.
#[tokio::test]
#[ignore = "needs BlueZ with a device, see vm/run"]
async fn the_real_bluez() {
    let (adapter, address) = (given("EDGEWAY_BLE_ADAPTER"), given("EDGEWAY_BLE_ADDRESS"));
    let link = json!({ "adapter": adapter, "timeout": "10s", "connect_timeout": "30s" });
    let began = Instant::now();
    let tell = |what: &str| println!("{:>6.1?} {what}", began.elapsed());
    found(&link, &address).await;
    tell("found");

    let temperature = json!({ "at": "gatt:181a/2a6e", "type": "i16", "write": "too" });
    let notified = json!({ "at": "gatt:181a/2a6e", "type": "i16", "watch": "notify" });
    let heard = json!({ "at": "bthome:temperature" });
    let device = json!({ "address": address });
    let polled = Bench::on(
        link.clone(),
        std::slice::from_ref(&device),
        vec![(0, heard), (0, json!({ "at": "rssi" })), (0, temperature.clone())],
    )
    .await;
    polled.begin().await;
    polled.heard.wait("0 = 25.06").await;
    tell("its advertisement is heard");
    let offers = polled.link.browse(DeviceIx(0), None, Instant::now() + Duration::from_secs(60)).await.unwrap();
    offers.iter().for_each(|offer| println!("       {}", offer.options));
    tell("browsed");
    assert_eq!(polled.exec(0).await.unwrap(), ["2 = 2294"]);
    tell("read, connecting for it");
    polled.link.close(soon()).await;

    let kept = Bench::on(link, &[device], vec![(0, notified), (0, temperature)]).await;
    kept.begin().await;
    kept.heard.wait("0 = 2294").await;
    tell("subscribed");
    assert_eq!(kept.write(1, Value::Int(-7)).await.unwrap(), Some(Value::Int(-7)));
    kept.heard.wait("0 = -7").await;
    tell("written, notified, read back");
    kept.link.close(soon()).await;
    tell("closed");
}

async fn found(link: &Json, address: &str) {
    let (sender, mut receiver) = mpsc::channel(64);
    let looking = Ble.discover(link.clone(), sender, Instant::now() + Duration::from_secs(10));
    let seeing = async {
        let mut found = None;
        while let Some(device) = receiver.recv().await {
            println!("       {} {:?}", device.options, device.identity);
            found = found.or((device.options["address"] == address).then_some(()));
        }
        found
    };
    let (looked, found) = tokio::join!(looking, seeing);
    looked.unwrap();
    assert!(found.is_some(), "{address} was not found");
}
