//! The router: each route is a task with a cursor of its own.
//!
//! A route takes what is durable, keeps what its subjects match, makes payloads, sends them, and moves its cursor once they
//! are acknowledged. A target that is away is a cursor that waits: nothing else notices, and nothing is copied. What was
//! sent but not acknowledged is sent again after a reconnect, in the same order and with the same ids.

mod packer;
mod select;

use crate::app::Part;
use crate::backoff::Backoff;
use crate::spine::{self, MessageJournal};
use crate::targets::{self, Delivery, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_journal::{Cursor, Fetched, Level, LostRange, Reader};
use edgeway_site::{RouteSite, Start, TargetSite};
use edgeway_thing_models::{Message, Things};
use packer::Packer;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How the names of routes' cursors begin.
pub(crate) const CURSOR: &str = "route/";
/// How many messages a route looks at for one send.
const FETCH: usize = 128;
/// How long a target may take to acknowledge a batch before it counts as away.
const SEND_WITHIN: Duration = Duration::from_secs(60);
/// How long the last payloads of a gateway that stops may take to be acknowledged.
const DRAIN_WITHIN: Duration = Duration::from_millis(600);

/// What a route shows of itself.
#[derive(Default)]
pub(crate) struct RouteStatus {
    /// Messages handed to the target, repeats included.
    pub(crate) sent: AtomicU64,
    /// Messages that the target has acknowledged.
    pub(crate) acked: AtomicU64,
    /// Messages that the target will never get; each is in the ledger.
    pub(crate) dropped: AtomicU64,
    /// Where the cursor is.
    pub(crate) position: AtomicU64,
    pub(crate) connected: AtomicBool,
    /// Why it is not connected.
    pub(crate) trouble: Mutex<Option<String>>,
}

impl RouteStatus {
    /// Messages of the journal that the route has not dealt with, those that it will pass over included.
    pub(crate) fn queued(&self, head: u64) -> u64 {
        head.saturating_sub(self.position.load(Relaxed))
    }
}

/// The task of one route.
pub(crate) struct Route {
    name: Arc<str>,
    packer: Packer,
    batch_age: Duration,
    target: Box<dyn Target>,
    journal: MessageJournal,
    cursor: Cursor,
    status: Arc<RouteStatus>,
}

/// What all routes share.
pub(crate) struct Surroundings<'a> {
    pub(crate) gateway: &'a str,
    pub(crate) site_name: &'a str,
    pub(crate) things: &'a Arc<Things>,
    pub(crate) journal: &'a MessageJournal,
}

#[async_trait]
impl Part for Route {
    fn name(&self) -> String {
        format!("route {}", self.name)
    }

    async fn run(&mut self, stop: CancellationToken) {
        self.run_until(&stop).await;
    }
}

impl Route {
    /// Makes the task, without any I/O but opening its cursor.
    pub(crate) fn new(
        site: &RouteSite,
        target: &TargetSite,
        around: &Surroundings<'_>,
    ) -> Result<Self, edgeway_journal::Error> {
        let start = match site.from {
            // Where a lost cursor was, nobody knows: better twice than never.
            _ if around.journal.recovery().cursors_lost > 0 => edgeway_journal::Start::First,
            Start::Oldest => edgeway_journal::Start::First,
            Start::Now => edgeway_journal::Start::Head,
        };
        let cursor = around.journal.cursor(&format!("{CURSOR}{}", site.name), start)?;
        let status = Arc::new(RouteStatus::default());
        status.position.store(cursor.position(), Relaxed);
        Ok(Route {
            name: site.name.clone(),
            packer: Packer::new(site, around),
            batch_age: site.batch_age,
            target: targets::open(&site.name, target),
            journal: around.journal.clone(),
            cursor,
            status,
        })
    }

    pub(crate) fn status(&self) -> Arc<RouteStatus> {
        self.status.clone()
    }

    /// Sends until told to stop, then what is durable by then, as far as that is quick.
    async fn run_until(&mut self, stop: &CancellationToken) {
        let mut backoff = Backoff::new();
        loop {
            let Some(connected) = stop.run_until_cancelled(self.target.connect()).await else { break };
            match connected {
                Ok(()) => {
                    self.status.connected.store(true, Relaxed);
                    let acked = self.status.acked.load(Relaxed);
                    let Err(error) = self.serve(stop).await else { break };
                    // A target that lets us in and takes nothing is not asked again and again at once.
                    if self.status.acked.load(Relaxed) > acked {
                        backoff = Backoff::new();
                    }
                    self.disconnected(&error);
                }
                Err(error) => self.disconnected(&error),
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(backoff.pause()) => {}
            }
        }
        self.target.close().await;
    }

