//! What the handles, the readers and the writer thread share.

use crate::{Codec, Error, Options, Recovery, catalogue::Catalogue, cursors::Cursors, disk::Disk, tail::Tail};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    ops::Range,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::Thread,
    time::Instant,
};
use tokio::sync::{Notify, watch};

/// How many refused items are remembered for those who wait for them.
const REFUSED_MAX: usize = 1024;

pub(crate) struct Shared<C: Codec> {
    pub(crate) dir: PathBuf,
    pub(crate) codec: C,
    pub(crate) preamble: Vec<u8>,
    pub(crate) options: Options,
    pub(crate) disk: Disk,
    pub(crate) recovery: Recovery,
    pub(crate) cursors: Cursors,
    pub(crate) tail: Mutex<Tail<C::Item>>,
    /// Locked after `tail` or alone, never before it.
    pub(crate) catalogue: Mutex<Catalogue>,
    /// Offsets of the latest items that were too long.
    pub(crate) refused: Mutex<VecDeque<u64>>,
    /// The head, for readers that wait.
    pub(crate) head: watch::Sender<u64>,
    /// The durable head, for all who wait.
    pub(crate) durable: watch::Sender<u64>,
    /// There is room for appends again.
    pub(crate) space: Notify,
    pub(crate) counters: Counters,
    pub(crate) flushes: Flushes,
    /// No item is taken any more.
    pub(crate) closing: AtomicBool,
    /// The writer has ended.
    pub(crate) closed: AtomicBool,
    pub(crate) writer: OnceLock<Thread>,
}

/// The number of the answer that the writer gives when it ends.
pub(crate) const LAST_ANSWER: u64 = u64::MAX;

/// What only counts.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) appended: AtomicU64,
    pub(crate) synced_groups: AtomicU64,
    pub(crate) sync_errors: AtomicU64,
    pub(crate) dropped_by_retention: AtomicU64,
    pub(crate) too_large: AtomicU64,
    pub(crate) last_error: Mutex<Option<String>>,
}

/// Requests to write everything now, numbered, and the writer's answers.
pub(crate) struct Flushes {
    pub(crate) wanted: AtomicU64,
    pub(crate) answer: watch::Sender<Answer>,
}

impl Default for Flushes {
    fn default() -> Self {
        Flushes { wanted: AtomicU64::new(0), answer: watch::Sender::new(Answer { number: 0, written: true }) }
    }
}

/// All requests up to `number` are answered; the last answer has the highest number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) number: u64,
    /// True if everything was written.
    pub(crate) written: bool,
}

impl<C: Codec> Shared<C> {
    /// Adds items unless too much waits for the disk already.
    pub(crate) fn push(&self, items: Vec<C::Item>) -> Result<Range<u64>, (Vec<C::Item>, Error)> {
        let mut tail = self.tail.lock();
        if self.closing.load(Ordering::Acquire) {
            return Err((items, Error::Closed));
        }
        let pending_bytes = tail.pending_bytes();
        if pending_bytes >= self.options.pending_bytes_max {
            return Err((items, Error::Full { pending_bytes }));
        }
        let waiting = tail.pending_items();
        let range = tail.push(items, Instant::now);
        let due = waiting + (range.end - range.start);
        drop(tail);
        self.counters.appended.fetch_add(range.end - range.start, Ordering::Relaxed);
        self.head.send_if_modified(|head| std::mem::replace(head, range.end.max(*head)) < range.end);
        let full_group = self.options.group_items as u64;
        if (waiting == 0 && due > 0) || (waiting < full_group && due >= full_group) {
            self.wake_writer();
        }
        Ok(range)
    }

    pub(crate) fn wake_writer(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    /// Takes no more items and ends the writer once it has written what it can.
    pub(crate) fn begin_close(&self) {
        let tail = self.tail.lock();
        self.closing.store(true, Ordering::Release);
        drop(tail);
        self.space.notify_waiters();
        self.wake_writer();
    }

    /// The writer has ended: nobody waits for it any more.
    pub(crate) fn end(&self) {
        self.closing.store(true, Ordering::Release);
        self.closed.store(true, Ordering::Release);
        self.head.send_modify(|_| ());
        self.durable.send_modify(|_| ());
        self.flushes.answer.send_modify(|_| ());
        self.space.notify_waiters();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn last_error(&self) -> String {
        self.counters.last_error.lock().clone().unwrap_or_else(|| "the writer has ended".into())
    }

    pub(crate) fn refuse(&self, offset: u64) {
        self.counters.too_large.fetch_add(1, Ordering::Relaxed);
        let mut refused = self.refused.lock();
        if refused.len() == REFUSED_MAX {
            refused.pop_front();
        }
        refused.push_back(offset);
    }
}
