//! Reading for a route: from its places in the journal on, chosen by the route, aged by a clock that nobody sets.

use super::books::{Books, Holder, Lane, holder};
use super::inflight::Source;
use super::packer::Packed;
use super::select::{Choice, Select};
use crate::clock::Clocks;
use crate::spine::MessageJournal;
use edgeway_codec::MessageCodec;
use edgeway_formats::Item;
use edgeway_journal::{Class, Entry, Fetched, Level, LostRange, Placement, Reader, Stamp};
use edgeway_site::{RouteSite, UnsetClock};
use edgeway_thing_models::{ClockState, GatewayId, Message, MessageId, Selected};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The readers of one route, and what it thinks of what they bring.
pub(super) struct Intake {
    pub(super) select: Select,
    journal: MessageJournal,
    clocks: Arc<Clocks>,
    gateway: GatewayId,
    ttl: Option<Duration>,
    unset_clock: UnsetClock,
    readers: HashMap<Source, Reader<MessageCodec>>,
}

/// What was read and not sent yet.
pub(super) struct Gathered {
    pub(super) source: Source,
    pub(super) messages: Vec<Packed>,
    /// Messages that were too old: their offsets and holders.
    pub(super) expired: Vec<(u64, Holder)>,
    /// The offset behind what was read.
    pub(super) next: u64,
    /// When the first of it was read.
    pub(super) since: Instant,
}

/// What one reading brought.
pub(super) enum Taken {
    /// There is nothing to read now.
    Nothing,
    /// Messages, perhaps none that the route takes.
    Some(Gathered),
    /// Some are lost for good; the reader goes on behind them.
    Lost(LostRange),
    /// The next message waits for the clock to be set.
    Held,
}

impl Intake {
    pub(super) fn new(
        select: Select,
        journal: &MessageJournal,
        clocks: &Arc<Clocks>,
        gateway: &str,
        site: &RouteSite,
    ) -> Self {
        Intake {
            select,
            journal: journal.clone(),
            clocks: clocks.clone(),
            gateway: GatewayId::of(gateway),
            ttl: site.ttl,
            unset_clock: site.unset_clock,
            readers: HashMap::new(),
        }
    }

    pub(super) fn classes(&self) -> Vec<Class> {
        self.select.classes().collect()
    }

    /// The next messages of a source, up to `items_max` of the journal's. The books are held meanwhile, so that nothing is
    /// removed from the journal between reading it and writing down that it was read.
    pub(super) fn take(
        &mut self,
        source: Source,
        items_max: usize,
        books: &mut Books,
    ) -> Result<Taken, edgeway_journal::Error> {
        let (from, end) = self.place(source, books);
        if from >= end {
            return Ok(Taken::Nothing);
        }
        let Some(mut fetched) = self.fetch(source, from, items_max)? else { return Ok(Taken::Nothing) };
        let next = self.readers[&source].position().min(end);
        fetched.entries.retain(|entry| entry.offset < end && waits(entry, books));
        if let Some(lost) = fetched.lost {
            self.read_to(source, next, books);
            return Ok(Taken::Lost(lost));
        }
        let choices = self.select.choose(&fetched.entries);
        self.count(source, &fetched.entries, &choices, books);
        let gathered = self.gather(source, next, fetched.entries, choices, books);
        match &gathered {
            Taken::Some(gathered) => self.read_to(source, gathered.next, books),
            _ => drop(self.readers.remove(&source)),
        }
        Ok(gathered)
    }

    /// From where on, and up to where, a source is read.
    fn place(&self, source: Source, books: &Books) -> (u64, u64) {
        match source {
            Source::Class(class, lane) => {
                let places = books.places(class);
                match (lane, places.live) {
                    (Lane::Main, Some(live)) => (places.read, live.start),
                    (Lane::Main, None) => (places.read, u64::MAX),
                    (Lane::Live, Some(live)) => (live.read, u64::MAX),
                    (Lane::Live, None) => (0, 0),
                }
            }
            Source::All => (self.select.classes().map(|class| books.places(class).read).min().unwrap_or(0), u64::MAX),
            Source::Letter(_) | Source::Greeting => (0, 0),
        }
    }

