//! The journal, with one class in use.

use super::{MESSAGE_BYTES, Store, other};
use crate::{
    Class, ClassOptions, Codec, Cursor, Decoder, Error, Journal, Level, Options, Place, Placement, Reader, Start,
    SyncLevel,
};
use std::{
    io,
    ops::Range,
    path::Path,
    sync::{Arc, mpsc},
    thread,
};
use tokio::runtime::{Builder, Runtime};

/// Messages of one length, one behind the other.
pub(super) struct Messages;

impl Codec for Messages {
    type Item = Vec<u8>;

    fn preamble(&self) -> Vec<u8> {
        b"bench".to_vec()
    }

    fn placement(&self, _: &Vec<u8>) -> Placement {
        Placement::Disk(Class::Normal)
    }

    fn size_hint(&self, message: &Vec<u8>) -> usize {
        message.len()
    }

    fn encode(&self, messages: &[Arc<Vec<u8>>], out: &mut Vec<u8>) {
        messages.iter().for_each(|message| out.extend_from_slice(message));
    }

    fn decoder(&self, _: &[u8]) -> Result<Box<dyn Decoder<Vec<u8>>>, String> {
        Ok(Box::new(Messages))
    }
}

impl Decoder<Vec<u8>> for Messages {
    fn decode(&self, bytes: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
        (bytes.len() == count * MESSAGE_BYTES).then(|| bytes.chunks(MESSAGE_BYTES).map(<[u8]>::to_vec).collect())
    }

    fn decode_v1(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        Some(bytes.to_vec())
    }
}

/// A tail that is small enough for all but the last messages to be drained from disk, and large enough to outlive a group:
/// what leaves it is let go by whoever appends, as in the gateway.
pub(super) fn options() -> Options {
    let class = |class| ClassOptions { sync: SyncLevel::Disk, ..ClassOptions::of(class) };
    Options { classes: Class::ALL.map(class), tail_items: 2048, ..Options::default() }
}

pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().build()
}

struct Ours {
    runtime: Runtime,
    journal: Journal<Messages>,
    reader: Reader<Messages>,
    acknowledge: Acknowledge,
    /// One group may be under way when an append returns.
    ahead: bool,
    under_way: Option<Range<u64>>,
}

/// How it is noted durably that a group is done.
enum Acknowledge {
    /// At once.
    Now(Cursor),
    /// While the next group is read.
    Meanwhile(Scribe),
}

/// Each group is durable before the next one.
pub(super) fn make(dir: &Path) -> io::Result<Box<dyn Store>> {
    open(dir, false)
}

/// The next group is appended while the one before is on its way to the disk, and read while it is noted that the one
/// before is done.
pub(super) fn make_ahead(dir: &Path) -> io::Result<Box<dyn Store>> {
    open(dir, true)
}

fn open(dir: &Path, ahead: bool) -> io::Result<Box<dyn Store>> {
    let runtime = runtime()?;
    let journal = Journal::open(dir, Messages, options()).map_err(other)?;
    let reader = journal.class_reader(Class::Normal, 0, Level::Durable);
    let cursor = journal.cursor("bench", Start::First).map_err(other)?;
    // The first segment is begun before anything is measured, as a journal in use has one.
    let first = async {
        let offsets = journal.append(super::messages(0, 1)).await?;
        journal.durable_range(offsets).await
    };
    runtime.block_on(first).map_err(other)?;
    let acknowledge = if ahead { Acknowledge::Meanwhile(Scribe::new(cursor)) } else { Acknowledge::Now(cursor) };
    let mut ours = Ours { runtime, journal, reader, acknowledge, ahead, under_way: None };
    ours.drain(1)?;
    Ok(Box::new(ours))
}

impl Store for Ours {
    fn append(&mut self, group: Vec<Vec<u8>>) -> io::Result<()> {
        let append = async {
            let offsets = self.journal.append(group).await?;
            let awaited = if self.ahead { self.under_way.replace(offsets) } else { Some(offsets) };
            wait(&self.journal, awaited).await
        };
        self.runtime.block_on(append).map_err(other)
    }

    fn settle(&mut self) -> io::Result<()> {
        self.runtime.block_on(wait(&self.journal, self.under_way.take())).map_err(other)?;
        match &mut self.acknowledge {
            Acknowledge::Now(_) => Ok(()),
            Acknowledge::Meanwhile(scribe) => scribe.settle(),
        }
    }

    fn drain(&mut self, count: usize) -> io::Result<usize> {
        let (mut drained, mut bytes) = (0, 0);
        while drained < count {
            let fetched = self.reader.try_next(count - drained).map_err(other)?;
            let Some(fetched) = fetched.filter(|fetched| fetched.lost.is_none()) else {
                return Err(io::Error::other("a message is missing"));
            };
            drained += fetched.entries.len();
            bytes += fetched.entries.iter().map(|entry| entry.item.len()).sum::<usize>();
        }
        let place = Place::at(self.reader.position());
        match &mut self.acknowledge {
            Acknowledge::Now(cursor) => cursor.commit_now(place).map_err(other)?,
            Acknowledge::Meanwhile(scribe) => scribe.acknowledge(place)?,
        }
        Ok(bytes)
    }

    fn close(self: Box<Self>) -> io::Result<()> {
        self.runtime.block_on(self.journal.close()).map_err(other)
    }
}

/// Writes places on a thread of its own, one at a time.
struct Scribe {
    places: mpsc::Sender<Place>,
    written: mpsc::Receiver<Result<(), Error>>,
    is_writing: bool,
}

impl Scribe {
    fn new(cursor: Cursor) -> Self {
        let ((places, to_write), (done, written)) = (mpsc::channel::<Place>(), mpsc::channel());
        thread::spawn(move || to_write.into_iter().try_for_each(|place| done.send(cursor.commit_now(place))));
        Scribe { places, written, is_writing: false }
    }

    /// Once the place before is written.
    fn acknowledge(&mut self, place: Place) -> io::Result<()> {
        self.settle()?;
        self.is_writing = true;
        self.places.send(place).map_err(other)
    }

    fn settle(&mut self) -> io::Result<()> {
        match std::mem::take(&mut self.is_writing) {
            true => self.written.recv().map_err(other)?.map_err(other),
            false => Ok(()),
        }
    }
}

async fn wait(journal: &Journal<Messages>, offsets: Option<Range<u64>>) -> Result<(), Error> {
    match offsets {
        Some(offsets) => journal.durable_range(offsets).await,
        None => Ok(()),
    }
}

/// Fills a journal and closes it.
pub(super) fn fill(dir: &Path, messages: u64) -> io::Result<u64> {
    let journal = Journal::open(dir, Messages, options()).map_err(other)?;
    let bytes = runtime()?.block_on(async {
        for first in (0..messages).step_by(4096) {
            let count = (messages - first).min(4096) as usize;
            journal.append(super::messages(first as usize, count)).await?;
        }
        journal.flush().await?;
        let bytes = journal.stats().classes[Class::Normal.index()].written_bytes_total;
        journal.close().await?;
        Ok::<u64, Error>(bytes)
    });
    bytes.map_err(other)
}
