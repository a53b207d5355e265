//! The task of one link.

mod finish;
mod judge;
mod take_in;

use super::ageing::Ageing;
use super::changes::Changes;
use super::happenings::Happenings;
use super::inbox::Inbox;
use super::overload::{Overload, Turn};
use super::rounds::Rounds;
use super::schedule::{Next, Schedule, Slot, Transition, is_other_reason};
use super::transaction::{self, Ended, Table};
use super::unfit::{Reasons, Unfit};
use super::write::WriteJob;
use super::{LinkState, LinkStatus};
use crate::app::Part;
use crate::backoff::Backoff;
use crate::spine::{self, MessageJournal};
use async_trait::async_trait;
use edgeway_sdk::{Batch, DeviceIx, DeviceSpec, Fault, Link, PointIx, PointSpec, Quality, Split, Timestamp};
use edgeway_site::{EventSite, LinkSite, PointSite};
use edgeway_thing_models::{Binding, Body, CommandState, Message, Online, Status, Things};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How long opening the wire may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// After this many commands one step that is due runs, so that a flood of commands does not blind the gateway.
const WRITES_IN_ROW_MAX: usize = 8;
/// So many messages are appended to the journal at once, at most.
const UNSAID_MAX: usize = 256;
/// How long closing the wire may take.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);
/// How often values are looked at for staleness.
const AGEING_PERIOD: Duration = Duration::from_millis(500);

/// What a link's task is made from.
pub(crate) struct Wiring {
    pub(crate) link: Arc<dyn Link>,
    /// Whether the driver can tell by itself what is new.
    pub(crate) watches: bool,
    pub(crate) site: LinkSite,
    pub(crate) events: Vec<EventSite>,
    pub(crate) points: Arc<[PointSite]>,
    pub(crate) binding: Arc<Binding>,
    pub(crate) things: Arc<Things>,
    pub(crate) journal: MessageJournal,
    pub(crate) status: Arc<LinkStatus>,
    pub(crate) jobs: mpsc::Receiver<WriteJob>,
}

type InFlight = FuturesUnordered<BoxFuture<'static, Ended>>;

/// The task of one link. See the module `links`.
pub(crate) struct LinkTask {
    link: Arc<dyn Link>,
    site: LinkSite,
    table: Arc<Table>,
    journal: MessageJournal,
    status: Arc<LinkStatus>,
    jobs: mpsc::Receiver<WriteJob>,
    schedule: Schedule,
    ageing: Ageing,
    changes: Changes,
    happenings: Happenings,
    unfit: Unfit,
    inbox: Arc<Inbox>,
    overload: Overload,
    rounds: Rounds,
    /// Whether the driver can tell by itself what is new.
    watches: bool,
    ageing_tick: Interval,
    concurrency: usize,
    /// Commands since the last step.
    writes_in_row: usize,
    /// Columns to use again.
    batches: Vec<Batch>,
    /// What is said to the journal before the task waits again: to wake all who read it costs more than one message is worth.
    unsaid: Vec<Message>,
}

#[async_trait]
impl Part for LinkTask {
    fn name(&self) -> String {
        format!("link {}", self.site.name)
    }

    async fn run(&mut self, stop: CancellationToken) {
        self.run_until(&stop).await;
    }
}

impl LinkTask {
    /// Makes the task, without any I/O.
    pub(crate) fn new(wiring: Wiring) -> Self {
        let now = Instant::now();
        let points = wiring.site.points.iter().filter(|point| point.access.reads());
        let read = points.filter_map(|point| {
            let site = &wiring.points[point.ix.0 as usize];
            Some((site, site.property?))
        });
        let aged = read.clone().map(|(site, property)| (site.device, property, site.stale_after));
        let reported = read.map(|(site, property)| (site.device, property, site.reporting));
        let mut ageing_tick = interval(AGEING_PERIOD);
        ageing_tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        LinkTask {
            ageing: Ageing::new(aged, now),
            changes: Changes::new(reported),
            happenings: Happenings::new(wiring.events),
            unfit: Unfit::default(),
            inbox: Arc::default(),
            overload: Overload::default(),
            rounds: Rounds::default(),
            watches: wiring.watches,
            schedule: Schedule::default(),
            table: Arc::new(Table { binding: wiring.binding, points: wiring.points, things: wiring.things }),
            link: wiring.link,
            site: wiring.site,
            journal: wiring.journal,
            status: wiring.status,
            jobs: wiring.jobs,
            ageing_tick,
            concurrency: 1,
            writes_in_row: 0,
            batches: vec![],
            unsaid: vec![],
        }
    }

