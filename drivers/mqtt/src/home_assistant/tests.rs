use super::*;
use edgeway_sdk::{Access, Holds, Offer};

fn devices() -> Devices {
    let messages: Vec<Json> =
        serde_json::from_str(include_str!("../../tests/messages/home-assistant.json")).expect("JSON");
    let mut devices = Devices::default();
    for message in messages {
        let topic = message["topic"].as_str().expect("a topic");
        assert!(devices.take("homeassistant", topic, message["payload"].to_string().as_bytes()), "{topic}");
    }
    devices
}

/// A point, by the name of its offer.
fn point(device: &str, name: &str) -> (Json, Offer) {
    let points = devices().points(device).unwrap_or_else(|| panic!("there is no {device}"));
    let found =
        points.into_iter().filter_map(|point| Some((point.options, point.offer?))).find(|(_, o)| o.name == name);
    found.unwrap_or_else(|| panic!("{device} has no {name}"))
}

#[test]
fn entities_are_gathered_by_their_device() {
    let devices = devices();
    let ids: Vec<&str> = devices.found().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, ["5A1B2C", "ea334450945afc", "esp-window", "fc-1", "json"]);
    let of = |id: &str| devices.found().into_iter().find(|(known, _)| *known == id).expect("found").1;
    assert_eq!(
        of("5A1B2C").options["availability"],
        json!([
            { "topic": "tele/~/LWT", "online": "Online", "offline": "Offline" },
            { "topic": "heater/tele/LWT", "online": "Online", "offline": "Offline" },
        ])
    );
    assert_eq!(
        of("esp-window").options["availability"],
        json!([{ "topic": "esp/window/status" }, { "topic": "esp/bridge", "at": "state" }])
    );
    assert!(of("ea334450945afc").identity.contains(&("vendor".into(), "Bla electronics".into())));
}

#[test]
fn each_kind_of_entity_becomes_points_with_offers() {
    let (options, offer) = point("5A1B2C", "Power");
    assert_eq!(options["at"], "ENERGY.Power");
    assert_eq!((offer.holds, offer.unit.as_str()), (Holds::Float { min: None, max: None }, "W"));
    let (options, offer) = point("5A1B2C", "Relay");
    assert_eq!(
        options,
        json!({ "topic": "heater/stat/RESULT", "set": "heater/cmnd/POWER", "format": "text",
            "template": "{{ value_json.POWER }}", "map": { "ON": true, "OFF": false } })
    );
    assert_eq!((offer.holds, offer.access), (Holds::Bool, Access::ReadWrite));
    let (options, _) = point("esp-window", "window");
    assert_eq!(
        options,
        json!({ "topic": "esp/window/state", "format": "text", "map": { "open": true, "closed": false } })
    );
    let (options, offer) = point("esp-window", "Limit");
    assert_eq!(options["type"], "number");
    assert_eq!((offer.holds, offer.unit.as_str()), (Holds::Float { min: Some(0.0), max: Some(10.0) }, "A"));
    let (options, offer) = point("esp-window", "Mode");
    assert_eq!(
        (options["template"].as_str(), options["map"]["comfort"].as_i64()),
        (Some("{{ value | lower }}"), Some(1))
    );
    assert_eq!(offer.holds, Holds::Enum { words: vec![(0, "eco".into()), (1, "comfort".into())] });
    let (options, offer) = point("esp-window", "Restart");
    assert_eq!((options["map"]["RESTART"].as_bool(), offer.access), (Some(true), Access::Write));
    let (options, _) = point("fc-1", "Fan coil_current_temperature");
    assert_eq!(options["template"], "{{ value_json.t / 10 }}");
    let (_, offer) = point("fc-1", "Fan coil_temperature");
    assert_eq!(offer.holds, Holds::Float { min: Some(16.0), max: Some(28.0) });
    let (options, _) = point("ea334450945afc", "temperature");
    assert_eq!(options, json!({ "topic": "sensorBedroom/state", "at": "temperature", "type": "number" }));
    let (options, offer) = point("json", "Lamp_brightness");
    assert_eq!(
        (options["at"].as_str(), offer.holds),
        (Some("brightness"), Holds::Int { min: Some(0), max: Some(254) })
    );
}

