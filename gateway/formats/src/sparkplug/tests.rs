use super::metric::Tense;
use super::*;
use edgeway_sparkplug::{MetricValue, Payload as SparkplugPayload};
use edgeway_thing_models::{
    Body, ClockState, Device, GatewayId, Message, MessageId, Observation, PropertyIx, Report, ready_made,
};
use prost::Message as _;

const STARTED: Timestamp = Timestamp::from_secs(255);

fn format() -> SparkplugB {
    let mut things = Things::default();
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("shipped");
    let model = things.add_model(Arc::new(turbine));
    things.add_device(Device { id: "wt-07".into(), model, labels: Default::default() });
    let around = Surroundings { things: Arc::new(things), site: "farm".into(), gateway: "farm-1".into() };
    SparkplugB::new("Farm/1", "Node", &around, STARTED)
}

fn report(offset: u64) -> Item {
    let seen = Observation {
        property: PropertyIx(0),
        value: edgeway_sdk::Value::Float(7.5),
        quality: edgeway_sdk::Quality::Good,
        source_time: STARTED,
    };
    let body = Body::Report(Report { device: DeviceIx(0), values: vec![seen] });
    Item {
        message: Arc::new(Message { time: STARTED, body }),
        id: MessageId { gateway: GatewayId::of("farm-1"), epoch: 1, offset },
        clock: ClockState::Set,
        selected: None,
        late: false,
    }
}

#[test]
fn a_host_may_ask_for_the_births_again_within_the_session() {
    let mut format = format();
    format.will();
    let first = format.greeting(1_000_000).remove(0).1;
    format.encode(&[report(1)]).expect("a report");
    assert_eq!(format.listens().as_deref(), Some("spBv1.0/Farm_1/NCMD/Node"));
    let ask = |name: &str, on| {
        let value = Some(MetricValue::Boolean(on));
        let metrics = vec![edgeway_sparkplug::Metric { name: Some(name.into()), value, ..Default::default() }];
        SparkplugPayload { metrics, ..Default::default() }.encode_to_vec()
    };
    assert!(format.wants_greeting(&ask("Node Control/Rebirth", true)));
    assert!(!format.wants_greeting(&ask("Node Control/Rebirth", false)));
    assert!(!format.wants_greeting(&ask("Node Control/Reboot", true)));
    assert!(!format.wants_greeting(b"\xffnot protobuf"));
    let again = format.greeting(2_000_000);
    let topics: Vec<&str> = again.iter().map(|(topic, _)| topic.as_str()).collect();
    assert_eq!(topics, ["spBv1.0/Farm_1/NBIRTH/Node", "spBv1.0/Farm_1/DBIRTH/Node/wt-07"]);
    assert_eq!((bd_seq(&again[0].1), read(&again[0].1).seq), (bd_seq(&first), Some(0)));
    let next = format.encode(&[report(2)]).expect("a report").remove(0);
    assert_eq!(next.topic.as_deref(), Some("spBv1.0/Farm_1/DDATA/Node/wt-07"), "it was born with the rest");
}

fn read(bytes: &Bytes) -> SparkplugPayload {
    SparkplugPayload::decode(bytes.clone()).expect("a payload")
}

fn bd_seq(bytes: &Bytes) -> u64 {
    let payload = read(bytes);
    let metric = payload.metrics.iter().find(|metric| metric.name.as_deref() == Some("bdSeq")).expect("a session");
    match metric.value {
        Some(MetricValue::Long(number)) => number,
        ref other => panic!("bdSeq is {other:?}"),
    }
}

#[test]
fn a_will_and_its_birth_bear_one_number_which_rises_with_each_session_and_wraps() {
    let mut format = format();
    for expected in [0, 1] {
        let (topic, will) = format.will().expect("a will");
        assert_eq!(topic, "spBv1.0/Farm_1/NDEATH/Node");
        let (topic, birth) = format.greeting(1_000_000).remove(0);
        assert_eq!(topic, "spBv1.0/Farm_1/NBIRTH/Node");
        assert_eq!((bd_seq(&will), bd_seq(&birth)), (expected, expected));
        assert_eq!((read(&will).seq, read(&birth).seq), (None, Some(0)));
    }
}

#[test]
fn messages_are_numbered_from_0_to_255_and_from_0_again_after_a_birth() {
    let mut format = format();
    let next = |format: &mut SparkplugB| match &format.encode(&[report(1)]).expect("fit")[0].content {
        Content::Bytes(bytes, _) => read(bytes).seq.expect("a number"),
        Content::Table(_) => unreachable!("bytes"),
    };
    format.greeting(0);
    let numbers: Vec<u64> = (0..300).map(|_| next(&mut format)).collect();
    assert_eq!(numbers, (1..=300).map(|number| number % 256).collect::<Vec<u64>>());
    let births: Vec<_> = format.greeting(0).iter().map(|(_, bytes)| read(bytes).seq).collect();
    assert_eq!(births, [Some(0), Some(1)]);
    assert_eq!(next(&mut format), 2);
}

#[test]
fn a_birth_has_every_metric_with_name_type_and_time() {
    let mut known = Known::of(format().things.model_of(DeviceIx(0)));
    let reaction = known.hear(&Said::of(&report(1), &format().things).expect("fit"), false);
    assert_eq!(reaction, Reaction::Birth(Tense::Present));
    let metrics = known.birth(&[], Tense::Present, STARTED);
    // Status and its reason, 13 properties, the kind of the alarm and its code.
    assert_eq!(metrics.len(), 2 + 13 + 2);
    assert!(metrics.iter().all(|metric| metric.name.is_some() && metric.timestamp.is_some()));
    assert!(metrics.iter().all(|metric| metric.datatype.is_some_and(|code| code > 0)));
    assert!(metrics.iter().all(|metric| metric.value.is_some() != (metric.is_null == Some(true))));
}
