//! The loop of one route.

mod greeting;
mod opening;
mod settling;

use super::books::{End, Lane};
use super::desk::{RouteState, Trouble};
use super::inflight::{Batch, Ended, InFlight, Part, Source};
use super::packer::{Manner, Packed, Packer, Parcel};
use super::rate::{Lanes, Pace};
use super::reader::{Gathered, Intake, Taken};
use crate::app::Part as AppPart;
use crate::backoff::Backoff;
use crate::deadletters::DeadLetters;
use crate::spine::{self, MessageJournal};
use async_trait::async_trait;
use edgeway_journal::LostRange;
use edgeway_site::Order;
use edgeway_targets::{Delivery, Incoming, Target, TargetError};
use edgeway_thing_models::GatewayId;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// Messages of the journal that a route looks at at a time.
const FETCH: usize = 256;
/// Deliveries and messages under way, at most; a target that gathers whole files has no limit in messages.
const DELIVERIES_MAX: usize = 1024;
const MESSAGES_MAX: u64 = 8192;
/// How long a target may be silent while something is under way before it counts as away.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// How long the last payloads of a gateway that stops may take to be acknowledged.
const DRAIN_WITHIN: Duration = Duration::from_millis(600);
/// How often a route looks around even if nobody tells it anything.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A backlog is what lies this many offsets behind; then new messages may overtake it, if the route's rate says so.
const BACKLOG: u64 = 1000;
/// The pause between attempts where a person has to act.
const DENIED_PAUSE: Duration = Duration::from_secs(30);

/// The task of one route.
pub(crate) struct Route {
    state: Arc<RouteState>,
    target: Box<dyn Target>,
    /// What the far end says over the present connection, where it can.
    incoming: Option<mpsc::Receiver<Incoming>>,
    /// It settles files, not messages: what is under way has no limit in messages.
    gathers: bool,
    packer: Packer,
    intake: Intake,
    flight: InFlight,
    gathered: HashMap<Source, Gathered>,
    batch_age: Duration,
    order: Order,
    pace: Option<Pace>,
    /// Messages below this offset go alone, by source: a payload of several was refused.
    singly_below: HashMap<Source, u64>,
    letters: Arc<DeadLetters>,
    journal: MessageJournal,
    gateway: GatewayId,
    clock_changes: watch::Receiver<u64>,
    /// When something that waits may go.
    wake_at: Option<Instant>,
}

/// Why sending has ended.
enum Over {
    /// The gateway stops.
    Stopped,
    /// The connection is of no use any more.
    Lost(TargetError),
    /// To be begun anew at once: people want another place, or a payload has to be taken apart.
    Anew,
}

impl From<TargetError> for Over {
    fn from(error: TargetError) -> Self {
        Over::Lost(error)
    }
}

#[async_trait]
impl AppPart for Route {
    fn name(&self) -> String {
        format!("route {}", self.state.name)
    }

    async fn run(&mut self, stop: CancellationToken) {
        self.run_until(&stop).await;
    }
}

impl Route {
    pub(crate) fn state(&self) -> Arc<RouteState> {
        self.state.clone()
    }

    /// Sends until told to stop, then what is durable by then, as far as that is quick.
    async fn run_until(&mut self, stop: &CancellationToken) {
        let mut backoff = Backoff::new();
        loop {
            self.grant_seek();
            let delivered = self.state.total().delivered;
            let ended = match stop.run_until_cancelled(self.connect()).await {
                None => break,
                Some(Err(error)) => Over::Lost(error),
                Some(Ok(())) => self.serve(stop).await,
            };
            self.give_back();
            // A target that lets us in and takes nothing is not asked again and again at once.
            if self.state.total().delivered > delivered {
                backoff = Backoff::new();
            }
            let pause = match ended {
                Over::Stopped => break,
                Over::Anew => continue,
                Over::Lost(error) => self.disconnected(&error, &mut backoff),
            };
            if stop.run_until_cancelled(rest(self.state.clone(), pause)).await.is_none() {
                break;
            }
        }
        self.target.close().await;
        self.state.commit();
    }

