//! One process at a time.

use crate::Error;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    path::Path,
};

/// Locks `dir` until the file is dropped or the process ends, however it ends.
pub(crate) fn lock(dir: &Path) -> Result<File, Error> {
    fs::create_dir_all(dir).map_err(Error::io("create", dir))?;
    let path = dir.join("lock");
    let io = |action| Error::io(action, &path);
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(io("open"))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).ok().and_then(|text| text.trim().parse().ok());
            return Err(Error::Locked { path: dir.into(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(io("lock")(source)),
    }
    // The number is for people: on a full disk it may be missing.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(file)
}