    /// Sends from the cursor on. `Ok` if told to stop.
    async fn serve(&mut self, stop: &CancellationToken) -> Result<(), TargetError> {
        let mut reader = self.journal.reader(self.cursor.position(), Level::Durable);
        loop {
            let fetched = tokio::select! {
                biased;
                () = stop.cancelled() => return self.drain(reader).await,
                fetched = self.fetch(&mut reader) => fetched?,
            };
            self.deliver(fetched, reader.position()).await?;
        }
    }

    /// The next messages; if the route packs several into a payload, waits a little for more.
    async fn fetch(&self, reader: &mut Reader<crate::codec::MessageCodec>) -> Result<Fetched<Message>, TargetError> {
        let mut fetched = reader.next(FETCH).await.map_err(unreadable)?;
        let until = Instant::now() + self.batch_age;
        while fetched.entries.len() < self.packer.messages_max() && fetched.lost.is_none() {
            let Ok(more) = timeout_at(until, reader.next(FETCH - fetched.entries.len())).await else { break };
            let more = more.map_err(unreadable)?;
            fetched.entries.extend(more.entries);
            fetched.lost = more.lost;
        }
        Ok(fetched)
    }

    async fn drain(&mut self, mut reader: Reader<crate::codec::MessageCodec>) -> Result<(), TargetError> {
        // What was fetched and still waited for others of its payload has not been sent.
        reader.seek(self.cursor.position());
        let until = Instant::now() + DRAIN_WITHIN;
        while let Ok(Some(fetched)) = reader.try_next(FETCH).map_err(unreadable) {
            match timeout_at(until, self.deliver(fetched, reader.position())).await {
                Ok(delivered) => delivered?,
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Sends what was fetched and moves the cursor past it.
    async fn deliver(&mut self, fetched: Fetched<Message>, next: u64) -> Result<(), TargetError> {
        let deliveries = self.packer.pack(&fetched.entries);
        if !deliveries.is_empty() {
            let messages = deliveries.iter().map(|delivery| delivery.messages).sum();
            self.status.sent.fetch_add(messages, Relaxed);
            let outcomes =
                timeout(SEND_WITHIN, self.target.send(&deliveries)).await.unwrap_or_else(|_| Err(unanswered()))?;
            self.settle(&deliveries, &outcomes);
            self.delivered();
        }
        // Only now: had the target gone away, the same would be fetched, and counted, again.
        if let Some(lost) = &fetched.lost {
            self.note_lost(lost);
        }
        self.cursor.commit(next);
        self.status.position.store(next, Relaxed);
        Ok(())
    }

    fn settle(&self, deliveries: &[Delivery], outcomes: &[Outcome]) {
        for (delivery, outcome) in deliveries.iter().zip(outcomes) {
            match outcome {
                Outcome::Acknowledged => drop(self.status.acked.fetch_add(delivery.messages, Relaxed)),
                Outcome::Refused(reason) => {
                    error!(route = %self.name, topic = delivery.topic, reason, "The target refused a message for good.");
                    self.status.dropped.fetch_add(delivery.messages, Relaxed);
                    let ((from, to), reason) = (delivery.offsets, format!("refused by target: {reason}"));
                    spine::publish(
                        &self.journal,
                        vec![spine::ledger(&self.name, &reason, from, to, delivery.messages)],
                    );
                }
            }
        }
    }

    /// The journal has dropped messages that this route had not sent.
    fn note_lost(&self, lost: &LostRange) {
        error!(route = %self.name, from = lost.from, to = lost.to, reason = lost.reason.as_str(), "Messages are lost to this route.");
        self.status.dropped.fetch_add(lost.count(), Relaxed);
        spine::publish(&self.journal, vec![spine::lost(&self.name, lost)]);
    }

    /// The target takes what it is given. One line at the change.
    fn delivered(&self) {
        if self.status.trouble.lock().take().is_some() {
            info!(route = %self.name, "Route delivers again.");
        }
    }

    /// One line at the change; the state tells the rest.
    fn disconnected(&self, error: &TargetError) {
        let first = self.status.trouble.lock().replace(error.to_string()).is_none();
        self.status.connected.store(false, Relaxed);
        if first {
            warn!(route = %self.name, %error, "Route is disconnected; its messages wait in the journal.");
        }
    }
}

fn unanswered() -> TargetError {
    TargetError::Away(format!("nothing was acknowledged for {} s", SEND_WITHIN.as_secs()))
}

fn unreadable(error: edgeway_journal::Error) -> TargetError {
    TargetError::Away(format!("the journal cannot be read: {error}"))
}
