//! sled, made durable and kept from taking the process down.
//!
//! Published sled 0.34.7 never calls fsync: after a power cut a database that was flushed may be lost. Every flush here is
//! followed by a sync of its file. It may also panic or hang on damaged files: it is opened in a thread of its own, with a
//! deadline.

use super::{Digest, Map, StateOptions, Value, generation::Generation};
use crate::{
    Error,
    disk::{Disk, bytes_on_disk, sync_dir},
    frame::part,
};
use crc32c::{crc32c, crc32c_append};
use std::{
    fs::{self, File},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

/// Given up when the database cannot even be opened on a full disk.
const RESERVE_BYTES: u64 = 8 << 20;

/// How soon a file that is locked is tried again.
const LOCKED_PAUSE: Duration = Duration::from_millis(5);
/// Where the digest of all values is; their own keys begin with [`VALUE`].
const DIGEST_KEY: &[u8] = b"d";
/// How often the database was written.
const GENERATION_KEY: &[u8] = b"g";
const VALUE: u8 = b'v';

/// An open database.
pub(crate) struct Database {
    db: sled::Db,
    file: PathBuf,
    /// The number of the last write.
    written: AtomicU64,
    generation: Generation,
}

/// Why a database did not open.
pub(super) enum Failure {
    /// It is to be set aside.
    Corrupt(String),
    /// The system refused; the database itself may be fine.
    System(io::Error),
}

impl Database {
    /// Bytes that its file takes on disk.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        bytes_on_disk(&self.file)
    }

    /// All values, if every one is sound and none is missing.
    fn read(&self) -> Result<Map, Failure> {
        let corrupt = |reason: &str| Failure::Corrupt(reason.into());
        let (mut map, mut digest) = (Map::new(), None);
        for entry in self.db.iter() {
            let (stored, bytes) = entry.map_err(Failure::of)?;
            match stored.split_first() {
                Some((&VALUE, key)) => {
                    let value = Value::unsealed(key, &bytes).ok_or_else(|| corrupt("a value has a wrong checksum"))?;
                    map.insert(key.to_vec(), value);
                }
                _ if *stored == *DIGEST_KEY => digest = Digest::read(&bytes),
                _ if *stored == *GENERATION_KEY => {}
                _ => return Err(corrupt("it holds a key that was never put")),
            }
        }
        if self.written.load(Ordering::Acquire) < self.generation.known {
            return Err(corrupt("it has gone back to an older state"));
        }
        if digest == Some(Digest::of(&map)) { Ok(map) } else { Err(corrupt("some values are missing")) }
    }

    /// Writes values, or removes keys without one, and returns once that is on disk.
    pub(crate) fn write(&self, changes: &[(Vec<u8>, Option<Value>)], digest: Digest) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(stored(key), value.sealed()),
                None => batch.remove(stored(key)),
            }
        }
        batch.insert(DIGEST_KEY, digest.bytes().as_slice());
        let number = self.written.fetch_add(1, Ordering::AcqRel) + 1;
        batch.insert(GENERATION_KEY, number.to_le_bytes().as_slice());
        guarded(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            File::open(&self.file)?.sync_all()?;
            Ok(self.generation.write(number)?)
        })
    }
}

impl Failure {
    pub(super) fn error(self, path: &Path) -> Error {
        match self {
            Failure::Corrupt(reason) => Error::State(reason),
            Failure::System(source) => Error::io("open", path)(source),
        }
    }

    fn of(error: sled::Error) -> Failure {
        match error {
            sled::Error::Io(error) if is_refusal(&error) => Failure::System(error),
            other => Failure::Corrupt(other.to_string()),
        }
    }
}

/// True if the database cannot be blamed: no space, no rights, or its lock is still held.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | PermissionDenied | ReadOnlyFilesystem) || is_locked(error)
}

