//! What devices advertise.

use super::bench::{Bench, SENSOR};
use super::bluez::Bluez;
use serde_json::{Value as Json, json};

fn heard(service: &str, data: &str) -> Json {
    json!({ "do": "heard", "address": SENSOR, "rssi": -61, "service": { service: data } })
}

async fn with_sensor() -> Bluez {
    let mut bluez = Bluez::start().await;
    bluez.set(json!({ "do": "device", "address": SENSOR, "name": "a sensor" })).await;
    bluez
}

#[tokio::test]
async fn every_format_gets_here_with_its_values() {
    let mut bluez = with_sensor().await;
    let points = [
        json!({ "at": "rssi" }),
        json!({ "at": "bthome:temperature" }),
        json!({ "at": "ruuvi:humidity" }),
        json!({ "at": "ibeacon:major" }),
        json!({ "at": "eddystone:url" }),
        json!({ "at": "manufacturer:0xffff", "type": "u16", "byte": 1, "order": "big" }),
        json!({ "at": "service:181a", "type": "i16" }),
        json!({ "at": "tx_power" }),
    ];
    let bench = Bench::new(&bluez, &points).await;
    assert_eq!(bench.plan.watched.len(), 8);
    bench.begin().await;
    assert_eq!(bluez.ask(heard("fcd2", "4002ca09")).await, "heard");
    bench.heard.wait("0 = -61").await;
    bench.heard.wait("1 = 25.06").await;
    let all = json!({
        "do": "heard", "address": SENSOR, "tx_power": 4,
        "manufacturer": {
            "0499": "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F",
            "004c": "0215FDA50693A4E24FB1AFCFC6EB0764782527114CB9C5",
            "ffff": "aa1234",
        },
        "service": { "feaa": "10ee03676f6f2e676c2f6162", "181a": "f608" },
    });
    bluez.ask(all).await;
    // In the order of the points as far as they have no format, then format by format.
    for told in ["5 = 4660", "6 = 2294", "7 = 4", "2 = 53.49", "3 = 10001", "4 = https://goo.gl/ab"] {
        bench.heard.wait(told).await;
    }
}

#[tokio::test]
async fn a_device_that_bluez_hears_for_the_first_time_is_heard_here_too() {
    let mut bluez = Bluez::start().await;
    let bench = Bench::new(&bluez, &[json!({ "at": "rssi" })]).await;
    bench.begin().await;
    bluez.set(json!({ "do": "device", "address": SENSOR })).await;
    bench.heard.wait("0 = -79").await;
}

#[tokio::test]
async fn encrypted_bthome_needs_its_key() {
    let mut bluez = with_sensor().await;
    let device = |secret: &str| json!({ "address": SENSOR, "secret": secret });
    let points = vec![(0, json!({ "at": "bthome:battery" }))];
    let secret = "231d39c1d7cc1ab1aee224cd096db932";
    // Sealed for this address by python's `cryptography`: battery 97, counter 500.
    let wrong = Bench::of(&bluez, json!({}), &[device(&secret.replace('2', "3"))], points.clone()).await;
    wrong.begin().await;
    bluez.ask(heard("fcd2", SEALED)).await;
    wrong.heard.wait("0 = bad:config").await;
    assert_eq!(wrong.counted("unreadable"), 1);
    let right = Bench::of(&bluez, json!({}), &[device(secret)], points).await;
    right.begin().await;
    bluez.ask(heard("fcd2", SEALED)).await;
    right.heard.wait("0 = 97").await;
}

const SEALED: &str = "411411f40100009a3622c2";

#[tokio::test]
async fn a_button_is_an_event() {
    let mut bluez = with_sensor().await;
    let bench = Bench::new(&bluez, &[json!({ "at": "bthome:button" })]).await;
    bench.begin().await;
    for _ in 0..3 {
        bluez.ask(heard("fcd2", "4400053a02")).await;
    }
    bench.heard.wait(r#"button {"action":"double_press","number":1}"#).await;
    bench.heard.wait("0 = double_press").await;
    bluez.ask(heard("fcd2", "4400063a04")).await;
    bench.heard.wait(r#"button {"action":"long_press""#).await;
}

#[tokio::test]
async fn who_falls_silent_is_gone_and_comes_back() {
    let mut bluez = with_sensor().await;
    let device = json!({ "address": SENSOR, "gone_after": "1s" });
    let bench = Bench::of(&bluez, json!({}), &[device], vec![(0, json!({ "at": "rssi" }))]).await;
    bench.begin().await;
    bench.heard.wait("device 0 gone: no advertisement for 1s").await;
    bluez.ask(json!({ "do": "heard", "address": SENSOR, "rssi": -50 })).await;
    bench.heard.wait("device 0 back").await;
    bench.heard.wait("0 = -50").await;
}

#[tokio::test]
async fn strangers_are_counted_and_nothing_else() {
    let mut bluez = with_sensor().await;
    bluez.set(json!({ "do": "device", "address": "5A:00:00:00:00:01" })).await;
    let bench = Bench::new(&bluez, &[json!({ "at": "rssi" })]).await;
    bench.begin().await;
    bluez.ask(json!({ "do": "heard", "address": "5A:00:00:00:00:01", "rssi": -40 })).await;
    bluez.ask(json!({ "do": "heard", "address": SENSOR, "rssi": -41 })).await;
    bench.heard.wait("0 = -41").await;
    assert_eq!((bench.counted("strangers"), bench.counted("advertisements")), (1, 1));
}
