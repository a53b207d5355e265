//! Values of all types, read and written.

use super::asyncua::Asyncua;
use super::{lab, link, link_with, polled};
use crate::host::Host;
use edgeway_sdk::{Fault, Quality, Value};
use serde_json::json;

const TYPES: [&str; 24] = [
    "Types.Boolean",
    "Types.SByte",
    "Types.Byte",
    "Types.Int16",
    "Types.UInt16",
    "Types.Int32",
    "Types.UInt32",
    "Types.Int64",
    "Types.UInt64",
    "Types.Float",
    "Types.Double",
    "Types.String",
    "Types.DateTime",
    "Types.Guid",
    "Types.ByteString",
    "Types.LocalizedText",
    "Types.QualifiedName",
    "Types.StatusCode",
    "Types.NodeId",
    "Types.Int32s",
    "Types.Strings",
    "Types.Table",
    "Types.Trip",
    "Types.Trips",
];

fn ints(values: &[i64]) -> Value {
    Value::Array(values.iter().copied().map(Value::Int).collect())
}

fn trip() -> Value {
    Value::Struct(
        [
            ("Begin".into(), Value::from_json(&json!({ "X": 1.5, "Note": "gate" }))),
            ("Marks".into(), ints(&[7, 8])),
            ("Mode".into(), Value::Int(1)),
            ("At".into(), Value::Int(1_795_770_000_000)),
        ]
        .into(),
    )
}

#[tokio::test]
async fn every_type_is_read() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &polled(&TYPES));
    host.connect().await.unwrap();
    let expected: Vec<Value> = vec![
        true.into(),
        (-128).into(),
        255.into(),
        (-32768).into(),
        65535.into(),
        i64::from(i32::MIN).into(),
        i64::from(u32::MAX).into(),
        i64::MIN.into(),
        i64::MAX.into(),
        0.15625.into(),
        (-123.456).into(),
        "Grüße".into(),
        1_795_770_000_000.into(),
        "09087e75-8e5e-499b-954f-f2a9603db28a".into(),
        Value::Bytes([1, 255].into()),
        "wind".into(),
        "name".into(),
        0x800a_0000.into(),
        "ns=2;s=Power".into(),
        ints(&[1, 2, 3, 4]),
        Value::Array(["a".into(), "b".into()].into()),
        Value::Array([ints(&[1, 2, 3]), ints(&[4, 5, 6])].into()),
        trip(),
        Value::Array([trip(), trip()].into()),
    ];
    let values = host.values().await;
    for ((name, value), is) in TYPES.iter().zip(values).zip(expected) {
        // A structure's fields come in the order of the server.
        assert_eq!(value.to_json(), is.to_json(), "{name}");
    }
    host.close().await;
}

#[tokio::test]
async fn one_bad_node_never_spoils_the_others() {
    let server = Asyncua::start(&["--limit", "3"]).await;
    let points = [
        polled(&["WTG01.Power", "Nothing", "Types.Huge", "Types.NaN", "WTG01.Name"]),
        vec![
            json!({ "at": "nsu=http://elsewhere;s=x", "watch": "poll" }),
            json!({ "at": "s=Types.Int32s", "index": "2", "watch": "poll" }),
            json!({ "at": "s=Types.Int32s", "index": "1:2", "watch": "poll" }),
            json!({ "at": "s=Types.Strings", "index": "1:2", "watch": "poll" }),
            json!({ "at": "s=Types.Trip", "path": "Begin.X", "watch": "poll" }),
            json!({ "at": "s=Types.Trip", "path": "Marks.7", "watch": "poll" }),
            json!({ "at": "s=WTG01.Power", "attribute": "description", "watch": "poll" }),
            json!({ "at": "ns=0;i=2259", "watch": "poll" }),
        ],
    ]
    .concat();
    let host = Host::new(&link(server.port), lab(), &points);
    host.connect().await.unwrap();
    let readings = host.readings().await.unwrap();
    let found: Vec<_> = readings.into_iter().map(|(value, quality, _)| (value, quality)).collect();
    let bad = |quality| (Value::Null, quality);
    let good = |value: Value| (value, Quality::Good);
    assert_eq!(
        found,
        [
            good(1450.5.into()),
            bad(Quality::BadConfig),
            bad(Quality::BadOutOfRange),
            bad(Quality::BadOutOfRange),
            good("WTG-01".into()),
            bad(Quality::BadConfig),
            // asyncua knows no ranges and gives the whole array, which is not what was asked for.
            bad(Quality::BadConfig),
            bad(Quality::BadConfig),
            // Even if the whole array is no longer than what was asked for.
            bad(Quality::BadConfig),
            good(1.5.into()),
            bad(Quality::BadConfig),
            good("what it gives".into()),
            good(0.into()),
        ]
    );
    host.close().await;
}

