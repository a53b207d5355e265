use super::*;
use edgeway_sdk::{PointIx, Quality, Value};
use edgeway_sparkplug::{PropertySet, PropertyValue, PropertyValueKind, data_type};

const NOW: Timestamp = Timestamp::from_secs(1_764_000_000);

/// A node with a device `m`: point 0 is the node's `Load`, point 1 the device's `Power`, point 2 its `On`.
fn board() -> EdgeNode {
    let member = |device: u32, metrics: &[(&str, u32)]| Member {
        devices: vec![DeviceIx(device)],
        metrics: metrics.iter().map(|(name, point)| ((*name).into(), vec![PointIx(*point)])).collect(),
    };
    let node = (None, member(0, &[("Load", 0)]));
    let device = (Some("m".to_owned()), member(1, &[("Power", 1), ("On", 2)]));
    EdgeNode { members: HashMap::from([node, device]) }
}

fn metric(name: &str, alias: u64, data_type: u32, value: MetricValue) -> Metric {
    Metric {
        name: Some(name.into()),
        alias: Some(alias),
        datatype: Some(data_type),
        value: Some(value),
        ..Metric::default()
    }
}

fn by_alias(alias: u64, value: MetricValue) -> Metric {
    Metric { alias: Some(alias), value: Some(value), timestamp: Some(5_000), ..Metric::default() }
}

fn payload(seq: u64, metrics: Vec<Metric>) -> Vec<u8> {
    Payload { timestamp: Some(7_000), metrics, seq: Some(seq) }.encode_to_vec()
}

fn life(number: u64) -> Metric {
    Metric { name: Some("bdSeq".into()), value: Some(MetricValue::Long(number)), ..Metric::default() }
}

fn births() -> [Vec<u8>; 2] {
    let load = metric("Load", 1, data_type::INT16, MetricValue::Int(u32::from(-7_i16 as u16)));
    let power = metric("Power", 2, data_type::FLOAT, MetricValue::Float(2.5));
    let on = metric("On", 3, data_type::BOOLEAN, MetricValue::Boolean(true));
    [payload(0, vec![life(4), load]), payload(1, vec![power, on])]
}

struct Stage {
    node: Node,
    board: EdgeNode,
    now: Now,
}

impl Stage {
    fn new() -> Self {
        Stage { node: Node::default(), board: board(), now: Now { clock: NOW, at: Instant::now() } }
    }

    /// A node that has been born, with its device.
    fn born() -> Self {
        let mut stage = Stage::new();
        let [node, device] = births();
        stage.hear("NBIRTH/n", &node);
        stage.hear("DBIRTH/n/m", &device);
        stage
    }

    fn hear(&mut self, rest: &str, payload: &[u8]) -> Said {
        let topic = format!("{PREFIX}g/{rest}");
        let topic = Topic::parse(&topic).expect("a topic of an edge node");
        self.node.hear(topic, payload, &self.board, self.now).expect("a payload")
    }
}

fn values(said: &Said) -> Vec<(u32, Value, Quality)> {
    let all = said.values.points.iter().zip(&said.values.values).zip(&said.values.qualities);
    all.map(|((point, value), quality)| (point.0, value.clone(), *quality)).collect()
}

#[test]
fn births_bring_values_and_say_who_is_there() {
    let mut stage = Stage::new();
    let [node, device] = births();
    let said = stage.hear("NBIRTH/n", &node);
    assert_eq!(values(&said), [(0, Value::Int(-7), Quality::Good)]);
    assert_eq!(said.online, [(DeviceIx(0), None)]);
    let said = stage.hear("DBIRTH/n/m", &device);
    assert_eq!(values(&said), [(1, Value::Float(2.5), Quality::Good), (2, Value::Bool(true), Quality::Good)]);
    assert_eq!((said.online, said.wants_rebirth), (vec![(DeviceIx(1), None)], false));
}

#[test]
fn data_is_named_by_its_alias_and_carries_its_time() {
    let mut stage = Stage::born();
    let said = stage.hear("DDATA/n/m", &payload(2, vec![by_alias(2, MetricValue::Float(3.5))]));
    assert_eq!(values(&said), [(1, Value::Float(3.5), Quality::Good)]);
    assert_eq!(said.values.source_times, [Timestamp::from_millis(5_000)]);
    let mut unstamped = by_alias(2, MetricValue::Float(4.5));
    unstamped.timestamp = None;
    let said = stage.hear("DDATA/n/m", &payload(3, vec![unstamped]));
    assert_eq!(said.values.source_times, [Timestamp::from_millis(7_000)]);
}

