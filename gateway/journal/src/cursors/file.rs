//! The file of slots.

use super::cursor::{Named, Place};
use crate::{
    Error,
    disk::{Disk, read_at},
    slot::{FILE_BYTES, Mark, Record, SLOT_BYTES},
};
use parking_lot::Mutex;
use std::{
    fs::{File, OpenOptions},
    io,
    path::Path,
    sync::Arc,
};

/// Two places in the file, written in turns.
#[derive(Debug, Default)]
pub(super) struct Slot {
    pub(super) generation: u64,
    pub(super) cursor: Option<Named>,
    /// The place on disk; `None` if what is on disk is not what is here.
    pub(super) written: Option<Place>,
    /// A place with a note that waits until everything before it is durable.
    pub(super) held: Option<Place>,
}

/// What the file said when it was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    /// The highest of what all slots say.
    pub(crate) mark: Mark,
    /// Cursors of which neither slot is sound; their names are lost.
    pub(crate) damaged: usize,
}

impl Slot {
    fn of(record: Option<Record>) -> Slot {
        let Some(record) = record else { return Slot::default() };
        let place = Place { positions: record.positions, note: record.note.to_vec() };
        let named = || Named { name: record.name.into(), place: Arc::new(Mutex::new(place.clone())) };
        let cursor = (!record.name.is_empty()).then(named);
        Slot { generation: record.generation, cursor, written: Some(place), held: None }
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.cursor.as_ref().is_some_and(|cursor| &*cursor.name == name)
    }

    /// What has to be written now, and whether there is more to come later.
    pub(super) fn due(&mut self, mark: &Mark) -> (Option<Place>, bool) {
        let Some(cursor) = &self.cursor else {
            let forget = self.generation > 0 && self.written.is_none();
            return (forget.then(Place::default), false);
        };
        let wanted = cursor.place.lock().clone();
        let due = match wanted.durable_part(mark) {
            Some(part) => Some(part),
            None => self.held.get_or_insert(wanted.clone()).durable_part(mark),
        };
        if due.is_some() {
            self.held = None;
        }
        let more = due.as_ref() != Some(&wanted);
        (due.filter(|due| self.written.as_ref() != Some(due)), more)
    }
}

/// The file with all its bytes; made if it is not there.
pub(super) fn open_file(path: &Path) -> Result<(File, Vec<u8>), Error> {
    let io = |action| Error::io(action, path);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io("open"))?;
    let mut bytes = vec![0; FILE_BYTES as usize];
    let read = read_at(&file, &mut bytes, 0).map_err(io("read"))?;
    if (read as u64) < FILE_BYTES {
        Disk::default().write_cursor(&file, &bytes[read..], read as u64).map_err(io("allocate"))?;
        file.sync_all().map_err(io("sync"))?;
    }
    Ok((file, bytes))
}

/// Generations take the two places in turns, so that a torn write leaves the one before.
pub(super) fn write_slot(disk: &Disk, file: &File, index: usize, record: Record) -> io::Result<()> {
    let at = index * 2 * SLOT_BYTES + (record.generation % 2) as usize * SLOT_BYTES;
    disk.write_cursor(file, &record.bytes(), at as u64)
}

/// The newer sound one of two places.
fn newest<'a>(pair: &'a [u8], path: &Path) -> Result<Option<Record<'a>>, Error> {
    let (even, odd) = pair.split_at(SLOT_BYTES);
    let records = [Record::read(even, path)?, Record::read(odd, path)?];
    Ok(records.into_iter().flatten().max_by_key(|record| record.generation))
}

/// What the file says about the journal, and its cursors.
pub(super) fn read_slots(bytes: &[u8], path: &Path) -> Result<(Vec<Slot>, Found), Error> {
    let pairs: Vec<&[u8]> = bytes.chunks(2 * SLOT_BYTES).collect();
    let records: Vec<Option<Record>> = pairs.iter().map(|pair| newest(pair, path)).collect::<Result<_, _>>()?;
    let written = |pair: &[u8]| pair.iter().any(|byte| *byte != 0);
    let damaged = records.iter().zip(&pairs).skip(1).filter(|(record, pair)| record.is_none() && written(pair)).count();
    let mark = highest(&records);
    Ok((records.into_iter().map(Slot::of).collect(), Found { mark, damaged }))
}

/// Everything that any slot knows; closed only if none knows more than the last words.
fn highest(records: &[Option<Record>]) -> Mark {
    let mut mark = Mark::default();
    for found in records.iter().flatten().map(|record| record.mark) {
        for class in 0..3 {
            mark.durable[class] = mark.durable[class].max(found.durable[class]);
            mark.seqs[class] = mark.seqs[class].max(found.seqs[class]);
        }
        (mark.head, mark.epoch) = (mark.head.max(found.head), mark.epoch.max(found.epoch));
    }
    let own = records[0].map(|own| own.mark);
    let last = |own: Mark| own.closed && own.seqs == mark.seqs && own.head == mark.head && own.epoch == mark.epoch;
    Mark { closed: own.is_some_and(last), ..mark }
}

/// The places of all cursors, without touching the file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<(String, Place)>, Error> {
    let mut bytes = vec![0; FILE_BYTES as usize];
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
        file => file.map_err(Error::io("open", path))?,
    };
    read_at(&file, &mut bytes, 0).map_err(Error::io("read", path))?;
    let (slots, _) = read_slots(&bytes, path)?;
    let named = slots.into_iter().filter_map(|slot| Some((slot.cursor?.name.to_string(), slot.written?)));
    Ok(named.collect())
}
