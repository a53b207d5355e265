//! The queries' task: messages in, rows out.
//!
//! A query's progress is the offset of the oldest message in a window that is still open, and the end of the last window
//! that was closed. After a restart the journal is read again from that offset, so no window loses a value, and windows that
//! were already out are not made again. Progress is saved every few seconds and at a regular stop. After a crash the
//! rows of those seconds are made once more, with the same ids.

use crate::spine::{self, MessageJournal};
use edgeway_journal::{Level, StateStore};
use edgeway_sdk::Timestamp;
use edgeway_streams::{Progress, Queries};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How many messages are taken in at a time.
const FETCH: usize = 1024;
/// How long messages may gather before they are taken in: to be woken for each of them would cost more than the work.
const GATHER: Duration = Duration::from_millis(20);
/// How often idle inputs are looked at.
const ADVANCE_PERIOD: Duration = Duration::from_secs(1);
/// How often progress is saved, in advances.
const SAVE_EVERY: u32 = 5;
/// How long the last rows may take to become durable.
const FLUSH_WITHIN: Duration = Duration::from_millis(300);
/// Where progress is kept.
const KEY: &[u8] = b"queries/1";

/// The loaded queries, shared between their task and the API.
pub(crate) struct QueryHost {
    queries: Mutex<Queries>,
    journal: MessageJournal,
    store: StateStore,
    /// The offset of the next message.
    position: AtomicU64,
    /// Progress that may be saved once the journal is durable up to this head.
    held: Mutex<Option<(u64, Vec<u8>)>>,
}

impl QueryHost {
    /// Takes the queries up where they were left.
    pub(crate) fn new(mut queries: Queries, journal: MessageJournal, store: StateStore) -> Self {
        let saved = store.get(KEY).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut progress: Vec<Progress> = saved.unwrap_or_default();
        // Progress beyond the journal's end is of another journal.
        progress.retain(|progress| progress.resume_offset <= journal.head());
        queries.restore(&progress);
        let from = queries.resume_offset().unwrap_or_else(|| journal.head()).clamp(journal.first(), journal.head());
        QueryHost {
            queries: Mutex::new(queries),
            journal,
            store,
            position: AtomicU64::new(from),
            held: Mutex::default(),
        }
    }

    /// How far the queries have come in the journal.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    /// Looks at the queries.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Queries) -> T) -> T {
        look(&self.queries.lock())
    }

    fn push(&self, entries: &[(u64, Arc<edgeway_thing_models::Message>)]) {
        let mut rows = vec![];
        self.queries.lock().push(Timestamp::now(), entries, &mut rows);
        self.publish(rows);
    }

    fn advance(&self) {
        let mut rows = vec![];
        self.queries.lock().advance(Timestamp::now(), &mut rows);
        self.publish(rows);
    }

    fn publish(&self, rows: Vec<edgeway_thing_models::Message>) {
        spine::publish(&self.journal, rows);
    }

    /// Saves the progress held since the last time, now that the rows told until then are durable, and holds the present.
    fn save(&self) {
        let mut held = self.held.lock();
        match held.take() {
            Some((head, bytes)) if head <= self.journal.durable_head() => self.store.put(KEY, bytes),
            _ => {}
        }
        let progress = self.queries.lock().progress();
        *held = Some((self.journal.head(), serde_json::to_vec(&progress).expect("progress serialises to memory")));
    }
}

/// Runs the queries until told to stop.
pub(crate) async fn run(host: Arc<QueryHost>, stop: CancellationToken) {
    let mut reader = host.journal.reader(host.position(), Level::Appended);
    let mut advance = interval(ADVANCE_PERIOD);
    advance.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut until_save = SAVE_EVERY;
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
                until_save -= 1;
                if until_save == 0 {
                    until_save = SAVE_EVERY;
                    host.save();
                }
            }
        }
    }
    host.save();
    // The last rows become durable within milliseconds, or, on a failing disk, not at all.
    if tokio::time::timeout(FLUSH_WITHIN, host.journal.flush()).await.is_ok_and(|flushed| flushed.is_ok()) {
        host.save();
    }
}
