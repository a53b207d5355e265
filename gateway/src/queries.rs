//! The queries' task: messages in, rows out.
//!
//! What the queries remember is kept in a file every few seconds and at a regular stop, together with the offset up to
//! which they have seen the journal. After a restart they take it up and read on from there, so no window loses a value.
//! After a crash the rows of the last seconds are made once more, with the same ids.

mod kept;
mod reload;
mod warm;

use crate::spine::{self, MessageJournal};
use edgeway_journal::Level;
use edgeway_sdk::Timestamp;
use edgeway_streams::Queries;
use edgeway_thing_models::Message;
pub(crate) use kept::Kept;
use parking_lot::Mutex;
pub(crate) use reload::{ReloadError, Reloaded, Running};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How many messages are taken in at a time.
const FETCH: usize = 1024;
/// How long messages may gather before they are taken in: to be woken for each of them would cost more than the work.
const GATHER: Duration = Duration::from_millis(20);
/// How often idle inputs are looked at.
const ADVANCE_PERIOD: Duration = Duration::from_secs(1);
/// How often the state is held to be kept, in advances.
const HOLD_EVERY: u32 = 5;
/// How long the last rows may take to become durable.
const FLUSH_WITHIN: Duration = Duration::from_millis(300);

/// The loaded queries, shared between their task and the API.
pub(crate) struct QueryHost {
    queries: Mutex<Queries>,
    journal: MessageJournal,
    kept: Mutex<Kept>,
    /// Taken while queries are reloaded.
    reloading: Mutex<()>,
    /// The offset of the next message.
    position: AtomicU64,
    /// State that may be kept once the journal is durable up to this head.
    held: Mutex<Option<(u64, Vec<u8>)>>,
}

impl QueryHost {
    /// Takes the queries up where they were left, by the state in the data folder.
    pub(crate) fn new(mut queries: Queries, journal: MessageJournal, data: &Path) -> Self {
        let kept = Kept::new(data);
        queries.measure(nanos);
        restore(&mut queries, &kept, &journal);
        if queries.next_offset().is_none() {
            begin(&mut queries, &kept, journal.head());
        }
        let from = queries.next_offset().unwrap_or_else(|| journal.head()).clamp(journal.first(), journal.head());
        let (queries, position, held) = (Mutex::new(queries), AtomicU64::new(from), Mutex::default());
        QueryHost { queries, journal, kept: Mutex::new(kept), reloading: Mutex::default(), position, held }
    }

    /// How far the queries have come in the journal.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    /// Looks at the queries.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Queries) -> T) -> T {
        look(&self.queries.lock())
    }

    fn push(&self, entries: &[(u64, Arc<Message>)]) {
        // Locked until the rows are in the journal: a state that is held in between would be of rows that nobody has.
        let (mut queries, mut rows) = (self.queries.lock(), vec![]);
        queries.push(Timestamp::now(), entries, &mut rows);
        self.publish(rows);
    }

    fn advance(&self) {
        let (mut queries, mut rows) = (self.queries.lock(), vec![]);
        queries.advance(Timestamp::now(), &mut rows);
        self.publish(rows);
    }

    fn publish(&self, rows: Vec<Message>) {
        spine::publish(&self.journal, rows);
    }

    /// Holds the present state, to be kept once the rows told until now are durable.
    fn hold(&self) {
        match self.queries.lock().save() {
            Ok(bytes) => *self.held.lock() = Some((self.journal.head(), bytes)),
            Err(error) => error!(%error, "The state of the queries cannot be written down."),
        }
    }

    /// Keeps the state that is held as soon as what it stands for is durable, which takes milliseconds, or, on a failing disk,
    /// does not come.
    pub(crate) async fn settle(&self) {
        if tokio::time::timeout(FLUSH_WITHIN, self.journal.flush()).await.is_ok_and(|flushed| flushed.is_ok()) {
            self.keep();
        }
    }

    /// Keeps the state that is held, if what it stands for is durable.
    fn keep(&self) {
        // One after the other: they write to the same file.
        let kept = self.kept.lock();
        let held = self.held.lock().take_if(|(head, _)| *head <= self.journal.durable_head());
        if let Some((_, bytes)) = held
            && let Err(error) = kept.keep(&bytes)
        {
            warn!(%error, "The state of the queries cannot be kept; the last one stays.");
        }
    }
}

/// Notes where the queries begin, so that a crash before their first state is kept loses nothing either.
fn begin(queries: &mut Queries, kept: &Kept, head: u64) {
    queries.begin_at(head);
    if let Err(error) = queries
        .save()
        .map_err(|error| error.to_string())
        .and_then(|bytes| kept.keep(&bytes).map_err(|error| error.to_string()))
    {
        warn!(error, "The state of the queries cannot be kept.");
    }
}

/// A clock that nobody sets.
fn nanos() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Takes up what was kept. A state that cannot be used is put away, and the queries begin anew.
fn restore(queries: &mut Queries, kept: &Kept, journal: &MessageJournal) {
    let bytes = match kept.load() {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return,
        Err(error) => return error!(%error, "The state of the queries cannot be read: they begin anew."),
    };
    match queries.restore(Timestamp::now(), journal.head(), &bytes) {
        Ok(restored) if restored.anew.is_empty() => {}
        Ok(restored) => info!(queries = restored.anew.join(", "), "Some queries are new or changed: they begin anew."),
        Err(reason) => match kept.put_away() {
            Ok(away) => {
                error!(%reason, away = %away.display(), "The state of the queries is put away: they begin anew.")
            }
            Err(error) => error!(%reason, %error, "The state of the queries cannot be used: they begin anew."),
        },
    }
}

/// Runs the queries until told to stop.
pub(crate) async fn run(host: Arc<QueryHost>, stop: CancellationToken) {
    let mut reader = host.journal.reader(host.position(), Level::Appended);
    let mut advance = interval(ADVANCE_PERIOD);
    advance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first state is held soon: a gateway that is restarted again and again gets on all the same.
    let mut until_held = 2;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            fetched = reader.next(FETCH) => match fetched {
                Ok(fetched) => {
                    if let Some(lost) = &fetched.lost {
                        error!(from = lost.from, to = lost.to, "Queries have missed messages.");
                        spine::publish(&host.journal, vec![spine::lost("queries", lost)]);
                    }
                    let entries: Vec<_> = fetched.entries.into_iter().map(|entry| (entry.offset, entry.item)).collect();
                    // Before they are taken in: after a panic the messages that caused it are not taken in again.
                    host.position.store(reader.position(), Relaxed);
                    host.push(&entries);
                    if entries.len() < FETCH {
                        sleep(GATHER).await;
                    }
                }
                Err(error) => {
                    warn!(%error, "Queries cannot follow the journal.");
                    tokio::time::sleep(ADVANCE_PERIOD).await;
                }
            },
            _ = advance.tick() => {
                // While a backlog is read again, the wall clock says nothing about what is still to come.
                if reader.position() >= host.journal.head() {
                    host.advance();
                }
                host.keep();
                until_held -= 1;
                if until_held == 0 {
                    until_held = HOLD_EVERY;
                    host.hold();
                }
            }
        }
    }
    host.keep();
    host.hold();
    host.settle().await;
}