fn is_locked(error: &io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

/// Opens; on a full disk once more without the reserve.
pub(super) fn open_with_reserve(dir: &Path, path: &Path, options: &StateOptions) -> Result<(Database, Map), Failure> {
    let reserve = dir.join("reserve");
    let opened = match open(path, options) {
        Err(Failure::System(error)) if error.kind() == io::ErrorKind::StorageFull => {
            let _ = fs::remove_file(&reserve);
            open(path, options)
        }
        other => other,
    };
    if opened.is_ok() && !reserve.exists() {
        // Without it the store works too; the next start tries again.
        let _ = Disk::default().allocate(&reserve, RESERVE_BYTES);
    }
    opened
}

/// Opens, as soon as sled lets go of the file: its threads hold it for a moment after a database was dropped.
pub(super) fn open(path: &Path, options: &StateOptions) -> Result<(Database, Map), Failure> {
    let started = Instant::now();
    loop {
        match open_once(path, options) {
            Err(Failure::System(error)) if is_locked(&error) && started.elapsed() < options.deadline => {
                thread::sleep(LOCKED_PAUSE);
            }
            other => return other,
        }
    }
}

/// Opens and reads all of it in a thread of its own, which is left behind if it misses the deadline.
fn open_once(path: &Path, options: &StateOptions) -> Result<(Database, Map), Failure> {
    let (send, receive) = mpsc::sync_channel(1);
    let (owned, cache_bytes) = (path.to_path_buf(), options.cache_bytes);
    let work = move || {
        let result = catch_unwind(|| load(&owned, cache_bytes));
        let _ = send.send(result.unwrap_or_else(|panic| Err(Failure::Corrupt(panic_text(&*panic)))));
    };
    thread::Builder::new().name("state-open".into()).spawn(work).map_err(Failure::System)?;
    match receive.recv_timeout(options.deadline) {
        Ok(result) => result,
        Err(_) => Err(Failure::Corrupt(format!("it did not open within {:?}", options.deadline))),
    }
}

fn load(path: &Path, cache_bytes: u64) -> Result<(Database, Map), Failure> {
    let file = path.join("db");
    let fresh = !file.exists();
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
    let db = config.open().map_err(Failure::of)?;
    let generation = Generation::open(path).map_err(Failure::System)?;
    let written = AtomicU64::new(generation_of(&db)?);
    let database = Database { db, file, written, generation };
    if fresh {
        database.write(&[], Digest::default()).map_err(Failure::Corrupt)?;
    }
    let map = database.read()?;
    sync_all(path).map_err(Failure::System)?;
    Ok((database, map))
}

/// How often a database was written; 0 if it was made before that was counted.
fn generation_of(db: &sled::Db) -> Result<u64, Failure> {
    let found = db.get(GENERATION_KEY).map_err(Failure::of)?;
    Ok(found.and_then(|bytes| Some(u64::from_le_bytes(bytes.as_ref().try_into().ok()?))).unwrap_or(0))
}

/// sled syncs neither its files nor their names.
fn sync_all(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_dir(path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Turns a panic of sled into an error.
fn guarded(work: impl FnOnce() -> Result<(), sled::Error>) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(panic) => Err(panic_text(&*panic)),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    format!("sled panicked: {}", text.unwrap_or("without a message"))
}

fn stored(key: &[u8]) -> Vec<u8> {
    [&[VALUE], key].concat()
}

/// The checksum of a key and its value.
pub(crate) fn checksum(key: &[u8], value: &[u8]) -> u32 {
    crc32c_append(crc32c(key), value)
}

impl Value {
    /// The checksum, then the value.
    fn sealed(&self) -> Vec<u8> {
        [&self.crc.to_le_bytes(), &*self.bytes].concat()
    }

    fn unsealed(key: &[u8], sealed: &[u8]) -> Option<Value> {
        let (crc, bytes) = sealed.split_first_chunk::<4>()?;
        let crc = u32::from_le_bytes(*crc);
        (checksum(key, bytes) == crc).then(|| Value { bytes: bytes.into(), crc })
    }
}

impl Digest {
    fn bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.values.to_le_bytes());
        bytes[8..].copy_from_slice(&self.sum.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Digest> {
        let bytes: &[u8; 16] = bytes.try_into().ok()?;
        Some(Digest { values: u64::from_le_bytes(part(bytes, 0)), sum: u64::from_le_bytes(part(bytes, 8)) })
    }
}
