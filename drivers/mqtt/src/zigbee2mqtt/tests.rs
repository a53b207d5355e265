use super::*;

const DEVICES: &[u8] = include_bytes!("../../tests/messages/zigbee2mqtt-devices.json");

fn device(name: &str) -> Device {
    devices(DEVICES).into_iter().find(|device| device.friendly_name == name).expect("in the list")
}

/// A point, by the name of its offer.
fn point(device: &str, name: &str) -> (Json, Offer) {
    let points = self::device(device).points().into_iter();
    let mut named = points.filter_map(|point| Some((point.options, point.offer?)));
    named.find(|(_, offer)| offer.name == name).unwrap_or_else(|| panic!("{device} has no {name}"))
}

#[test]
fn a_device_says_what_it_is() {
    let found = device("room-101/door").found("zigbee2mqtt");
    assert_eq!(found.options, json!({ "topic": "zigbee2mqtt/room-101/door", "bridge": "zigbee2mqtt" }));
    let said = |name: &str| found.identity.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str());
    assert_eq!((said("vendor"), said("model")), (Some("Aqara"), Some("MCCGQ11LM")));
    assert_eq!((said("description"), said("address")), (Some("main door"), Some("0x00158d0004a1b2c3")));
    let names: Vec<String> = devices(DEVICES).into_iter().map(|device| device.friendly_name).collect();
    let expected = ["room-101/door", "room-101/bulb", "room-101/valve", "minibar", "0x00aabbccddeeff00"];
    assert_eq!(names, expected, "the coordinator is none");
    let strange = device("0x00aabbccddeeff00");
    assert!(strange.found("z").identity.contains(&("is".into(), "not supported by Zigbee2MQTT".into())));
    assert!(strange.points().is_empty());
}

#[test]
fn each_kind_of_expose_becomes_a_point_with_an_offer() {
    let (options, offer) = point("room-101/door", "contact");
    assert_eq!((options, offer.holds), (json!({ "at": "contact" }), Holds::Bool));
    let (options, offer) = point("room-101/bulb", "state");
    assert_eq!(
        options,
        json!({ "at": "state", "map": { "ON": true, "OFF": false }, "get": { "payload": r#"{"state":""}"# } })
    );
    assert_eq!((offer.holds, offer.access), (Holds::Bool, Access::ReadWrite));
    let (_, offer) = point("room-101/bulb", "brightness");
    assert_eq!(offer.holds, Holds::Float { min: Some(0.0), max: Some(254.0) });
    let (options, offer) = point("room-101/bulb", "color_x");
    assert_eq!(options, json!({ "at": "color.x", "get": { "payload": r#"{"color":""}"# } }));
    assert_eq!(offer.access, Access::ReadWrite);
    let (options, offer) = point("room-101/bulb", "effect");
    assert_eq!(options["map"]["okay"], 2);
    assert_eq!(offer.access, Access::Write);
    let (_, offer) = point("room-101/valve", "current_heating_setpoint");
    assert_eq!((offer.holds, offer.unit.as_str()), (Holds::Float { min: Some(5.0), max: Some(35.0) }, "°C"));
    assert_eq!(offer.description, "Current heating setpoint: Temperature setpoint");
    let (options, offer) = point("room-101/valve", "program_weekdays_p1_temperature");
    assert_eq!(
        (options, offer.holds),
        (json!({ "at": "program.weekdays_p1_temperature" }), Holds::Int { min: Some(5), max: Some(35) })
    );
    let (_, offer) = point("room-101/valve", "holidays");
    let fields = vec![("from".into(), Holds::Text), ("days".into(), Holds::Float { min: None, max: None })];
    assert_eq!(offer.holds, Holds::Array { of: Box::new(Holds::Struct { fields }) });
    let (options, offer) = point("minibar", "power");
    assert_eq!((options["get"]["payload"].as_str(), offer.access), (Some(r#"{"power":""}"#), Access::Read));
    let (options, _) = point("minibar", "child_lock");
    assert_eq!(options.get("map"), None, "true and false are no words");
}

/// What is offered can be taken as it is.
#[test]
fn every_point_that_is_found_is_a_valid_one() {
    for device in devices(DEVICES) {
        for point in device.points() {
            let access = point.offer.as_ref().map_or(Access::Read, |offer| offer.access);
            let problems = crate::config::Point::parse(&point.options, access).err().unwrap_or_default();
            assert_eq!(problems, [], "{} {}", device.friendly_name, point.options);
        }
        assert!(crate::config::DeviceOptions::parse(&device.found("zigbee2mqtt").options).is_ok());
    }
}

#[test]
fn names_that_are_no_words_are_quoted_in_paths() {
    assert_eq!(below("", "a"), "a");
    assert_eq!(below("a", "b c"), "a['b c']");
    assert_eq!(below("", "it's"), r"$['it\'s']");
    assert_eq!(below("a", "1"), "a['1']");
}

#[test]
fn what_is_no_list_of_devices_is_none() {
    for payload in [&b""[..], b"{}", b"[1, {\"friendly_name\": 7}, null]", b"\xff", b"[{}]"] {
        assert!(devices(payload).is_empty());
    }
    let odd = br#"[{"friendly_name": "x", "definition": {"exposes": [{"type": "numeric"}, {"type": "list", "property": "l", "access": 1}]}}]"#;
    assert_eq!(devices(odd)[0].points()[0].options, json!({ "at": "l" }), "without an offer");
}
