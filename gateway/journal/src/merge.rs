//! One class from disk, or all of them in the order of their offsets.
//!
//! A loss comes where the last offset is that it may stand for, so that everything of the other classes before that has
//! been given, and a reader that goes on behind it neither misses nor repeats anything. Offsets that no class accounts for
//! were never kept.

use crate::{
    Class, Codec, Entry, Error, Fetched, Level, LossReason, LostRange, entry::Event, shared::Shared, source::Source,
};
use std::sync::Arc;

/// How many items that wait for the disk are taken at once.
const WAITING_MAX: usize = 1024;

/// Places in the logs of some classes, and the common one.
pub(crate) struct Merge<C: Codec> {
    lanes: Vec<Source<C>>,
    /// Also what waits for the disk is read.
    waiting: Option<Arc<Shared<C>>>,
    position: u64,
    /// Offsets below the position that nothing has accounted for yet.
    gap: Option<Gap>,
    scope: Scope,
}

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    One(Class),
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    from: u64,
    offsets: u64,
    /// Of these, so many are accounted for by losses of classes.
    known: u64,
    /// What the loss that comes next leaves was told already.
    told: bool,
}

impl<C: Codec> Merge<C> {
    pub(crate) fn new(lanes: Vec<Source<C>>, scope: Scope, position: u64) -> Self {
        Merge { lanes, waiting: None, position, gap: None, scope }
    }

    /// What a journal holds from `position` on.
    pub(crate) fn of(shared: &Arc<Shared<C>>, scope: Scope, level: Level, position: u64) -> Self {
        let classes = Class::ALL.into_iter().filter(|class| scope == Scope::All || scope == Scope::One(*class));
        let source = |class: Class| Source::new(shared.logs[class.index()].clone(), shared.codec.clone(), position);
        let waiting = (level == Level::Appended).then(|| shared.clone());
        Merge { waiting, ..Merge::new(classes.map(source).collect(), scope, position) }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The offset behind everything that all classes have on disk.
    pub(crate) fn end(&self) -> u64 {
        let ends = self.lanes.iter().map(|lane| lane.log().catalogue.lock().end().offset);
        ends.max().unwrap_or(0).max(self.position)
    }

    /// Entries or a loss below the offset `limit`; `None` if there is nothing more, and then the position is the limit.
    pub(crate) fn fetch(&mut self, items_max: usize, limit: u64) -> Result<Option<Fetched<C::Item>>, Error> {
        let mut entries = vec![];
        while entries.len() < items_max {
            let nearest = self.nearest(limit)?;
            let open = self.lanes.iter().any(|lane| self.is_open(lane));
            if let Some(gap) = self.gap.take_if(|gap| !open && !gap.told)
                && let Some(lost) = gap.lost(self.position)
            {
                return Ok(Some(Fetched::lost(lost)));
            }
            match nearest.and_then(|lane| Some((lane, self.lanes[lane].known()?))) {
                // What was given is given before it is told what is missing behind it.
                None if !entries.is_empty() => break,
                None if self.position < limit => self.pass(limit),
                None => return Ok(self.straddling(limit).map(Fetched::lost)),
                Some((_, Event::Lost(_))) if !entries.is_empty() => break,
                Some((lane, Event::Lost(_))) => return Ok(self.lose(lane).map(Fetched::lost)),
                Some((_, Event::Entry(entry))) if self.scope == Scope::All && entry.offset > self.position => {
                    if !entries.is_empty() {
                        break;
                    }
                    let offset = entry.offset;
                    self.pass(offset);
                }
                Some((lane, Event::Entry(_))) => self.take_run(lane, limit, items_max, &mut entries),
            }
        }
        Ok((!entries.is_empty()).then(|| Fetched::entries(entries)))
    }

    /// The lane whose next event comes first, below the limit.
    fn nearest(&mut self, limit: u64) -> Result<Option<usize>, Error> {
        let mut nearest = None;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            fill(lane, self.waiting.as_deref())?;
            let place = lane.known().map(Event::place).filter(|(offset, _)| *offset < limit);
            nearest = place.map(|place| (place, index)).into_iter().chain(nearest).min();
        }
        Ok(nearest.map(|(_, index)| index))
    }

    /// A loss of this lane may account for offsets that were passed.
    fn is_open(&self, lane: &Source<C>) -> bool {
        matches!(lane.known(), Some(Event::Lost(lost)) if lost.from <= self.position)
    }

    /// Goes to `offset`; nothing between here and there was met.
    fn pass(&mut self, offset: u64) {
        let passed = offset.saturating_sub(self.position);
        if passed > 0 && self.scope == Scope::All {
            let gap = self.gap.get_or_insert(Gap { from: self.position, offsets: 0, known: 0, told: false });
            gap.offsets += passed;
        }
        self.position = self.position.max(offset);
    }

