//! The state of the queries, in a file that is there whole or not at all.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The file, and the one it is written to before it takes that name.
pub(crate) struct Kept {
    path: PathBuf,
}

impl Kept {
    /// In a data folder.
    pub(crate) fn new(data: &Path) -> Kept {
        Kept { path: data.join("queries.state") }
    }

    /// What was kept, if anything.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub(crate) fn load(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps bytes instead of those before, so that a power cut leaves the one or the other.
    ///
    /// # Errors
    /// If the disk does not take them; then what was kept before is still there.
    pub(crate) fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }

    /// Puts a file away that cannot be used, so that somebody can look at it.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub(crate) fn put_away(&self) -> io::Result<PathBuf> {
        let away = self.path.with_extension("damaged");
        fs::rename(&self.path, &away)?;
        Ok(away)
    }
}
