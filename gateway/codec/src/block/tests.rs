//! Any messages come back bit for bit; any bytes are refused or make sense.

use super::*;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Event, EventIx, Notice, Observation, PropertyIx, Row};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (any::<i32>(), 0..12_i32).prop_map(|(integer, places)| f64::from(integer) / 10_f64.powi(places)),
        (0..200_000_i32).prop_map(|integer| f64::from(integer) / 100.0),
        (0..2_000_i32).prop_map(|integer| f64::from(integer as f32 / 10.0)),
        any::<f32>().prop_map(f64::from),
        any::<u64>().prop_map(f64::from_bits),
        prop::sample::select(vec![0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, 9.007e15]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::Bool),
        2 => prop_oneof![any::<i64>(), -300..300_i64].prop_map(Value::Int),
        8 => number().prop_map(Value::Float),
        1 => "[a-zé]{0,4}".prop_map(|text| Value::Text(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(|bytes| Value::Bytes(bytes.into())),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| Value::Array(items.into())),
            prop::collection::vec(("[a-z]{1,3}", inner), 0..3).prop_map(|fields| Value::Struct(
                fields.into_iter().map(|(name, value)| (name.into(), value)).collect()
            )),
        ]
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0..50_i64).prop_map(|at| Timestamp::from_millis(1_800_000_000_000 + at)),
        2 => (0..50_000_i64).prop_map(|at| Timestamp::from_nanos(1_800_000_000_000_000_000 + at)),
        1 => any::<i64>().prop_map(Timestamp::from_nanos),
    ]
}

fn properties() -> impl Strategy<Value = Vec<PropertyIx>> {
    prop_oneof![
        3 => Just((0..4).map(PropertyIx).collect()),
        2 => Just((7..9).map(PropertyIx).collect()),
        1 => prop::collection::vec(any::<u16>().prop_map(PropertyIx), 0..6),
    ]
}

fn observation(property: PropertyIx) -> impl Strategy<Value = Observation> {
    let quality = prop_oneof![4 => Just(Quality::Good), 1 => prop::sample::select(Quality::ALL.to_vec())];
    (value(), quality, time()).prop_map(move |(value, quality, source_time)| Observation {
        property,
        value,
        quality,
        source_time,
    })
}

fn body() -> impl Strategy<Value = Body> {
    let device = || prop_oneof![6 => 0..3_u32, 1 => any::<u32>()].prop_map(DeviceIx);
    let report = (device(), properties()).prop_flat_map(|(device, properties)| {
        let values: Vec<_> = properties.into_iter().map(observation).collect();
        values.prop_map(move |values| Body::Report(Report { device, values }))
    });
    let fields = prop::collection::vec(("[a-z]{1,5}".prop_map(Arc::from), value()), 0..3);
    let event = (device(), any::<u16>(), fields, time()).prop_map(|(device, event, output, source_time)| {
        Body::Event(Event { device, event: EventIx(event), output, source_time })
    });
    let row = (prop::collection::vec(value(), 0..4), time()).prop_map(|(values, source_time)| {
        let columns = values.iter().map(|_| Arc::from("c")).collect();
        Body::Row(Row { query: "q".into(), id: "1".into(), columns, values, source_time })
    });
    let notice = ".{0,9}"
        .prop_map(|text| Body::Notice(Notice { channel: "on-call".into(), text: text.into(), scene: "s".into() }));
    prop_oneof![8 => report, 1 => event, 1 => row, 1 => notice]
}

fn messages() -> impl Strategy<Value = Vec<Arc<Message>>> {
    prop::collection::vec((time(), body()).prop_map(|(time, body)| Arc::new(Message { time, body })), 0..24)
}

/// Also tells apart what is equal and yet has other bits.
fn bits<M: serde::Serialize>(messages: &[M]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| postcard::to_stdvec(message).expect("messages serialise")).collect()
}

fn block(messages: &[Arc<Message>]) -> Vec<u8> {
    let mut block = vec![];
    encode(messages, &mut block);
    block
}

