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
    pub(super) parts: VecDeque<Part>,
    /// What has come to its end and is not in the books yet.
    pub(super) ends: Vec<Ended>,
}

/// Some messages that have come to their end.
pub(super) struct Ended {
    /// The first and the last offset.
    pub(super) offsets: (u64, u64),
    pub(super) holders: Vec<(Holder, u64)>,
    pub(super) end: End,
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

    /// Messages of the oldest batch have come to their end.
    pub(super) fn end(&mut self, ended: Ended) {
        if let Some(batch) = self.batches.front_mut() {
            batch.ends.push(ended);
        }
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

    /// Writes into the books what has come to its end; stops at what needs somebody's hand.
    pub(super) fn advance(&mut self, books: &mut Books, classes: &[Class]) -> Due {
        while let Some(batch) = self.batches.front_mut() {
            if let Some(Part::Unfit(..)) = batch.parts.front()
                && let Some(Part::Unfit(message, reason)) = batch.parts.pop_front()
            {
                return Due::Unfit(batch.source, message, reason);
            }
            batch.settle(books, classes);
            if !batch.parts.is_empty() {
                return Due::Nothing;
            }
            self.batches.pop_front();
        }
        Due::Nothing
    }
}

impl Batch {
    /// Moves the place as far as everything below has an end, and enters these ends. Both go together: after a crash
    /// what lies behind the place is sent again, and counted only then.
    fn settle(&mut self, books: &mut Books, classes: &[Class]) {
        let place = self.place();
        let done = |ended: &mut Ended| ended.offsets.1 < place;
        for ended in self.ends.extract_if(.., done) {
            ended.holders.iter().for_each(|(holder, count)| books.end(*holder, ended.end, *count));
        }
        match self.source {
            Source::Class(class, lane) => books.settle_to(class, lane, place),
            Source::All => classes.iter().for_each(|class| books.settle_to(*class, Lane::Main, place)),
            Source::Letter(_) | Source::Greeting => {}
        }
    }

    /// The highest offset that splits what has an end from what has none: deliveries of several topics interleave.
    fn place(&self) -> u64 {
        let open = self.parts.iter().map(|part| match part {
            Part::Sent(contents) => contents.offsets.0,
            Part::Unfit(message, _) => message.offset,
        });
        let mut place = open.min().unwrap_or(self.next);
        loop {
            let cut = self.ends.iter().filter(|ended| ended.offsets.1 >= place).map(|ended| ended.offsets.0).min();
            match cut {
                Some(first) if first < place => place = first,
                _ => return place,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::DeviceIx;

    const SOURCE: Source = Source::Class(Class::Normal, Lane::Main);
    const HOLDER: Holder = Holder::Device(DeviceIx(0));

    fn sent(first: u64, last: u64) -> Part {
        Part::Sent(Contents { offsets: (first, last), holders: vec![(HOLDER, 1)] })
    }

    fn acknowledge(flight: &mut InFlight) {
        let (_, _, contents) = flight.take_sent().expect("something is under way");
        flight.end(Ended { offsets: contents.offsets, holders: contents.holders, end: End::Delivered });
    }

    #[test]
    fn a_place_and_the_ends_below_it_go_into_the_books_together() {
        let mut books = Books::new(0, [0; 3]);
        let mut flight = InFlight::default();
        // Two topics interleave: 0 and 4 of one, 2 of the other, then 6.
        let parts = [sent(0, 4), sent(2, 2), sent(6, 6)].into();
        flight.push(Batch { source: SOURCE, next: 10, parts, ends: vec![] });
        let mut after = |flight: &mut InFlight| {
            acknowledge(flight);
            flight.advance(&mut books, &[]);
            (books.places(Class::Normal).settled, books.total().delivered)
        };
        assert_eq!(after(&mut flight), (0, 0), "2 is under way, so 0 and 4 cannot be told apart from it");
        assert_eq!(after(&mut flight), (6, 2));
        assert_eq!(after(&mut flight), (10, 3));
        assert!(flight.is_empty() && flight.messages() == 0 && flight.deliveries() == 0);
    }
}