    /// Sends from the route's places on, until something ends that.
    async fn serve(&mut self, stop: &CancellationToken) -> Over {
        let mut heard = Instant::now();
        loop {
            if self.state.wishes.lock().seek.is_some() {
                return Over::Anew;
            }
            if let Err(ended) = self.pump().await {
                return ended;
            }
            if self.flight.is_empty() {
                heard = Instant::now();
            }
            let silent_at = heard + SILENT_MAX;
            let wake_at = self.wake_at.take().unwrap_or_else(|| Instant::now() + LOOK_EVERY);
            tokio::select! {
                biased;
                () = stop.cancelled() => return self.drain().await,
                outcomes = self.target.settle() => {
                    heard = Instant::now();
                    match outcomes {
                        Ok(outcomes) => if let Err(ended) = self.settle(outcomes).await { return ended },
                        Err(error) => return Over::Lost(error),
                    }
                }
                said = greeting::next(&mut self.incoming) => if let Err(ended) = self.hear(&said).await { return ended },
                () = self.state.news.notified() => {}
                Ok(()) = self.clock_changes.changed() => {}
                () = tokio::time::sleep_until(wake_at.into()) => {}
            }
            if !self.gathers && !self.flight.is_empty() && Instant::now() > silent_at {
                let reason = format!("nothing was acknowledged for {} s", SILENT_MAX.as_secs());
                return Over::Lost(TargetError::Away(reason));
            }
        }
    }

    /// What is durable and what is under way, as far as that is quick.
    async fn drain(&mut self) -> Over {
        let until = Instant::now() + DRAIN_WITHIN;
        let all = async {
            loop {
                self.pump().await?;
                if self.flight.is_empty() && self.gathered.is_empty() {
                    return Ok(());
                }
                let outcomes = match self.gathers {
                    true => self.target.finish().await?,
                    false => self.target.settle().await?,
                };
                self.settle(outcomes).await?;
            }
        };
        // Whatever ended it: the gateway stops.
        let _ = tokio::time::timeout_at(until.into(), async { all.await as Result<(), Over> }).await;
        Over::Stopped
    }

    /// Sends all that may be sent now.
    async fn pump(&mut self) -> Result<(), Over> {
        if self.state.paused.load(Relaxed) {
            return Ok(());
        }
        self.redrive().await?;
        while self.has_room() {
            let Some(gathered) = self.next_gathered()? else { break };
            self.dispatch(gathered).await?;
        }
        self.clear_up();
        Ok(())
    }

    fn has_room(&self) -> bool {
        let messages = self.gathers || self.flight.messages() < MESSAGES_MAX;
        messages && (self.gathers || self.flight.deliveries() < DELIVERIES_MAX)
    }

    /// Where messages come from, the most urgent first.
    fn sources(&mut self) -> Vec<Source> {
        if self.order == Order::Strict {
            return vec![Source::All];
        }
        let classes = self.intake.classes();
        let mut books = self.state.books.lock();
        let mut sources = vec![];
        for class in classes {
            let places = books.places(class);
            if self.pace.as_ref().is_some_and(Pace::overtakes) && places.counted > places.read + BACKLOG {
                books.overtake(class);
            }
            if books.places(class).live.is_some() {
                sources.push(Source::Class(class, Lane::Live));
            }
            sources.push(Source::Class(class, Lane::Main));
        }
        sources
    }

    /// The next messages that are due; `None` if there are none now.
    fn next_gathered(&mut self) -> Result<Option<Gathered>, Over> {
        let sources = self.sources();
        let lanes = match sources.iter().any(|source| matches!(source, Source::Class(_, Lane::Live))) {
            true => Lanes::Two,
            false => Lanes::One,
        };
        for source in sources {
            if self.must_wait(source, lanes) {
                continue;
            }
            if self.gather(source)?
                && let Some(gathered) = self.gathered.remove(&source)
            {
                return Ok(Some(gathered));
            }
        }
        Ok(None)
    }

