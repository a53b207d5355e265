//! The small state store: a map in memory, and sled to find it again.

mod database;
mod export;
mod generation;
mod keeper;
mod opening;

use crate::{Error, lock};
use keeper::Keeper;
use parking_lot::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Keys and values.
pub(crate) type Map = BTreeMap<Vec<u8>, Value>;

/// A value and the checksum of it and its key.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) crc: u32,
}

/// Says of a map whether anything is missing in it: sled has been seen to open a damaged database with fewer values,
/// without a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Digest {
    pub(crate) values: u64,
    /// Of all checksums.
    pub(crate) sum: u64,
}

impl Digest {
    pub(crate) fn of(map: &Map) -> Self {
        Digest { values: map.len() as u64, sum: map.values().map(|value| u64::from(value.crc)).sum() }
    }

    fn replace(&mut self, old: Option<&Value>, new: Option<&Value>) {
        self.values = self.values + u64::from(new.is_some()) - u64::from(old.is_some());
        let crc = |value: Option<&Value>| value.map_or(0, |value| u64::from(value.crc));
        self.sum = self.sum + crc(new) - crc(old);
    }
}

/// Small state that changes: a map that is all in memory and is written down behind the caller's back.
///
/// Reading never touches the disk, so it works on a full or broken one. A value is on disk within 50 ms and one sync, or
/// after [`sync`](Self::sync). A cheap handle that can be cloned; when the last one is dropped without
/// [`close`](Self::close), what was put is still written.
#[derive(Clone)]
pub struct StateStore {
    handle: Arc<Handle>,
}

struct Handle {
    state: Arc<State>,
    recovery: StateRecovery,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.state.close();
    }
}

/// The limits of a state store.
#[derive(Debug, Clone)]
pub struct StateOptions {
    /// How long the database may take to open before it is set aside. Default 10 s.
    pub deadline: Duration,
    /// Memory for sled's cache in bytes; reads do not need it. Default 8 MiB.
    pub cache_bytes: u64,
    /// How often all values are exported to `exports/`, if anything has changed; zero for never. Default 10 minutes.
    pub export_every: Duration,
    /// How many of these exports are kept, at least one. Default 2.
    pub exports_kept: usize,
    /// A database that takes more bytes on disk than this, and more than six times the bytes of all keys and values, is
    /// built anew from memory when nothing waits to be written. Default 64 MiB.
    pub rebuild_from_bytes: u64,
    /// How often its size is looked at. Default 60 s.
    pub size_check_every: Duration,
}

impl Default for StateOptions {
    fn default() -> Self {
        StateOptions {
            deadline: Duration::from_secs(10),
            cache_bytes: 8 << 20,
            export_every: Duration::from_secs(600),
            exports_kept: 2,
            rebuild_from_bytes: 64 << 20,
            size_check_every: Duration::from_secs(60),
        }
    }
}

/// What opening a state store found.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct StateRecovery {
    /// How many values there are.
    pub values: usize,
    /// The database could not be used, was moved here, and another one took its place: rebuild what was in it.
    pub quarantined: Option<PathBuf>,
    /// Why it could not be used.
    pub reason: Option<String>,
    /// The other one holds what was exported then; `None` if it is empty.
    pub imported: Option<Imported>,
}

/// The export that took the place of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The file.
    pub path: PathBuf,
    /// How long before, by the wall clock: what happened since then is not in it.
    pub age: Duration,
}

/// What a state store has done since it was opened, and what it holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateStats {
    /// Values in it.
    pub values: usize,
    /// Bytes of all keys and values.
    pub live_bytes: u64,
    /// Bytes that the database took on disk when its size was last looked at.
    pub bytes_on_disk: u64,
    /// Exports that it has made by itself.
    pub exports_total: u64,
    /// How often the database was built anew because it had grown too large.
    pub rebuilds_total: u64,
    /// Writes that failed.
    pub failures_total: u64,
    /// Why the disk does not take anything at the moment; `None` while it does.
    pub last_error: Option<String>,
}

/// What the handles and the keeper thread share.
pub(crate) struct State {
    pub(crate) live: Mutex<Live>,
    /// How far the changes are on disk.
    pub(crate) progress: watch::Sender<Progress>,
    /// Someone waits for the changes up to this number.
    pub(crate) wanted: AtomicU64,
    pub(crate) closing: AtomicBool,
    pub(crate) keeper: OnceLock<Thread>,
}

/// The map and what of it is not on disk.
#[derive(Default)]
pub(crate) struct Live {
    pub(crate) map: Map,
    pub(crate) digest: Digest,
    pub(crate) dirty: BTreeSet<Vec<u8>>,
    pub(crate) dirty_since: Option<Instant>,
    /// How many changes there were.
    pub(crate) changes: u64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) changes: u64,
    pub(crate) failures: u64,
    pub(crate) last_error: Option<String>,
    pub(crate) exports: u64,
    pub(crate) rebuilds: u64,
    pub(crate) bytes_on_disk: u64,
    pub(crate) ended: bool,
}

impl State {
    fn change(&self, key: &[u8], value: Option<Arc<[u8]>>) {
        let value = value.map(|bytes| Value { crc: database::checksum(key, &bytes), bytes });
        let mut live = self.live.lock();
        let old = match &value {
            Some(value) => live.map.insert(key.into(), value.clone()),
            None => live.map.remove(key),
        };
        live.digest.replace(old.as_ref(), value.as_ref());
        live.dirty.insert(key.into());
        live.changes += 1;
        let first = live.dirty_since.is_none();
        live.dirty_since.get_or_insert_with(Instant::now);
        drop(live);
        if first {
            self.wake();
        }
    }

