//! All values in one file that does not need sled to be read. The layout is in the crate docs.

use super::{Map, Value, database::checksum};
use crate::{Error, disk::sync_dir, frame::part};
use crc32c::{crc32c, crc32c_append};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const MAGIC: [u8; 8] = *b"EDGEWAYS";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 32;

/// What is in an export.
#[derive(Debug)]
pub(crate) struct Export {
    pub(crate) map: Map,
    pub(crate) created: SystemTime,
}

impl Export {
    pub(crate) fn age(&self) -> Duration {
        SystemTime::now().duration_since(self.created).unwrap_or_default()
    }
}

/// Writes all of `map` to `path`: complete, or not at all.
pub(crate) fn write(path: &Path, map: &Map) -> Result<(), Error> {
    let new = path.with_extension("new");
    let io = |action| Error::io(action, path);
    let written = write_file(&new, map).inspect_err(|_| drop(fs::remove_file(&new)));
    written.map_err(io("write"))?;
    fs::rename(&new, path).map_err(io("create"))?;
    path.parent().map_or(Ok(()), sync_dir).map_err(io("sync the name of"))
}

fn write_file(path: &Path, map: &Map) -> io::Result<()> {
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let counts = [created.to_le_bytes(), (map.len() as u64).to_le_bytes()].concat();
    let records = || map.iter().map(|(key, value)| record(key, value));
    let crc = records().fold(crc32c(&counts), |crc, record| crc32c_append(crc, &record));
    let mut file = io::BufWriter::new(File::create(path)?);
    file.write_all(&[&MAGIC[..], &VERSION.to_le_bytes(), &crc.to_le_bytes(), &counts].concat())?;
    for record in records() {
        file.write_all(&record)?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn record(key: &[u8], value: &Value) -> Vec<u8> {
    let lengths = [(key.len() as u32).to_le_bytes(), (value.bytes.len() as u32).to_le_bytes()];
    [&lengths.concat(), key, &value.bytes].concat()
}

/// Reads an export; an error says what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Export, Error> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    if bytes.starts_with(&MAGIC) && bytes.len() >= 12 {
        let found = u32::from_le_bytes(part(&bytes, 8));
        if found != VERSION {
            return Err(Error::Version { path: path.into(), found, known: VERSION });
        }
    }
    parse(&bytes).map_err(|reason| Error::Export { path: path.into(), reason: reason.into() })
}

fn parse(bytes: &[u8]) -> Result<Export, &'static str> {
    if bytes.len() < HEADER_BYTES || bytes[..8] != MAGIC {
        return Err("it does not begin like one");
    }
    if crc32c(&bytes[16..]) != u32::from_le_bytes(part(bytes, 12)) {
        return Err("its checksum is wrong");
    }
    let created = UNIX_EPOCH + Duration::from_nanos(u64::from_le_bytes(part(bytes, 16)));
    let (values, mut rest, mut map) = (u64::from_le_bytes(part(bytes, 24)), &bytes[HEADER_BYTES..], Map::new());
    while !rest.is_empty() {
        let (key, value) = take_record(&mut rest).ok_or("a record is cut short")?;
        map.insert(key.into(), Value { crc: checksum(key, value), bytes: value.into() });
    }
    if map.len() as u64 == values { Ok(Export { map, created }) } else { Err("some values are missing") }
}

fn take_record<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (lengths, behind) = rest.split_first_chunk::<8>()?;
    let (key, behind) = behind.split_at_checked(u32::from_le_bytes(part(lengths, 0)) as usize)?;
    let (value, behind) = behind.split_at_checked(u32::from_le_bytes(part(lengths, 4)) as usize)?;
    *rest = behind;
    Some((key, value))
}

/// The exports that the store in `dir` makes by itself.
pub(crate) struct Exports(PathBuf);

impl Exports {
    pub(crate) fn of(dir: &Path) -> Self {
        Exports(dir.join("exports"))
    }

    /// Makes another one, and lets go of all but the newest `kept`.
    pub(crate) fn add(&self, map: &Map, kept: usize) -> Result<PathBuf, Error> {
        fs::create_dir_all(&self.0).map_err(Error::io("create", &self.0))?;
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let path = self.0.join(format!("{millis:020}.export"));
        write(&path, map)?;
        for old in self.newest_first().into_iter().filter(|old| *old != path).skip(kept.saturating_sub(1)) {
            let _ = fs::remove_file(old);
        }
        Ok(path)
    }

    /// By their names.
    pub(crate) fn newest_first(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut paths: Vec<_> = entries.filter(|path| path.extension().is_some_and(|ext| ext == "export")).collect();
        paths.sort();
        paths.reverse();
        paths
    }

    /// How long ago the newest one was made; `None` if there is none.
    pub(crate) fn age(&self) -> Option<Duration> {
        let modified = fs::metadata(self.newest_first().first()?).and_then(|metadata| metadata.modified()).ok()?;
        Some(modified.elapsed().unwrap_or_default())
    }

    /// The newest one that is sound.
    pub(crate) fn newest_sound(&self) -> Option<(PathBuf, Export)> {
        self.newest_first().into_iter().find_map(|path| match read(&path) {
            Ok(export) => Some((path, export)),
            Err(error) => {
                tracing::warn!(%error, "an export of the state store cannot be used");
                None
            }
        })
    }
}