    fn fetch(
        &mut self,
        source: Source,
        from: u64,
        items_max: usize,
    ) -> Result<Option<Fetched<Message>>, edgeway_journal::Error> {
        let journal = &self.journal;
        let reader = self.readers.entry(source).or_insert_with(|| match source {
            Source::Class(class, _) => journal.class_reader(class, from, Level::Durable),
            _ => journal.reader(from, Level::Durable),
        });
        if reader.position() != from {
            reader.seek(from);
        }
        reader.try_next(items_max)
    }

    fn count(&self, source: Source, entries: &[Entry<Message>], choices: &[Choice], books: &mut Books) {
        match source {
            Source::Class(class, _) => drop(books.count(class, entries, choices)),
            _ => {
                for (entry, choice) in entries.iter().zip(choices) {
                    if let Placement::Disk(class) = entry.placement {
                        books.count(class, std::slice::from_ref(entry), std::slice::from_ref(choice));
                    }
                }
            }
        }
    }

    fn read_to(&self, source: Source, next: u64, books: &mut Books) {
        match source {
            Source::Class(class, lane) => books.read_to(class, lane, next),
            _ => self.select.classes().for_each(|class| books.read_to(class, Lane::Main, next)),
        }
    }

    /// What the route takes of some messages. Stops before one that waits for the clock.
    fn gather(
        &self,
        source: Source,
        next: u64,
        entries: Vec<Entry<Message>>,
        choices: Vec<Choice>,
        books: &Books,
    ) -> Taken {
        let now = self.journal.now();
        let late = matches!(source, Source::Class(class, Lane::Main) if books.places(class).live.is_some());
        let mut gathered = Gathered { source, messages: vec![], expired: vec![], next, since: Instant::now() };
        for (at, (entry, choice)) in entries.iter().zip(choices).enumerate() {
            let Choice::Yes(selected) = choice else { continue };
            if self.waits_for_the_clock(&entry.stamp, &now) {
                gathered.next = entry.offset;
                return if at == 0 { Taken::Held } else { Taken::Some(gathered) };
            }
            match self.ttl {
                Some(ttl) if self.clocks.age(&entry.stamp, &now) > ttl => {
                    gathered.expired.push((entry.offset, holder(&entry.item)))
                }
                _ => gathered.messages.push(self.packed(entry, selected, late)),
            }
        }
        Taken::Some(gathered)
    }

    /// A clock of an earlier start of the system that was never set will never be.
    fn waits_for_the_clock(&self, stamp: &Stamp, now: &Stamp) -> bool {
        self.unset_clock == UnsetClock::Hold && stamp.boot == now.boot && self.clocks.state(stamp) == ClockState::Unset
    }

    fn packed(&self, entry: &Entry<Message>, selected: Option<Arc<Selected>>, late: bool) -> Packed {
        let (message, clock) = self.clocks.correct(entry);
        let id = MessageId { gateway: self.gateway, epoch: entry.stamp.epoch, offset: entry.offset };
        Packed { offset: entry.offset, item: Item { message, id, clock, selected, late } }
    }

    /// Reads messages again that were sent and refused.
    pub(super) fn read_again(&mut self, source: Source, offsets: (u64, u64)) -> Vec<Packed> {
        let mut reader = match source {
            Source::Class(class, _) => self.journal.class_reader(class, offsets.0, Level::Durable),
            _ => self.journal.reader(offsets.0, Level::Durable),
        };
        let mut messages = vec![];
        while reader.position() <= offsets.1
            && let Ok(Some(fetched)) = reader.try_next(64)
        {
            let choices = self.select.choose(&fetched.entries);
            for (entry, choice) in fetched.entries.iter().zip(choices) {
                if let (Choice::Yes(selected), true) = (choice, entry.offset <= offsets.1) {
                    messages.push(self.packed(entry, selected, false));
                }
            }
        }
        messages
    }
}

/// Whether an entry was neither read before (a route that now follows the one order of the journal may have come further
/// in one class than in another) nor dropped.
fn waits(entry: &Entry<Message>, books: &Books) -> bool {
    let Placement::Disk(class) = entry.placement else { return true };
    let places = books.places(class);
    let read = places.live.filter(|live| entry.offset >= live.start).map_or(places.read, |live| live.read);
    entry.offset >= read && !books.is_dropped(class, entry.offset)
}
