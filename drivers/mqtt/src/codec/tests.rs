use super::*;
use crate::config::{LinkOptions, sentence};
use crate::plan::Board;
use bytes::Bytes;
use edgeway_sdk::{Access, DeviceIx, DeviceSpec, PointIx, PointSpec};
use serde_json::json;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_secs(1_764_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_764_000_600);

/// A device at the topic `t` with these points.
fn board(device: Json, points: &[Json]) -> Board {
    let link = LinkOptions::parse(&json!({ "endpoint": "mqtt://a" })).unwrap_or_else(|p| panic!("{}", sentence(&p)));
    let mut options = json!({ "topic": "t" });
    options.as_object_mut().expect("a table").extend(device.as_object().expect("a table").clone());
    let spec = |(ix, options): (u32, &Json)| PointSpec {
        ix: PointIx(ix),
        device: DeviceIx(0),
        options: options.clone().into(),
        access: Access::Read,
        period: Duration::from_secs(1),
    };
    let points: Vec<PointSpec> = (0..).zip(points).map(spec).collect();
    let board = Board::plan(&link, &[DeviceSpec { ix: DeviceIx(0), options }], &points);
    assert_eq!(board.rejected, []);
    board
}

struct Sending<'p> {
    payload: &'p [u8],
    came: Came,
    properties: &'p [(String, String)],
    presence: Presence,
    now: Timestamp,
}

fn live(payload: &[u8]) -> Sending<'_> {
    Sending { payload, came: Came::Live, properties: &[], presence: Presence::Unknown, now: NOW }
}

fn kept(payload: &[u8]) -> Sending<'_> {
    Sending { came: Came::Retained, now: LATER, ..live(payload) }
}

/// What is told: point, value, quality and time.
fn told(board: &Board, sending: &Sending<'_>) -> Vec<(u32, Value, Quality, Timestamp)> {
    let payload = Bytes::copy_from_slice(sending.payload);
    let Sending { came, properties, .. } = *sending;
    let heard = Heard { topic: b"t", payload: &payload, came, properties, correlation: None };
    let mut out = Batch::default();
    read(&board.topics[&b"t"[..]], &heard, sending.now, |_| sending.presence, &mut out);
    (0..out.len())
        .map(|at| (out.points[at].0, out.values[at].clone(), out.qualities[at], out.source_times[at]))
        .collect()
}

