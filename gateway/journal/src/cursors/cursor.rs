//! One cursor as its consumer has it.

use super::{Cursors, check_note};
use crate::{Class, Error, slot::Mark};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::Thread,
};

/// Where a cursor that is not there yet begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Behind everything appended so far.
    Head,
    /// At the oldest item kept, in each class.
    First,
}

/// How far a consumer has come, and what it wants to remember with that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The next offset it wants of each class, in the order of [`Class::ALL`].
    pub positions: [u64; 3],
    /// Whatever the consumer likes, up to 3,000 bytes: written with the positions or not at all.
    pub note: Vec<u8>,
}

impl Place {
    /// The same offset in all classes, and no note.
    pub fn at(offset: u64) -> Self {
        Place { positions: [offset; 3], note: vec![] }
    }

    /// The next offset wanted of a class.
    pub fn position(&self, class: Class) -> u64 {
        self.positions[class.index()]
    }

    /// Everything before it is durable.
    pub(super) fn is_durable(&self, mark: &Mark) -> bool {
        self.positions.iter().zip(mark.durable).all(|(position, durable)| *position <= durable)
    }

    /// As far as everything is durable; `None` if a note forbids that.
    pub(super) fn durable_part(&self, mark: &Mark) -> Option<Place> {
        if self.is_durable(mark) {
            return Some(self.clone());
        }
        let clamp = |class: usize| self.positions[class].min(mark.durable[class]);
        self.note.is_empty().then(|| Place { positions: [clamp(0), clamp(1), clamp(2)], note: vec![] })
    }
}

/// One consumer's place in the journal.
///
/// The place survives the process; after a crash it may be up to 200 ms old, so a consumer sees some items again.
#[derive(Clone)]
pub struct Cursor {
    pub(super) named: Named,
    pub(super) cursors: Arc<Cursors>,
}

/// What the file of cursors and the handles share.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    pub(crate) name: Arc<str>,
    pub(crate) place: Arc<Mutex<Place>>,
}

impl Cursor {
    pub(super) fn new(name: &str, place: Place, cursors: Arc<Cursors>) -> Self {
        Cursor { named: Named { name: name.into(), place: Arc::new(Mutex::new(place)) }, cursors }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.named.name
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        self.named.place.lock().clone()
    }

    /// The lowest of its three positions.
    pub fn position(&self) -> u64 {
        self.named.place.lock().positions.into_iter().min().unwrap_or(0)
    }

    /// Everything before `place` is done. It is in memory at once and on disk within 200 ms, or after
    /// [`flush`](crate::Journal::flush); no sooner than everything before it is durable. It may go back, to see items
    /// again. Without effect on a removed cursor, and if the note is longer than 3,000 bytes.
    pub fn commit(&self, place: Place) {
        if let Err(error) = check_note(&place) {
            tracing::error!(cursor = self.name(), %error, "a cursor stays where it is");
            return;
        }
        *self.named.place.lock() = place;
        self.cursors.signal.raise();
    }

    /// The same, and it is on disk when this returns. May be called by a [`Keeper`](crate::Keeper) while it is asked.
    ///
    /// [`Error::NotDurable`] if not everything before it is durable: then it is written as by [`commit`](Self::commit).
    pub fn commit_now(&self, place: Place) -> Result<(), Error> {
        check_note(&place)?;
        *self.named.place.lock() = place.clone();
        self.cursors.write_now(self.name(), &place).inspect_err(|_| self.cursors.signal.raise())
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("name", &self.named.name).field("place", &self.place()).finish()
    }
}

/// Tells the writer thread that some cursor has moved.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    pub(super) moved: AtomicBool,
    pub(super) writer: OnceLock<Thread>,
}

impl Signal {
    pub(super) fn raise(&self) {
        if !self.moved.swap(true, Ordering::AcqRel)
            && let Some(writer) = self.writer.get()
        {
            writer.unpark();
        }
    }
}
