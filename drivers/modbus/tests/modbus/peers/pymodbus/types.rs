//! Every type in every order. What lies in the registers is made and read by Python.

use super::{Form, Pymodbus};
use crate::peers::polled::Polled;
use edgeway_sdk::Value;
use serde_json::{Value as Json, json};

/// The orders of values of one, two and four registers.
const ORDERS: [&[&str]; 3] = [
    &["AB", "BA"],
    &["ABCD", "BADC", "CDAB", "DCBA"],
    &["ABCDEFGH", "BADCFEHG", "CDABGHEF", "DCBAHGFE", "EFGHABCD", "FEHGBADC", "GHEFCDAB", "HGFEDCBA"],
];
/// The longest value.
const REGISTERS_MAX: u16 = 4;

/// A value in registers of its own, and another to be written over it.
struct Sample {
    at: u16,
    kind: &'static str,
    order: &'static str,
    registers: u16,
    before: Json,
    after: Json,
}

/// All types, with how many registers they take.
fn types() -> Vec<(&'static str, u16, Json, Json)> {
    vec![
        ("i16", 1, json!(-12345), json!(321)),
        ("u16", 1, json!(54321), json!(1)),
        ("f16", 1, json!(-1.5), json!(512.5)),
        ("bcd16", 1, json!(9876), json!(12)),
        ("i32", 2, json!(-1_234_567_890), json!(77)),
        ("u32", 2, json!(4_000_000_000_u32), json!(65_537)),
        ("f32", 2, json!(-0.15625), json!(1e30_f32)),
        ("bcd32", 2, json!(12_345_678), json!(87_654_321)),
        ("i64", 4, json!(i64::MIN), json!(-2)),
        ("u64", 4, json!(1_234_567_890_123_456_789_u64), json!(i64::MAX)),
        ("f64", 4, json!(-123.456), json!(1e300)),
        ("bcd64", 4, json!(1_234_567_890_123_456_u64), json!(7)),
    ]
}

fn samples() -> Vec<Sample> {
    let mut samples = vec![];
    let mut add = |kind, order, registers, before, after| {
        let at = samples.len() as u16 * REGISTERS_MAX;
        samples.push(Sample { at, kind, order, registers, before, after });
    };
    for (kind, registers, before, after) in types() {
        for order in ORDERS[registers.ilog2() as usize] {
            add(kind, *order, registers, before.clone(), after.clone());
        }
    }
    for order in ORDERS[0] {
        add("string", *order, 4, json!("Grüße1"), json!("kurz"));
    }
    samples
}

impl Sample {
    fn point(&self) -> Json {
        let mut point = json!({ "at": format!("holding:{}", self.at), "type": self.kind, "order": self.order });
        if self.kind == "string" {
            point["length"] = self.registers.into();
        }
        point
    }
}

pub(super) async fn in_every_order(form: Form) {
    let mut server = Pymodbus::start(form).await;
    let samples = samples();
    for Sample { at, kind, order, before, .. } in &samples {
        server.put(*at, kind, order, before).await;
    }
    let points: Vec<Json> = samples.iter().map(Sample::point).collect();
    let polled = Polled::new(&server.options(), json!({}), &points);
    let before: Vec<Value> = samples.iter().map(|sample| Value::from_json(&sample.before)).collect();
    assert_eq!(polled.values().await, before);
    for (point, Sample { at, kind, order, registers, after, .. }) in samples.iter().enumerate() {
        let value = Value::from_json(after);
        assert_eq!(polled.write(point, value.clone()).await, Ok(Some(value)), "{kind} {order}");
        assert_eq!(server.show(*at, kind, order, *registers).await, *after, "{kind} {order}");
    }
}

pub(super) async fn as_pymodbus_encodes_them(form: Form) {
    let server = Pymodbus::start(form).await;
    let values = [
        (3000, "i16", json!(-12345)),
        (3001, "u16", json!(54321)),
        (3002, "i32", json!(-1_234_567_890)),
        (3004, "u32", json!(4_000_000_000_u32)),
        (3006, "i64", json!(-1_234_567_890_123_456_789_i64)),
        (3010, "u64", json!(1_234_567_890_123_456_789_u64)),
        (3014, "f32", json!(-0.15625)),
        (3016, "f64", json!(-123.456)),
    ];
    let mut points: Vec<Json> =
        values.iter().map(|(at, kind, _)| json!({ "at": format!("holding:{at}"), "type": kind })).collect();
    points.push(json!({ "at": "holding:3020", "type": "string", "length": 4 }));
    let mut expected: Vec<Value> = values.iter().map(|(.., value)| Value::from_json(value)).collect();
    expected.push("pymodbus".into());
    let polled = Polled::new(&server.options(), json!({}), &points);
    assert_eq!(polled.values().await, expected);
}
