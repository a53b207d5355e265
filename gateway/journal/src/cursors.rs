//! Named, durable places in the journal: one preallocated file of slots. The layout is in the crate docs.

use crate::{
    Error,
    disk::{Disk, read_at},
    slot::{CURSORS_MAX, FILE_BYTES, NAME_BYTES_MAX, Record, SLOT_BYTES},
};
use parking_lot::Mutex;
use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::Thread,
};

/// Where a cursor that is not there yet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Behind everything appended so far.
    Head,
    /// At the oldest item kept.
    First,
}

/// One consumer's place in the journal.
///
/// The place is the next offset the consumer wants. It survives the process; after a crash it may be up to 200 ms old,
/// so a consumer sees some items again.
#[derive(Debug, Clone)]
pub struct Cursor {
    name: Arc<str>,
    position: Arc<AtomicU64>,
    shared: Arc<Signal>,
}

impl Cursor {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next offset this consumer wants.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Everything below `position` is done. Costs a store in memory; it is on disk within 200 ms, or after
    /// [`flush`](crate::Journal::flush). It may go back, to see items again. Without effect on a removed cursor.
    pub fn commit(&self, position: u64) {
        self.position.store(position, Ordering::Release);
        self.shared.raise();
    }
}

/// Tells the writer thread that some cursor has moved.
#[derive(Debug, Default)]
struct Signal {
    moved: AtomicBool,
    writer: OnceLock<Thread>,
}

impl Signal {
    fn raise(&self) {
        if !self.moved.swap(true, Ordering::AcqRel)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }
}

/// All cursors, and the file they live in.
#[derive(Debug)]
pub(crate) struct Cursors {
    path: PathBuf,
    file: File,
    signal: Arc<Signal>,
    slots: Mutex<Vec<Slot>>,
}

/// Two places in the file, written in turns.
#[derive(Debug, Default)]
struct Slot {
    generation: u64,
    cursor: Option<Named>,
    /// The position on disk; `None` if what is on disk is not what is here.
    written: Option<u64>,
}

#[derive(Debug)]
struct Named {
    name: Arc<str>,
    position: Arc<AtomicU64>,
}

/// What the file said about the journal when it was opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    /// The highest offset below which everything is known to have been durable.
    pub(crate) durable: u64,
    /// True if the journal was closed in order, so that nothing can lie behind `durable`.
    pub(crate) closed: bool,
    /// Cursors of which neither slot is sound; their names are lost.
    pub(crate) damaged: usize,
}

