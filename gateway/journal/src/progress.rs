//! How far the journal is durable, for those who may not wait for its locks.

use crate::{Class, slot::Mark};
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that only grow; each was true when it was stored.
#[derive(Debug)]
pub(crate) struct Progress {
    durable: [AtomicU64; 3],
    seqs: [AtomicU64; 3],
    head: AtomicU64,
    epoch: u32,
}

impl Progress {
    pub(crate) fn new(head: u64, seqs: [u64; 3], epoch: u32) -> Self {
        let durable = [head; 3].map(AtomicU64::new);
        Progress { durable, seqs: seqs.map(AtomicU64::new), head: AtomicU64::new(head), epoch }
    }

    /// Everything of this class below `offset`, which is below the number `seq`, is durable.
    pub(crate) fn settle(&self, class: Class, offset: u64, seq: u64) {
        self.durable[class.index()].fetch_max(offset, Ordering::AcqRel);
        self.seqs[class.index()].fetch_max(seq, Ordering::AcqRel);
    }

    pub(crate) fn appended(&self, head: u64) {
        self.head.fetch_max(head, Ordering::AcqRel);
    }

    pub(crate) fn durable(&self, class: Class) -> u64 {
        self.durable[class.index()].load(Ordering::Acquire)
    }

    pub(crate) fn mark(&self, closed: Closed) -> Mark {
        // In the other order than they are stored: an offset may be ahead of its number, and never behind it.
        let seqs = Class::ALL.map(|class| self.seqs[class.index()].load(Ordering::Acquire));
        Mark {
            durable: Class::ALL.map(|class| self.durable(class)),
            seqs,
            head: self.head.load(Ordering::Acquire),
            epoch: self.epoch,
            closed: closed == Closed::Yes,
        }
    }
}

/// Whether a mark is the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Yes,
    No,
}
