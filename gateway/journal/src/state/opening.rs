//! Opening the database of a store, whatever is left of it.

use super::{
    Imported, Map, StateOptions, StateRecovery,
    database::{Database, Failure, open, open_with_reserve},
    export::{self, Exports},
};
use crate::{Error, quarantine};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// All values, while a database is built anew from them: as long as this file is there, the database is not to be trusted.
fn rebuild_path(dir: &Path) -> PathBuf {
    dir.join("rebuild.export")
}

/// Opens the database in `dir`. One that cannot be used is set aside, and a new one is filled from the newest sound export.
pub(super) fn open_or_replace(dir: &Path, options: &StateOptions) -> Result<(Database, Map, StateRecovery), Error> {
    if let Some(opened) = finish_rebuild(dir, options)? {
        return Ok(opened);
    }
    let path = dir.join("sled");
    match open_with_reserve(dir, &path, options) {
        Ok((database, map)) => {
            let recovery = StateRecovery { values: map.len(), ..StateRecovery::default() };
            Ok((database, map, recovery))
        }
        Err(Failure::System(source)) => Err(Error::io("open", path)(source)),
        Err(Failure::Corrupt(reason)) => replace(dir, options, reason),
    }
}

fn replace(dir: &Path, options: &StateOptions, reason: String) -> Result<(Database, Map, StateRecovery), Error> {
    let path = dir.join("sled");
    let export = Exports::of(dir).newest_sound();
    let to = if path.exists() { Some(quarantine::set_aside(dir, &path, &name_now())?) } else { None };
    let shown = to.as_deref().unwrap_or(&path).display().to_string();
    tracing::error!(to = shown, reason, "the state store is damaged and is set aside; a new one takes its place");
    let mut recovery = StateRecovery { quarantined: to, reason: Some(reason), ..StateRecovery::default() };
    let (database, map) = match export {
        Some((from, export)) => {
            recovery.imported = Some(Imported { path: from, age: export.age() });
            (rebuild(dir, options, &export.map)?, export.map)
        }
        None => open(&path, options).map_err(|failure| failure.error(&path))?,
    };
    recovery.values = map.len();
    Ok((database, map, recovery))
}

/// A rebuild that was cut short is done again: what it was made from is there, and newer than any export.
fn finish_rebuild(dir: &Path, options: &StateOptions) -> Result<Option<(Database, Map, StateRecovery)>, Error> {
    let path = rebuild_path(dir);
    match export::read(&path) {
        Ok(export) => {
            let database = rebuild(dir, options, &export.map)?;
            let recovery = StateRecovery { values: export.map.len(), ..StateRecovery::default() };
            Ok(Some((database, export.map, recovery)))
        }
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error @ Error::Export { .. }) => {
            tracing::warn!(%error, "what a rebuild was made from is damaged; the database is taken as it is");
            fs::remove_file(&path).map_err(Error::io("remove", &path))?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A new database with all of `map` in it. May be cut short anywhere, and is then finished at the next start.
pub(super) fn rebuild(dir: &Path, options: &StateOptions, map: &Map) -> Result<Database, Error> {
    let (from, path) = (rebuild_path(dir), dir.join("sled"));
    export::write(&from, map)?;
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", &path)(error)),
        _ => {}
    }
    let (database, _) = open(&path, options).map_err(|failure| failure.error(&path))?;
    let all: Vec<_> = map.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
    database.write(&all, super::Digest::of(map)).map_err(Error::State)?;
    fs::remove_file(&from).map_err(Error::io("remove", &from))?;
    Ok(database)
}

/// `sled-<milliseconds since 1970>`.
fn name_now() -> String {
    format!("sled-{}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis())
}
