//! What devices say unasked, between the driver that hears it and the task that takes it in.

use edgeway_sdk::{Batch, DeviceIx, Json, PointIx, Sink, Timestamp};
use parking_lot::Mutex;
use std::collections::HashMap;
use tokio::sync::Notify;

/// More values than this are merged: of each point the newest stays.
const VALUES_MAX: usize = 65_536;
/// More events than this are dropped, the oldest first.
const EVENTS_MAX: usize = 1_024;

/// Takes what a driver pushes. Never blocks, never grows without bounds: what is merged or dropped is counted.
#[derive(Default)]
pub(super) struct Inbox {
    held: Mutex<Held>,
    news: Notify,
}

/// What has come since it was taken last.
#[derive(Default)]
pub(super) struct Held {
    pub(super) values: Batch,
    pub(super) said: Vec<Said>,
    /// How many values and events were merged or dropped.
    pub(super) merged: u64,
    /// Why the wire is gone, if it is.
    pub(super) lost: Option<String>,
}

/// What is not a value.
pub(super) enum Said {
    Event { device: DeviceIx, event: String, output: Json, source_time: Timestamp },
    Online { device: DeviceIx, gone: Option<String> },
}

impl Inbox {
    /// Waits until something has come.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// A wire that is being opened is not lost.
    pub(super) fn found(&self) {
        self.held.lock().lost = None;
    }

    /// All that has come; `spare` takes its place.
    pub(super) fn take(&self, spare: Batch) -> Held {
        let held = Held { values: spare, ..Held::default() };
        std::mem::replace(&mut *self.held.lock(), held)
    }
}

impl Sink for Inbox {
    fn data(&self, batch: Batch) {
        let mut held = self.held.lock();
        held.values.append(batch);
        if held.values.len() > VALUES_MAX {
            held.merge();
        }
        drop(held);
        self.news.notify_one();
    }

    fn event(&self, device: DeviceIx, event: &str, output: Json, source_time: Timestamp) {
        self.say(Said::Event { device, event: event.to_owned(), output, source_time });
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        self.say(Said::Online { device, gone: gone.map(str::to_owned) });
    }

    fn lost(&self, reason: &str) {
        self.held.lock().lost = Some(reason.to_owned());
        self.news.notify_one();
    }
}

impl Inbox {
    fn say(&self, said: Said) {
        let mut held = self.held.lock();
        if held.said.len() >= EVENTS_MAX {
            held.said.remove(0);
            held.merged += 1;
        }
        held.said.push(said);
        drop(held);
        self.news.notify_one();
    }
}

impl Held {
    /// Keeps the newest value of each point, in the order in which those came.
    fn merge(&mut self) {
        let all = std::mem::take(&mut self.values);
        let newest: HashMap<PointIx, usize> = all.points.iter().enumerate().map(|(at, point)| (*point, at)).collect();
        self.merged += (all.len() - newest.len()) as u64;
        for (at, point) in all.points.iter().enumerate() {
            if newest[point] == at {
                self.values.push(*point, all.values[at].clone(), all.qualities[at], all.source_times[at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Value;

    fn batch(points: impl IntoIterator<Item = (u32, i64)>) -> Batch {
        let mut batch = Batch::default();
        for (point, value) in points {
            batch.good(PointIx(point), Value::Int(value), Timestamp::EPOCH);
        }
        batch
    }

    #[test]
    fn whoever_is_too_slow_gets_the_newest_value_of_every_point() {
        let inbox = Inbox::default();
        for round in 0..1_000 {
            inbox.data(batch((0..100).map(|point| (point, round))));
        }
        inbox.data(batch((0..100).map(|point| (point, 1_000))));
        let held = inbox.take(Batch::default());
        assert!(held.values.len() <= VALUES_MAX);
        assert_eq!(held.values.len() as u64 + held.merged, 100_100, "what is missing was counted");
        let last: HashMap<PointIx, &Value> = held.values.points.iter().copied().zip(&held.values.values).collect();
        assert!(last.len() == 100 && last.values().all(|value| **value == Value::Int(1_000)));
    }

    #[test]
    fn a_loss_from_before_the_wire_was_opened_is_none() {
        let inbox = Inbox::default();
        inbox.lost("gone");
        inbox.found();
        assert_eq!(inbox.take(Batch::default()).lost, None);
        inbox.lost("gone again");
        assert_eq!(inbox.take(Batch::default()).lost.as_deref(), Some("gone again"));
    }

    #[test]
    fn too_many_events_cost_the_oldest() {
        let inbox = Inbox::default();
        for at in 0..EVENTS_MAX as u32 + 3 {
            inbox.online(DeviceIx(at), None);
        }
        let held = inbox.take(Batch::default());
        assert_eq!((held.said.len(), held.merged), (EVENTS_MAX, 3));
        assert!(matches!(held.said[0], Said::Online { device: DeviceIx(3), .. }));
    }
}