/// One entity, described by itself.
fn described(component: &str, config: Json) -> Vec<(Json, Offer)> {
    let mut devices = Devices::default();
    assert!(devices.take(
        "homeassistant",
        &format!("homeassistant/{component}/x/config"),
        config.to_string().as_bytes()
    ));
    let points = devices.points("x").expect("it is described");
    points.into_iter().filter_map(|point| Some((point.options, point.offer?))).collect()
}

#[test]
fn what_is_set_in_other_words_than_it_is_told_is_offered_to_be_read() {
    for (component, more, access) in [
        ("lock", json!({}), Access::Read),
        ("lock", json!({ "pl_lock": "LOCKED", "pl_unlk": "UNLOCKED" }), Access::ReadWrite),
        ("cover", json!({}), Access::Read),
        ("switch", json!({}), Access::ReadWrite),
        ("switch", json!({ "stat_on": "1", "stat_off": "0" }), Access::Read),
        ("number", json!({ "cmd_tpl": "{\"v\": {{ value }}}" }), Access::Read),
        ("number", json!({}), Access::ReadWrite),
    ] {
        let mut config = json!({ "stat_t": "a", "cmd_t": "b" });
        config.as_object_mut().expect("a table").extend(more.as_object().expect("a table").clone());
        let points = described(component, config.clone());
        assert_eq!((points.len(), points[0].1.access), (1, access), "{component} {config}");
        assert_eq!(points[0].0.get("set").is_some(), access == Access::ReadWrite);
    }
    let lock = described("lock", json!({ "cmd_t": "b" }));
    assert_eq!(lock[0].0["map"], json!({ "LOCK": true, "UNLOCK": false }), "nobody tells, so nobody has other words");
    let setpoint =
        described("climate", json!({ "temp_stat_t": "a", "temp_cmd_t": "b", "temp_cmd_tpl": "{{ value }}" }));
    assert_eq!(setpoint[0].1.access, Access::Read);
}

#[test]
fn a_number_is_taken_from_its_place_though_it_is_written_bare() {
    let number = json!({ "stat_t": "a", "cmd_t": "a", "val_tpl": "{{ value_json.x | float }}" });
    let expected =
        json!({ "topic": "a", "set": "a", "confirm": "publish", "at": "x", "payload": "{value}", "type": "number" });
    assert_eq!(described("number", number)[0].0, expected);
}

#[test]
fn a_bool_says_who_is_there_as_json_has_it() {
    let mut devices = Devices::default();
    let config = json!({ "stat_t": "a", "avty_t": "b", "avty_tpl": "{{ value_json.up.now }}", "pl_avail": "True", "pl_not_avail": "False" });
    assert!(devices.take("homeassistant", "homeassistant/sensor/x/config", config.to_string().as_bytes()));
    let (_, found) = &devices.found()[0];
    let expected = json!([{ "topic": "b", "at": "up.now", "online": "true", "offline": "false" }]);
    assert_eq!(found.options["availability"], expected);
}

/// What is offered can be taken as it is.
#[test]
fn everything_that_is_found_is_valid() {
    let devices = devices();
    for (id, found) in devices.found() {
        assert!(crate::config::DeviceOptions::parse(&found.options).is_ok(), "{}", found.options);
        for point in devices.points(id).expect("its points") {
            let access = point.offer.as_ref().map_or(Access::Read, |offer| offer.access);
            let problems = crate::config::Point::parse(&point.options, access).err().unwrap_or_default();
            assert_eq!(problems, [], "{}", point.options);
        }
    }
}

#[test]
fn what_describes_nothing_is_left_alone() {
    let mut devices = Devices::default();
    for (topic, payload) in [
        ("homeassistant/sensor/a/state", "{}"),
        ("homeassistant/sensor/a/config", ""),
        ("homeassistant/sensor/a/config", "[]"),
        ("homeassistant/config", "{}"),
        ("other/sensor/a/config", "{}"),
        ("homeassistant/a/b/c/d/config", "{}"),
    ] {
        assert!(!devices.take("homeassistant", topic, payload.as_bytes()), "{topic} {payload}");
    }
    assert!(devices.take("homeassistant", "homeassistant/device/x/config", br#"{"cmps": {"a": 7, "b": {}}}"#));
    assert_eq!(devices.points("x").map(|points| points.len()), Some(0));
}
