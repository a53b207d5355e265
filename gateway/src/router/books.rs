//! A route's books: what it has taken, and what became of each message, in all and by device.
//!
//! ```text
//! settled ──────────── read ─────────── counted ────── head
//!    │  under way        │    waiting      │  not seen   │
//! ```
//!
//! For each class the books know three places. *Settled*: everything below has an end (delivered, expired, dropped, dead).
//! *Read*: everything below is under way. *Counted*: everything below that the route takes is in `taken`. So
//! `taken = delivered + queued + expired + dropped + dead` holds at every moment, with `queued` as what waits or is under way.
//!
//! Totals and places are written into the cursor's slot, together, so they survive a crash as one. The accounts by device are
//! too many for that; they are kept in the state store with the places that they stand for, and after a crash they are
//! brought forward by reading the journal between those places and the slot's.

use crate::router::select::{Choice, Select};
use crate::spine::MessageJournal;
use crate::subjects;
use edgeway_journal::{Class, Entry, Level, Place, StateStore};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Account, Message, Things};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Version of the note in a cursor's slot and of the saved accounts.
const VERSION: u8 = 1;
/// Gaps of a class that a slot has room for.
const GAPS_MAX: usize = 24;
/// Messages read at a time when accounts are brought forward.
const FETCH: usize = 1024;

/// Whose account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Holder {
    Device(DeviceIx),
    /// What is of no device.
    Nobody,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum End {
    Delivered,
    Expired,
    Dropped,
    Dead,
}

impl End {
    const ALL: [End; 4] = [End::Delivered, End::Expired, End::Dropped, End::Dead];
}

/// A second place of a class: new messages that overtake its backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Overtaking {
    /// Where it begins; the backlog ends there.
    pub(crate) start: u64,
    pub(crate) settled: u64,
    pub(crate) read: u64,
}

/// A route's places in one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Places {
    pub(crate) settled: u64,
    pub(crate) read: u64,
    pub(crate) counted: u64,
    pub(crate) live: Option<Overtaking>,
}

impl Places {
    fn at(offset: u64) -> Self {
        Places { settled: offset, read: offset, counted: offset, live: None }
    }

    /// Whether a message at this offset still waits to be read.
    fn waits(&self, offset: u64) -> bool {
        let live = self.live.is_some_and(|live| (live.start..live.read).contains(&offset));
        offset >= self.read && !live
    }

    /// Whether all that was counted was read.
    fn is_read(&self) -> bool {
        match self.live {
            Some(live) => self.read >= live.start && live.read >= self.counted,
            None => self.read >= self.counted,
        }
    }

    /// Nothing is under way any more; what was is read again.
    fn rewind(&mut self) {
        self.read = self.settled;
        if let Some(live) = &mut self.live {
            live.read = live.settled;
        }
    }
}

/// What was dropped: everything that waited between two offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Gap {
    from: u64,
    end: u64,
    series: u64,
}

/// What is in a cursor's slot beside the places.
#[derive(Serialize, Deserialize)]
struct Note {
    version: u8,
    fingerprint: u64,
    total: Account,
    counted: [u64; 3],
    dropped: [Vec<Gap>; 3],
    live: [Option<Overtaking>; 3],
}

/// The accounts by device as they are saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    version: u8,
    settled: [u64; 3],
    counted: [u64; 3],
    devices: BTreeMap<String, Account>,
}

/// What `-` stands for in saved accounts and balances.
pub(crate) const NOBODY: &str = "-";

/// The books of one route.
pub(crate) struct Books {
    fingerprint: u64,
    total: Account,
    holders: HashMap<Holder, Account>,
    places: [Places; 3],
    /// By class, what was dropped while it waited. The journal may still have some of it for a while, in memory
    /// or, after a crash, in a file that was about to go; it is not sent any more, and not dropped again.
    dropped: [Vec<Gap>; 3],
    /// Whose accounts have changed since the last balance.
    changed: HashSet<Holder>,
    /// After a crash: something has ended, and whose it was is not known.
    is_uneven: bool,
}

impl Books {
    /// New books that begin at an offset.
    pub(crate) fn new(fingerprint: u64, starts: [u64; 3]) -> Self {
        Books {
            fingerprint,
            total: Account::default(),
            holders: HashMap::new(),
            places: starts.map(Places::at),
            dropped: Default::default(),
            changed: HashSet::new(),
            is_uneven: false,
        }
    }