#[test]
fn after_a_gap_nothing_is_believed_until_the_next_birth() {
    let mut stage = Stage::born();
    let data = |seq| payload(seq, vec![by_alias(2, MetricValue::Float(9.5))]);
    let said = stage.hear("DDATA/n/m", &data(3));
    assert_eq!((values(&said), said.wants_rebirth), (vec![], true), "number 2 is missing, it may have been a birth");
    let said = stage.hear("DDATA/n/m", &data(4));
    assert_eq!((values(&said), said.wants_rebirth), (vec![], false), "it was asked a moment ago");
    stage.now.at += REBIRTH_EVERY;
    assert!(stage.hear("DDATA/n/m", &data(5)).wants_rebirth, "it has not done as it was told");
    let [node, device] = births();
    assert_eq!(values(&stage.hear("NBIRTH/n", &node)).len(), 1);
    assert_eq!(values(&stage.hear("DBIRTH/n/m", &device)).len(), 2);
    assert_eq!(values(&stage.hear("DDATA/n/m", &data(2))).len(), 1);
}

#[test]
fn a_message_that_comes_twice_counts_once_and_numbers_start_again_after_255() {
    let mut stage = Stage::born();
    let data = |seq| payload(seq, vec![by_alias(2, MetricValue::Float(1.5))]);
    assert_eq!(values(&stage.hear("DDATA/n/m", &data(2))).len(), 1);
    let again = stage.hear("DDATA/n/m", &data(2));
    assert_eq!((values(&again), again.wants_rebirth), (vec![], false));
    (3..=255).for_each(|seq| assert_eq!(values(&stage.hear("DDATA/n/m", &data(seq))).len(), 1));
    assert_eq!(values(&stage.hear("DDATA/n/m", &data(0))).len(), 1);
}

#[test]
fn an_alias_that_no_birth_has_told_of_asks_for_one() {
    let mut stage = Stage::born();
    let said = stage.hear("DDATA/n/m", &payload(2, vec![by_alias(99, MetricValue::Float(1.5))]));
    assert_eq!((values(&said), said.wants_rebirth), (vec![], true));
    let said = Stage::new().hear("NDATA/n", &payload(7, vec![by_alias(1, MetricValue::Int(1))]));
    assert_eq!((values(&said), said.wants_rebirth), (vec![], true), "it was born before we came");
}

#[test]
fn a_death_takes_all_with_it_unless_it_is_of_a_former_life() {
    let mut stage = Stage::born();
    let death = |number| Payload { timestamp: None, metrics: vec![life(number)], seq: None }.encode_to_vec();
    assert_eq!(stage.hear("NDEATH/n", &death(3)).online, [], "of a connection that was given up before");
    let said = stage.hear("DDEATH/n/m", &payload(2, vec![]));
    assert_eq!(said.online, [(DeviceIx(1), Some("its edge node says that it is gone"))]);
    let mut gone = stage.hear("NDEATH/n", &death(4)).online;
    gone.sort();
    assert_eq!(gone, [(DeviceIx(0), Some("its edge node has died")), (DeviceIx(1), Some("its edge node has died"))]);
    assert!(stage.node.life.is_none());
}

