//! Bytes of strangers: whatever is read as a description or a metric, nothing panics.

use edgeway_driver_mqtt::fuzz;
use proptest::prelude::*;

const LIST: &str = include_str!("../messages/zigbee2mqtt-devices.json");
const DESCRIPTIONS: &str = include_str!("../messages/home-assistant.json");

/// A text with some of its bytes changed, or cut off.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((0..text.len(), any::<u8>()), 0..8);
    (changes, 0..=text.len()).prop_map(|(changes, end)| {
        let mut bytes = text.as_bytes().to_vec();
        changes.into_iter().for_each(|(at, byte)| bytes[at] = byte);
        bytes.truncate(end.max(bytes.len() / 2));
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_damaged_list_of_devices_is_no_panic(payload in damaged(LIST)) {
        fuzz::zigbee2mqtt(&payload);
    }

    #[test]
    fn a_damaged_description_is_no_panic(payload in damaged(DESCRIPTIONS), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for payload in [payload, bytes] {
            fuzz::home_assistant("homeassistant/sensor/a/b/config", &payload);
            fuzz::home_assistant("homeassistant/device/a/config", &payload);
        }
    }

    #[test]
    fn a_template_of_a_stranger_is_no_panic(text in "\\{\\{ ?(value|value_json)[.|a-z\\[\\]'0-9 ()/%{}]{0,40}\\}\\}", payload in ".{0,40}") {
        fuzz::template(&text, payload.as_bytes());
    }

    #[test]
    fn a_payload_of_a_stranger_is_no_panic(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        for topic in ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/DDATA/n/d", "spBv1.0/g/NDEATH/n", "spBv1.0///"] {
            fuzz::sparkplug(topic, &payload);
        }
    }
}
