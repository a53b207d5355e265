//! What devices say unasked, on its way to the gateway: sent while there is credit, else merged.

use crate::columns;
use crate::proto::{Event, Lost, Presence, ToGateway, to_gateway::Body};
use edgeway_sdk::{Batch, DeviceIx, Json, PointIx, Quality, Sink, Timestamp, Value};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Events, and devices that have come or gone, that may wait for credit. Then the oldest are dropped.
const SAID_MAX: usize = 1024;
/// The most values in one message: far below the longest frame.
const VALUES_MAX: usize = 65_536;

/// Of a whole session.
pub(super) struct Outbox {
    out: mpsc::Sender<ToGateway>,
    state: Mutex<State>,
}

struct State {
    credit: u32,
    /// The newest value of each point, by link: each point is waiting once.
    values: HashMap<u32, HashMap<PointIx, Waiting>>,
    said: VecDeque<Body>,
}

/// A value, and why it is bad.
type Waiting = (Value, Quality, Timestamp, Option<String>);

impl Outbox {
    pub(super) fn new(out: mpsc::Sender<ToGateway>, credit: u32) -> Self {
        Outbox { out, state: Mutex::new(State { credit, values: HashMap::new(), said: VecDeque::new() }) }
    }

    /// The sink of a link.
    pub(super) fn sink(self: &Arc<Self>, link: u32) -> Arc<dyn Sink> {
        Arc::new(LinkSink { link, outbox: self.clone() })
    }

    /// So many more messages may be sent.
    pub(super) fn grant(&self, messages: u32) {
        let mut state = self.state.lock();
        state.credit = state.credit.saturating_add(messages);
        self.flush(&mut state);
    }

    /// Sends what waits, in the order: what was said, then values.
    fn flush(&self, state: &mut State) {
        while state.credit > 0 {
            let Ok(place) = self.out.try_reserve() else { return };
            let Some(body) = state.next() else { return };
            place.send(unasked(body));
            state.credit -= 1;
        }
    }
}

fn unasked(body: Body) -> ToGateway {
    ToGateway { re: 0, body: Some(body) }
}

impl State {
    fn next(&mut self) -> Option<Body> {
        if let Some(said) = self.said.pop_front() {
            return Some(said);
        }
        let link = *self.values.keys().next()?;
        let waiting = self.values.get_mut(&link)?;
        let mut batch = Batch::default();
        let points: Vec<PointIx> = waiting.keys().take(VALUES_MAX).copied().collect();
        for point in points {
            if let Some((value, quality, time, reason)) = waiting.remove(&point) {
                batch.push(point, value, quality, time);
                batch.reasons.extend(reason.map(|reason| (point, reason)));
            }
        }
        if waiting.is_empty() {
            self.values.remove(&link);
        }
        Some(Body::Data(columns::encode(link, &batch)))
    }

    fn is_idle(&self) -> bool {
        self.said.is_empty() && self.values.is_empty()
    }
}

struct LinkSink {
    link: u32,
    outbox: Arc<Outbox>,
}

impl LinkSink {
    fn say(&self, body: Body) {
        let mut state = self.outbox.state.lock();
        if state.said.len() == SAID_MAX {
            state.said.pop_front();
        }
        state.said.push_back(body);
        self.outbox.flush(&mut state);
    }
}

impl Sink for LinkSink {
    fn data(&self, batch: Batch) {
        let mut state = self.outbox.state.lock();
        let passes = state.credit > 0 && state.is_idle() && batch.len() <= VALUES_MAX;
        if passes && let Ok(place) = self.outbox.out.try_reserve() {
            place.send(unasked(Body::Data(columns::encode(self.link, &batch))));
            state.credit -= 1;
            return;
        }
        let waiting = state.values.entry(self.link).or_default();
        let Batch { points, values, qualities, source_times, reasons } = batch;
        let reasons: HashMap<PointIx, String> = reasons.into_iter().collect();
        for (((point, value), quality), time) in points.into_iter().zip(values).zip(qualities).zip(source_times) {
            let reason = if quality.is_bad() { reasons.get(&point).cloned() } else { None };
            waiting.insert(point, (value, quality, time, reason));
        }
        self.outbox.flush(&mut state);
    }

    fn event(&self, device: DeviceIx, event: &str, output: Json, source_time: Timestamp) {
        self.say(Body::Event(Event {
            link: self.link,
            device: device.0,
            event: event.to_owned(),
            output: output.to_string(),
            time_ns: source_time.as_nanos(),
        }));
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        let reason = gone.unwrap_or_default().to_owned();
        self.say(Body::Presence(Presence { link: self.link, device: device.0, gone: gone.is_some(), reason }));
    }

    fn lost(&self, reason: &str) {
        self.say(Body::Lost(Lost { link: self.link, reason: reason.to_owned() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(point: u32, value: f64) -> Batch {
        let mut batch = Batch::default();
        batch.good(PointIx(point), Value::Float(value), Timestamp::from_secs(1));
        batch
    }

    fn data(sent: Option<ToGateway>) -> (Vec<u32>, Vec<f64>) {
        match sent.and_then(|message| message.body) {
            Some(Body::Data(data)) => (data.points, data.floats),
            other => panic!("data, not {other:?}"),
        }
    }

    #[test]
    fn without_credit_the_newest_value_of_each_point_waits() {
        let (out, mut sent) = mpsc::channel(16);
        let outbox = Arc::new(Outbox::new(out, 1));
        let sink = outbox.sink(0);
        sink.data(batch(1, 10.0));
        assert_eq!(data(sent.try_recv().ok()), (vec![1], vec![10.0]));
        (0..1_000).for_each(|value| sink.data(batch(1, f64::from(value))));
        assert!(sent.try_recv().is_err(), "no credit");
        outbox.grant(5);
        assert_eq!(data(sent.try_recv().ok()), (vec![1], vec![999.0]));
        assert!(sent.try_recv().is_err(), "once");
    }

    #[test]
    fn events_wait_in_order_and_the_oldest_go_first() {
        let (out, mut sent) = mpsc::channel(SAID_MAX + 16);
        let outbox = Arc::new(Outbox::new(out, 0));
        let sink = outbox.sink(0);
        for number in 0..SAID_MAX + 3 {
            sink.event(DeviceIx(0), "hit", Json::from(number), Timestamp::EPOCH);
        }
        outbox.grant(u32::MAX);
        let first = sent.try_recv().ok().and_then(|message| message.body);
        assert!(matches!(first, Some(Body::Event(event)) if event.output == "3"));
    }
}