    /// The books as a cursor's slot has them; without the accounts by device. New ones if the slot says nothing.
    ///
    /// No place lies behind the journal's `head`: offsets above it that a crash took away are given out anew.
    pub(crate) fn of_slot(place: &Place, fingerprint: u64, head: u64) -> Self {
        let mut books = Books::new(fingerprint, place.positions.map(|position| position.min(head)));
        let Ok(note) = postcard::from_bytes::<Note>(&place.note) else { return books };
        if note.version != VERSION {
            return books;
        }
        books.total = note.total;
        books.dropped = note.dropped;
        for (index, places) in books.places.iter_mut().enumerate() {
            places.live = note.live[index].filter(|live| live.start < head).map(|live| {
                let settled = live.settled.min(head);
                Overtaking { settled, read: settled, ..live }
            });
            places.counted = note.counted[index].clamp(places.settled, head);
        }
        if note.fingerprint != fingerprint {
            books.count_again();
        }
        books
    }

    /// The route chooses otherwise than before: what it has counted ahead of its place does not count.
    fn count_again(&mut self) {
        self.total.taken = self.total.settled();
        for account in self.holders.values_mut() {
            account.taken = account.settled();
        }
        for places in &mut self.places {
            (places.counted, places.live) = (places.settled, None);
        }
    }

    pub(crate) fn total(&self) -> Account {
        self.total
    }

    pub(crate) fn places(&self, class: Class) -> Places {
        self.places[class.index()]
    }

