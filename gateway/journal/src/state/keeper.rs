//! The thread that writes the state down.

use super::{
    Digest, Progress, State, StateOptions, Value,
    database::Database,
    export::Exports,
    live_bytes,
    opening::{open_or_replace, rebuild},
};
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
/// A store without any export makes its first one so soon.
const FIRST_EXPORT_AFTER: Duration = Duration::from_secs(60);
/// So many times the bytes of all keys and values may lie on disk.
const GROWTH_MAX: u64 = 6;

pub(crate) struct Keeper {
    state: Arc<State>,
    /// None after a failure: sled takes no more then.
    database: Option<Database>,
    dir: PathBuf,
    options: StateOptions,
    retry_at: Option<Instant>,
    export_at: Option<Instant>,
    /// The changes that the newest export has.
    exported: u64,
    size_check_at: Instant,
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
        let (now, every) = (Instant::now(), options.export_every);
        let wait = match Exports::of(dir).age() {
            Some(age) => every.saturating_sub(age),
            None => every.min(FIRST_EXPORT_AFTER),
        };
        let export_at = (!every.is_zero()).then(|| now + wait);
        let (size_check_at, database, dir) = (now + options.size_check_every, Some(database), dir.into());
        let (retry_at, exported) = (None, u64::MAX);
        Keeper { state, database, dir, options, retry_at, export_at, exported, size_check_at, _lock: lock }
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
            self.look_after();
            thread::park_timeout(self.idle_for());
        }
    }

    /// How long nothing is to be written.
    fn due_in(&self) -> Duration {
        let since = self.state.live.lock().dirty_since;
        let Some(since) = since else { return IDLE };
        let waited_for = self.state.wanted.load(Ordering::Acquire) > self.state.progress.borrow().changes;
        let due_at = if waited_for { since } else { since + COLLECT };
        self.retry_at.map_or(due_at, |retry_at| retry_at.max(due_at)).saturating_duration_since(Instant::now())
    }

    fn idle_for(&self) -> Duration {
        let next = self.export_at.map_or(self.size_check_at, |at| at.min(self.size_check_at));
        self.due_in().min(next.saturating_duration_since(Instant::now()))
    }

    /// Exports and size, when it is time for them.
    fn look_after(&mut self) {
        let now = Instant::now();
        if self.export_at.is_some_and(|at| now >= at) {
            self.export();
            self.export_at = Some(now + self.options.export_every);
        }
        if now >= self.size_check_at {
            self.size_check_at = now + self.options.size_check_every;
            self.check_size();
        }
    }

    fn export(&mut self) {
        let (map, changes) = {
            let live = self.state.live.lock();
            (live.map.clone(), live.changes)
        };
        if self.exported == changes {
            return;
        }
        match Exports::of(&self.dir).add(&map, self.options.exports_kept.max(1)) {
            Ok(_) => {
                self.exported = changes;
                self.state.progress.send_modify(|progress| progress.exports += 1);
            }
            Err(error) => tracing::warn!(%error, "the state store cannot be exported; the next try is made later"),
        }
    }

    /// A database that holds little and takes much is built anew, unless something waits to be written.
    fn check_size(&mut self) {
        let Some(bytes) = self.database.as_ref().map(Database::bytes_on_disk) else { return };
        self.state.progress.send_modify(|progress| progress.bytes_on_disk = bytes);
        let (live, idle) = {
            let live = self.state.live.lock();
            (live_bytes(&live.map), live.dirty_since.is_none())
        };
        if idle && bytes > self.options.rebuild_from_bytes && bytes > GROWTH_MAX * live {
            self.rebuild(bytes);
        }
    }

    fn rebuild(&mut self, bytes: u64) {
        let map = self.state.live.lock().map.clone();
        // sled's files are free once it is gone.
        self.database = None;
        match rebuild(&self.dir, &self.options, &map) {
            Ok(database) => {
                let now = database.bytes_on_disk();
                tracing::info!(dir = %self.dir.display(), before = bytes, now, "the state store was built anew to take less space");
                self.database = Some(database);
                self.state.progress.send_modify(|progress| {
                    progress.rebuilds += 1;
                    progress.bytes_on_disk = now;
                });
            }
            Err(error) => self.fail(error.to_string()),
        }
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
            let opened = open_or_replace(&self.dir, &self.options);
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