impl Cursors {
    /// Reads the file, or makes it: written in full, so that a commit never needs space.
    pub(crate) fn open(dir: &Path) -> Result<(Cursors, Mark), Error> {
        let path = dir.join("cursors");
        let io = |action| Error::io(action, &path);
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io("open"))?;
        let mut bytes = vec![0; FILE_BYTES as usize];
        let read = read_at(&file, &mut bytes, 0).map_err(io("read"))?;
        if (read as u64) < FILE_BYTES {
            Disk::default().write_cursor(&file, &bytes[read..], read as u64).map_err(io("allocate"))?;
            file.sync_all().map_err(io("sync"))?;
        }
        let (slots, mark) = read_slots(&bytes, &path)?;
        Ok((Cursors { path, file, signal: Arc::default(), slots: Mutex::new(slots) }, mark))
    }

    /// No cursor may stand behind `head`.
    pub(crate) fn limit(&self, head: u64) {
        for cursor in self.slots.lock().iter().filter_map(|slot| slot.cursor.as_ref()) {
            cursor.position.fetch_min(head, Ordering::AcqRel);
        }
    }

    /// From now on this thread is told when a cursor has moved.
    pub(crate) fn written_by(&self, writer: Thread) {
        self.signal.writer.get_or_init(|| writer);
    }

    /// The cursor with this name; made at `start` if there is none.
    pub(crate) fn cursor(&self, name: &str, start: impl FnOnce() -> u64) -> Result<Cursor, Error> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Error::CursorName(name.into()));
        }
        let mut slots = self.slots.lock();
        if let Some(known) = slots.iter().filter_map(|slot| slot.cursor.as_ref()).find(|cursor| &*cursor.name == name) {
            return Ok(self.handle(known));
        }
        let free = slots.iter_mut().skip(1).find(|slot| slot.cursor.is_none());
        let slot = free.ok_or(Error::CursorsFull { max: CURSORS_MAX })?;
        let named = Named { name: name.into(), position: Arc::new(AtomicU64::new(start())) };
        let cursor = self.handle(&named);
        (slot.cursor, slot.written) = (Some(named), None);
        self.signal.raise();
        Ok(cursor)
    }

    fn handle(&self, named: &Named) -> Cursor {
        Cursor { name: named.name.clone(), position: named.position.clone(), shared: self.signal.clone() }
    }

    /// Forgets the cursor with this name.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let mut slots = self.slots.lock();
        let slot = slots.iter_mut().find(|slot| slot.cursor.as_ref().is_some_and(|cursor| &*cursor.name == name));
        let slot = slot.ok_or_else(|| Error::UnknownCursor(name.into()))?;
        (slot.cursor, slot.written) = (None, None);
        self.signal.raise();
        Ok(())
    }

    /// All cursors.
    pub(crate) fn list(&self) -> Vec<Cursor> {
        self.slots.lock().iter().filter_map(|slot| slot.cursor.as_ref()).map(|named| self.handle(named)).collect()
    }

    /// True if [`write`](Self::write) has something to do.
    pub(crate) fn moved(&self) -> bool {
        self.signal.moved.load(Ordering::Acquire)
    }

    /// Writes what has moved. A cursor is written at most as far as the journal is durable: a reader that runs ahead
    /// must not skip, after a crash, what takes the place of the items that were lost.
    pub(crate) fn write(&self, disk: &Disk, durable: u64) -> Result<(), Error> {
        self.signal.moved.store(false, Ordering::Release);
        let result = self.write_moved(disk, durable);
        if result.is_err() {
            self.signal.moved.store(true, Ordering::Release);
        }
        result.map_err(Error::io("write", &self.path))
    }

    fn write_moved(&self, disk: &Disk, durable: u64) -> io::Result<()> {
        let mut slots = self.slots.lock();
        let mut written = vec![];
        for (index, slot) in slots.iter_mut().enumerate().skip(1) {
            let Some((name, wanted)) = slot.wanted() else { continue };
            let position = wanted.min(durable);
            if slot.written != Some(position) {
                let generation = slot.generation + 1;
                let record = Record { generation, position, durable, closed: false, name };
                write_slot(disk, &self.file, index, record)?;
                (slot.generation, slot.written) = (generation, None);
                written.push((index, position));
            }
            if wanted > durable {
                self.signal.moved.store(true, Ordering::Release);
            }
        }
        if !written.is_empty() {
            disk.sync(&self.file)?;
        }
        written.into_iter().for_each(|(index, position)| slots[index].written = Some(position));
        Ok(())
    }

    /// Notes how far the journal is durable, and whether it is being closed.
    pub(crate) fn mark(&self, disk: &Disk, durable: u64, closed: Closed) -> Result<(), Error> {
        let mut slots = self.slots.lock();
        let slot = &mut slots[0];
        slot.generation += 1;
        let generation = slot.generation;
        let record = Record { generation, position: durable, durable, closed: closed == Closed::Yes, name: "" };
        write_slot(disk, &self.file, 0, record)
            .and_then(|()| disk.sync(&self.file))
            .map_err(Error::io("write", &self.path))
    }
}

/// Whether a mark is the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Yes,
    No,
}

/// Generations take the two places in turns, so that a torn write leaves the one before.
fn write_slot(disk: &Disk, file: &File, index: usize, record: Record) -> io::Result<()> {
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
fn read_slots(bytes: &[u8], path: &Path) -> Result<(Vec<Slot>, Mark), Error> {
    let pairs: Vec<&[u8]> = bytes.chunks(2 * SLOT_BYTES).collect();
    let records: Vec<Option<Record>> = pairs.iter().map(|pair| newest(pair, path)).collect::<Result<_, _>>()?;
    let durable = records.iter().flatten().map(|record| record.durable).max().unwrap_or(0);
    let closed = records[0].is_some_and(|own| own.closed && own.durable == durable);
    let written = |pair: &[u8]| pair.iter().any(|byte| *byte != 0);
    let damaged = records.iter().zip(&pairs).skip(1).filter(|(record, pair)| record.is_none() && written(pair)).count();
    Ok((records.into_iter().map(Slot::of).collect(), Mark { durable, closed, damaged }))
}

impl Slot {
    fn of(record: Option<Record>) -> Slot {
        let Some(record) = record else { return Slot::default() };
        let named = || Named { name: record.name.into(), position: Arc::new(AtomicU64::new(record.position)) };
        let cursor = (!record.name.is_empty()).then(named);
        Slot { generation: record.generation, cursor, written: Some(record.position) }
    }

    /// What should be on disk; `None` for a slot that never held anything.
    fn wanted(&self) -> Option<(&str, u64)> {
        match &self.cursor {
            Some(cursor) => Some((&cursor.name, cursor.position.load(Ordering::Acquire))),
            None => (self.generation > 0).then_some(("", 0)),
        }
    }
}
