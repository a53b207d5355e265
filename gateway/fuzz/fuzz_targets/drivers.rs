//! Any bytes as what the drivers of BLE, CoAP and MQTT read of strangers: advertisements, answers and links, descriptions of devices,
//! messages of Sparkplug B; and any text as a template or a place.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Advertisement(&'a [u8]),
    BluetoothPlace(&'a str),
    CoapAnswer(&'a [u8]),
    CoapLinks(&'a str),
    CoapPush(Vec<&'a [u8]>),
    Zigbee2Mqtt(&'a [u8]),
    HomeAssistant { topic: &'a str, description: &'a [u8] },
    Template { text: &'a str, payload: &'a [u8] },
    Sparkplug { topic: &'a str, payload: &'a [u8] },
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Advertisement(data) => edgeway_driver_ble::fuzz::advertisement(data),
    Input::BluetoothPlace(text) => edgeway_driver_ble::fuzz::place(text),
    Input::CoapAnswer(datagram) => edgeway_driver_coap::fuzz::answer(datagram),
    Input::CoapLinks(text) => edgeway_driver_coap::fuzz::links(text),
    Input::CoapPush(datagrams) => drop(edgeway_driver_coap::fuzz::push(datagrams)),
    Input::Zigbee2Mqtt(payload) => edgeway_driver_mqtt::fuzz::zigbee2mqtt(payload),
    // Topics that describe something are rare among all texts.
    Input::HomeAssistant { topic, description } => {
        edgeway_driver_mqtt::fuzz::home_assistant(&format!("homeassistant/{topic}/config"), description);
    }
    Input::Template { text, payload } => edgeway_driver_mqtt::fuzz::template(text, payload),
    Input::Sparkplug { topic, payload } => {
        edgeway_driver_mqtt::fuzz::sparkplug(&format!("spBv1.0/{topic}"), payload);
    }
});