    /// Accounts by device.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (Holder, Account)> {
        self.holders.iter().map(|(holder, account)| (*holder, *account))
    }

    /// What a cursor's slot has to hold.
    pub(crate) fn place(&self) -> Place {
        let note = Note {
            version: VERSION,
            fingerprint: self.fingerprint,
            total: self.total,
            counted: self.places.map(|places| places.counted),
            dropped: self.dropped.clone(),
            live: self.places.map(|places| places.live),
        };
        let note = postcard::to_stdvec(&note).expect("a note serialises to memory");
        Place { positions: self.places.map(|places| places.settled), note }
    }

    /// Counts messages that were not counted before.
    pub(crate) fn count(&mut self, class: Class, entries: &[Entry<Message>], choices: &[Choice]) -> u64 {
        let counted = self.places[class.index()].counted;
        let mut taken = 0;
        for (entry, choice) in entries.iter().zip(choices) {
            if entry.offset >= counted && *choice != Choice::No {
                self.take(holder(&entry.item), 1);
                taken += 1;
            }
        }
        if let Some(last) = entries.last() {
            self.counted_to(class, last.offset + 1);
        }
        taken
    }

    /// Everything below was looked at.
    fn counted_to(&mut self, class: Class, offset: u64) {
        let places = &mut self.places[class.index()];
        places.counted = places.counted.max(offset);
    }

    fn take(&mut self, holder: Holder, count: u64) {
        self.total.taken += count;
        self.holders.entry(holder).or_default().taken += count;
        self.changed.insert(holder);
    }

    /// So many messages of a holder have come to their end.
    pub(crate) fn end(&mut self, holder: Holder, end: End, count: u64) {
        *field(&mut self.total, end) += count;
        *field(self.holders.entry(holder).or_default(), end) += count;
        self.changed.insert(holder);
    }

    fn end_some(&mut self, holder: Holder, end: End, count: u64) {
        if count > 0 {
            self.end(holder, end, count);
        }
    }

    /// A dead letter was delivered after all.
    pub(crate) fn revive(&mut self, holder: Holder) {
        self.end(holder, End::Delivered, 1);
        self.total.dead = self.total.dead.saturating_sub(1);
        let account = self.holders.entry(holder).or_default();
        account.dead = account.dead.saturating_sub(1);
    }

    /// Reports that were left out before the journal, see [`crate::spine::Thinning`].
    pub(crate) fn left_out(&mut self, device: DeviceIx, count: u64) {
        self.take(Holder::Device(device), count);
        self.end(Holder::Device(device), End::Dropped, count);
    }

    /// Messages are about to be removed from the journal: those that still wait are dropped. Returns how many. Removals of
    /// one `series` leave nothing between them that is kept.
    pub(crate) fn remove(&mut self, class: Class, entries: &[Entry<Message>], choices: &[Choice], series: u64) -> u64 {
        self.count(class, entries, choices);
        let places = self.places[class.index()];
        let mut dropped = 0;
        for (entry, choice) in entries.iter().zip(choices) {
            if *choice != Choice::No && places.waits(entry.offset) && !self.is_dropped(class, entry.offset) {
                self.end(holder(&entry.item), End::Dropped, 1);
                dropped += 1;
            }
        }
        if let (Some(first), Some(last)) = (entries.first(), entries.last()) {
            self.note_dropped(class, Gap { from: first.offset.max(places.read), end: last.offset + 1, series });
        }
        dropped
    }

    /// Whether what waited at this offset was dropped.
    pub(crate) fn is_dropped(&self, class: Class, offset: u64) -> bool {
        self.dropped[class.index()].iter().any(|gap| (gap.from..gap.end).contains(&offset))
    }

    fn note_dropped(&mut self, class: Class, gap: Gap) {
        let Places { settled, read, .. } = self.places[class.index()];
        let gaps = &mut self.dropped[class.index()];
        gaps.retain(|gap| gap.end > settled);
        let gaps_are_many = gaps.len() >= GAPS_MAX;
        match gaps.last_mut() {
            _ if gap.from >= gap.end => {}
            Some(last) if last.series == gap.series && read <= last.end => last.end = last.end.max(gap.end),
            // A slot has room for so many; beyond, what lies between is given up.
            Some(last) if gaps_are_many => last.end = last.end.max(gap.end),
            _ => gaps.push(gap),
        }
    }

    /// Nothing is under way: if nothing waits either, what is still not settled is lost, and nobody could tell before
    /// how many of the lost messages the route would have taken. Returns how many.
    pub(crate) fn clear_up(&mut self) -> u64 {
        let lost = self.total.queued();
        if (lost == 0 && !self.is_uneven) || !self.places.iter().all(Places::is_read) {
            return 0;
        }
        self.drop_queued();
        self.even_out();
        lost
    }

    /// What waits or is under way is dropped. How many these are the total says; the accounts by device, which a crash
    /// leaves less sure, say only whose.
    fn drop_queued(&mut self) {
        let mut rest = self.total.queued();
        let holders: Vec<(Holder, u64)> =
            self.holders.iter().map(|(holder, account)| (*holder, account.queued())).collect();
        for (holder, queued) in holders {
            let count = queued.min(rest);
            self.end_some(holder, End::Dropped, count);
            rest -= count;
        }
        self.end_some(Holder::Nobody, End::Dropped, rest);
    }

    /// Nothing waits, so nothing waits for any device either: what had ended and was nobody's was theirs.
    fn even_out(&mut self) {
        self.is_uneven = false;
        let mut nobody = self.holders.remove(&Holder::Nobody).unwrap_or_default();
        let mut excess = nobody.settled().saturating_sub(nobody.taken);
        for (holder, account) in &mut self.holders {
            for end in End::ALL {
                let count = account.queued().min(*field(&mut nobody, end)).min(excess);
                *field(account, end) += count;
                *field(&mut nobody, end) -= count;
                excess -= count;
                if count > 0 {
                    self.changed.insert(*holder);
                }
            }
        }
        if nobody != Account::default() {
            self.holders.insert(Holder::Nobody, nobody);
            self.changed.insert(Holder::Nobody);
        }
    }

    /// Where the route reads on, and how far it has come.
    pub(crate) fn read_to(&mut self, class: Class, lane: Lane, offset: u64) {
        let places = &mut self.places[class.index()];
        match (lane, &mut places.live) {
            (Lane::Live, Some(live)) => live.read = offset,
            _ => places.read = offset,
        }
        places.counted = places.counted.max(offset);
    }

    /// Everything of a lane below has an end.
    pub(crate) fn settle_to(&mut self, class: Class, lane: Lane, offset: u64) {
        let places = &mut self.places[class.index()];
        match (lane, &mut places.live) {
            (Lane::Live, Some(live)) => live.settled = offset,
            _ => places.settled = offset,
        }
        // The backlog has reached the place where new messages went ahead.
        if let Some(live) = places.live
            && places.settled >= live.start
        {
            *places = Places { settled: live.settled, read: live.read, live: None, ..*places };
        }
    }

    /// From here on new messages overtake what waits.
    pub(crate) fn overtake(&mut self, class: Class) {
        let places = &mut self.places[class.index()];
        let start = places.counted;
        places.live.get_or_insert(Overtaking { start, settled: start, read: start });
    }

    pub(crate) fn rewind(&mut self) {
        self.places.iter_mut().for_each(Places::rewind);
    }

    /// Goes to another place, forward or back. What waited is dropped or, if it was settled before, taken again.
    pub(crate) fn seek(&mut self, targets: [u64; 3]) {
        self.drop_queued();
        self.places = targets.map(Places::at);
        self.dropped = Default::default();
    }

    /// Accounts that have changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> Vec<(Holder, Account)> {
        let changed = std::mem::take(&mut self.changed);
        let mut accounts: Vec<_> = changed.into_iter().filter_map(|h| Some((h, *self.holders.get(&h)?))).collect();
        accounts.sort_by_key(|(holder, _)| *holder);
        accounts
    }

    /// Accounts by device for the state store.
    pub(crate) fn save(&self, things: &Things) -> Vec<u8> {
        let name = |holder: &Holder| match holder {
            Holder::Device(device) => things.device(*device).id.to_string(),
            Holder::Nobody => NOBODY.to_owned(),
        };
        let mut devices = BTreeMap::<String, Account>::new();
        for (holder, account) in &self.holders {
            // A retired device and its successor have one name.
            *devices.entry(name(holder)).or_default() += *account;
        }
        let settled = self.places.map(|places| places.settled);
        let counted = self.places.map(|places| places.counted);
        let saved = Saved { version: VERSION, settled, counted, devices };
        postcard::to_stdvec(&saved).expect("accounts serialise to memory")
    }

    /// Takes up the saved accounts and brings them forward to the places of the slot. Without any, what waits is counted
    /// again from the journal, all of it.
    pub(crate) fn load_devices(
        &mut self,
        saved: Option<&[u8]>,
        journal: &MessageJournal,
        select: &mut Select,
        things: &Things,
    ) {
        let saved = saved.and_then(|bytes| postcard::from_bytes::<Saved>(bytes).ok()).filter(|s| s.version == VERSION);
        let saved = saved.unwrap_or_else(|| {
            let settled = self.places.map(|places| places.settled);
            Saved { version: VERSION, settled, counted: settled, devices: BTreeMap::new() }
        });
        for (name, account) in &saved.devices {
            let device = things.device_ix(name).map_or(Holder::Nobody, Holder::Device);
            *self.holders.entry(device).or_default() += *account;
        }
        let mut unknown = self.total.beyond(&self.sum());
        for class in select.classes().collect::<Vec<_>>() {
            let (places, index) = (self.places[class.index()], class.index());
            for (holder, count) in taken(class, saved.counted[index]..places.counted, journal, select) {
                let count = count.min(unknown.taken);
                self.holders.entry(holder).or_default().taken += count;
                unknown.taken -= count;
            }
            for (holder, count) in taken(class, saved.settled[index]..places.settled, journal, select) {
                let account = self.holders.entry(holder).or_default();
                let count = count.min(unknown.delivered).min(account.queued());
                account.delivered += count;
                unknown.delivered -= count;
            }
        }
        self.reconcile();
    }

    fn sum(&self) -> Account {
        let mut sum = Account::default();
        self.holders.values().for_each(|account| sum += *account);
        sum
    }

    /// What the accounts by device cannot tell any more stands in the account of nobody.
    fn reconcile(&mut self) {
        let unknown = self.total.beyond(&self.sum());
        let nobody = self.holders.entry(Holder::Nobody).or_default();
        *nobody += unknown;
        self.is_uneven = nobody.settled() > nobody.taken;
    }
}