#[test]
fn what_is_null_historical_or_of_bad_quality_is_no_good_value() {
    let mut stage = Stage::born();
    let null = Metric { is_null: Some(true), ..by_alias(2, MetricValue::Float(0.0)) };
    let historical = Metric { is_historical: Some(true), ..by_alias(2, MetricValue::Float(1.0)) };
    let mut properties = PropertySet::default();
    properties.add("Quality", PropertyValue { r#type: Some(3), value: Some(PropertyValueKind::Int(500)) });
    let stale = Metric { properties: Some(properties), ..by_alias(2, MetricValue::Float(2.0)) };
    let nan = by_alias(2, MetricValue::Float(f32::NAN));
    let said = stage.hear("DDATA/n/m", &payload(2, vec![null, historical, stale, nan]));
    let expected = [
        (1, Value::Null, Quality::Bad),
        (1, Value::Float(2.0), Quality::Stale),
        (1, Value::Null, Quality::BadOutOfRange),
    ];
    assert_eq!((values(&said), said.historical), (expected.into(), 1));
}

#[test]
fn whole_numbers_have_the_width_of_their_type() {
    let value = |data_type: u32, value: MetricValue| {
        metric::value(&Metric { value: Some(value), ..Metric::default() }, Some(data_type))
    };
    let good = |number: i64| (Value::Int(number), Quality::Good);
    let out = (Value::Null, Quality::BadOutOfRange);
    for (data_type, bits, expected) in [
        (data_type::INT8, MetricValue::Int(0xff), good(-1)),
        (data_type::INT8, MetricValue::Int(0xffff_ffff), good(-1)),
        (data_type::INT16, MetricValue::Int(0x8000), good(-32768)),
        (data_type::INT32, MetricValue::Int(u32::MAX), good(-1)),
        (data_type::INT64, MetricValue::Long(u64::MAX), good(-1)),
        (data_type::UINT8, MetricValue::Int(255), good(255)),
        (data_type::UINT8, MetricValue::Int(256), out.clone()),
        (data_type::UINT32, MetricValue::Int(u32::MAX), good(4_294_967_295)),
        (data_type::UINT64, MetricValue::Long(u64::MAX), out.clone()),
        (data_type::BOOLEAN, MetricValue::Int(1), out.clone()),
    ] {
        assert_eq!(value(data_type, bits.clone()), expected, "{data_type} {bits:?}");
    }
    let untyped = Metric { value: Some(MetricValue::Int(1)), ..Metric::default() };
    assert_eq!(metric::value(&untyped, None), out, "nobody knows whether it has a sign");
}

#[test]
fn what_is_written_is_read_again_and_what_does_not_fit_is_refused() {
    for (data_type, written, read) in [
        (data_type::INT8, Value::Int(-128), Value::Int(-128)),
        (data_type::INT16, Value::Float(-3.6), Value::Int(-4)),
        (data_type::UINT64, Value::Int(7), Value::Int(7)),
        (data_type::FLOAT, Value::Int(7), Value::Float(7.0)),
        (data_type::DOUBLE, Value::Float(0.1), Value::Float(0.1)),
        (data_type::BOOLEAN, Value::Bool(true), Value::Bool(true)),
        (data_type::STRING, Value::from("on"), Value::from("on")),
    ] {
        let bytes = command("x", data_type, &written, NOW).expect("it fits");
        let payload = Payload::decode(bytes.as_slice()).expect("our own bytes");
        assert_eq!(metric::value(&payload.metrics[0], Some(data_type)).0, read);
    }
    for (data_type, value) in [
        (data_type::INT8, Value::Int(128)),
        (data_type::UINT8, Value::Int(-1)),
        (data_type::BOOLEAN, Value::from("on")),
        (data_type::FLOAT, Value::Float(1e300)),
        (data_type::STRING, Value::Int(1)),
        (99, Value::Int(1)),
    ] {
        assert!(command("x", data_type, &value, NOW).is_err(), "{data_type} {value}");
    }
}

#[test]
fn topics_that_are_none_of_an_edge_node_are_left_alone() {
    for topic in
        ["spBv1.0/STATE/host", "spBv1.0/g/NCMD/n", "spBv1.0/g/DDATA/n", "spBv1.0/g/NDATA/n/d", "spAv1.0/g/NDATA/n", ""]
    {
        assert_eq!(Topic::parse(topic), None, "{topic}");
    }
    assert_eq!(command_topic(&Edge { group: "g".into(), node: "n".into(), device: None }), "spBv1.0/g/NCMD/n");
}

#[test]
fn a_birth_offers_its_metrics() {
    let mut births = Births::default();
    let [node, device] = super::tests::births();
    assert!(births.take("spBv1.0/g/NBIRTH/n", &node) && births.take("spBv1.0/g/DBIRTH/n/m", &device));
    assert!(!births.take("spBv1.0/g/NDATA/n", &node));
    let names: Vec<_> = births.devices().into_iter().map(|found| found.options["sparkplug"].to_string()).collect();
    assert_eq!(names, [r#""g/n""#, r#""g/n/m""#]);
    let offers: Vec<_> = births.points("g/n").expect("born").into_iter().filter_map(|found| found.offer).collect();
    assert_eq!(offers.len(), 1, "bdSeq is its own affair");
    assert_eq!(offers[0].holds, edgeway_sdk::Holds::Int { min: None, max: None });
}

#[test]
fn a_node_that_does_not_say_everything_is_asked_again_and_given_up_once() {
    let (mut stage, patience) = (Stage::born(), 2 * REBIRTH_EVERY);
    let begin = stage.now.at;
    assert_eq!(stage.node.overdue(begin + patience, patience), Overdue::default(), "all is well");
    stage.hear("DDATA/n/m", &payload(7, vec![]));
    let due = |stage: &mut Stage, after| {
        let Overdue { wants_rebirth, is_given_up } = stage.node.overdue(begin + after, patience);
        (wants_rebirth, is_given_up)
    };
    assert_eq!(due(&mut stage, REBIRTH_EVERY / 2), (false, false), "it was asked a moment ago");
    assert_eq!(due(&mut stage, REBIRTH_EVERY), (true, false));
    stage.hear("DDATA/n/m", &payload(8, vec![]));
    assert_eq!(due(&mut stage, patience), (true, true), "it speaks, but nobody knows of what");
    assert_eq!(due(&mut stage, patience * 2), (true, false));
    stage.hear("NBIRTH/n", &births()[0]);
    assert_eq!(due(&mut stage, patience * 3), (false, false));
}

#[test]
fn of_a_node_that_has_died_nothing_is_expected() {
    let mut stage = Stage::new();
    stage.node.begin(stage.now.at);
    stage.hear("NDEATH/n", &payload(0, vec![life(4)]));
    assert_eq!(stage.node.overdue(stage.now.at + 9 * REBIRTH_EVERY, REBIRTH_EVERY), Overdue::default());
}
