//! The handle.

use crate::{
    Codec, Cursor, Error, Level, Options, Reader, Recovery, Start, Stats,
    cursors::Cursors,
    disk::Disk,
    lock, quarantine, recovery,
    segment::PREAMBLE_BYTES_MAX,
    shared::{Counters, Flushes, LAST_ANSWER, Shared},
    slot,
    tail::Tail,
    writer::{Writer, spare_bytes},
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    fs::File,
    ops::Range,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::{Notify, watch};

/// A durable, ordered log of items; a cheap handle that can be cloned.
///
/// When the last handle is dropped without [`close`](Self::close), the writer thread still writes what it has and ends.
pub struct Journal<C: Codec> {
    handle: Arc<Handle<C>>,
}

struct Handle<C: Codec> {
    shared: Arc<Shared<C>>,
    writer: Mutex<Option<JoinHandle<()>>>,
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

    /// Opens the journal in `dir`, which is made if it is not there. Damage never fails it, see [`recovery`](Self::recovery).
    ///
    /// Fails with [`Error::Locked`] if another process has it open, with [`Error::Version`] if a newer program wrote it
    /// (nothing is touched then), and with [`Error::Io`] if the directory cannot be used.
    pub fn open(dir: impl AsRef<Path>, codec: C, options: Options) -> Result<Self, Error> {
        Self::open_on(Disk::default(), dir.as_ref(), codec, options)
    }

    pub(crate) fn open_on(disk: Disk, dir: &Path, codec: C, options: Options) -> Result<Self, Error> {
        options.check()?;
        let preamble = codec.preamble();
        let max = PREAMBLE_BYTES_MAX.min(options.segment_bytes as usize / 4);
        if preamble.len() > max {
            return Err(Error::Preamble { bytes: preamble.len(), max });
        }
        let lock = lock::lock(dir)?;
        let survey = recovery::survey(dir)?;
        let (cursors, mark) = Cursors::open(dir)?;
        let (catalogue, recovery) = recovery::recover(dir, survey, mark)?;
        let head = recovery.next_offset;
        cursors.limit(head);
        let shared = Shared {
            dir: dir.into(),
            codec,
            preamble,
            options,
            disk,
            recovery,
            cursors,
            tail: Mutex::new(Tail::new(head)),
            catalogue: Mutex::new(catalogue),
            refused: Mutex::new(VecDeque::new()),
            head: watch::Sender::new(head),
            durable: watch::Sender::new(head),
            space: Notify::new(),
            counters: Counters::default(),
            flushes: Flushes::default(),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            writer: OnceLock::new(),
        };
        Self::start(Arc::new(shared), lock)
    }

    fn start(shared: Arc<Shared<C>>, lock: File) -> Result<Self, Error> {
        let writer = Writer::new(shared.clone(), lock);
        let spawned = thread::Builder::new().name("journal".into()).spawn(move || writer.run());
        let writer = spawned.map_err(Error::io("start the writer of", &shared.dir))?;
        shared.cursors.written_by(writer.thread().clone());
        shared.writer.get_or_init(|| writer.thread().clone());
        shared.wake_writer();
        Ok(Journal { handle: Arc::new(Handle { shared, writer: Mutex::new(Some(writer)) }) })
    }

    fn shared(&self) -> &Arc<Shared<C>> {
        &self.handle.shared
    }

    /// What opening found.
    pub fn recovery(&self) -> &Recovery {
        &self.shared().recovery
    }

    /// Adds items at the head, in order, and returns their offsets. Live readers see them at once; they are durable
    /// within `group_delay` and one sync of the disk, see [`durable`](Self::durable).
    ///
    /// Waits only while `pending_bytes_max` bytes wait for the disk. If the future is dropped while it waits, nothing
    /// was added.
    pub async fn append(&self, mut items: Vec<C::Item>) -> Result<Range<u64>, Error> {
        loop {
            let space = self.shared().space.notified();
            match self.shared().push(items) {
                Err((back, Error::Full { .. })) => items = back,
                done => return done.map_err(|(_, error)| error),
            }
            space.await;
        }
    }

    /// The same without waiting: gives the items back with [`Error::Full`] where [`append`](Self::append) would wait.
    pub fn try_append(&self, items: Vec<C::Item>) -> Result<Range<u64>, (Vec<C::Item>, Error)> {
        self.shared().push(items)
    }

    /// Waits until everything up to and with `offset` is on disk, however long that takes: while the disk does not
    /// work, the writer goes on trying. [`Error::TooLarge`] if this very item was refused, [`Error::Closed`] if the
    /// journal was closed before.
    pub async fn durable(&self, offset: u64) -> Result<(), Error> {
        let mut durable = self.shared().durable.subscribe();
        loop {
            let closed = self.shared().is_closed();
            if *durable.borrow_and_update() > offset {
                let refused = self.shared().refused.lock().contains(&offset);
                return if refused { Err(Error::TooLarge { offset }) } else { Ok(()) };
            }
            if closed {
                return Err(Error::Closed);
            }
            durable.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// The offset of the next item.
    pub fn head(&self) -> u64 {
        *self.shared().head.borrow()
    }

    /// Everything below is on disk.
    pub fn durable_head(&self) -> u64 {
        *self.shared().durable.borrow()
    }

    /// The oldest offset kept on disk; the head if there is none.
    pub fn first(&self) -> u64 {
        self.shared().catalogue.lock().first()
    }

    /// A reader that begins at offset `from`.
    pub fn reader(&self, from: u64, level: Level) -> Reader<C> {
        Reader::new(self.shared().clone(), from, level)
    }

    /// The cursor with this name, where it was left; made at `start` if there is none yet.
    ///
    /// Fails with [`Error::CursorsFull`] if there are 64 already.
    pub fn cursor(&self, name: &str, start: Start) -> Result<Cursor, Error> {
        self.shared().cursors.cursor(name, || match start {
            Start::Head => self.head(),
            Start::First => self.first(),
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

    /// Waits until everything appended before is durable and all cursors are written. [`Error::NotDurable`] as soon as
    /// one try fails; the writer goes on trying all the same.
    pub async fn flush(&self) -> Result<(), Error> {
        let shared = self.shared();
        let number = shared.flushes.wanted.fetch_add(1, Ordering::AcqRel) + 1;
        shared.wake_writer();
        self.answered(number).await
    }

    /// Waits until the request with this number is answered.
    async fn answered(&self, number: u64) -> Result<(), Error> {
        let shared = self.shared();
        let mut answers = shared.flushes.answer.subscribe();
        loop {
            let closed = shared.is_closed();
            let answer = *answers.borrow_and_update();
            if answer.number >= number {
                return if answer.written { Ok(()) } else { Err(Error::NotDurable(shared.last_error())) };
            }
            if closed {
                return Err(Error::Closed);
            }
            answers.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// Takes no more items, writes everything, and ends the writer thread; for all handles. [`Error::NotDurable`] if
    /// the disk would not take everything: then what it did not take is lost.
    pub async fn close(self) -> Result<(), Error> {
        self.shared().begin_close();
        let written = self.answered(LAST_ANSWER).await;
        let writer = self.handle.writer.lock().take();
        if let Some(writer) = writer {
            let joined = tokio::task::spawn_blocking(move || writer.join()).await;
            joined.map_err(|_| Error::Closed)?.map_err(|_| Error::NotDurable("the writer panicked".into()))?;
        }
        written
    }

    /// What it has done and what it holds.
    pub fn stats(&self) -> Stats {
        let shared = self.shared();
        let pending_bytes = shared.tail.lock().pending_bytes();
        let (segments, first, segment_bytes) = {
            let catalogue = shared.catalogue.lock();
            (catalogue.len(), catalogue.first(), catalogue.bytes_on_disk())
        };
        let others = spare_bytes(&shared.dir) + slot::FILE_BYTES + quarantine::bytes_on_disk(&shared.dir);
        let counters = &shared.counters;
        Stats {
            bytes_on_disk: segment_bytes + others,
            segments,
            first,
            head: self.head(),
            durable_head: self.durable_head(),
            appended_total: counters.appended.load(Ordering::Relaxed),
            synced_groups_total: counters.synced_groups.load(Ordering::Relaxed),
            sync_errors_total: counters.sync_errors.load(Ordering::Relaxed),
            dropped_by_retention_total: counters.dropped_by_retention.load(Ordering::Relaxed),
            too_large_total: counters.too_large.load(Ordering::Relaxed),
            pending_bytes,
            last_error: counters.last_error.lock().clone(),
        }
    }
}
