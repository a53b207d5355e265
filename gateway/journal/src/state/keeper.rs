//! The thread that writes the state down.

use super::{Digest, Progress, State, StateOptions, Value, database::Database};
use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long changes are collected if nobody waits for them.
const COLLECT: Duration = Duration::from_millis(50);
/// How long after a failure the next try is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(3600);

pub(crate) struct Keeper {
    state: Arc<State>,
    /// None after a failure: sled takes no more then.
    database: Option<Database>,
    dir: PathBuf,
    options: StateOptions,
    retry_at: Option<Instant>,
    _lock: File,
}

/// Nobody waits for a thread that has ended, even if it panicked.
impl Drop for Keeper {
    fn drop(&mut self) {
        self.state.progress.send_modify(|progress| progress.ended = true);
    }
}

/// What one write takes.
struct Changes {
    values: Vec<(Vec<u8>, Option<Value>)>,
    /// Of the whole map once they are applied.
    digest: Digest,
    number: u64,
}

impl Keeper {
    pub(crate) fn new(state: Arc<State>, database: Database, dir: &Path, options: StateOptions, lock: File) -> Self {
        Keeper { state, database: Some(database), dir: dir.into(), options, retry_at: None, _lock: lock }
    }

    /// Until the store is closed.
    pub(crate) fn run(mut self) {
        loop {
            let closing = self.state.closing.load(Ordering::Acquire);
            if closing || self.due_in().is_zero() {
                self.write();
            }
            if closing {
                break;
            }
            thread::park_timeout(self.due_in());
        }
    }

    fn due_in(&self) -> Duration {
        let since = self.state.live.lock().dirty_since;
        let Some(since) = since else { return IDLE };
        let waited_for = self.state.wanted.load(Ordering::Acquire) > self.state.progress.borrow().changes;
        let due_at = if waited_for { since } else { since + COLLECT };
        self.retry_at.map_or(due_at, |retry_at| retry_at.max(due_at)).saturating_duration_since(Instant::now())
    }

    fn write(&mut self) {
        let result = self.reopen().and_then(|()| {
            let changes = self.take();
            let Some(database) = &self.database else { return Ok(changes.number) };
            let written =
                if changes.values.is_empty() { Ok(()) } else { database.write(&changes.values, changes.digest) };
            written.map(|()| changes.number).inspect_err(|_| self.put_back(changes))
        });
        match result {
            Ok(number) => self.succeed(number),
            Err(error) => self.fail(error),
        }
    }

    /// After a failure: opens the database again, or an empty one, and writes all that is in memory.
    fn reopen(&mut self) -> Result<(), String> {
        if self.database.is_none() {
            let opened = Database::open_or_replace(&self.dir, &self.options);
            let (database, known, _) =
                opened.map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error)))?;
            self.database = Some(database);
            let mut live = self.state.live.lock();
            let all: Vec<Vec<u8>> = known.into_keys().chain(live.map.keys().cloned()).collect();
            live.dirty.extend(all);
        }
        Ok(())
    }

    fn take(&self) -> Changes {
        let mut live = self.state.live.lock();
        live.dirty_since = None;
        let dirty = std::mem::take(&mut live.dirty);
        let values = dirty.into_iter().map(|key| (live.map.get(&key).cloned(), key)).map(|(value, key)| (key, value));
        Changes { values: values.collect(), digest: live.digest, number: live.changes }
    }

    fn put_back(&self, changes: Changes) {
        let mut live = self.state.live.lock();
        live.dirty.extend(changes.values.into_iter().map(|(key, _)| key));
        live.dirty_since.get_or_insert_with(Instant::now);
    }

    fn succeed(&mut self, number: u64) {
        if self.retry_at.take().is_some() {
            tracing::info!(dir = %self.dir.display(), "the state store can be written again");
        }
        self.state
            .progress
            .send_modify(|progress| *progress = Progress { changes: number, last_error: None, ..progress.clone() });
    }

    fn fail(&mut self, error: String) {
        if self.retry_at.is_none() {
            tracing::error!(dir = %self.dir.display(), error, "the state store cannot be written; retrying every second");
        }
        self.database = None;
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        self.state.progress.send_modify(|progress| {
            progress.failures += 1;
            progress.last_error = Some(error);
        });
    }
}
