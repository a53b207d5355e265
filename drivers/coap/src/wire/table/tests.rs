//! What is said to datagrams, and who gets them.

use super::*;
use proptest::prelude::*;

fn message(kind: MessageType, code: u8, message_id: u16, token: &[u8]) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_type(kind);
    packet.header.code = code.into();
    packet.header.message_id = message_id;
    packet.set_token(token.to_vec());
    packet
}

const CONTENT: u8 = 0x45;

#[test]
fn an_answer_finds_its_question_by_number_and_token() {
    let (mut table, counters) = (Table::new(), Counters::default());
    let mut entered = table.enter(None, false).expect("open");
    let (id, token) = (entered.message_id, entered.token);
    for (message_id, token) in [(id.wrapping_add(1), token), (id, [0; 4])] {
        assert_eq!(table.take(message(MessageType::Acknowledgement, CONTENT, message_id, &token), &counters), None);
        assert!(entered.answer.try_recv().is_err());
    }
    table.take(message(MessageType::Acknowledgement, CONTENT, id, &token), &counters);
    assert!(entered.answer.try_recv().expect("an answer").is_ok());
    assert!(counters.list().contains(&("strange_answers", 2)));
}

#[test]
fn an_acknowledgement_ends_repetitions_and_a_reset_the_question() {
    let (mut table, counters) = (Table::new(), Counters::default());
    let mut entered = table.enter(None, false).expect("open");
    assert!(!table.is_acknowledged(entered.token));
    table.take(message(MessageType::Acknowledgement, 0, entered.message_id, &[]), &counters);
    assert!(table.is_acknowledged(entered.token));
    table.take(message(MessageType::Reset, 0, entered.message_id, &[]), &counters);
    assert_eq!(entered.answer.try_recv(), Ok(Err(Failure::Reset)));
    let mut ping = table.enter(None, true).expect("open");
    table.take(message(MessageType::Reset, 0, ping.message_id, &[]), &counters);
    assert!(ping.answer.try_recv().expect("a pong").is_ok());
}

#[test]
fn what_nobody_has_asked_for_is_refused() {
    let (mut table, counters) = (Table::new(), Counters::default());
    for kind in [MessageType::Confirmable, MessageType::NonConfirmable] {
        let said = table.take(message(kind, CONTENT, 7, &[1, 2, 3, 4]), &counters);
        assert_eq!(said, Some(codec::empty(MessageType::Reset, 7)));
    }
    let question = table.take(message(MessageType::Confirmable, 1, 8, &[1]), &counters);
    assert_eq!(question, Some(codec::empty(MessageType::Reset, 8)));
    assert_eq!(table.take(message(MessageType::NonConfirmable, 1, 8, &[1]), &counters), None);
}

#[test]
fn after_the_end_nobody_waits() {
    let mut table = Table::new();
    let mut entered = table.enter(None, false).expect("open");
    table.end("gone");
    assert_eq!(entered.answer.try_recv(), Ok(Err(Failure::Gone("gone".into()))));
    assert!(table.enter(None, false).is_err());
}

#[test]
fn numbers_and_tokens_of_what_is_under_way_are_not_given_again() {
    let mut table = Table::new();
    let mut entered: Vec<Entered> = (0..5000).map(|_| table.enter(None, false).expect("open")).collect();
    entered.sort_by_key(|entered| entered.token);
    entered.dedup_by_key(|entered| entered.token);
    assert_eq!(entered.len(), 5000);
    entered.iter().for_each(|entered| table.leave(entered.token));
    assert!(table.waiting.is_empty() && table.by_message_id.is_empty());
}

proptest! {
    #[test]
    fn any_datagrams_are_taken(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..24), 0..24)) {
        let (mut table, counters) = (Table::new(), Counters::default());
        let _entered = table.enter(None, false).expect("open");
        let _observed = table.observe(Packet::new());
        for packet in datagrams.iter().filter_map(|datagram| Packet::from_bytes(datagram).ok()) {
            table.take(packet, &counters);
        }
    }
}
