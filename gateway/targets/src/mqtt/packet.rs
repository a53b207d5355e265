//! What fits into a PUBLISH packet.

/// The most that the remaining length of a packet can say, in bytes.
const REMAINING_BYTES_MAX: usize = 268_435_455;
/// The longest topic, in bytes.
const TOPIC_BYTES_MAX: usize = 65_535;

/// Why a topic cannot be published to.
pub(super) fn bad_topic(topic: &str) -> Option<&'static str> {
    match topic {
        "" => Some("the topic is empty"),
        topic if topic.contains(['+', '#', '\0']) => Some("the topic has a character that no topic may have"),
        topic if topic.len() > TOPIC_BYTES_MAX => Some("the topic is longer than 65,535 bytes"),
        _ => None,
    }
}

/// The size of a PUBLISH packet with QoS 1, in bytes; `None` if there can be no such packet. `properties_bytes` is
/// `None` where the protocol has no properties.
pub(super) fn publish_bytes(topic: &str, payload_bytes: usize, properties_bytes: Option<usize>) -> Option<usize> {
    let properties = properties_bytes.map_or(0, |bytes| varint_bytes(bytes) + bytes);
    let remaining = 2 + topic.len() + 2 + properties + payload_bytes;
    (remaining <= REMAINING_BYTES_MAX).then(|| 1 + varint_bytes(remaining) + remaining)
}

/// The size of a property that is a text.
pub(super) fn text_property_bytes(text: &str) -> usize {
    1 + 2 + text.len()
}

/// The size of a user property.
pub(super) fn user_property_bytes(name: &str, value: &str) -> usize {
    1 + 2 + name.len() + 2 + value.len()
}

fn varint_bytes(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{Bytes, BytesMut};
    use rumqttc_v5::{Publish, PublishProperties, QoS};

    #[test]
    fn sizes_are_those_that_are_sent() {
        for payload in [0, 1, 100, 127, 128, 16_000, 16_384, 2_097_152] {
            let properties = PublishProperties {
                content_type: Some("application/json".into()),
                user_properties: vec![("id".into(), "0".repeat(32))],
                ..PublishProperties::default()
            };
            let mut publish = Publish::new("a/b", QoS::AtLeastOnce, Bytes::from(vec![0; payload]), Some(properties));
            publish.pkid = 1;
            let mut wire = BytesMut::new();
            publish.write(&mut wire).expect("a valid packet");
            let ours = text_property_bytes("application/json") + user_property_bytes("id", &"0".repeat(32));
            assert_eq!(publish_bytes("a/b", payload, Some(ours)), Some(wire.len()), "payload of {payload}");
        }
    }

    #[test]
    fn a_packet_that_the_protocol_cannot_say_has_no_size() {
        assert_eq!(publish_bytes("t", REMAINING_BYTES_MAX, None), None);
        assert!(publish_bytes("t", REMAINING_BYTES_MAX - 5, None).is_some());
    }

    #[test]
    fn topics_with_wildcards_are_bad() {
        assert_eq!(bad_topic("a/b c/ü"), None);
        for topic in ["", "a/+", "#", "a\0"] {
            assert!(bad_topic(topic).is_some(), "{topic:?}");
        }
    }
}