    fn must_wait(&mut self, source: Source, lanes: Lanes) -> bool {
        let Some(pace) = &mut self.pace else { return false };
        let now = Instant::now();
        let Some(wait) = pace.wait(lane(source), lanes, now) else { return false };
        self.wake(now + wait);
        true
    }

    fn wake(&mut self, at: Instant) {
        self.wake_at = Some(self.wake_at.map_or(at, |known| known.min(at)));
    }

    /// Reads on in a source. True if what was gathered there is due.
    fn gather(&mut self, source: Source) -> Result<bool, Over> {
        loop {
            if let Some(gathered) = self.gathered.get(&source) {
                let due_at = gathered.since + self.batch_age;
                if gathered.messages.len() >= self.packer.messages_max() || due_at <= Instant::now() {
                    return Ok(true);
                }
                self.wake(due_at);
            }
            let most = FETCH.max(self.packer.messages_max().min(4 * FETCH));
            let taken = self.intake.take(source, most, &mut self.state.books.lock());
            match taken.map_err(unreadable)? {
                Taken::Nothing | Taken::Held => return Ok(false),
                Taken::Lost(lost) => self.note_lost(&lost),
                Taken::Some(more) => self.add(more),
            }
        }
    }

    fn add(&mut self, more: Gathered) {
        match self.gathered.get_mut(&more.source) {
            Some(gathered) => {
                gathered.messages.extend(more.messages);
                gathered.expired.extend(more.expired);
                gathered.next = more.next;
            }
            None => drop(self.gathered.insert(more.source, more)),
        }
    }

    /// Packs and sends what was gathered.
    async fn dispatch(&mut self, gathered: Gathered) -> Result<(), Over> {
        let Gathered { source, messages, expired: gathered_expired, next, .. } = gathered;
        let manner = self.manner(source, &messages);
        if !gathered_expired.is_empty() {
            self.state.unsaved.store(true, Relaxed);
        }
        let expired =
            |(offset, holder)| Ended { offsets: (offset, offset), holders: vec![(holder, 1)], end: End::Expired };
        let ends = gathered_expired.into_iter().map(expired).collect();
        let (mut deliveries, mut parts) = (vec![], VecDeque::new());
        for parcel in self.packer.pack(messages, manner) {
            match parcel {
                Parcel::Delivery(delivery, contents) => {
                    deliveries.push(delivery);
                    parts.push_back(Part::Sent(contents));
                }
                Parcel::Unfit(message, reason) => parts.push_back(Part::Unfit(Box::new(message), reason)),
            }
        }
        self.spend(source, &deliveries);
        self.flight.push(Batch { source, next, parts, ends });
        self.send(deliveries).await
    }

    fn manner(&mut self, source: Source, messages: &[Packed]) -> Manner {
        let Some(below) = self.singly_below.get(&source) else { return Manner::Together };
        if messages.first().is_some_and(|message| message.offset < *below) {
            return Manner::Singly;
        }
        self.singly_below.remove(&source);
        Manner::Together
    }

    fn spend(&mut self, source: Source, deliveries: &[Delivery]) {
        let messages: u64 = deliveries.iter().map(|delivery| delivery.messages).sum();
        let bytes: u64 = deliveries.iter().map(bytes).sum();
        self.state.sent.fetch_add(messages, Relaxed);
        metrics::counter!("edgeway_route_sent_bytes_total", "route" => self.state.name.to_string()).increment(bytes);
        if let Some(pace) = &mut self.pace {
            pace.spend(lane(source), messages, bytes);
        }
    }

