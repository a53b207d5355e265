//! Messages as they are on the wire.

use super::*;
use proptest::prelude::*;

fn packet(bytes: &[u8]) -> Packet {
    Packet::from_bytes(bytes).expect("a message")
}

#[test]
fn a_question_has_its_options_in_order() {
    let path = Path::parse("/room/1", "path").expect("a path");
    let query = Query::parse("unit=c&all", "query").expect("a query");
    let packet = question(RequestType::Get, &path, &query, Some(Format::SenmlCbor));
    let bytes = packet.to_bytes().expect("short");
    assert_eq!(bytes, b"\x40\x01\x00\x00\xb4room\x011\x46unit=c\x03all\x21\x70");
}

#[test]
fn an_answer_is_read_with_everything_that_it_says() {
    // 2.05 with the acknowledgement; ETag 7, Observe 300, text/plain, Max-Age 5, Block2 0/more/64.
    let bytes = b"\x61\x45\x12\x34\xaa\x41\x07\x22\x01\x2c\x60\x21\x05\x91\x0a\xff21.5";
    let answer = Answer::read(packet(bytes)).expect("an answer");
    assert!(answer.is(ResponseType::Content) && answer.is_success() && answer.is_acknowledgement);
    assert_eq!((answer.etag.as_deref(), answer.observe), (Some(&[7][..]), Some(300)));
    assert_eq!((answer.format, answer.max_age), (Told::Known(Format::Text), Duration::from_secs(5)));
    assert_eq!(answer.block2, Some(Block { number: 0, more: true, exponent: 2 }));
    assert_eq!(answer.payload, b"21.5");
}

#[test]
fn what_makes_no_sense_is_told() {
    let why = |bytes: &[u8]| Answer::read(packet(bytes)).expect_err("no sense");
    assert_eq!(why(b"\x60\x45\0\0\x90"), "it has the option 9, which must be understood and is not");
    assert_eq!(why(b"\x60\x45\0\0\x65\0\0\0\0\x01"), "its option 6 is no number: it has 5 bytes");
    assert_eq!(why(b"\x60\x45\0\0\xd1\x0a\x07"), "7 is no block");
}

#[test]
fn a_refusal_is_told_in_words() {
    let refusal = |bytes: &[u8]| Answer::read(packet(bytes)).expect("an answer").refusal();
    assert_eq!(refusal(b"\x60\x84\0\0"), "4.04 not found");
    assert_eq!(refusal(b"\x60\xa3\0\0\xff try\nlater \x01"), "5.03 service unavailable: trylater");
    assert_eq!(refusal(b"\x60\x9e\0\0"), "4.30");
}

#[test]
fn an_empty_message_is_four_bytes() {
    assert_eq!(empty(MessageType::Reset, 0x1234), [0x70, 0, 0x12, 0x34]);
    assert_eq!(empty(MessageType::Acknowledgement, 1), [0x60, 0, 0, 1]);
    assert_eq!((number(0), number(60), number(256)), (vec![], vec![60], vec![1, 0]));
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(packet) = Packet::from_bytes(&bytes) {
            let _ = Answer::read(packet);
        }
    }
}
