//! Blocks that were written once stay readable, and change only when somebody means it.
//!
//! `UPDATE_EXPECTED=1 cargo test -p edgeway-codec` writes `fixtures/v2/` anew: read the difference. What a released
//! version has written must stay readable, so keep such a fixture and add another.

use crate::site::{balance, codec, fixture, messages, report};
use edgeway_journal::Codec;
use edgeway_thing_models::Message;
use std::sync::Arc;
use std::time::Duration;

fn frames() -> [(&'static str, Vec<Message>); 3] {
    let pressures = [7.25, 7.3, 7.3, 7.31, -0.0, f64::INFINITY, 1.0 / 3.0, f64::from(1.1_f32)];
    let run =
        pressures.iter().zip(0..).map(|(pressure, at)| report(at % 2, Duration::from_millis(at.into()), *pressure));
    let mut mixed = messages();
    mixed.insert(6, balance());
    [("report", vec![report(0, Duration::ZERO, 7.25)]), ("reports", run.collect()), ("all-kinds", mixed)]
}

#[test]
fn recorded_blocks_are_read_and_written_as_they_were() {
    let codec = codec();
    let decoder = codec.decoder(&codec.preamble()).expect("own preamble");
    for (name, messages) in frames() {
        let mut block = vec![];
        let items: Vec<_> = messages.iter().cloned().map(Arc::new).collect();
        codec.encode(&items, &mut block);
        let path = fixture(&format!("v2/{name}"));
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&path, &block).expect("the fixture can be written");
        }
        let recorded = std::fs::read(&path).expect("the fixture is there");
        assert_eq!(decoder.decode(&recorded, messages.len()), Some(messages), "{name} is read");
        assert_eq!(block, recorded, "{name} is written as it was");
    }
}