    /// Runs until told to stop, then closes the wire.
    async fn run_until(&mut self, stop: &CancellationToken) {
        if !self.planned(stop).await {
            return;
        }
        let mut backoff = Backoff::new();
        while self.connect(&mut backoff, stop).await {
            let readings = self.status.readings.load(Relaxed);
            self.serve(stop).await;
            if self.status.readings.load(Relaxed) > readings {
                backoff = Backoff::new();
            } else if self.meanwhile(sleep(backoff.pause()), stop).await.is_none() {
                // A peer that takes the connection and hangs up is not asked again at the speed of the network.
                break;
            }
        }
        self.flush();
        self.link.close(Instant::now() + CLOSE_WITHIN).await;
    }

    /// Plans, for as long as it takes: a driver in a process of its own may not be there yet. False if told to stop.
    async fn planned(&mut self, stop: &CancellationToken) -> bool {
        let mut backoff = Backoff::new();
        while !stop.is_cancelled() {
            match self.plan().await {
                Ok(()) => return true,
                Err(Fault::Link(reason)) => self.lost(&reason),
                Err(fault) => {
                    self.unusable(&fault, stop).await;
                    return false;
                }
            }
            if self.meanwhile(sleep(backoff.pause()), stop).await.is_none() {
                return false;
            }
        }
        false
    }

    async fn plan(&mut self) -> Result<(), Fault> {
        let points: Vec<PointSpec> = self.site.points.iter().filter(|point| point.access.reads()).cloned().collect();
        // Points that are only written have to be known to the driver too: it learns all of them from this call.
        let plan = self.link.plan(&self.site.devices, &self.site.points, Split::Nothing).await?;
        (self.schedule, self.unfit) = (Schedule::new(plan.steps, Instant::now()), Unfit::default());
        self.watch_points(&plan.watched);
        self.reject(&plan.rejected);
        let rejected = plan.rejected.iter().map(|(point, _)| *point);
        let planned: HashSet<PointIx> =
            self.schedule.points().chain(rejected).chain(plan.watched.iter().copied()).collect();
        let forgotten: Vec<PointIx> = points.iter().map(|point| point.ix).filter(|ix| !planned.contains(ix)).collect();
        if !forgotten.is_empty() {
            error!(link = %self.site.name, points = forgotten.len(), "The driver left points out of its plan.");
            self.publish_bad(&forgotten, Quality::BadConfig);
        }
        Ok(())
    }

    fn watch_points(&mut self, watched: &[PointIx]) {
        let sites = watched.iter().map(|point| &self.table.points[point.0 as usize]);
        for device in sites.clone().map(|site| site.device) {
            self.schedule.watch(device);
        }
        let trusted = sites.filter(|site| !site.stale_after_said);
        self.ageing.watch(trusted.filter_map(|site| Some((site.device, site.property?))));
    }

    /// A link whose driver refuses its configuration stays down; commands for it are answered.
    async fn unusable(&mut self, fault: &Fault, stop: &CancellationToken) {
        error!(link = %self.site.name, %fault, "The link cannot be used.");
        self.lost(&fault.to_string());
        let offline =
            |device: &DeviceSpec| Transition { device: device.ix, online: Online::Offline, reason: fault.to_string() };
        self.turned(self.site.devices.iter().map(offline).collect());
        self.meanwhile(std::future::pending::<()>(), stop).await;
    }

    /// Opens the wire, with backoff, for as long as it takes. False if told to stop.
    async fn connect(&mut self, backoff: &mut Backoff, stop: &CancellationToken) -> bool {
        while !stop.is_cancelled() {
            let link = self.link.clone();
            let sink = self.watches.then(|| self.inbox.clone());
            let attempt = async move {
                let by = Instant::now() + CONNECT_WITHIN;
                let info = link.connect(by).await?;
                if let Some(sink) = sink {
                    sink.found();
                    match link.watch(sink, by).await {
                        // Nothing to tell on this wire.
                        Err(Fault::Unsupported(_)) => {}
                        watched => watched?,
                    }
                }
                Ok::<_, Fault>(info)
            };
            let Some(attempt) = self.meanwhile(attempt, stop).await else { return false };
            match attempt {
                Ok(link_info) => {
                    self.concurrency = usize::from(link_info.concurrency).max(1);
                    self.status.count(|s| &s.connects, 1);
                    self.status.set_state(LinkState::Up);
                    let unknown = self.schedule.link_up(Instant::now(), link_info.settle);
                    self.turned(unknown);
                    info!(link = %self.site.name, "Link is up.");
                    return true;
                }
                Err(fault) => self.lost(&fault.to_string()),
            }
            if self.meanwhile(sleep(backoff.pause()), stop).await.is_none() {
                return false;
            }
        }
        false
    }

