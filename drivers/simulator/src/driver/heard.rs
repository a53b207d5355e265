//! A sink that remembers, for tests.

use edgeway_sdk::{Batch, DeviceIx, Json, Sink, Timestamp};
use std::sync::Mutex;

/// Everything said, in words: `0 = 42`, `device 0: alarm {"code":3}`, `device 0 gone`, `device 0 back`.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<(String, Timestamp)>>);

impl Heard {
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.lock().expect("unpoisoned").iter().map(|(word, _)| word.clone()).collect()
    }

    pub(crate) fn times(&self) -> Vec<Timestamp> {
        self.0.lock().expect("unpoisoned").iter().map(|(_, time)| *time).collect()
    }

    fn hear(&self, word: String, time: Timestamp) {
        self.0.lock().expect("unpoisoned").push((word, time));
    }
}

impl Sink for Heard {
    fn data(&self, batch: Batch) {
        for at in 0..batch.len() {
            let (value, quality) = (&batch.values[at], batch.qualities[at]);
            let shown = if quality.is_good() { value.to_string() } else { quality.to_string() };
            self.hear(format!("{} = {shown}", batch.points[at].0), batch.source_times[at]);
        }
    }

    fn event(&self, device: DeviceIx, event: &str, output: Json, source_time: Timestamp) {
        self.hear(format!("device {}: {event} {output}", device.0), source_time);
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        let word = if gone.is_some() { "gone" } else { "back" };
        self.hear(format!("device {} {word}", device.0), Timestamp::EPOCH);
    }

    fn lost(&self, reason: &str) {
        self.hear(format!("the wire is gone: {reason}"), Timestamp::EPOCH);
    }
}