    /// Gives the loss that comes next in a lane; before that, what it leaves unaccounted for, if no other one can be.
    fn lose(&mut self, lane: usize) -> Option<LostRange> {
        let Some(Event::Lost(lost)) = self.lanes[lane].known() else { return None };
        let lost = *lost;
        let end = if self.ends_beside(lane, lost.to) { lost.to } else { lost.to + 1 };
        if self.scope == Scope::All
            && !self.is_open_beside(lane, lost.to)
            && let Some(unknown) = self.leaves(&lost, end)
        {
            return Some(unknown);
        }
        self.lanes[lane].pop();
        self.pass(end);
        if let Some(gap) = &mut self.gap {
            (gap.known, gap.told) = (gap.known + lost.count, false);
        }
        Some(lost)
    }

    fn beside(&self, lane: usize) -> impl Iterator<Item = &Event<C::Item>> {
        let others = self.lanes.iter().enumerate().filter(move |(other, _)| *other != lane);
        others.filter_map(|(_, other)| other.known())
    }

    /// The reader is not done with the offset `to` before everything that ends there is given.
    fn ends_beside(&self, lane: usize, to: u64) -> bool {
        self.beside(lane).any(|event| event.offset() == to)
    }

    /// Another loss that begins up to the offset `to` is still to come.
    fn is_open_beside(&self, lane: usize, to: u64) -> bool {
        self.beside(lane).any(|event| matches!(event, Event::Lost(lost) if lost.from <= to))
    }

    /// Offsets below `end` that neither this loss, the last one that is open, nor anything before it accounts for.
    fn leaves(&mut self, lost: &LostRange, end: u64) -> Option<LostRange> {
        let position = self.position;
        let gap = self.gap.get_or_insert(Gap { from: position, offsets: 0, known: 0, told: false });
        let offsets = gap.offsets + end.saturating_sub(position);
        let count = offsets.saturating_sub(gap.known + lost.count);
        (gap.known, gap.told) = (gap.known + count, count > 0);
        let (from, to, class, reason) = (gap.from, end.saturating_sub(1), None, LossReason::NotKept);
        (count > 0).then_some(LostRange { from, to, count, class, reason })
    }

    /// Gives the entries of a lane up to where another one comes first.
    fn take_run(&mut self, lane: usize, limit: u64, items_max: usize, entries: &mut Vec<Entry<C::Item>>) {
        let bound = self.beside(lane).map(Event::offset).fold(limit, u64::min);
        let from = (self.scope == Scope::All).then_some(self.position);
        self.lanes[lane].take_run(bound, from, items_max - entries.len(), entries);
        self.position = self.lanes[lane].position();
    }

    /// A loss that begins below the limit and ends behind it, where the reader goes on in memory.
    fn straddling(&mut self, limit: u64) -> Option<LostRange> {
        let straddles = |lane: &&mut Source<C>| matches!(lane.known(), Some(Event::Lost(lost)) if lost.from < limit);
        let lane = self.lanes.iter_mut().find(straddles)?;
        match lane.pop() {
            Some(Event::Lost(lost)) => {
                if let Some(gap) = &mut self.gap {
                    gap.known += lost.count;
                }
                Some(lost)
            }
            _ => None,
        }
    }
}

impl Gap {
    /// What nothing accounts for, at position `end`.
    fn lost(self, end: u64) -> Option<LostRange> {
        let count = self.offsets.saturating_sub(self.known);
        let (from, to, class, reason) = (self.from, end.saturating_sub(1), None, LossReason::NotKept);
        (count > 0).then_some(LostRange { from, to, count, class, reason })
    }
}

/// Looks for the next event of a lane: on disk, and behind that among what waits for it.
fn fill<C: Codec>(lane: &mut Source<C>, waiting: Option<&Shared<C>>) -> Result<(), Error> {
    loop {
        let durable = waiting.map(|shared| shared.tail.lock().durable_of(lane.log().class));
        if lane.peek()?.is_some() {
            return Ok(());
        }
        let (Some(shared), Some(durable)) = (waiting, durable) else { return Ok(()) };
        let (class, from) = (lane.log().class, lane.position());
        let tail = shared.tail.lock();
        if tail.durable_of(class) == durable {
            let entries = tail.waiting(class, from.max(durable), WAITING_MAX, shared.origin);
            drop(tail);
            lane.extend(entries.into_iter().map(Event::Entry));
            return Ok(());
        }
    }
}
