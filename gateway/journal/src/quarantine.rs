//! Files that cannot be used but may be of use to people.

use crate::{Error, disk};
use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Moves a file or a directory to `quarantine/`, beside it.
pub(crate) fn set_aside(dir: &Path, path: &Path, name: &str) -> Result<PathBuf, Error> {
    let quarantine = dir.join("quarantine");
    fs::create_dir_all(&quarantine).map_err(Error::io("create", &quarantine))?;
    let to = quarantine.join(name);
    fs::rename(path, &to).map_err(Error::io("move to quarantine", path))?;
    Ok(to)
}

/// Copies a file to `quarantine/`, beside it, unless a file with that name is there.
pub(crate) fn copy_aside(dir: &Path, path: &Path, name: &str) -> Result<PathBuf, Error> {
    let quarantine = dir.join("quarantine");
    fs::create_dir_all(&quarantine).map_err(Error::io("create", &quarantine))?;
    let to = quarantine.join(name);
    if !to.exists() {
        let copied = fs::copy(path, &to);
        copied.inspect_err(|_| drop(fs::remove_file(&to))).map_err(Error::io("copy to quarantine", path))?;
    }
    Ok(to)
}

/// The names in it.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join("quarantine")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Bytes of the files in it.
pub(crate) fn bytes_on_disk(dir: &Path) -> u64 {
    files(dir).iter().map(|(path, _)| disk::bytes_on_disk(path)).sum()
}

/// Removes the oldest files until at most `bytes_max` are left.
pub(crate) fn shrink(dir: &Path, bytes_max: u64) {
    let mut files = files(dir);
    files.sort_by_key(|(_, modified)| std::cmp::Reverse(*modified));
    while bytes_on_disk(dir) > bytes_max
        && let Some((path, _)) = files.pop()
    {
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a quarantined file cannot be removed");
        }
    }
}

fn files(dir: &Path) -> Vec<(PathBuf, SystemTime)> {
    let entries = fs::read_dir(dir.join("quarantine")).into_iter().flatten().flatten();
    let modified = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    entries.filter_map(|entry| modified(&entry.path()).map(|at| (entry.path(), at))).collect()
}
