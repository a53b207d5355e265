//! The next segment, reserved before it is needed: a full disk is met there, and not in the middle of a write.

use super::RETRY_AFTER;
use crate::{
    Error,
    disk::{Disk, bytes_on_disk},
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    time::Instant,
};

pub(super) struct Spare {
    path: PathBuf,
    bytes: u64,
    disk: Disk,
    file: Option<File>,
    /// When to try again.
    at: Instant,
}

impl Spare {
    /// The spare segment of the last run, if nothing was written to it.
    pub(super) fn open(dir: &Path, bytes: u64, disk: Disk) -> Self {
        let path = path(dir);
        let file = unused(&path, bytes);
        if file.is_none() {
            let _ = fs::remove_file(&path);
        }
        Spare { path, bytes, disk, file, at: Instant::now() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file; its name has to be given to it.
    pub(super) fn take(&mut self) -> Result<File, Error> {
        self.at = Instant::now();
        match self.file.take() {
            Some(file) => Ok(file),
            None => self.allocate(),
        }
    }

    /// Makes one if there is none and it is time to.
    pub(super) fn prepare(&mut self) {
        let now = Instant::now();
        if self.file.is_none() && now >= self.at {
            self.file = self.allocate().ok();
            self.at = now + RETRY_AFTER;
        }
    }

    pub(super) fn due_at(&self) -> Option<Instant> {
        self.file.is_none().then_some(self.at)
    }

    fn allocate(&self) -> Result<File, Error> {
        self.disk.allocate(&self.path, self.bytes).map_err(Error::io("allocate", &self.path))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("spare")
}

fn unused(path: &Path, bytes: u64) -> Option<File> {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).ok()?;
    let mut head = [0; 16];
    let read: io::Result<()> = file.read_exact(&mut head);
    let unused = read.is_ok() && head == [0; 16] && file.metadata().is_ok_and(|metadata| metadata.len() == bytes);
    unused.then_some(file)
}

/// Bytes of the spare segment.
pub(crate) fn spare_bytes(dir: &Path) -> u64 {
    bytes_on_disk(&path(dir))
}
