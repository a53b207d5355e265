//! What devices tell by themselves: points that have changed, and events.

use super::{Signals, carried};
use crate::signals::Source;
use crate::world::{fraction, mix};
use edgeway_sdk::{Batch, DeviceIx, PointIx, Quality, Sink, Timestamp, Value};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// A point that is told when it has changed.
pub(super) struct Pushed {
    pub(super) point: PointIx,
    /// How often the device looks whether it has.
    pub(super) period: Duration,
    pub(super) source: Arc<Source>,
}

/// An event that happens now and then.
pub(super) struct Happening {
    pub(super) device: DeviceIx,
    pub(super) name: String,
    /// By the link's own time, on average.
    pub(super) every: Duration,
    pub(super) output: Vec<(String, Arc<Source>)>,
    pub(super) salt: u64,
}

impl Happening {
    /// When it happens for the nth time, by the link's own time: once in every period, around its middle.
    pub(super) fn at(&self, n: u64) -> Duration {
        let place = 0.25 + 0.5 * fraction(mix(self.salt ^ mix(n)));
        Duration::try_from_secs_f64(self.every.as_secs_f64() * (n as f64 + place)).unwrap_or(Duration::MAX)
    }

    /// Which one comes next.
    fn next(&self, passed: Duration) -> u64 {
        let now = (passed.as_secs_f64() / self.every.as_secs_f64()) as u64;
        if self.at(now) > passed { now } else { now + 1 }
    }
}

/// Adds a value; one that a formula does not have is bad.
pub(super) fn add(batch: &mut Batch, point: PointIx, value: Value, now: Timestamp) {
    match value {
        Value::Null => batch.bad(point, Quality::Bad, now),
        value => batch.good(point, value, now),
    }
}

/// What is due when.
enum Turn {
    Look(usize),
    Happen(usize, u64),
}

/// Tells the present values, then what is new, until the task is ended.
pub(super) async fn tell(signals: Arc<Signals>, sink: Arc<dyn Sink>) {
    let mut agenda = Agenda::begin(&signals, &*sink);
    while let Some(due) = agenda.due() {
        sleep_until(due).await;
        agenda.run(&signals, &*sink, Instant::now());
    }
}

/// Turns by their time, and the values told last.
struct Agenda {
    queue: BinaryHeap<Reverse<(Instant, usize)>>,
    turns: Vec<Turn>,
    told: Vec<Value>,
}

impl Agenda {
    fn begin(signals: &Signals, sink: &dyn Sink) -> Self {
        let planned = signals.planned();
        let (moment, clock, now) = (signals.moment(), signals.maker.clock, Instant::now());
        let mut agenda = Agenda { queue: BinaryHeap::new(), turns: vec![], told: vec![] };
        let mut batch = Batch::default();
        for (at, pushed) in planned.pushed.iter().enumerate() {
            let value = pushed.source.at(moment);
            add(&mut batch, pushed.point, value.clone(), moment.now);
            agenda.told.push(value);
            agenda.push(now + pushed.period, Turn::Look(at));
        }
        for (at, happening) in planned.happenings.iter().enumerate() {
            let n = happening.next(moment.passed);
            agenda.push(clock.when(happening.at(n)), Turn::Happen(at, n));
        }
        if !batch.is_empty() {
            sink.data(batch);
        }
        agenda
    }

    fn push(&mut self, due: Instant, turn: Turn) {
        self.queue.push(Reverse((due, self.turns.len())));
        self.turns.push(turn);
    }

    fn due(&self) -> Option<Instant> {
        self.queue.peek().map(|Reverse((due, _))| *due)
    }

    /// Runs everything that is due.
    fn run(&mut self, signals: &Signals, sink: &dyn Sink, now: Instant) {
        let planned = signals.planned();
        let moment = signals.moment();
        let mut batch = Batch::default();
        while let Some(Reverse((due, at))) = self.queue.peek().copied().filter(|Reverse((due, _))| *due <= now) {
            self.queue.pop();
            let next = match &mut self.turns[at] {
                Turn::Look(pushed) => planned.pushed.get(*pushed).map(|found| {
                    let value = found.source.at(moment);
                    if value != self.told[*pushed] {
                        add(&mut batch, found.point, value.clone(), moment.now);
                        self.told[*pushed] = value;
                    }
                    // What was missed while the machine slept is not made up for.
                    (due + found.period).max(now)
                }),
                Turn::Happen(happening, n) => planned.happenings.get(*happening).map(|found| {
                    sink.event(found.device, &found.name, carried(&found.output, moment), moment.now);
                    *n = found.next(moment.passed).max(*n + 1);
                    signals.maker.clock.when(found.at(*n))
                }),
            };
            if let Some(next) = next {
                self.queue.push(Reverse((next.max(now + Duration::from_millis(1)), at)));
            }
        }
        if !batch.is_empty() {
            sink.data(batch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_happens_once_in_every_period() {
        let every = Duration::from_secs(60);
        let happening = Happening { device: DeviceIx(0), name: "alarm".into(), every, output: vec![], salt: 5 };
        let times: Vec<Duration> = (0..1000).map(|n| happening.at(n)).collect();
        for (n, time) in (0u32..).zip(&times) {
            assert!((every * n..every * (n + 1)).contains(time));
            assert_eq!(happening.next(*time), u64::from(n) + 1);
        }
        assert_eq!(happening.next(Duration::ZERO), 0);
        let gaps: std::collections::HashSet<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.len() > 900, "no two gaps are alike");
    }
}