/// A text that is no UTF-8 makes the library give up the whole answer.
#[tokio::test]
async fn a_value_that_cannot_be_read_costs_its_point_alone() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &polled(&["WTG01.Power", "WTG01.Speed", "WTG01.Name", "WTG01.On"]));
    host.connect().await.unwrap();
    server.garble("WTG01.Name").await;
    let readings = host.readings_apart().await;
    assert_eq!(readings[&0], (1450.5.into(), Quality::Good));
    assert_eq!(readings[&1], (12.25.into(), Quality::Good));
    assert_eq!(readings[&2], (Value::Null, Quality::Bad));
    assert_eq!(readings[&3], (true.into(), Quality::Good));
    server.set("WTG01.Name", "WTG-03").await;
    assert_eq!(host.values().await[2], Value::from("WTG-03"));
    assert_eq!(host.counted("sessions"), 1, "the link has stood all the time");
    host.close().await;
}

#[tokio::test]
async fn a_value_that_is_longer_than_a_message_may_be_costs_its_point_alone() {
    let mut server = Asyncua::start(&[]).await;
    let points = polled(&["WTG01.Power", "WTG01.Axes"]);
    let host = Host::new(&link_with(server.port, json!({ "max_message_kib": 64 })), lab(), &points);
    host.connect().await.unwrap();
    server.set("WTG01.Axes", vec![0; 7000]).await;
    assert_eq!(host.values().await[1], Value::Array(vec![Value::Float(0.0); 7000].into()), "that is within");
    server.set("WTG01.Axes", vec![0; 20_000]).await;
    let readings = host.readings_apart().await;
    assert_eq!(readings[&0], (1450.5.into(), Quality::Good));
    assert_eq!(readings[&1], (Value::Null, Quality::BadConfig));
    assert_eq!(host.counted("sessions"), 1, "the link has stood all the time");
    host.close().await;
}

#[tokio::test]
async fn what_is_written_is_read_back_in_the_type_of_the_node() {
    let mut server = Asyncua::start(&[]).await;
    let points = [
        polled(&["WTG01.Limit", "WTG01.Speed", "WTG01.On", "WTG01.Name", "WTG01.Axes", "WTG01.State", "Types.UInt64"]),
        polled(&["Types.DateTime", "Types.ByteString", "Types.LocalizedText", "Types.Table"]),
        vec![json!({ "at": "s=Types.Int32s", "index": "1", "watch": "poll" })],
    ]
    .concat();
    let host = Host::new(&link(server.port), lab(), &points);
    host.connect().await.unwrap();
    let axes = Value::Array([4.5.into(), 5.5.into()].into());
    let table = Value::Array([ints(&[9, 8, 7]), ints(&[6, 5, 4])].into());
    let values: [Value; 11] = [
        (-7).into(),
        13.5.into(),
        false.into(),
        "WTG-02".into(),
        axes,
        2.into(),
        i64::MAX.into(),
        86_400_000.into(),
        Value::Bytes([9].into()),
        "Wind".into(),
        table,
    ];
    for (point, value) in (0..).zip(values) {
        assert_eq!(host.write(point, value.clone()).await, Ok(Some(value)), "point {point}");
    }
    assert_eq!(server.get("WTG01.Limit").await, json!(-7));
    // asyncua would put the entry in the place of the array.
    let refused = host.write(11, 42).await;
    assert!(matches!(refused, Err(Fault::Point { quality: Quality::BadConfig, .. })), "{refused:?}");
    assert_eq!(server.get("Types.Int32s").await, json!([1, 2, 3, 4]));
    // The gateway takes scales off, so whole numbers come as fractions.
    assert_eq!(host.write(0, 99.0).await, Ok(Some(Value::Int(99))));
    host.close().await;
}

#[tokio::test]
async fn a_write_that_cannot_be_is_refused_and_changes_nothing() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &polled(&["WTG01.Limit", "WTG01.Power", "Nothing", "WTG01.Axes"]));
    host.connect().await.unwrap();
    let refused = async |point, value: Value| match host.write(point, value).await {
        Err(Fault::Point { quality, reason, .. }) => (quality, reason),
        other => panic!("{other:?}"),
    };
    let is_range = |(quality, _): (Quality, String)| assert_eq!(quality, Quality::BadOutOfRange);
    assert_eq!(refused(0, 32768.into()).await.1, "`32768` is not an Int16");
    is_range(refused(0, "x".into()).await);
    is_range(refused(3, 1.into()).await);
    let (quality, reason) = refused(1, 1.0.into()).await;
    assert_eq!(quality, Quality::BadConfig, "{reason}");
    let (quality, reason) = refused(2, 1.into()).await;
    assert_eq!(quality, Quality::BadConfig, "{reason}");
    assert_eq!(server.get("WTG01.Limit").await, json!(4812));
    host.close().await;
}