    /// Other values in the place of all.
    fn replace(&self, map: Map) {
        let mut live = self.live.lock();
        let old = std::mem::replace(&mut live.map, map);
        live.digest = Digest::of(&live.map);
        let all: Vec<_> = old.into_keys().chain(live.map.keys().cloned()).collect();
        live.dirty.extend(all);
        live.changes += 1;
        live.dirty_since.get_or_insert_with(Instant::now);
        drop(live);
        self.wake();
    }

    fn wake(&self) {
        if let Some(keeper) = self.keeper.get() {
            keeper.unpark();
        }
    }

    fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.wake();
    }
}

/// Bytes of all keys and values.
pub(crate) fn live_bytes(map: &Map) -> u64 {
    map.iter().map(|(key, value)| (key.len() + value.bytes.len()) as u64).sum()
}

impl StateStore {
    /// Opens the store in `dir`, which is made if it is not there.
    ///
    /// A database that panics, is corrupt, holds a value with a wrong checksum or takes longer than the deadline is moved
    /// to `quarantine/`, and one with what was exported last takes its place, see [`recovery`](Self::recovery). Fails with [`Error::Locked`]
    /// if another process has it open and with [`Error::Io`] if the directory cannot be used.
    pub fn open(dir: impl AsRef<Path>, options: StateOptions) -> Result<Self, Error> {
        let dir = dir.as_ref();
        let lock = lock::lock(dir)?;
        let (database, map, recovery) = opening::open_or_replace(dir, &options)?;
        let live = Mutex::new(Live { digest: Digest::of(&map), map, ..Live::default() });
        let state = Arc::new(State {
            live,
            progress: watch::Sender::new(Progress::default()),
            wanted: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            keeper: OnceLock::new(),
        });
        let keeper = Keeper::new(state.clone(), database, dir, options, lock);
        let spawned = thread::Builder::new().name("state".into()).spawn(move || keeper.run());
        let thread = spawned.map_err(Error::io("start the writer of", dir))?;
        state.keeper.get_or_init(|| thread.thread().clone());
        state.wake();
        Ok(StateStore { handle: Arc::new(Handle { state, recovery, keeper: Mutex::new(Some(thread)) }) })
    }

    /// What opening found.
    pub fn recovery(&self) -> &StateRecovery {
        &self.handle.recovery
    }

    /// The value at `key`, as it was last put.
    pub fn get(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.handle.state.live.lock().map.get(key).map(|value| value.bytes.clone())
    }

    /// All keys that begin with `prefix` and their values, in order of their bytes.
    pub fn scan_prefix(&self, prefix: &[u8]) -> Vec<(Vec<u8>, Arc<[u8]>)> {
        let live = self.handle.state.live.lock();
        let from = live.map.range::<[u8], _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        from.take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.bytes.clone()))
            .collect()
    }

    /// Sets the value at `key`. Readers see it at once.
    pub fn put(&self, key: &[u8], value: impl Into<Arc<[u8]>>) {
        self.handle.state.change(key, Some(value.into()));
    }

    /// Removes the value at `key`, if there is one.
    pub fn remove(&self, key: &[u8]) {
        self.handle.state.change(key, None);
    }

    /// Writes all values, as they are now, to the file `path`: complete, or not at all. Its layout is in the crate docs.
    pub fn export(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let map = self.handle.state.live.lock().map.clone();
        export::write(path.as_ref(), &map)
    }

    /// Replaces all values by those of an export, and says how many there are. [`Error::Export`] or [`Error::Version`], and
    /// nothing has changed, if it is not sound or not known.
    pub fn import(&self, path: impl AsRef<Path>) -> Result<usize, Error> {
        let export = export::read(path.as_ref())?;
        let values = export.map.len();
        self.handle.state.replace(export.map);
        Ok(values)
    }

    /// What it has done and what it holds.
    pub fn stats(&self) -> StateStats {
        let (values, live_bytes) = {
            let live = self.handle.state.live.lock();
            (live.map.len(), live_bytes(&live.map))
        };
        let progress = self.handle.state.progress.borrow().clone();
        StateStats {
            values,
            live_bytes,
            bytes_on_disk: progress.bytes_on_disk,
            exports_total: progress.exports,
            rebuilds_total: progress.rebuilds,
            failures_total: progress.failures,
            last_error: progress.last_error,
        }
    }

    /// Waits until every change made before is on disk. [`Error::State`] as soon as one try fails; the changes are kept
    /// in memory and tried again every second.
    pub async fn sync(&self) -> Result<(), Error> {
        let state = &self.handle.state;
        let mut progress = state.progress.subscribe();
        let failures = progress.borrow().failures;
        let wanted = state.live.lock().changes;
        state.wanted.fetch_max(wanted, Ordering::AcqRel);
        state.wake();
        loop {
            {
                let now = progress.borrow_and_update();
                if now.changes >= wanted {
                    return Ok(());
                }
                if now.failures > failures {
                    return Err(Error::State(now.last_error.clone().unwrap_or_default()));
                }
                if now.ended {
                    return Err(Error::Closed);
                }
            }
            progress.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// Writes everything and ends the writer thread, for all handles. Changes made later stay in memory.
    pub async fn close(self) -> Result<(), Error> {
        let synced = self.sync().await;
        self.handle.state.close();
        let keeper = self.handle.keeper.lock().take();
        if let Some(keeper) = keeper {
            let joined = tokio::task::spawn_blocking(move || keeper.join()).await;
            joined.map_err(|_| Error::Closed)?.map_err(|_| Error::State("its writer panicked".into()))?;
        }
        synced
    }
}
