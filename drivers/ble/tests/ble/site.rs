//! The sample, and what is there without BlueZ.

use edgeway_driver_ble::Ble;
use edgeway_sdk::{Access, Driver, Fault, Json, options};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

const SAMPLE: &str = include_str!("../../sample.toml");

fn problems(site: &Json) -> Vec<String> {
    let mut link = site["link"]["radio"].clone();
    assert_eq!(link.as_object_mut().unwrap().remove("driver"), Some(json!("ble")));
    let mut all = Ble.check_link(&link).err().unwrap_or_default();
    for device in site["device"].as_array().unwrap() {
        all.extend(Ble.check_device(&device["ble"]));
    }
    for point in site["template"]["room"]["points"].as_object().unwrap().values() {
        all.extend(Ble.check_point(point, Access::Read));
    }
    all.iter().map(ToString::to_string).collect()
}

/// Every commented value can be taken into use as it stands, and changes nothing.
#[test]
fn the_sample_is_right_and_its_commented_values_are_the_defaults() {
    let bare: Json = toml::from_str(SAMPLE).unwrap();
    assert_eq!(problems(&bare), [""; 0]);
    let all = SAMPLE.replace("ble = { address = \"A4:C1:38:00:11:22\" }\n# ble", "ble").replace("\n# ", "\n");
    let full: Json = toml::from_str(&all).unwrap();
    assert_eq!(problems(&full), [""; 0]);
    let defaults = Ble.manifest().options.clone();
    for (schema, table) in [(defaults.link, &full["link"]["radio"]), (defaults.device, &full["device"][0]["ble"])] {
        for (key, default) in schema["properties"].as_object().unwrap() {
            let Some(default) = default.get("default").filter(|default| !default.is_null()) else { continue };
            assert_eq!(table.get(key).map(meant), Some(meant(default)), "{key}");
        }
    }
}

/// `5m` is `300s`.
fn meant(value: &Json) -> Json {
    let duration = value.as_str().and_then(options::duration::parse);
    duration.map_or_else(|| value.clone(), |duration| json!(options::duration::show(duration)))
}

#[tokio::test]
async fn a_machine_without_dbus_says_what_to_install() {
    let link = Ble.open(json!({ "bus": "unix:path=/nowhere/bus" })).unwrap();
    let fault = link.connect(Instant::now() + Duration::from_secs(5)).await.expect_err("there is none");
    let Fault::Link(reason) = &fault else { panic!("{fault:?}") };
    assert!(
        reason.starts_with("D-Bus cannot be reached: ") && reason.contains("apt-get install dbus bluez"),
        "{reason}"
    );
}
