//! Whatever comes, it is answered or thrown away.

use crate::fuzz;
use coap_lite::{CoapOption, MessageClass, Packet, RequestType, ResponseType};
use proptest::prelude::*;

/// A message of the room: its number, a block if it is one of several, and what it says.
fn put(message_id: u16, block: Option<Vec<u8>>, payload: Vec<u8>) -> Vec<u8> {
    let mut packet = Packet::new();
    packet.header.code = MessageClass::Request(RequestType::Put);
    packet.header.message_id = message_id;
    packet.add_option(CoapOption::UriPath, b"room".to_vec());
    if let Some(block) = block {
        packet.add_option(CoapOption::Block1, block);
    }
    packet.payload = payload;
    packet.to_bytes().expect("short")
}

fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most);
    let block = proptest::option::of(bytes(4));
    let of_room = (0..4_u16, block, bytes(64)).prop_map(|(message_id, block, payload)| put(message_id, block, payload));
    prop_oneof![bytes(64), of_room]
}

proptest! {
    #[test]
    fn any_datagrams_are_taken(datagrams in proptest::collection::vec(datagram(), 0..16)) {
        fuzz::push(datagrams.iter().map(Vec::as_slice));
    }
}

#[test]
fn a_device_that_counts_anew_is_not_taken_for_one_that_repeats_itself() {
    let code = |said: &Option<Vec<u8>>| {
        Packet::from_bytes(said.as_deref().expect("an answer")).expect("a message").header.code
    };
    let [first, again, other] =
        [br#"{"t": 1}"#, br#"{"t": 1}"#, br#"not JSON"#].map(|payload| put(7, None, payload.to_vec()));
    let said = fuzz::push([first.as_slice(), &again, &other]);
    assert_eq!(said[0], said[1]);
    assert_eq!(code(&said[0]), MessageClass::Response(ResponseType::Changed));
    assert_eq!(code(&said[2]), MessageClass::Response(ResponseType::BadRequest), "it was looked at");
}
