//! Readers: from the memory where they can, from the disk where they must.

use crate::{Codec, Entry, Error, Fetched, Level, LossReason, LostRange, disk_reader::DiskReader, shared::Shared};
use std::sync::Arc;
use tokio::sync::watch;

/// One reader's place in the journal. It costs nothing while it waits, and one 64 KiB buffer while it reads from disk.
pub struct Reader<C: Codec> {
    shared: Arc<Shared<C>>,
    level: Level,
    position: u64,
    heads: watch::Receiver<u64>,
    disk: Option<DiskReader<C>>,
}

/// Where the next entries are.
enum Place<T> {
    Here(Vec<Entry<T>>),
    /// On disk, up to this offset at least.
    Disk(u64),
    /// Not there yet.
    Later,
}

impl<C: Codec> Reader<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, from: u64, level: Level) -> Self {
        let heads = match level {
            Level::Appended => shared.head.subscribe(),
            Level::Durable => shared.durable.subscribe(),
        };
        Reader { shared, level, position: from, heads, disk: None }
    }

    /// The next offset it will read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Goes to `offset`, forward or back.
    pub fn seek(&mut self, offset: u64) {
        self.position = offset;
        self.disk = None;
    }

    /// The next entries, up to `items_max` (at least one); waits until there is at least one. Where entries are lost it
    /// gives the report alone, and goes on behind them at the next call.
    ///
    /// Dropping the future loses nothing. [`Error::Closed`] comes once the journal is closed and all of it was read;
    /// after [`Error::Io`] the same entries can be asked for again.
    pub async fn next(&mut self, items_max: usize) -> Result<Fetched<C::Item>, Error> {
        loop {
            self.heads.borrow_and_update();
            let closed = self.shared.is_closed();
            let fetched = match self.place(items_max) {
                Place::Here(entries) => Fetched::entries(entries),
                Place::Disk(until) => self.read_disk(items_max, until).await?,
                Place::Later if closed => return Err(Error::Closed),
                Place::Later => {
                    self.heads.changed().await.map_err(|_| Error::Closed)?;
                    continue;
                }
            };
            if let Some(fetched) = self.advance(fetched) {
                return Ok(fetched);
            }
        }
    }

    /// The same without waiting for items; `None` if there are none yet. What is on disk is read on this thread.
    pub fn try_next(&mut self, items_max: usize) -> Result<Option<Fetched<C::Item>>, Error> {
        loop {
            let fetched = match self.place(items_max) {
                Place::Here(entries) => Fetched::entries(entries),
                Place::Later => return Ok(None),
                Place::Disk(until) => {
                    let (position, shared) = (self.position, &self.shared);
                    let disk = self.disk.get_or_insert_with(|| DiskReader::new(shared.clone()));
                    disk.fetch(position, items_max.max(1), until)?
                }
            };
            if let Some(fetched) = self.advance(fetched) {
                return Ok(Some(fetched));
            }
        }
    }

    fn place(&mut self, items_max: usize) -> Place<C::Item> {
        let tail = self.shared.tail.lock();
        let end = match self.level {
            Level::Appended => tail.head(),
            Level::Durable => tail.durable(),
        };
        if self.position >= end {
            return Place::Later;
        }
        if self.position < tail.first() {
            return Place::Disk(tail.first());
        }
        self.disk = None;
        Place::Here(tail.read(self.position..end, items_max.max(1)))
    }

    async fn read_disk(&mut self, items_max: usize, until: u64) -> Result<Fetched<C::Item>, Error> {
        let mut disk = self.disk.take().unwrap_or_else(|| DiskReader::new(self.shared.clone()));
        let position = self.position;
        let read = move || (disk.fetch(position, items_max.max(1), until), disk);
        let (fetched, disk) = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Closed)?;
        self.disk = Some(disk);
        fetched
    }

    /// Moves behind what was read; `None` if that was nothing, because the place moved meanwhile.
    fn advance(&mut self, fetched: Fetched<C::Item>) -> Option<Fetched<C::Item>> {
        self.position = fetched.end()?;
        Some(fetched)
    }
}

impl<T> Fetched<T> {
    /// The offsets `from..end` were removed before they were read.
    pub(crate) fn too_late(from: u64, end: u64) -> Self {
        Fetched::lost(LostRange::until(from, end, LossReason::Retention))
    }
}
