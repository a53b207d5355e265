//! What the handles, the readers and the writer threads share.

use crate::{
    Class, Codec, Error, Keeper, Options, Placement, Recovery, Stamp,
    cursors::Cursors,
    disk::Disk,
    log::{Counters, Log},
    progress::Progress,
    tail::{Placed, Pushed, Tail},
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::Thread,
    time::Instant,
};
use tokio::sync::{Notify, watch};

/// How many refused items are remembered for those who wait for them.
const REFUSED_MAX: usize = 1024;

pub(crate) struct Shared<C: Codec> {
    pub(crate) dir: PathBuf,
    pub(crate) codec: Arc<C>,
    pub(crate) preamble: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) disk: Disk,
    pub(crate) recovery: Recovery,
    /// Epoch and boot of everything that is appended now.
    pub(crate) origin: Stamp,
    pub(crate) cursors: Arc<Cursors>,
    pub(crate) progress: Arc<Progress>,
    pub(crate) tail: Mutex<Tail<C::Item>>,
    pub(crate) logs: [Arc<Log>; 3],
    /// The threads that write the classes.
    pub(crate) writers: [Work; 3],
    /// The thread that writes cursors.
    pub(crate) scribe: Work,
    pub(crate) keeper: OnceLock<Arc<dyn Keeper<C::Item>>>,
    /// Offsets of the latest items that were too long.
    pub(crate) refused: Mutex<VecDeque<u64>>,
    /// The head, for readers that wait.
    pub(crate) head: watch::Sender<u64>,
    /// The durable head of all classes, for all who wait.
    pub(crate) durable: watch::Sender<u64>,
    /// There is room for appends again.
    pub(crate) space: Notify,
    /// No item is taken any more.
    pub(crate) closing: AtomicBool,
    /// Writers of classes that have not ended.
    pub(crate) writing: AtomicUsize,
    /// All threads have ended.
    pub(crate) closed: AtomicBool,
}

/// The number of the answer that a thread gives when it ends.
pub(crate) const LAST_ANSWER: u64 = u64::MAX;

/// A thread that writes, and what is asked of it.
pub(crate) struct Work {
    /// Requests to write everything now, numbered.
    pub(crate) wanted: AtomicU64,
    pub(crate) answer: watch::Sender<Answer>,
    /// How far its class is durable, for all who wait; for others it stays at 0.
    pub(crate) durable: watch::Sender<u64>,
    thread: OnceLock<Thread>,
}

impl Default for Work {
    fn default() -> Self {
        Work {
            wanted: AtomicU64::new(0),
            answer: watch::Sender::new(Answer { number: 0, written: true }),
            durable: watch::Sender::new(0),
            thread: OnceLock::new(),
        }
    }
}

/// All requests up to `number` are answered; the last answer has the highest number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) number: u64,
    /// True if everything was written.
    pub(crate) written: bool,
}

impl Work {
    pub(crate) fn done_by(&self, thread: Thread) {
        self.thread.get_or_init(|| thread);
        self.wake();
    }

    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Asks for everything to be written; the number of the answer to wait for.
    pub(crate) fn request(&self) -> u64 {
        let number = self.wanted.fetch_add(1, Ordering::AcqRel) + 1;
        self.wake();
        number
    }

    /// A request that is not answered yet.
    pub(crate) fn requested(&self) -> Option<u64> {
        let wanted = self.wanted.load(Ordering::Acquire);
        (wanted > self.answer.borrow().number).then_some(wanted)
    }
}

impl<C: Codec> Shared<C> {
    /// Adds items, but none of a class of which too much waits for the disk already: those come back.
    pub(crate) fn push(&self, items: Vec<C::Item>) -> Result<Range<u64>, Refused<C::Item>> {
        let placed: Vec<Placed<C::Item>> = items.into_iter().map(|item| self.placed(item)).collect();
        let now = Instant::now();
        let mut tail = self.tail.lock();
        if self.closing.load(Ordering::Acquire) {
            let head = tail.head();
            return Err(Refused { items: placed, error: Error::Closed, taken: head..head });
        }
        let full = Class::ALL.map(|class| tail.pending_bytes(class) >= self.options.pending_bytes_max);
        let refuses = |one: &Placed<C::Item>| one.placement.class().is_some_and(|class| full[class.index()]);
        let (back, placed): (Vec<_>, Vec<_>) = match full.contains(&true) {
            true => placed.into_iter().partition(refuses),
            false => (vec![], placed),
        };
        let counts = counts(&placed);
        let before = Class::ALL.map(|class| tail.due(class).items);
        let Pushed { offsets, evicted } =
            tail.push(placed, self.options.clock.stamp(self.origin.epoch), now, &self.options);
        let error = back
            .first()
            .and_then(|one| one.placement.class())
            .map(|class| Error::Full { class, pending_bytes: tail.pending_bytes(class) });
        self.note_progress(&tail);
        drop(tail);
        drop(evicted);
        self.announce(&offsets, before, counts);
        match error {
            Some(error) => Err(Refused { items: back, error, taken: offsets }),
            None => Ok(offsets),
        }
    }

