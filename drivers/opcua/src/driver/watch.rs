//! Telling the gateway what the server tells.

use super::counters::Counters;
use super::events::{self, Said, Watched};
use super::read;
use super::subscription::{Item, Subscription, Told};
use crate::codec::quality;
use crate::config::{DeviceOptions, LinkOptions};
use crate::plan::Target;
use crate::session::{Failure, Namespaces, Session, words};
use edgeway_sdk::{Batch, Deadline, DeviceIx, Fault, Quality, Sink, Timestamp};
use opcua::types::{DataValue, EventFieldList, MonitoredItemNotification, StatusCode, Variant};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// What the server does not watch is asked for again so often.
const RETRY_EVERY: Duration = Duration::from_secs(60);
/// What is to be read instead of a message is read after this, so that a server of such messages is not asked all the time.
const READ_AFTER: Duration = Duration::from_secs(1);
/// How long questions about types may take, whose answers a value waits for.
const LEARN_WITHIN: Duration = Duration::from_secs(10);

/// At most one task that tells; it ends with the link.
#[derive(Default)]
pub(super) struct Teller(Mutex<Option<AbortHandle>>);

impl Teller {
    /// Runs this task instead of the one before.
    pub(super) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.replace(Some(tokio::spawn(task).abort_handle()));
    }

    pub(super) fn stop(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<AbortHandle>) {
        if let Some(before) = std::mem::replace(&mut *self.0.lock(), next) {
            before.abort();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Points and events that are watched in one session.
pub(super) struct Watching {
    session: Arc<Session>,
    subscription: Subscription,
    /// The points of the first items; those behind them are events.
    points: Vec<Arc<Target>>,
    events: Vec<Watched>,
    /// Items that the server does not watch, or that have to begin anew to be told.
    refused: Vec<usize>,
    nodes_max: usize,
    counters: Arc<Counters>,
}

/// Subscribes; nothing is told yet.
pub(super) async fn begin(
    session: Arc<Session>,
    options: &LinkOptions,
    points: Vec<Arc<Target>>,
    devices: &HashMap<DeviceIx, Arc<DeviceOptions>>,
    counters: Arc<Counters>,
    by: Deadline,
) -> Result<Watching, Fault> {
    let events = events::watched(devices);
    let namespaces = session.namespaces();
    let items: Vec<Item> = (0..points.len() + events.len()).map(|at| item(&points, &events, at, &namespaces)).collect();
    if items.is_empty() {
        return Err(Fault::Unsupported("watching points that are asked for"));
    }
    let refused = (0..items.len()).collect();
    let shortest = points.iter().map(|target| target.period).min();
    let created = Subscription::create(session.live(), options, shortest, items, session.limits, by).await;
    let subscription = created.map_err(Failure::of_connect)?;
    let nodes_max = session.limits.read_max(options.nodes_max);
    Ok(Watching { session, subscription, points, events, refused, nodes_max, counters })
}

fn item(points: &[Arc<Target>], events: &[Watched], at: usize, namespaces: &Namespaces) -> Item {
    match points.get(at) {
        Some(target) => Item::of_point(target, namespaces),
        None => events[at - points.len()].item(namespaces),
    }
}

impl Watching {
    /// Tells until the session ends, and then that it has.
    pub(super) async fn tell(mut self, sink: Arc<dyn Sink>) {
        let live = self.session.live();
        let reason = tokio::select! {
            reason = live.ended() => reason,
            failure = self.follow(&*sink) => {
                let reason = failure.of_connect().to_string();
                // What is not told any more must not pass for news: a new session is needed.
                live.give_up(&reason);
                reason
            }
        };
        self.counters.refused.store(0, Ordering::Relaxed);
        sink.lost(&reason);
    }

    /// Ends only with a failure.
    async fn follow(&mut self, sink: &dyn Sink) -> Failure {
        let mut retries = interval(RETRY_EVERY);
        retries.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = tokio::select! {
                biased;
                _ = retries.tick(), if !self.refused.is_empty() => Ok(None),
                told = self.subscription.next() => told.map(Some),
            };
            let done = match next {
                Ok(None) => self.watch_refused(sink).await,
                Ok(Some(told)) => self.pass(told, sink).await,
                Err(failure) => Err(failure),
            };
            if let Err(failure) = done {
                if self.subscription.has_gap() {
                    Counters::count(&self.counters.gaps);
                }
                return failure;
            }
        }
    }

    /// Asks the server to watch what it does not watch yet, and tells what it refuses.
    async fn watch_refused(&mut self, sink: &dyn Sink) -> Result<(), Failure> {
        let wanted = std::mem::take(&mut self.refused);
        self.look_for_namespaces(&wanted).await;
        let mut batch = Batch::default();
        for (item, status) in self.subscription.watch(&wanted).await? {
            self.refused.push(item);
            if let Some(target) = self.points.get(item) {
                batch.unfit(target.ix, worst(status), words(status), Timestamp::now());
            }
        }
        self.count_refused();
        if !batch.is_empty() {
            sink.data(batch);
        }
        Ok(())
    }

    /// The server may have got the namespaces that items were without.
    async fn look_for_namespaces(&mut self, wanted: &[usize]) {
        let nowhere: Vec<usize> = wanted.iter().copied().filter(|item| self.subscription.is_nowhere(*item)).collect();
        if nowhere.is_empty() {
            return;
        }
        let namespaces = self.session.look_for_namespaces(Instant::now() + LEARN_WITHIN).await;
        for at in nowhere {
            self.subscription.replace(at, item(&self.points, &self.events, at, &namespaces));
        }
    }

    async fn pass(&mut self, told: Told, sink: &dyn Sink) -> Result<(), Failure> {
        match told {
            Told::Nothing => return Ok(()),
            Told::Values(values) => self.pass_values(values, sink).await?,
            Told::Events(events) => self.pass_events(events, sink),
            Told::Several(all) => {
                for told in all {
                    Box::pin(self.pass(told, sink)).await?;
                }
                return Ok(());
            }
            Told::Unreadable => {
                Counters::count(&self.counters.unreadable);
                return self.read_instead(sink).await;
            }
            Told::Ended(status) => {
                return Err(Failure::Lost(format!("the server has ended the subscription: {}", words(status))));
            }
        }
        Counters::count(&self.counters.notifications);
        Ok(())
    }

    async fn pass_values(&mut self, told: Vec<MonitoredItemNotification>, sink: &dyn Sink) -> Result<(), Failure> {
        let mut values: Vec<DataValue> = Vec::with_capacity(told.len());
        let mut items: Vec<usize> = Vec::with_capacity(told.len());
        for MonitoredItemNotification { client_handle, value } in told {
            let item = client_handle as usize;
            if item < self.points.len() {
                self.look_at(item, value.status());
                items.push(item);
                values.push(value);
            }
        }
        self.check_ranges(&items, &mut values).await?;
        let live = self.session.live();
        self.session.types.learn(&live, &values, Instant::now() + LEARN_WITHIN).await?;
        // The server tells a value once: for one whose type is still unknown it has to begin anew.
        let unknown = items.iter().zip(&values).filter(|(_, value)| self.session.types.are_unknown(value));
        let unknown: Vec<usize> = unknown.map(|(item, _)| *item).collect();
        unknown.into_iter().for_each(|item| self.refuse(item));
        let mut batch = Batch::default();
        let targets = items.iter().map(|item| &self.points[*item]);
        read::push(&self.session, targets, values, &mut batch);
        if !batch.is_empty() {
            sink.data(batch);
        }
        Ok(())
    }

    /// Values that may not be the entries that were asked for are bad. Where the server does not say, it has to begin anew.
    async fn check_ranges(&mut self, items: &[usize], values: &mut [DataValue]) -> Result<(), Failure> {
        if !items.iter().any(|item| self.points[*item].point.index.has_range()) {
            return Ok(());
        }
        let (live, namespaces) = (self.session.live(), self.session.namespaces());
        let asked = |item: &usize| {
            let target = &self.points[*item];
            read::value_id(target, namespaces.node(target.address()).unwrap_or_default())
        };
        let asked: Vec<_> = items.iter().map(asked).collect();
        match self.session.ranges.check(&live, &asked, values, Instant::now() + LEARN_WITHIN).await {
            Ok(()) => Ok(()),
            Err(Failure::Lost(reason)) => Err(Failure::Lost(reason)),
            Err(_) => {
                for at in (0..items.len()).filter(|at| asked[*at].index_range.has_range()) {
                    values[at].status = Some(StatusCode::Bad);
                    self.refuse(items[at]);
                }
                Ok(())
            }
        }
    }

    /// A message that cannot be read may have held a value of every point, so all are read, a while later: together, and in
    /// ever smaller parts where that cannot be read either. What remains is bad, and not watched until the server is asked
    /// again: it would make the next messages unreadable, too.
    async fn read_instead(&mut self, sink: &dyn Sink) -> Result<(), Failure> {
        sleep(READ_AFTER).await;
        let watched: Vec<usize> = (0..self.points.len()).filter(|item| !self.refused.contains(item)).collect();
        let mut parts: Vec<Vec<usize>> = watched.chunks(self.nodes_max).map(Into::into).collect();
        let namespaces = self.session.namespaces();
        let mut guilty = vec![];
        while let Some(mut part) = parts.pop() {
            let mut batch = Batch::default();
            let point = |item: &usize| {
                let target = &self.points[*item];
                Some((target, namespaces.node(target.address())?))
            };
            let points: Vec<_> = part.iter().filter_map(point).collect();
            match read::together(&self.session, &points, &mut batch, Instant::now() + LEARN_WITHIN).await {
                Ok(()) => {}
                Err(Failure::Lost(reason)) => return Err(Failure::Lost(reason)),
                Err(failure) if part.len() > 1 && read::of_value(&failure).is_some() => {
                    let half = part.split_off(part.len() / 2);
                    parts.extend([part, half]);
                }
                Err(failure) => {
                    let quality = read::of_value(&failure).unwrap_or(Quality::Bad);
                    part.iter().for_each(|item| batch.bad(self.points[*item].ix, quality, Timestamp::now()));
                    guilty.extend(part);
                }
            }
            if !batch.is_empty() {
                sink.data(batch);
            }
        }
        self.subscription.forget(&guilty).await?;
        guilty.into_iter().for_each(|item| self.refuse(item));
        Ok(())
    }

    /// A node that has gone will not come back to its old item.
    fn look_at(&mut self, item: usize, status: StatusCode) {
        if status.overflow() {
            Counters::count(&self.counters.overflows);
        }
        if status == StatusCode::BadNodeIdUnknown {
            self.refuse(item);
        }
    }

    /// The server is asked to watch it anew before long.
    fn refuse(&mut self, item: usize) {
        if !self.refused.contains(&item) {
            self.refused.push(item);
            self.count_refused();
        }
    }

    fn pass_events(&self, told: Vec<EventFieldList>, sink: &dyn Sink) {
        let (ahead, layouts) = (self.session.live().clock_ahead(), self.session.types.layouts.read());
        for EventFieldList { client_handle, event_fields } in told {
            let event = (client_handle as usize).checked_sub(self.points.len()).and_then(|at| self.events.get(at));
            let fields: Vec<Variant> = event_fields.unwrap_or_default();
            match event.and_then(|event| Some((event, event.said(&fields, &layouts, ahead)?))) {
                Some((event, Said::Event(output, time))) => {
                    sink.event(event.device, &event.event.name, output, time);
                }
                Some((_, Said::Overflow)) => Counters::count(&self.counters.overflows),
                None => {}
            }
        }
    }

    fn count_refused(&self) {
        self.counters.refused.store(self.refused.len() as u64, Ordering::Relaxed);
    }
}

/// A refusal is never good.
fn worst(status: StatusCode) -> Quality {
    match quality(status) {
        quality if quality.is_bad() => quality,
        _ => Quality::Bad,
    }
}
