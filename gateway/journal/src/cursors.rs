//! Named, durable places in the journal: one preallocated file of slots. The layout is in the crate docs.

mod cursor;
mod file;

pub(crate) use cursor::Signal;
pub use cursor::{Cursor, Place, Start};
pub(crate) use file::{Found, read_file};

use crate::{
    Error,
    disk::Disk,
    progress::{Closed, Progress},
    slot::{CURSORS_MAX, Mark, NAME_BYTES_MAX, NOTE_BYTES_MAX, Record},
};
use file::{Slot, open_file, write_slot};
use parking_lot::Mutex;
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, atomic::Ordering},
    thread::Thread,
};

/// All cursors, and the file they live in.
#[derive(Debug)]
pub(crate) struct Cursors {
    path: PathBuf,
    file: File,
    disk: Disk,
    signal: Arc<Signal>,
    slots: Mutex<Vec<Slot>>,
    /// Set once the journal knows where it stands.
    progress: OnceLock<Arc<Progress>>,
}

impl Cursors {
    /// Reads the file, or makes it: written in full, so that a commit never needs space.
    pub(crate) fn open(dir: &Path, disk: Disk) -> Result<(Arc<Cursors>, Found), Error> {
        let path = dir.join("cursors");
        let (file, bytes) = open_file(&path)?;
        let (slots, found) = file::read_slots(&bytes, &path)?;
        let (signal, progress) = (Arc::default(), OnceLock::new());
        Ok((Arc::new(Cursors { path, file, disk, signal, slots: Mutex::new(slots), progress }), found))
    }

    /// The journal goes on from here: no cursor may stand behind its head.
    pub(crate) fn begin(&self, progress: Arc<Progress>) {
        let head = progress.mark(Closed::No).head;
        for cursor in self.slots.lock().iter().filter_map(|slot| slot.cursor.as_ref()) {
            cursor.place.lock().positions.iter_mut().for_each(|position| *position = head.min(*position));
        }
        self.progress.get_or_init(|| progress);
    }

    fn mark_now(&self) -> Mark {
        self.progress.get().map(|progress| progress.mark(Closed::No)).unwrap_or_default()
    }

    /// From now on this thread is told when a cursor has moved.
    pub(crate) fn written_by(&self, writer: Thread) {
        self.signal.writer.get_or_init(|| writer);
    }

    /// The cursor with this name; made at `start` if there is none.
    pub(crate) fn cursor(self: &Arc<Self>, name: &str, start: impl FnOnce() -> Place) -> Result<Cursor, Error> {
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Error::CursorName(name.into()));
        }
        let mut slots = self.slots.lock();
        if let Some(known) = slots.iter().filter_map(|slot| slot.cursor.as_ref()).find(|cursor| &*cursor.name == name) {
            return Ok(Cursor { named: known.clone(), cursors: self.clone() });
        }
        let free = slots.iter_mut().skip(1).find(|slot| slot.cursor.is_none());
        let slot = free.ok_or(Error::CursorsFull { max: CURSORS_MAX })?;
        let cursor = Cursor::new(name, start(), self.clone());
        (slot.cursor, slot.written, slot.held) = (Some(cursor.named.clone()), None, None);
        self.signal.raise();
        Ok(cursor)
    }

    /// Forgets the cursor with this name.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let mut slots = self.slots.lock();
        let slot = slots.iter_mut().find(|slot| slot.is_named(name));
        let slot = slot.ok_or_else(|| Error::UnknownCursor(name.into()))?;
        (slot.cursor, slot.written, slot.held) = (None, None, None);
        self.signal.raise();
        Ok(())
    }

    /// All cursors.
    pub(crate) fn list(self: &Arc<Self>) -> Vec<Cursor> {
        let slots = self.slots.lock();
        let named = slots.iter().filter_map(|slot| slot.cursor.clone());
        named.map(|named| Cursor { named, cursors: self.clone() }).collect()
    }

    /// True if [`write`](Self::write) has something to do.
    pub(crate) fn moved(&self) -> bool {
        self.signal.moved.load(Ordering::Acquire)
    }

    /// Writes what has moved. No place is written before the journal is durable up to there: a reader that runs ahead must
    /// not skip, after a crash, what takes the place of the items that were lost.
    pub(crate) fn write(&self) -> Result<(), Error> {
        self.signal.moved.store(false, Ordering::Release);
        let result = self.write_moved();
        if result.is_err() {
            self.signal.raise();
        }
        result.map_err(Error::io("write", &self.path))
    }

    fn write_moved(&self) -> io::Result<()> {
        let mark = self.mark_now();
        let mut slots = self.slots.lock();
        let mut written = vec![];
        for (index, slot) in slots.iter_mut().enumerate().skip(1) {
            let (place, more) = slot.due(&mark);
            if more {
                self.signal.moved.store(true, Ordering::Release);
            }
            let Some(place) = place else { continue };
            self.write_one(slot, index, &place, mark)?;
            written.push((index, place));
        }
        if !written.is_empty() {
            self.disk.sync(&self.file)?;
        }
        written.into_iter().for_each(|(index, place)| slots[index].written = Some(place));
        Ok(())
    }

    fn write_one(&self, slot: &mut Slot, index: usize, place: &Place, mark: Mark) -> io::Result<()> {
        let generation = slot.generation + 1;
        let name = slot.cursor.as_ref().map_or("", |cursor| &cursor.name);
        let record = Record { generation, positions: place.positions, mark, name, note: &place.note };
        write_slot(&self.disk, &self.file, index, record)?;
        (slot.generation, slot.written) = (generation, None);
        Ok(())
    }

    /// Writes one cursor now.
    fn write_now(&self, name: &str, place: &Place) -> Result<(), Error> {
        let mark = self.mark_now();
        if !place.is_durable(&mark) {
            return Err(Error::NotDurable("the cursor is ahead of what is durable, and is written later".into()));
        }
        let mut slots = self.slots.lock();
        let found = slots.iter_mut().enumerate().find(|(_, slot)| slot.is_named(name));
        let (index, slot) = found.ok_or_else(|| Error::UnknownCursor(name.into()))?;
        slot.held = None;
        if slot.written.as_ref() == Some(place) {
            return Ok(());
        }
        let written = self.write_one(slot, index, place, mark).and_then(|()| self.disk.sync(&self.file));
        written.map_err(Error::io("write", &self.path))?;
        slot.written = Some(place.clone());
        Ok(())
    }

    /// Notes how far the journal is durable, and whether it is being closed.
    pub(crate) fn mark(&self, closed: Closed) -> Result<(), Error> {
        let Some(progress) = self.progress.get() else { return Ok(()) };
        let mut slots = self.slots.lock();
        let mark = progress.mark(closed);
        let slot = &mut slots[0];
        slot.generation += 1;
        let record = Record { generation: slot.generation, positions: mark.durable, mark, name: "", note: &[] };
        write_slot(&self.disk, &self.file, 0, record)
            .and_then(|()| self.disk.sync(&self.file))
            .map_err(Error::io("write", &self.path))
    }
}

/// Refuses a note that does not fit.
fn check_note(place: &Place) -> Result<(), Error> {
    let (bytes, max) = (place.note.len(), NOTE_BYTES_MAX);
    if bytes > max { Err(Error::Note { bytes, max }) } else { Ok(()) }
}
