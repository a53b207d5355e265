//! Whatever comes, it is answered or thrown away.

use super::*;
use edgeway_sdk::{DeviceIx, Json};
use proptest::prelude::*;
use serde_json::json;

struct Nobody;

impl Sink for Nobody {
    fn data(&self, _: Batch) {}
    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}
    fn online(&self, _: DeviceIx, _: Option<&str>) {}
    fn lost(&self, _: &str) {}
}

proptest! {
    #[test]
    fn any_datagrams_are_taken(datagrams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..16)) {
        let options = LinkOptions::parse(&json!({ "endpoint": "listen://127.0.0.1:5683" })).expect("valid");
        let mut desk = Desk::new(vec![], Arc::new(Nobody), &options, Arc::default());
        for datagram in &datagrams {
            desk.take(datagram, ([127, 0, 0, 1], 9).into());
        }
    }
}
