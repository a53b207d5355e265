//! Readers: from the memory where they can, from the disk where they must.

use crate::{
    Class, Codec, Entry, Error, Fetched, Level, LossReason, LostRange,
    merge::{Merge, Scope},
    shared::Shared,
    tail::Wanted,
};
use std::sync::Arc;
use tokio::sync::watch;

/// One reader's place in the journal. It costs nothing while it waits, and one 64 KiB buffer and the items of one frame
/// for each class while it reads from disk.
pub struct Reader<C: Codec> {
    shared: Arc<Shared<C>>,
    level: Level,
    scope: Scope,
    position: u64,
    heads: watch::Receiver<u64>,
    disk: Option<Merge<C>>,
}

/// Where the next entries are.
enum Place<T> {
    Here(Fetched<T>),
    /// On disk, up to this offset at least.
    Disk(u64),
    /// Not there yet.
    Later,
}

impl<C: Codec> Reader<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, from: u64, level: Level, scope: Scope) -> Self {
        let heads = match (level, scope) {
            (Level::Appended, _) => shared.head.subscribe(),
            (Level::Durable, Scope::All) => shared.durable.subscribe(),
            (Level::Durable, Scope::One(class)) => shared.writers[class.index()].durable.subscribe(),
        };
        Reader { shared, level, scope, position: from, heads, disk: None }
    }

    /// The next offset it will look at: everything below that is for it has been given or reported as lost.
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
            match self.place(items_max) {
                Place::Here(fetched) => return Ok(fetched),
                Place::Disk(until) => {
                    if let Some(fetched) = self.read_disk(items_max, until).await? {
                        return Ok(fetched);
                    }
                }
                Place::Later if closed => return Err(Error::Closed),
                Place::Later => self.heads.changed().await.map_err(|_| Error::Closed)?,
            }
        }
    }

    /// The same without waiting for items; `None` if there are none yet. What is on disk is read on this thread.
    pub fn try_next(&mut self, items_max: usize) -> Result<Option<Fetched<C::Item>>, Error> {
        loop {
            match self.place(items_max) {
                Place::Here(fetched) => return Ok(Some(fetched)),
                Place::Later => return Ok(None),
                Place::Disk(until) => {
                    let mut disk = self.take_disk();
                    let fetched = disk.fetch(items_max.max(1), until);
                    if let Some(fetched) = self.put_back(disk, fetched)? {
                        return Ok(Some(fetched));
                    }
                }
            }
        }
    }

    fn place(&mut self, items_max: usize) -> Place<C::Item> {
        let tail = self.shared.tail.lock();
        let end = match (self.level, self.scope) {
            (Level::Appended, _) => tail.head(),
            (Level::Durable, Scope::All) => tail.durable(),
            (Level::Durable, Scope::One(class)) => tail.durable_of(class),
        };
        if self.position >= end {
            return Place::Later;
        }
        if self.position < tail.first() {
            return Place::Disk(tail.first().min(end));
        }
        self.disk = None;
        let wanted = match self.scope {
            Scope::All => Wanted::at(self.level),
            Scope::One(class) => Wanted::Of(class),
        };
        let from = self.position;
        let (entries, to) = tail.read(from..end, wanted, items_max.max(1), self.shared.origin);
        let to = if to == from { tail.next_kept(from, end) } else { to };
        drop(tail);
        self.position = to;
        self.given(entries, from)
    }

    /// What was found in the tail from `from` on. A reader of all that is kept is told what is not.
    fn given(&self, entries: Vec<Entry<C::Item>>, from: u64) -> Place<C::Item> {
        let skipped = entries.is_empty() && self.scope == Scope::All;
        match skipped.then_some(self.position) {
            Some(end) => Place::Here(Fetched::lost(LostRange {
                from,
                to: end - 1,
                count: end - from,
                class: None,
                reason: LossReason::NotKept,
            })),
            None if entries.is_empty() => Place::Later,
            None => Place::Here(Fetched::entries(entries)),
        }
    }

    fn take_disk(&mut self) -> Merge<C> {
        let kept = self.disk.take().filter(|disk| disk.position() == self.position);
        kept.unwrap_or_else(|| Merge::of(&self.shared, self.scope, self.level, self.position))
    }

    async fn read_disk(&mut self, items_max: usize, until: u64) -> Result<Option<Fetched<C::Item>>, Error> {
        let mut disk = self.take_disk();
        let read = move || (disk.fetch(items_max.max(1), until), disk);
        let (fetched, disk) = tokio::task::spawn_blocking(read).await.map_err(|_| Error::Closed)?;
        self.put_back(disk, fetched)
    }

    /// After an error the place on disk is looked for anew.
    fn put_back(
        &mut self,
        disk: Merge<C>,
        fetched: Result<Option<Fetched<C::Item>>, Error>,
    ) -> Result<Option<Fetched<C::Item>>, Error> {
        let fetched = fetched?;
        self.position = disk.position();
        self.disk = Some(disk);
        Ok(fetched)
    }
}

impl<C: Codec> Reader<C> {
    /// The class it reads; `None` if it reads all of them.
    pub fn class(&self) -> Option<Class> {
        match self.scope {
            Scope::All => None,
            Scope::One(class) => Some(class),
        }
    }
}
