//! Files in a folder of this machine: written under a hidden name, synced, renamed.

use crate::TargetError;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// `.` before it and this behind it: readers of Hive's folders pass over such files.
const UNFINISHED: &str = ".tmp";
/// The id in a file's name.
const ID_DIGITS: usize = 32;

pub(super) struct Folder {
    root: PathBuf,
}

/// A file under its hidden name.
pub(super) struct Draft {
    file: File,
    hidden: PathBuf,
    path: PathBuf,
    /// Folders that have a new entry each, which has to be synced too.
    changed: Vec<PathBuf>,
}

impl Folder {
    pub(super) async fn open(route: &str, root: &Path) -> Result<Self, TargetError> {
        let (route, root) = (route.to_owned(), root.to_owned());
        blocking(root.clone(), move || {
            fs::create_dir_all(&root)?;
            tidy(&root, &route)?;
            Ok(Folder { root })
        })
        .await
    }

    pub(super) async fn create(&self, folder: &str, name: &str) -> Result<Draft, TargetError> {
        let (root, folder) = (self.root.clone(), self.root.join(folder));
        let (hidden, path) = (folder.join(format!(".{name}{UNFINISHED}")), folder.join(name));
        blocking(path.clone(), move || {
            let mut changed = make_folders(&root, &folder)?;
            changed.push(folder);
            Ok(Draft { file: File::create(&hidden)?, hidden, path, changed })
        })
        .await
    }
}

impl Draft {
    pub(super) async fn put(&mut self, bytes: Vec<u8>) -> Result<(), TargetError> {
        let file = self.file.try_clone().map_err(|error| said(&self.path, &error))?;
        blocking(self.path.clone(), move || (&file).write_all(&bytes)).await
    }

    pub(super) async fn complete(self) -> Result<(), TargetError> {
        blocking(self.path.clone(), move || {
            self.file.sync_all()?;
            fs::rename(&self.hidden, &self.path)?;
            self.changed.iter().rev().try_for_each(|folder| File::open(folder)?.sync_all())
        })
        .await
    }

    pub(super) async fn discard(self) {
        // What cannot be removed is found at the next start.
        let _ = blocking(self.path.clone(), move || fs::remove_file(&self.hidden)).await;
    }
}

/// Makes the folders between `root` and `folder`; gives those in which one was made.
fn make_folders(root: &Path, folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = folder.ancestors().take_while(|path| *path != root && !path.exists());
    let changed = missing.filter_map(Path::parent).map(Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    Ok(changed)
}

/// Removes what this route has left unfinished.
fn tidy(folder: &Path, route: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if entry.file_type()?.is_dir() {
            // Ours have such names; what else is in the folder is none of our business.
            if name.contains('=') {
                tidy(&entry.path(), route)?;
            }
        } else if is_unfinished(name, route) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether a file is this route's, and not that of another whose name begins like it.
fn is_unfinished(name: &str, route: &str) -> bool {
    let rest = name.strip_prefix('.').and_then(|name| name.strip_prefix(route)).and_then(|name| name.strip_prefix('-'));
    let id = rest.and_then(|name| name.strip_suffix(&format!(".parquet{UNFINISHED}")));
    id.is_some_and(|id| id.len() == ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Runs what waits for a disk where it may.
async fn blocking<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, TargetError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| said(&path, &error)),
        Err(error) => Err(TargetError::Away(format!("{}: {error}", path.display()))),
    }
}

fn said(path: &Path, error: &io::Error) -> TargetError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotADirectory => {
            TargetError::Denied(text)
        }
        _ => TargetError::Away(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_routes_own_leftovers_are_leftovers() {
        let id = "0123456789abcdef0123456789abcdef";
        assert!(is_unfinished(&format!(".cold-{id}.parquet.tmp"), "cold"));
        let others =
            [format!(".cold-store-{id}.parquet.tmp"), format!("cold-{id}.parquet"), ".cold-x.parquet.tmp".into()];
        assert!(others.iter().all(|name| !is_unfinished(name, "cold")));
    }
}
