//! sled, made durable and kept from taking the process down.
//!
//! Published sled 0.34.7 never calls fsync: after a power cut a database that was flushed may be lost. Every flush here is
//! followed by a sync of its file. It may also panic or hang on damaged files: it is opened in a thread of its own, with a
//! deadline.

use super::{Map, StateOptions, StateRecovery};
use crate::{Error, disk::Disk, disk::sync_dir, quarantine};
use crc32c::{crc32c, crc32c_append};
use std::{
    fs::{self, File},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Given up when the database cannot even be opened on a full disk.
const RESERVE_BYTES: u64 = 8 << 20;

/// An open database.
pub(crate) struct Database {
    db: sled::Db,
    file: PathBuf,
}

/// Why a database did not open.
enum Failure {
    /// It is to be set aside.
    Corrupt(String),
    /// The system refused; the database itself may be fine.
    System(io::Error),
}

impl Database {
    /// Opens the database in `dir`; sets it aside and begins an empty one if it cannot be used.
    pub(crate) fn open_or_replace(dir: &Path, options: &StateOptions) -> Result<(Self, Map, StateRecovery), Error> {
        let path = dir.join("sled");
        match open_with_reserve(dir, &path, options) {
            Ok((database, map)) => {
                let recovery = StateRecovery { values: map.len(), ..StateRecovery::default() };
                Ok((database, map, recovery))
            }
            Err(Failure::System(source)) => Err(Error::io("open", path)(source)),
            Err(Failure::Corrupt(reason)) => {
                let to = quarantine::set_aside(dir, &path, &name_now())?;
                tracing::error!(to = %to.display(), reason, "the state store is damaged and is set aside; an empty one takes its place");
                let (database, map) = open(&path, options).map_err(|failure| failure.error(&path))?;
                Ok((database, map, StateRecovery { values: 0, quarantined: Some(to), reason: Some(reason) }))
            }
        }
    }

    /// Writes values, or removes keys without one, and returns once that is on disk.
    pub(crate) fn write(&self, changes: &[(Vec<u8>, Option<Arc<[u8]>>)]) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), seal(key, value)),
                None => batch.remove(key.as_slice()),
            }
        }
        guarded(|| {
            self.db.apply_batch(batch)?;
            self.db.flush()?;
            Ok(File::open(&self.file)?.sync_all()?)
        })
    }
}

impl Failure {
    fn error(self, path: &Path) -> Error {
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
    matches!(error.kind(), StorageFull | QuotaExceeded | PermissionDenied | ReadOnlyFilesystem)
        || error.to_string().contains("could not acquire lock")
}

/// Opens; on a full disk once more without the reserve.
fn open_with_reserve(dir: &Path, path: &Path, options: &StateOptions) -> Result<(Database, Map), Failure> {
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

/// Opens and reads all of it in a thread of its own, which is left behind if it misses the deadline.
fn open(path: &Path, options: &StateOptions) -> Result<(Database, Map), Failure> {
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
    let config = sled::Config::new().path(path).cache_capacity(cache_bytes).flush_every_ms(None);
    let db = config.open().map_err(Failure::of)?;
    let mut map = Map::new();
    for entry in db.iter() {
        let (key, sealed) = entry.map_err(Failure::of)?;
        let value = unseal(&key, &sealed).ok_or_else(|| Failure::Corrupt("a value has a wrong checksum".into()))?;
        map.insert(key.to_vec(), value.into());
    }
    sync_all(path).map_err(Failure::System)?;
    Ok((Database { db, file: path.join("db") }, map))
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

/// The checksum of key and value, then the value.
fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut sealed = crc32c_append(crc32c(key), value).to_le_bytes().to_vec();
    sealed.extend_from_slice(value);
    sealed
}

fn unseal<'a>(key: &[u8], sealed: &'a [u8]) -> Option<&'a [u8]> {
    let (crc, value) = sealed.split_first_chunk::<4>()?;
    (crc32c_append(crc32c(key), value).to_le_bytes() == *crc).then_some(value)
}

/// `sled-<milliseconds since 1970>`.
fn name_now() -> String {
    format!("sled-{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis())
}