fn report_of(device: u32, values: Vec<(u16, Value)>) -> Arc<Message> {
    let time = Timestamp::from_millis(1_800_000_000_123);
    let observation = |(property, value)| Observation {
        property: PropertyIx(property),
        value,
        quality: Quality::Good,
        source_time: time,
    };
    let values = values.into_iter().map(observation).collect();
    Arc::new(Message { time, body: Body::Report(Report { device: DeviceIx(device), values }) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_messages_come_back_bit_for_bit_and_in_order(messages in messages()) {
        let decoded = decode(&block(&messages), messages.len());
        prop_assert_eq!(decoded.as_deref().map(bits), Some(bits(&messages)));
    }

    #[test]
    fn trailing_bytes_are_refused(messages in messages(), trailing in prop::collection::vec(any::<u8>(), 1..9)) {
        let mut block = block(&messages);
        block.extend_from_slice(&trailing);
        prop_assert_eq!(decode(&block, messages.len()), None);
    }

    #[test]
    fn a_cut_block_never_panics(messages in messages(), cut in any::<prop::sample::Index>()) {
        let block = block(&messages);
        let _ = decode(&block[..cut.index(block.len())], messages.len());
    }

    #[test]
    fn another_count_gives_that_many_messages_or_none(messages in messages(), count in 0..60_usize) {
        let decoded = decode(&block(&messages), count);
        prop_assert!(decoded.is_none_or(|decoded| decoded.len() == count));
    }

    #[test]
    fn any_bytes_are_refused_or_make_sense(mut bytes in prop::collection::vec(any::<u8>(), 0..200), count in 0..40_usize) {
        if let Some(head) = bytes.first_mut() {
            *head = *head & 0xf0 | VERSION;
        }
        if let Some(messages) = decode(&bytes, count) {
            prop_assert_eq!(messages.len(), count);
        }
    }

    #[test]
    fn a_flipped_bit_never_panics(messages in messages(), at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut block = block(&messages);
        let at = at.index(block.len());
        block[at] ^= 1_u8 << bit;
        let _ = decode(&block, messages.len());
    }
}

#[test]
fn what_repeats_costs_next_to_nothing_and_yet_a_block_is_never_tiny() {
    let same: Vec<_> = (0..1000).map(|_| report_of(1, (0..20).map(|p| (p, Value::Float(7.1))).collect())).collect();
    let block = block(&same);
    assert_eq!(block.len(), (1000 * 20 + 8 * 1000_usize).div_ceil(16), "padded to the least length");
    assert_eq!(decode(&block, 1000).as_deref().map(bits), Some(bits(&same)));
    let mut longer = block.clone();
    longer.push(0);
    assert_eq!(decode(&longer, 1000), None);
    let mut dirty = block.clone();
    *dirty.last_mut().expect("a byte") = 1;
    assert_eq!(decode(&dirty, 1000), None);
}

#[test]
fn a_count_that_its_bytes_cannot_hold_is_refused_before_anything_is_reserved() {
    assert_eq!(decode(&[VERSION, 0, 0, 0], usize::MAX), None);
    assert_eq!(decode(&[VERSION, 0, 0, 0], 1 << 40), None);
}

#[test]
fn other_versions_are_refused() {
    let mut block = block(&[report_of(1, vec![(0, Value::Int(1))])]);
    assert!(decode(&block, 1).is_some());
    block[0] += 1;
    assert_eq!(decode(&block, 1), None);
}

#[test]
fn values_nested_too_deep_lose_only_what_is_too_deep() {
    let nested = |levels| (0..levels).fold(Value::Int(1), |value, _| Value::Array([value].into()));
    let deep = nested(Value::NESTING_MAX + 8);
    let event = Event {
        device: DeviceIx(0),
        event: EventIx(0),
        output: vec![("x".into(), deep.clone())],
        source_time: Timestamp::EPOCH,
    };
    let messages = [
        report_of(1, vec![(0, deep), (1, Value::Int(7))]),
        Arc::new(Message { time: Timestamp::EPOCH, body: Body::Event(event) }),
        report_of(1, vec![(0, nested(Value::NESTING_MAX)), (1, Value::Int(8))]),
    ];
    let decoded = decode(&block(&messages), 3).expect("all three");
    assert_eq!(report(&decoded[0]).expect("a report").values[1].value, Value::Int(7));
    assert_eq!(decoded[2], *messages[2], "at the limit nothing is lost");
}

#[test]
fn a_frame_of_nothing_comes_back() {
    assert_eq!(decode(&block(&[]), 0), Some(vec![]));
}
