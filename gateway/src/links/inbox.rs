//! What devices say unasked, between the driver that hears it and the task that takes it in.

use edgeway_sdk::{Batch, DeviceIx, Json, PointIx, Sink, Timestamp};
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// How long news may gather once some was taken: in a flood, to be woken for each message would cost more than the work.
const GATHER: Duration = Duration::from_millis(1);
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
    /// Each with how many of the values came before it.
    pub(super) said: Vec<(usize, Said)>,
    /// How many values and events were merged or dropped.
    pub(super) merged: u64,
    /// Why the wire is gone, if it is.
    pub(super) lost: Option<String>,
    taken_at: Option<Instant>,
}

/// What is not a value.
pub(super) enum Said {
    Event { device: DeviceIx, event: String, output: Json, source_time: Timestamp },
    Online { device: DeviceIx, gone: Option<String> },
}

impl Inbox {
    /// Waits until something has come: not at all after a pause, otherwise until some has gathered since it was taken last.
    pub(super) async fn news(&self) {
        let taken_at = self.held.lock().taken_at;
        // First, because whoever gives up waiting must leave the notice that something has come.
        if let Some(taken_at) = taken_at {
            sleep_until(taken_at + GATHER).await;
        }
        self.news.notified().await;
    }

    /// A wire that is being opened is not lost.
    pub(super) fn found(&self) {
        self.held.lock().lost = None;
    }

    /// All that has come; `spare` takes its place.
    pub(super) fn take(&self, spare: Batch) -> Held {
        let held = Held { values: spare, taken_at: Some(Instant::now()), ..Held::default() };
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
            held.make_room();
        }
        let before = held.values.len();
        held.said.push((before, said));
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
        let mut said = self.said.iter_mut().peekable();
        for (at, point) in all.points.iter().enumerate() {
            while let Some((before, _)) = said.next_if(|(before, _)| *before <= at) {
                *before = self.values.len();
            }
            if newest[point] == at {
                self.values.push(*point, all.values[at].clone(), all.qualities[at], all.source_times[at]);
            }
        }
        said.for_each(|(before, _)| *before = self.values.len());
        let reasons: HashMap<PointIx, String> = all.reasons.into_iter().collect();
        self.values.reasons.extend(reasons);
    }

    /// Drops the oldest event, or else a coming or going after which the same device came or went again. What became of a
    /// device last is never dropped.
    fn make_room(&mut self) {
        let event = self.said.iter().position(|(_, said)| matches!(said, Said::Event { .. }));
        if let Some(at) = event.or_else(|| self.outdated()) {
            self.said.remove(at);
            self.merged += 1;
        }
    }

    fn outdated(&self) -> Option<usize> {
        let mut later = HashSet::new();
        let is_outdated = |said: &Said| matches!(said, Said::Online { device, .. } if !later.insert(*device));
        self.said.iter().map(|(_, said)| said).rposition(is_outdated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Value;
    use futures::FutureExt;
    use tokio::time::sleep;

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

    #[tokio::test(start_paused = true)]
    async fn news_comes_at_once_after_a_pause_and_gathers_in_a_flood() {
        let (inbox, start) = (Inbox::default(), Instant::now());
        let tell = || inbox.data(batch([(0, 1)]));
        tell();
        inbox.news().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        inbox.take(Batch::default());
        tell();
        assert!(inbox.news().now_or_never().is_none(), "some may gather");
        tell();
        inbox.news().await;
        assert_eq!(inbox.take(Batch::default()).values.len(), 2, "of which none was overlooked");
        sleep(GATHER * 3).await;
        let pause_ends = Instant::now();
        tell();
        inbox.news().await;
        assert_eq!(pause_ends.elapsed(), Duration::ZERO);
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
        inbox.online(DeviceIx(7), Some("gone"));
        for at in 0..EVENTS_MAX as u32 + 2 {
            inbox.event(DeviceIx(at), "rung", Json::Null, Timestamp::EPOCH);
        }
        let held = inbox.take(Batch::default());
        assert_eq!((held.said.len(), held.merged), (EVENTS_MAX, 3));
        assert!(matches!(held.said[0].1, Said::Online { device: DeviceIx(7), .. }), "that it is gone is kept");
        assert!(matches!(held.said[1].1, Said::Event { device: DeviceIx(3), .. }));
    }

    #[test]
    fn of_coming_and_going_the_last_of_each_device_is_kept() {
        let inbox = Inbox::default();
        for at in 0..EVENTS_MAX as u32 * 3 {
            inbox.online(DeviceIx(at % 2), (at % 4 < 2).then_some("gone"));
        }
        let held = inbox.take(Batch::default());
        assert_eq!(held.said.len(), EVENTS_MAX);
        let last = |wanted: u32| {
            let of_device = held.said.iter().rev().find_map(|(_, said)| match said {
                Said::Online { device: DeviceIx(device), gone } if *device == wanted => Some(gone.is_some()),
                _ => None,
            });
            of_device.expect("it is kept")
        };
        assert!(!last(0) && !last(1));
        let many = Inbox::default();
        (0..EVENTS_MAX as u32 + 3).for_each(|at| many.online(DeviceIx(at), None));
        assert_eq!(many.take(Batch::default()).said.len(), EVENTS_MAX + 3, "one of each device is not too much");
    }

    #[test]
    fn what_came_before_what_is_known_after_values_were_merged_too() {
        let inbox = Inbox::default();
        inbox.data(batch([(0, 1), (1, 1)]));
        inbox.online(DeviceIx(0), Some("gone"));
        inbox.data(batch([(1, 2)]));
        inbox.online(DeviceIx(1), Some("gone"));
        let mut held = inbox.take(Batch::default());
        let before = |held: &Held| held.said.iter().map(|(before, _)| *before).collect::<Vec<_>>();
        assert_eq!(before(&held), [2, 3]);
        held.merge();
        assert_eq!((held.values.len(), before(&held)), (2, vec![1, 2]));
    }
}
