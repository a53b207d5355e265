//! The handle.

mod open;
mod report;

use crate::{
    Class, Codec, Cursor, Error, Keeper, Level, Place, Reader, Recovery, Stamp, Start,
    log::Counters,
    merge::Scope,
    recovery,
    shared::{LAST_ANSWER, Refused, Shared, Work},
    tail::Placed,
};
use parking_lot::Mutex;
use std::{ops::Range, path::Path, sync::Arc, thread::JoinHandle};
use tokio::sync::watch;

/// A durable, ordered log of items; a cheap handle that can be cloned.
///
/// When the last handle is dropped without [`close`](Self::close), the writer threads still write what they have and end.
pub struct Journal<C: Codec> {
    handle: Arc<Handle<C>>,
}

struct Handle<C: Codec> {
    shared: Arc<Shared<C>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl<C: Codec> Drop for Handle<C> {
    fn drop(&mut self) {
        self.shared.begin_close();
    }
}

impl<C: Codec> Clone for Journal<C> {
    fn clone(&self) -> Self {
        Journal { handle: self.handle.clone() }
    }
}

impl<C: Codec> Journal<C> {
    /// The preambles of all segments in `dir`, oldest first, each one once; none if `dir` is not there. For making a
    /// codec before opening. Changes nothing.
    pub fn preambles(dir: impl AsRef<Path>) -> Result<Vec<Vec<u8>>, Error> {
        recovery::preambles(dir.as_ref())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared<C>> {
        &self.handle.shared
    }

    /// What opening found.
    pub fn recovery(&self) -> &Recovery {
        &self.shared().recovery
    }

    /// How often the journal has been opened, with this time: 1 for a new one. Kept in every stamp, so that an offset that
    /// a crash took back and the one that is given again can be told apart.
    pub fn epoch(&self) -> u32 {
        self.shared().origin.epoch
    }

    /// The stamp that an item appended now would get.
    pub fn now(&self) -> Stamp {
        self.shared().options.clock.stamp(self.epoch())
    }

    /// From now on `keeper` is asked before a segment is removed. To be called once, before the first item is appended;
    /// a second keeper is not taken.
    pub fn set_keeper(&self, keeper: Arc<dyn Keeper<C::Item>>) {
        if self.shared().keeper.set(keeper).is_err() {
            tracing::error!("the journal has a keeper already and does not take another one");
        }
    }

    /// Adds items at the head, in order, and returns their offsets. Live readers see them at once; they are durable once
    /// the level of their class is reached, see [`durable`](Self::durable).
    ///
    /// Waits only while `pending_bytes_max` bytes of their class wait for the disk. Then items of other classes may be
    /// added before, and items of others between them: the offsets are those from the first one to the last one. If the
    /// future is dropped while it waits, the items that wait were not added.
    pub async fn append(&self, items: Vec<C::Item>) -> Result<Range<u64>, Error> {
        let (mut items, mut offsets) = (items, None::<Range<u64>>);
        loop {
            let space = self.shared().space.notified();
            let join = |taken: Range<u64>, before: Option<Range<u64>>| match before {
                Some(before) if taken.is_empty() => before,
                Some(before) => before.start..taken.end,
                None => taken,
            };
            match self.shared().push(items) {
                Err(Refused { items: back, error: Error::Full { .. }, taken }) => {
                    items = back.into_iter().map(|one| one.item).collect();
                    offsets = if taken.is_empty() { offsets } else { Some(join(taken, offsets)) };
                }
                Err(Refused { error, .. }) => return Err(error),
                Ok(taken) => return Ok(join(taken, offsets)),
            }
            space.await;
        }
    }

    /// The same without waiting: where [`append`](Self::append) would wait for a class, the items of that class come back,
    /// with [`Error::Full`], and are counted; those of the other classes are appended all the same.
    pub fn try_append(&self, items: Vec<C::Item>) -> Result<Range<u64>, (Vec<C::Item>, Error)> {
        self.shared().push(items).map_err(|refused| {
            refused.items.iter().for_each(|one| self.count_refused(one));
            (refused.items.into_iter().map(|one| one.item).collect(), refused.error)
        })
    }

    fn count_refused(&self, one: &Placed<C::Item>) {
        if let Some(class) = one.placement.class() {
            Counters::add(&self.shared().logs[class.index()].counters.refused, 1);
        }
    }

    /// Waits until the item at `offset`, and everything of its class before it, is durable, however long that takes: while
    /// the disk does not work, the writer goes on trying. Other classes are not waited for, and an item in memory alone not
    /// at all.
    ///
    /// [`Error::TooLarge`] if this very item was refused, [`Error::Closed`] if the journal was closed before.
    pub async fn durable(&self, offset: u64) -> Result<(), Error> {
        self.wait_for(&mut self.shared().head.subscribe(), offset + 1).await?;
        self.durable_range(offset..offset + 1).await?;
        let refused = self.shared().refused.lock().contains(&offset);
        if refused { Err(Error::TooLarge { offset }) } else { Ok(()) }
    }

    /// The same for all items in `offsets`, which have been appended.
    pub async fn durable_range(&self, offsets: Range<u64>) -> Result<(), Error> {
        let mut last = [None; 3];
        for (offset, placement) in self.shared().tail.lock().placements(offsets.clone()) {
            if let Some(class) = placement.class() {
                last[class.index()] = Some(offset);
            }
        }
        // What has left the tail may still wait for the disk.
        let left = self.shared().tail.lock().first().min(offsets.end);
        for class in Class::ALL {
            let end = last[class.index()].map_or(0, |last| last + 1);
            let end = if offsets.start < left { end.max(self.waiting_below(class, left)) } else { end };
            let mut durable = self.shared().writers[class.index()].durable.subscribe();
            if self.durable_head_of(class) < end {
                self.wait_for(&mut durable, end).await?;
            }
        }
        Ok(())
    }

    /// The end of what of a class waits for the disk below the offset `end`; 0 if nothing does.
    fn waiting_below(&self, class: Class, end: u64) -> u64 {
        self.shared().tail.lock().waits_below(class, end).map_or(0, |last| last + 1)
    }

    async fn wait_for(&self, numbers: &mut watch::Receiver<u64>, end: u64) -> Result<(), Error> {
        loop {
            let closed = self.shared().is_closed();
            if *numbers.borrow_and_update() >= end {
                return Ok(());
            }
            if closed {
                return Err(Error::Closed);
            }
            numbers.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// A reader of all classes in the order of their offsets that begins at offset `from`.
    ///
    /// Offsets that no class accounts for are reported to it as [`NotKept`](crate::LossReason::NotKept). At
    /// [`Level::Durable`] it waits for the slowest class; a consumer that may not wait reads each class for itself.
    pub fn reader(&self, from: u64, level: Level) -> Reader<C> {
        Reader::new(self.shared().clone(), from, level, Scope::All)
    }

    /// A reader of one class that begins at offset `from`.
    pub fn class_reader(&self, class: Class, from: u64, level: Level) -> Reader<C> {
        Reader::new(self.shared().clone(), from, level, Scope::One(class))
    }

    /// The cursor with this name, where it was left; made at `start` if there is none yet.
    ///
    /// Fails with [`Error::CursorsFull`] if there are 64 already.
    pub fn cursor(&self, name: &str, start: Start) -> Result<Cursor, Error> {
        self.shared().cursors.cursor(name, || match start {
            Start::Head => Place::at(self.head()),
            Start::First => Place { positions: Class::ALL.map(|class| self.first_of(class)), note: vec![] },
        })
    }

    /// All cursors.
    pub fn cursors(&self) -> Vec<Cursor> {
        self.shared().cursors.list()
    }

    /// Forgets a cursor and frees its place.
    pub fn remove_cursor(&self, name: &str) -> Result<(), Error> {
        self.shared().cursors.remove(name)
    }

    /// Waits until everything appended before is durable and synced, and all cursors are written.
    /// [`Error::NotDurable`] as soon as one try fails; the writers go on trying all the same.
    pub async fn flush(&self) -> Result<(), Error> {
        let shared = self.shared();
        let requests = shared.writers.each_ref().map(|work| (work, work.request()));
        let mut written = Ok(());
        for (work, number) in requests {
            written = written.and(self.answered(work, number).await);
        }
        let cursors = self.answered(&shared.scribe, shared.scribe.request()).await;
        written.and(cursors)
    }

    /// Waits until the request with this number is answered.
    async fn answered(&self, work: &Work, number: u64) -> Result<(), Error> {
        let shared = self.shared();
        let mut answers = work.answer.subscribe();
        loop {
            let closed = shared.is_closed();
            let answer = *answers.borrow_and_update();
            if answer.number >= number {
                let reason =
                    || shared.last_error().unwrap_or_else(|| "a class has no space left that it may take".into());
                return if answer.written { Ok(()) } else { Err(Error::NotDurable(reason())) };
            }
            if closed {
                return Err(Error::Closed);
            }
            answers.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// Takes no more items, writes everything, and ends the writer threads; for all handles. [`Error::NotDurable`] if
    /// the disk would not take everything: then what it did not take is lost.
    pub async fn close(self) -> Result<(), Error> {
        self.shared().begin_close();
        let written = self.answered(&self.shared().scribe, LAST_ANSWER).await;
        let threads = std::mem::take(&mut *self.handle.threads.lock());
        for thread in threads {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            joined.map_err(|_| Error::Closed)?.map_err(|_| Error::NotDurable("a writer panicked".into()))?;
        }
        written
    }
}