#[test]
fn many_points_read_one_payload() {
    let board =
        board(json!({}), &[json!({ "at": "a" }), json!({ "at": "b.c", "type": "number" }), json!({ "at": "d" })]);
    let found = told(&board, &live(br#"{"a": true, "b": {"c": "21.5"}}"#));
    let expected = vec![(0, Value::Bool(true), Quality::Good, NOW), (1, Value::Float(21.5), Quality::Good, NOW)];
    assert_eq!(found, expected, "what the payload does not say stays as it is");
}

#[test]
fn what_makes_no_sense_is_bad_and_never_a_value() {
    let board = board(json!({}), &[json!({ "at": "a" })]);
    let deep = "[".repeat(5_000);
    for payload in [&b"{\"a\": 1"[..], b"not JSON", b"\xff\xfe", deep.as_bytes(), b"{\"a\": 1} {\"a\": 2}"] {
        assert_eq!(told(&board, &live(payload)), [(0, Value::Null, Quality::Bad, NOW)]);
    }
    assert_eq!(told(&board, &live(b"{\"a\": null}")), [(0, Value::Null, Quality::Bad, NOW)]);
    assert_eq!(told(&board, &live(b"")), [], "a retained message was taken away");
}

#[test]
fn nobody_knows_how_old_a_retained_message_is() {
    let board = board(json!({}), &[json!({})]);
    assert_eq!(told(&board, &kept(b"7")), [(0, Value::Int(7), Quality::Uncertain, LATER)]);
    let there = Sending { presence: Presence::There, ..kept(b"7") };
    assert_eq!(told(&board, &there), [(0, Value::Int(7), Quality::Good, LATER)]);
    let gone = Sending { presence: Presence::Gone, ..kept(b"7") };
    assert_eq!(told(&board, &gone), [], "what is gone has no present value");
    assert_eq!(told(&board, &live(b"8")), [(0, Value::Int(8), Quality::Good, NOW)]);
    assert_eq!(told(&board, &kept(b"8")), [(0, Value::Int(8), Quality::Good, NOW)], "it is the one that came live");
    assert_eq!(told(&board, &kept(b"9")), [(0, Value::Int(9), Quality::Uncertain, LATER)]);
}

#[test]
fn what_a_retained_message_is_worth_can_be_said() {
    let quality = |retained: &str| {
        let found = told(&board(json!({ "retained": retained }), &[json!({})]), &kept(b"7"));
        found.first().map(|(_, _, quality, _)| *quality)
    };
    assert_eq!(quality("good"), Some(Quality::Good));
    assert_eq!(quality("uncertain"), Some(Quality::Uncertain));
    assert_eq!(quality("ignore"), None);
    let board = board(json!({ "retained": "uncertain" }), &[json!({})]);
    assert_eq!(told(&board, &live(b"7")), [(0, Value::Int(7), Quality::Good, NOW)]);
    assert_eq!(
        told(&board, &kept(b"7")),
        [(0, Value::Int(7), Quality::Uncertain, NOW)],
        "though it is that which came"
    );
}

#[test]
fn what_was_queued_while_we_were_away_is_of_nobody_knows_when() {
    let board = board(
        json!({ "retained": "good" }),
        &[json!({ "at": "v", "time": "t", "time_unit": "s" }), json!({ "at": "v" })],
    );
    let queued = Sending { came: Came::Queued, presence: Presence::There, now: LATER, ..live(br#"{"v": 7, "t": 5}"#) };
    let dated = (0, Value::Int(7), Quality::Good, Timestamp::from_secs(5));
    assert_eq!(told(&board, &queued), [dated, (1, Value::Int(7), Quality::Uncertain, LATER)]);
}

#[test]
fn a_retained_pack_is_taken_at_its_word_only_if_it_has_a_time_that_counts_from_nothing_else() {
    let board = board(json!({}), &[json!({ "at": "temp", "format": "senml-json" })]);
    let pack = |time: &str| format!(r#"[{{"n": "temp", "v": 21{time}}}]"#);
    let (none, relative, own) = (pack(""), pack(r#", "t": -60"#), pack(r#", "bt": 1700000000, "t": 5"#));
    for of_nobody_knows_when in [none, relative.clone()] {
        let found = told(&board, &kept(of_nobody_knows_when.as_bytes()));
        assert_eq!(found, [(0, Value::Int(21), Quality::Uncertain, LATER)], "{of_nobody_knows_when}");
    }
    let then = Timestamp::from_secs(1_700_000_005);
    assert_eq!(told(&board, &kept(own.as_bytes())), [(0, Value::Int(21), Quality::Good, then)]);
    let a_minute_before = NOW - Duration::from_secs(60);
    assert_eq!(told(&board, &live(relative.as_bytes())), [(0, Value::Int(21), Quality::Good, a_minute_before)]);
}

#[test]
fn a_time_of_its_own_says_how_old_a_value_is() {
    let board = board(json!({}), &[json!({ "at": "v", "time": "t", "time_unit": "s" })]);
    assert_eq!(
        told(&board, &kept(br#"{"v": 7, "t": 5}"#)),
        [(0, Value::Int(7), Quality::Good, Timestamp::from_secs(5))]
    );
    assert_eq!(told(&board, &kept(br#"{"v": 7}"#)), [(0, Value::Int(7), Quality::Uncertain, LATER)]);
}

#[test]
fn user_properties_carry_time_and_quality() {
    let options = json!({ "time_property": "ti'me", "time_unit": "ms", "quality_property": "q" });
    let board = board(json!({}), &[options]);
    let properties = |time: &str, quality: &str| vec![("ti'me".into(), time.into()), ("q".into(), quality.into())];
    let found = |properties: &[(String, String)]| told(&board, &Sending { properties, ..live(b"7") });
    let at = Timestamp::from_millis(5_000);
    assert_eq!(found(&properties("5000", "good")), [(0, Value::Int(7), Quality::Good, at)]);
    assert_eq!(found(&properties("5000", "uncertain")), [(0, Value::Int(7), Quality::Uncertain, at)]);
    assert_eq!(found(&properties("5000", "bad")), [(0, Value::Null, Quality::Bad, at)]);
    assert_eq!(found(&properties("soon", "good")), [(0, Value::Int(7), Quality::Uncertain, NOW)]);
    assert_eq!(found(&[]), [(0, Value::Int(7), Quality::Uncertain, NOW)]);
}

#[test]
fn a_template_makes_a_text_out_of_which_the_value_is_read() {
    let options = json!({ "format": "text", "type": "number", "template": "{{ value_json.t / 10 }}" });
    let board = board(json!({}), &[options, json!({ "at": "t" })]);
    let found = told(&board, &live(br#"{"t": 215}"#));
    assert_eq!(found, [(0, Value::Float(21.5), Quality::Good, NOW), (1, Value::Int(215), Quality::Good, NOW)]);
}

#[test]
fn a_template_that_fails_is_a_payload_that_cannot_be_read() {
    let options = json!({ "format": "text", "type": "number", "template": "{{ (value_json.t | float) / 10 }}" });
    let board = board(json!({}), &[options]);
    assert_eq!(told(&board, &live(br#"{"x": 1}"#)), [(0, Value::Null, Quality::Bad, NOW)]);
    let heard = Heard { topic: b"t", payload: &"{}".into(), came: Came::Live, properties: &[], correlation: None };
    assert!(!read(&board.topics[&b"t"[..]], &heard, NOW, |_| Presence::Unknown, &mut Batch::default()));
}