    /// Waits for something while the wire is down: values go on ageing, commands are answered. `None` if told to stop.
    async fn meanwhile<T>(&mut self, wanted: impl Future<Output = T>, stop: &CancellationToken) -> Option<T> {
        tokio::pin!(wanted);
        loop {
            self.flush();
            tokio::select! {
                () = stop.cancelled() => return None,
                done = &mut wanted => return Some(done),
                Some(job) = self.jobs.recv() => self.refuse(job),
                _ = self.ageing_tick.tick() => self.age(),
            }
        }
    }

    /// Serves the wire until it is lost or the gateway stops. Calls into the driver are never cancelled: what has
    /// begun is awaited.
    async fn serve(&mut self, stop: &CancellationToken) {
        let mut in_flight = InFlight::new();
        let inbox = self.inbox.clone();
        let mut lost = None;
        while lost.is_none() {
            self.flush();
            let wake = self.start(&mut in_flight);
            let room = in_flight.len() < self.concurrency;
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(ended) = in_flight.next(), if !in_flight.is_empty() => lost = self.finish_all(ended, &mut in_flight).await,
                Some(job) = self.jobs.recv(), if room => self.write(job, &in_flight),
                () = inbox.news() => lost = self.take_in(),
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if room && wake.is_some() => {}
                _ = self.ageing_tick.tick() => self.age(),
            }
            // A driver without a wire answers at once; it must not hold the thread for ever.
            consume_budget().await;
        }
        // What is said already waits for nobody: the last of them may take as long as it is allowed to.
        self.flush();
        while let Some(ended) = in_flight.next().await {
            self.finish(ended).await;
            self.flush();
        }
        if let Some(reason) = lost {
            self.lost(&reason);
        }
    }

    /// Starts what can be started: commands first, then steps that are due. Returns when the next step is due.
    fn start(&mut self, in_flight: &mut InFlight) -> Option<Instant> {
        while in_flight.len() < self.concurrency {
            if self.writes_in_row < WRITES_IN_ROW_MAX
                && let Ok(job) = self.jobs.try_recv()
            {
                self.write(job, in_flight);
                continue;
            }
            let next = self.schedule.next(Instant::now());
            self.writes_in_row = 0;
            match next {
                Next::Run(slot) => self.exec(slot, in_flight),
                Next::Wait(until) => return Some(until),
                Next::Never => return None,
            }
        }
        None
    }

    fn exec(&mut self, slot: Slot, in_flight: &InFlight) {
        let batch = self.batches.pop().unwrap_or_default();
        let step = self.schedule.step(slot).id;
        in_flight.push(Box::pin(transaction::step(self.link.clone(), slot, step, batch)));
    }

    fn write(&mut self, job: WriteJob, in_flight: &InFlight) {
        self.writes_in_row += 1;
        if self.schedule.online(job.command.device) == Online::Offline {
            return self.refuse(job);
        }
        if let Some(caused_at) = job.caused_at {
            self.status.reactions.record(Timestamp::now().since(caused_at));
        }
        in_flight.push(Box::pin(transaction::write(self.link.clone(), Box::new(job), self.table.clone())));
    }

    /// Answers a command that cannot be tried: nothing has been sent, so it has not been applied.
    fn refuse(&self, job: WriteJob) {
        let device = &self.table.things.device(job.command.device).id;
        let reason = match self.status.state() {
            LinkState::Down { reason } => format!("link {} is down: {reason}", self.site.name),
            LinkState::Connecting => format!("link {} is not connected yet", self.site.name),
            LinkState::Up => format!("{device} is offline"),
        };
        // Nobody may be waiting any more; the journal has the result all the same.
        let _ = job.done.send(CommandState::Failed { reason: reason.into() });
    }

    fn publish_bad(&mut self, points: &[PointIx], quality: Quality) {
        if points.is_empty() {
            return;
        }
        let mut batch = Batch::default();
        let now = Timestamp::now();
        points.iter().for_each(|point| batch.bad(*point, quality, now));
        self.publish_batch(&batch, &Reasons::new());
    }

    fn publish_batch(&mut self, batch: &Batch, reasons: &Reasons) {
        let (mut messages, now) = (Vec::with_capacity(1), Instant::now());
        let (binding, things) = (&self.table.binding, &self.table.things);
        let bound = binding.bind_news(things, batch, Timestamp::now(), &mut messages, |device, read| {
            self.ageing.note(device, read, now);
            self.changes.is_news(device, read, now)
        });
        self.status.count(|s| &s.readings, 1);
        self.status.count(|s| &s.values, bound.values as u64);
        self.status.count(|s| &s.bad_values, bound.bad as u64);
        self.status.count(|s| &s.suppressed, bound.suppressed as u64);
        self.publish(messages);
        self.judge(batch, reasons, bound, now);
    }

    /// Says reports and the events that they make.
    fn publish(&mut self, mut messages: Vec<Message>) {
        let mut events = vec![];
        for message in &messages {
            if let Body::Report(report) = &message.body {
                self.happenings.note(report, &self.ageing, message.time, &mut events);
            }
        }
        self.unsaid.append(&mut messages);
        self.unsaid.append(&mut events);
        if self.unsaid.len() >= UNSAID_MAX {
            self.flush();
        }
    }

    /// Appends to the journal what has been said.
    fn flush(&mut self) {
        spine::publish(&self.journal, std::mem::take(&mut self.unsaid));
    }

    fn age(&mut self) {
        self.weigh();
        if self.watches && self.status.state() == LinkState::Up {
            let schedule = &self.schedule;
            let is_there = |device| matches!(schedule.online(device), Online::Online | Online::Degraded);
            self.ageing.keep(is_there, Instant::now());
        }
        let (now, time) = (Instant::now(), Timestamp::now());
        self.forgive(now);
        let stale = self.ageing.stale(now, time);
        self.told(&stale, now);
        // What would be overdue before values are looked at again is told now: the time is a promise.
        let again = self.ageing.again(&self.changes.overdue(now + AGEING_PERIOD), time);
        self.told(&again, now);
        self.unsaid.extend(stale);
        self.unsaid.extend(again);
    }

    /// Notes what was read back after a command, which is always told.
    fn read_back(&mut self, messages: &[Message], now: Instant) {
        for message in messages {
            if let Body::Report(report) = &message.body {
                report.values.iter().for_each(|read| self.ageing.note(report.device, read, now));
            }
        }
        self.told(messages, now);
    }

    /// Notes what is told whether it is news or not.
    fn told(&mut self, messages: &[Message], now: Instant) {
        for message in messages {
            if let Body::Report(report) = &message.body {
                self.changes.note(report, now);
            }
        }
    }

    /// How busy the readings keep the wire.
    fn weigh(&mut self) {
        let load = self.schedule.load(self.concurrency);
        self.status.load_permille.store((load * 1e3) as u64, Relaxed);
        let percent = (load * 100.0).round();
        match self.overload.look(load, Instant::now()) {
            Some(Turn::Overloaded) => warn!(
                link = %self.site.name,
                percent,
                "The readings want more time than the wire has; `edgeway check --plan` says which to slow down."
            ),
            Some(Turn::Relieved) => info!(link = %self.site.name, percent, "The wire bears its readings again."),
            None => {}
        }
    }

    fn lost(&mut self, reason: &str) {
        let is_news = match self.status.state() {
            LinkState::Down { reason: before } => is_other_reason(&before, reason),
            _ => true,
        };
        if is_news {
            warn!(link = %self.site.name, %reason, "Link is down.");
        }
        self.status.set_state(LinkState::Down { reason: reason.to_owned() });
        let transitions = self.schedule.link_lost(reason);
        self.turned(transitions);
    }

    /// Says that devices came or went.
    fn turned(&mut self, transitions: Vec<Transition>) {
        let mut messages = vec![];
        for Transition { device, online, reason } in transitions {
            self.log_turn(device, online, &reason);
            let status = Status { device, online, reason: reason.into() };
            messages.push(spine::message(Body::Status(status)));
            if online == Online::Offline {
                messages.extend(self.ageing.never_read(device, Timestamp::now()));
            }
        }
        self.told(&messages, Instant::now());
        self.unsaid.append(&mut messages);
    }

    fn log_turn(&self, device: DeviceIx, online: Online, reason: &str) {
        let device = &self.table.things.device(device).id;
        match online {
            Online::Offline => warn!(link = %self.site.name, %device, reason, "Device is offline."),
            Online::Degraded => warn!(link = %self.site.name, %device, reason, "Device is degraded."),
            Online::Online => info!(link = %self.site.name, %device, "Device is online."),
            Online::Unknown => {}
        }
    }
}

#[cfg(test)]
mod tests;
