//! What can go wrong.

use crate::Class;
use std::{io, path::PathBuf};

/// What can go wrong with a journal or a state store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process has it open.
    #[error("{path} is in use by {}", .pid.map_or("another process".into(), |pid| format!("process {pid}")), path = .path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The other process, if it could be found out.
        pid: Option<u32>,
    },
    /// The operating system refused.
    #[error("cannot {action} {path}{}", advice(.source), path = .path.display())]
    Io {
        /// What was tried, `open`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Written by another version of this program; nothing was touched.
    #[error("{path} has format version {found}, this program knows version {known} (use the version that wrote it, or move the directory away)", path = .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version of this program.
        known: u32,
    },
    /// The options contradict themselves.
    #[error("journal options: {0}")]
    Options(String),
    /// The codec's preamble is longer than 4 MiB.
    #[error("the preamble of a segment has {bytes} bytes, at most {max} fit")]
    Preamble {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Too many bytes of a class wait for the disk.
    #[error("{pending_bytes} bytes of class {} wait for the disk, no more fit (see why it takes nothing: last_error, or a full quota that a consumer keeps)", .class.as_str())]
    Full {
        /// Of this class.
        class: Class,
        /// How many.
        pending_bytes: u64,
    },
    /// The log of a class is as large as it may be, and a consumer keeps it from dropping anything.
    #[error("class {} has all the space it may take ({bytes_max} bytes) and nothing in it may go (raise total_bytes_max, or let its consumers go on)", .class.as_str())]
    QuotaFull {
        /// The class.
        class: Class,
        /// Its quota.
        bytes_max: u64,
    },
    /// The item is longer than 1 MiB and was not written.
    #[error("the item at offset {offset} is longer than 1 MiB and was not written")]
    TooLarge {
        /// Its offset.
        offset: u64,
    },
    /// Not everything could be written; it is kept in memory and tried again every second.
    #[error("not everything is on disk: {0}")]
    NotDurable(String),
    /// It was closed.
    #[error("the store is closed")]
    Closed,
    /// All places for cursors are taken.
    #[error("all {max} cursors are in use (remove one that no consumer needs)")]
    CursorsFull {
        /// How many there can be.
        max: usize,
    },
    /// A cursor's name must have 1 to 200 bytes.
    #[error("`{0}` is no name for a cursor: it needs 1 to 200 bytes")]
    CursorName(String),
    /// There is no such cursor.
    #[error("there is no cursor `{0}`")]
    UnknownCursor(String),
    /// A cursor's note is longer than 3,000 bytes.
    #[error("the note of a cursor has {bytes} bytes, at most {max} fit")]
    Note {
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// An export of the state store is not sound.
    #[error("{path} is no sound export: {reason} (take another one)", path = .path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The state store's database does not work.
    #[error("the state store does not work: {0}")]
    State(String),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source }
    }

    /// True if the same call may succeed later without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Error::Full { .. } | Error::QuotaFull { .. } | Error::NotDurable(_))
    }
}

/// What the operator can do about it; empty where the message of the system says enough.
fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            ": permission denied (give the user that runs this program read and write access to it)"
        }
        io::ErrorKind::StorageFull => {
            ": no space left on the file system (free some, or lower the limit of the journal)"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ": the file system is read-only (mount it writable, check the disk for errors)"
        }
        io::ErrorKind::NotADirectory => ": a part of the path is a file (choose another directory)",
        _ => "",
    }
}