    async fn send(&mut self, deliveries: Vec<Delivery>) -> Result<(), Over> {
        let outcomes = match deliveries.is_empty() {
            true => vec![],
            false => timeout(SILENT_MAX, self.target.send(deliveries)).await.unwrap_or_else(|_| {
                Err(TargetError::Away(format!("nothing was taken for {} s", SILENT_MAX.as_secs())))
            })?,
        };
        self.settle(outcomes).await
    }

    /// Nothing is under way any more; it will be read and sent again.
    fn give_back(&mut self) {
        self.state.connected.store(false, Relaxed);
        self.flight.clear();
        self.gathered.clear();
        self.state.books.lock().rewind();
    }

    fn grant_seek(&mut self) {
        let Some(targets) = self.state.wishes.lock().seek.take() else { return };
        self.state.books.lock().seek(targets);
        self.state.unsaved.store(true, Relaxed);
        self.state.commit();
        info!(route = %self.state.name, "The route goes on at another place, as asked.");
    }

    /// If everything is settled, whatever is still missing was lost.
    fn clear_up(&mut self) {
        if !self.flight.is_empty() || !self.gathered.is_empty() {
            return;
        }
        let lost = self.state.books.lock().clear_up();
        if lost > 0 {
            let head = self.journal.head();
            self.state.unsaved.store(true, Relaxed);
            self.say("lost from the journal", head, head, lost);
        }
    }

    fn say(&self, reason: &str, from: u64, to: u64, count: u64) {
        spine::publish(&self.journal, vec![spine::ledger(&self.state.name, reason, from, to, count)]);
    }

    /// The journal has lost messages that this route had not sent. How many of them it would have taken comes out once
    /// it has sent the rest; what was removed for space is in the books already.
    fn note_lost(&self, lost: &LostRange) {
        warn!(route = %self.state.name, from = lost.from, to = lost.to, reason = lost.reason.as_str(), "Messages are missing in the journal.");
    }

    /// The target takes what it is given. One line at the change.
    fn well_again(&self) {
        if self.state.trouble.lock().take().is_some() {
            info!(route = %self.state.name, "Route delivers again.");
        }
    }

    /// One line at the change; the state tells the rest. Returns how long to wait.
    fn disconnected(&self, error: &TargetError, backoff: &mut Backoff) -> Duration {
        let (kind, pause) = match error {
            TargetError::Throttled { after, .. } => ("throttled", *after),
            TargetError::Denied(_) => ("denied", DENIED_PAUSE.max(backoff.pause())),
            _ => ("away", backoff.pause()),
        };
        let trouble = Trouble { kind, reason: error.to_string() };
        let known = self.state.trouble.lock().replace(trouble);
        if known.is_none_or(|known| known.kind != kind) {
            match kind {
                "denied" => {
                    error!(route = %self.state.name, %error, "The target refuses this route; its messages wait in the journal.")
                }
                _ => {
                    warn!(route = %self.state.name, %error, "Route is disconnected; its messages wait in the journal.")
                }
            }
        }
        pause
    }
}

/// Waits before the next attempt, or until people want another place.
async fn rest(state: Arc<RouteState>, pause: Duration) {
    let asked = async {
        while state.wishes.lock().seek.is_none() {
            state.news.notified().await;
        }
    };
    let _ = timeout(pause, asked).await;
}

fn lane(source: Source) -> Lane {
    match source {
        Source::Class(_, lane) => lane,
        Source::All | Source::Letter(_) | Source::Greeting => Lane::Main,
    }
}

fn bytes(delivery: &Delivery) -> u64 {
    match &delivery.content {
        edgeway_formats::Content::Bytes(bytes, _) => bytes.len() as u64,
        edgeway_formats::Content::Table(table) => table.batch.get_array_memory_size() as u64,
    }
}

fn unreadable(error: edgeway_journal::Error) -> Over {
    Over::Lost(TargetError::Away(format!("the journal cannot be read: {error}")))
}
