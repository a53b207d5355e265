//! What is under way: sent, not settled. Pure.

use super::books::{Books, End, Holder, Lane};
use super::packer::{Contents, Packed};
use edgeway_journal::Class;
use std::collections::VecDeque;

/// Where messages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// One lane of one class.
    Class(Class, Lane),
    /// All classes in the order of the journal.
    All,
    /// A dead letter that is sent again.
    Letter(u64),
    /// What the format says at the start of a connection.
    Greeting,
}

/// What was read at a time, and what has come of it so far.
pub(super) struct Batch {
    pub(super) source: Source,
    /// The offset behind what was read.
    pub(super) next: u64,
    /// Messages that were too old.
    pub(super) expired: Vec<Holder>,
    pub(super) parts: VecDeque<Part>,
}

/// A part of a batch.
pub(super) enum Part {
    /// Sent; the target has not said what became of it.
    Sent(Contents),
    /// The format cannot say it.
    Unfit(Box<Packed>, String),
}

/// What is to be done next.
pub(super) enum Due {
    /// A message that was never sent is to be put aside, of this source.
    Unfit(Source, Box<Packed>, String),
    /// Nothing until the target says more.
    Nothing,
}

/// All batches under way, oldest first.
#[derive(Default)]
pub(super) struct InFlight {
    batches: VecDeque<Batch>,
    messages: u64,
    deliveries: usize,
}

impl InFlight {
    pub(super) fn push(&mut self, batch: Batch) {
        for part in &batch.parts {
            if let Part::Sent(contents) = part {
                self.messages += contents.messages();
                self.deliveries += 1;
            }
        }
        self.batches.push_back(batch);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    pub(super) fn deliveries(&self) -> usize {
        self.deliveries
    }

    pub(super) fn messages(&self) -> u64 {
        self.messages
    }

    pub(super) fn clear(&mut self) {
        *self = InFlight::default();
    }

    /// The oldest delivery, of which the target has just told the outcome.
    pub(super) fn take_sent(&mut self) -> Option<(Source, u64, Contents)> {
        let batch = self.batches.front_mut()?;
        let Some(Part::Sent(_)) = batch.parts.front() else { return None };
        let Some(Part::Sent(contents)) = batch.parts.pop_front() else { return None };
        self.messages -= contents.messages();
        self.deliveries -= 1;
        Some((batch.source, batch.next, contents))
    }

    /// Closes the batches that are done, in the books; stops at what needs somebody's hand.
    pub(super) fn advance(&mut self, books: &mut Books, classes: &[Class]) -> Due {
        while let Some(batch) = self.batches.front_mut() {
            match batch.parts.pop_front() {
                Some(Part::Unfit(message, reason)) => return Due::Unfit(batch.source, message, reason),
                Some(sent) => {
                    batch.parts.push_front(sent);
                    return Due::Nothing;
                }
                None => {}
            }
            for holder in &batch.expired {
                books.end(*holder, End::Expired, 1);
            }
            match batch.source {
                Source::Class(class, lane) => books.settle_to(class, lane, batch.next),
                Source::All => classes.iter().for_each(|class| books.settle_to(*class, Lane::Main, batch.next)),
                Source::Letter(_) | Source::Greeting => {}
            }
            self.batches.pop_front();
        }
        Due::Nothing
    }
}
