//! What strangers can send, for fuzzers: none of it may panic.

use crate::codec::bthome::{self, Key};
use crate::codec::{Beacon, Field};
use crate::config::Place;
use edgeway_sdk::Value;

/// The data of a company or a service, in every format.
///
/// # Panics
/// If a value is good and no value, or is not finite.
pub fn advertisement(data: &[u8]) {
    for beacon in Beacon::ALL {
        beacon.fields(data).iter().flatten().for_each(check);
    }
    bthome::parse(data).fields.iter().for_each(check);
    let address = "A4:C1:38:00:11:22".parse().expect("an address");
    let _ = bthome::open(data, Some(&Key::new([7; 16], address)));
}

fn check(field: &Field) {
    assert_eq!(field.value == Value::Null, field.quality.is_bad(), "{field:?}");
    assert!(!matches!(field.value, Value::Float(number) if !number.is_finite()), "{field:?}");
}

/// What people write as `at`.
pub fn place(text: &str) {
    let _ = Place::parse(text);
}