/// Which of a class's two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// In the order of the journal.
    Main,
    /// New messages that overtake a backlog.
    Live,
}

/// Whose account a message belongs to.
pub(crate) fn holder(message: &Message) -> Holder {
    subjects::device(message).map_or(Holder::Nobody, Holder::Device)
}

fn field(account: &mut Account, end: End) -> &mut u64 {
    match end {
        End::Delivered => &mut account.delivered,
        End::Expired => &mut account.expired,
        End::Dropped => &mut account.dropped,
        End::Dead => &mut account.dead,
    }
}

/// How many messages of each holder the route takes in a range that the journal still has.
fn taken(class: Class, range: Range<u64>, journal: &MessageJournal, select: &mut Select) -> HashMap<Holder, u64> {
    let mut counts = HashMap::new();
    if range.is_empty() {
        return counts;
    }
    let mut reader = journal.class_reader(class, range.start, Level::Durable);
    while let Ok(Some(fetched)) = reader.try_next(FETCH) {
        let entries: Vec<_> = fetched.entries.into_iter().filter(|entry| entry.offset < range.end).collect();
        for (entry, choice) in entries.iter().zip(select.choose(&entries)) {
            if choice != Choice::No {
                *counts.entry(holder(&entry.item)).or_default() += 1;
            }
        }
        if reader.position() >= range.end {
            break;
        }
    }
    counts
}

/// Where the accounts of a route are in the state store.
pub(crate) fn key(route: &str) -> Vec<u8> {
    format!("books/1/{route}").into_bytes()
}

/// Takes up the accounts by device of a route.
pub(crate) fn load(
    books: &mut Books,
    route: &str,
    store: &StateStore,
    journal: &MessageJournal,
    select: &mut Select,
    things: &Things,
) {
    let saved = store.get(&key(route));
    books.load_devices(saved.as_deref(), journal, select, things);
}

#[cfg(test)]
mod tests;