    fn placed(&self, item: C::Item) -> Placed<C::Item> {
        let placement = self.codec.placement(&item);
        let bytes = u32::try_from(self.codec.size_hint(&item).max(1)).unwrap_or(u32::MAX);
        Placed { item, placement, bytes }
    }

    /// Classes of which nothing waits are durable up to the head.
    fn note_progress(&self, tail: &Tail<C::Item>) {
        self.progress.appended(tail.head());
        for class in Class::ALL {
            self.progress.settle(class, tail.durable_of(class), tail.durable_seq(class));
        }
    }

    /// Tells readers and writers of new items.
    fn announce(&self, offsets: &Range<u64>, before: [usize; 3], counts: [usize; 3]) {
        self.head.send_if_modified(|head| std::mem::replace(head, offsets.end.max(*head)) < offsets.end);
        for class in Class::ALL {
            let (waited, added) = (before[class.index()], counts[class.index()]);
            let full = self.options.classes[class.index()].group_items;
            Counters::add(&self.logs[class.index()].counters.appended, added as u64);
            if added > 0 && (waited == 0 || (waited < full && waited + added >= full)) {
                self.writers[class.index()].wake();
            }
        }
        if counts == [0; 3] && !offsets.is_empty() {
            let durable = self.tail.lock().durable();
            self.durable.send_if_modified(|known| std::mem::replace(known, durable.max(*known)) < durable);
        }
    }

    /// `count` waiting items of a class are durable.
    pub(crate) fn settle(&self, class: Class, count: usize) {
        let (settled, durable, all, room) = {
            let mut tail = self.tail.lock();
            let settled = tail.settle(class, count, Instant::now());
            self.note_progress(&tail);
            let room = tail.pending_bytes(class) < self.options.pending_bytes_max;
            (settled, tail.durable_of(class), tail.durable(), room)
        };
        let raise = |known: &mut u64, to: u64| std::mem::replace(known, to.max(*known)) < to;
        self.writers[class.index()].durable.send_if_modified(|known| raise(known, durable));
        self.durable.send_if_modified(|known| raise(known, all));
        if room {
            self.space.notify_waiters();
        }
        drop(settled);
    }

    fn threads(&self) -> impl Iterator<Item = &Work> {
        self.writers.iter().chain([&self.scribe])
    }

    /// Takes no more items and ends the writers once they have written what they can.
    pub(crate) fn begin_close(&self) {
        let tail = self.tail.lock();
        self.closing.store(true, Ordering::Release);
        drop(tail);
        self.space.notify_waiters();
        self.threads().for_each(Work::wake);
    }

    /// A writer has ended, even if it panicked: the last one to end is the one that writes cursors.
    pub(crate) fn writer_ended(&self) {
        self.closing.store(true, Ordering::Release);
        self.writing.fetch_sub(1, Ordering::AcqRel);
        self.threads().for_each(Work::wake);
    }

    /// All threads have ended: nobody waits for them any more.
    pub(crate) fn end(&self) {
        self.closing.store(true, Ordering::Release);
        self.closed.store(true, Ordering::Release);
        self.head.send_modify(|_| ());
        self.durable.send_modify(|_| ());
        for work in self.threads() {
            work.answer.send_modify(|_| ());
            work.durable.send_modify(|_| ());
        }
        self.space.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Why the disk does not take anything, of the first class that has a reason.
    pub(crate) fn last_error(&self) -> Option<String> {
        self.logs.iter().find_map(|log| log.counters.last_error.lock().clone())
    }

    pub(crate) fn refuse(&self, class: Class, offset: u64) {
        Counters::add(&self.logs[class.index()].counters.too_large, 1);
        let mut refused = self.refused.lock();
        if refused.len() == REFUSED_MAX {
            refused.pop_front();
        }
        refused.push_back(offset);
    }
}

/// Items that were not taken, and the offsets of the others.
pub(crate) struct Refused<T> {
    pub(crate) items: Vec<Placed<T>>,
    pub(crate) error: Error,
    pub(crate) taken: Range<u64>,
}

/// How many items there are of each class.
fn counts<T>(placed: &[Placed<T>]) -> [usize; 3] {
    let mut counts = [0; 3];
    for one in placed {
        if let Placement::Disk(class) = one.placement {
            counts[class.index()] += 1;
        }
    }
    counts
}
