//! What one class has on disk, event by event: entries, and what is missing between them.
//!
//! Every item has a number within its class. A number that is skipped is an item that was lost, and where it was lost
//! says why: inside a segment by damage, between two segments by retention.

mod decode;

use crate::{
    Codec, Decoder, Entry, Error, LossReason, LostRange, Stamp,
    catalogue::{End, Segment},
    entry::Event,
    frame::{END, FrameHeader, TOO_LARGE},
    log::{Counters, Log},
    scan::{Found, Scan},
    segment::{Fixed, Unreadable},
};
use std::{collections::VecDeque, fs::File, io, sync::Arc};

/// A place in the log of a class.
pub(crate) struct Source<C: Codec> {
    log: Arc<Log>,
    codec: Arc<C>,
    /// The next offset wanted.
    position: u64,
    /// The number of the item that should come next; `None` before the first segment.
    expected: Option<u64>,
    /// Everything below this offset was met.
    met: u64,
    open: Option<Open>,
    decoder: Option<(Vec<u8>, Decoding<C::Item>)>,
    events: VecDeque<Event<C::Item>>,
    /// Only this segment is read.
    only: Option<u64>,
}

struct Open {
    first: u64,
    /// When it was made: after a failed write another segment may take its name.
    created: Stamp,
    fixed: Option<Fixed>,
    /// None if the segment cannot be read, or nothing more can come from it.
    scan: Option<Scan>,
}

/// A decoder; none if the codec has none for the segment.
type Decoding<T> = Option<Box<dyn Decoder<T>>>;

/// What comes next.
enum Next {
    Frame(Segment),
    Enter(Segment),
    /// Nothing but what is missing before the end of the class.
    End(End),
}

/// What may come of a segment of which all that was seen is read.
enum Outlook {
    /// There is more in it by now.
    Grown,
    /// Nothing more, but a segment behind it.
    Complete,
    /// Perhaps more, later.
    Last,
}

impl<C: Codec> Source<C> {
    pub(crate) fn new(log: Arc<Log>, codec: Arc<C>, position: u64) -> Self {
        let events = VecDeque::new();
        Source { log, codec, position, expected: None, met: position, open: None, decoder: None, events, only: None }
    }

    /// All of one segment.
    pub(crate) fn of_segment(log: Arc<Log>, codec: Arc<C>, segment: &Segment) -> Self {
        let only = Some(segment.first);
        Source { only, expected: Some(segment.first_seq), ..Source::new(log, codec, segment.first) }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// The next event, if there is one; its offset may be anywhere.
    pub(crate) fn peek(&mut self) -> Result<Option<&Event<C::Item>>, Error> {
        while self.events.is_empty() && self.step()? {}
        Ok(self.events.front())
    }

    /// The event that is known to come next, without looking for one.
    pub(crate) fn known(&self) -> Option<&Event<C::Item>> {
        self.events.front()
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<Event<C::Item>> {
        let event = self.events.pop_front()?;
        self.position = event.offset() + 1;
        Some(event)
    }

    /// Takes entries below the offset `bound` while they come, without gaps if `from` says where the first one has to be.
    pub(crate) fn take_run(&mut self, bound: u64, from: Option<u64>, items_max: usize, out: &mut Vec<Entry<C::Item>>) {
        let mut next = from;
        for _ in 0..items_max {
            let fits = |entry: &Entry<C::Item>| entry.offset < bound && next.is_none_or(|next| next == entry.offset);
            let is_next = matches!(self.events.front(), Some(Event::Entry(entry)) if fits(entry));
            let Some(Event::Entry(entry)) = self.events.pop_front_if(|_| is_next) else { break };
            self.position = entry.offset + 1;
            next = next.map(|next| next + 1);
            out.push(entry);
        }
    }

    /// The next event, if there is one.
    pub(crate) fn take(&mut self) -> Result<Option<Event<C::Item>>, Error> {
        self.peek()?;
        Ok(self.pop())
    }

    /// The rest of the open segment, as lost.
    pub(crate) fn give_up(&mut self) -> Option<LostRange> {
        let first = self.open.as_ref().map(|open| open.first).or(self.only)?;
        let segment = self.log.catalogue.lock().get(first)?.clone();
        self.open = Some(Open { first, created: segment.created, fixed: None, scan: None });
        let seq = self.expected.unwrap_or(segment.first_seq);
        let count = segment.end_seq.unwrap_or(seq).saturating_sub(seq);
        LostRange::of(self.log.class, self.met.max(self.position), segment.end, count, LossReason::Damaged)
    }

    /// Adds entries that are not on disk yet, behind everything that is.
    pub(crate) fn extend(&mut self, events: impl Iterator<Item = Event<C::Item>>) {
        self.events.extend(events);
    }

    /// Goes on a little; false if there is nothing more for now.
    fn step(&mut self) -> Result<bool, Error> {
        match self.next() {
            Next::Frame(segment) => self.frame(&segment),
            Next::Enter(segment) => self.enter(&segment),
            Next::End(end) => Ok(self.end(end)),
        }
    }

    fn next(&self) -> Next {
        let catalogue = self.log.catalogue.lock();
        let Some(open) = &self.open else {
            let entered = match self.only {
                Some(first) => catalogue.get(first),
                None => catalogue.at_or_behind(self.position),
            };
            return entered.map_or(Next::End(catalogue.end()), |segment| Next::Enter(segment.clone()));
        };
        let scanned = open.scan.is_some().then(|| catalogue.get(open.first)).flatten();
        let behind = || catalogue.behind(open.first).filter(|_| self.only.is_none());
        match (scanned, behind()) {
            (Some(segment), _) if segment.created != open.created => Next::Enter(segment.clone()),
            (Some(segment), _) => Next::Frame(segment.clone()),
            (None, Some(segment)) => Next::Enter(segment.clone()),
            (None, None) => Next::End(catalogue.end()),
        }
    }

    /// The class ends here. Where its last segments are gone, what was in them is lost.
    fn end(&mut self, end: End) -> bool {
        let unread = self.open.as_ref().is_none_or(|open| open.scan.is_none());
        if self.only.is_some() || !unread || self.position >= end.offset {
            return false;
        }
        self.missing(end.offset, end.seq);
        self.met = self.met.max(end.offset);
        !self.events.is_empty()
    }

    /// Items up to the number `seq` should have come before the offset `end`, where a segment begins or the class ends.
    fn missing(&mut self, end: u64, seq: u64) {
        let from = self.met.max(self.position);
        let (expected, reason) = {
            let catalogue = self.log.catalogue.lock();
            let after = self.open.as_ref().map_or(from, |open| open.first + 1);
            (self.expected.unwrap_or_else(|| catalogue.seq_floor(from)), catalogue.reason(after, end.saturating_add(1)))
        };
        self.lose(from, end, seq.saturating_sub(expected), reason);
        self.expected = Some(seq);
    }

    fn lose(&mut self, from: u64, end: u64, count: u64, reason: LossReason) {
        let from = from.max(self.position);
        let Some(lost) = LostRange::of(self.log.class, from, end, count, reason) else { return };
        if reason == LossReason::Damaged {
            Counters::add(&self.log.counters.damaged, lost.count);
        }
        self.events.push_back(Event::Lost(lost));
    }

    fn enter(&mut self, segment: &Segment) -> Result<bool, Error> {
        if self.position < segment.first || self.expected.is_some() {
            self.missing(segment.previous_end.min(segment.first), segment.first_seq);
        }
        self.expected = Some(segment.first_seq);
        self.met = segment.first;
        let opened = match File::open(&segment.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unreadable::Damaged),
            file => file.map_err(Unreadable::Io).and_then(Scan::new),
        };
        match opened {
            Ok((scan, header)) => self.begin(segment, scan, header.fixed, header.preamble),
            Err(Unreadable::Io(source)) if self.log.catalogue.lock().get(segment.first).is_some() => {
                return Err(Error::Io { action: "read", path: segment.path.to_path_buf(), source });
            }
            Err(Unreadable::Version(found)) => {
                return Err(Unreadable::Version(found).error(&segment.path).unwrap_or(Error::Closed));
            }
            Err(_) => self.lose_segment(segment, LossReason::Damaged),
        }
        Ok(true)
    }

    fn begin(&mut self, segment: &Segment, scan: Scan, fixed: Fixed, preamble: Vec<u8>) {
        if self.decoder.as_ref().is_none_or(|(known, _)| *known != preamble) {
            let decoder = self.codec.decoder(&preamble);
            if let Err(reason) = &decoder {
                tracing::warn!(path = %segment.path.display(), reason, "the items of a segment cannot be understood");
            }
            self.decoder = Some((preamble, decoder.ok()));
        }
        if self.decoder.as_ref().is_none_or(|(_, decoder)| decoder.is_none()) {
            return self.lose_segment(segment, LossReason::Unreadable);
        }
        let (first, created) = (segment.first, segment.created);
        self.open = Some(Open { first, created, fixed: Some(fixed), scan: Some(scan) });
    }

    /// Nothing of a segment can be read. One that was removed meanwhile is left to the next one, which tells what is
    /// missing before it.
    fn lose_segment(&mut self, segment: &Segment, reason: LossReason) {
        let (first, created) = (segment.first, segment.created);
        self.open = Some(Open { first, created, fixed: None, scan: None });
        if reason == LossReason::Damaged && !self.log.is_damaged(segment) {
            return;
        }
        let next_seq = {
            let catalogue = self.log.catalogue.lock();
            let behind = catalogue.behind(segment.first).map(|next| next.first_seq);
            segment.end_seq.or(behind).unwrap_or(catalogue.end().seq)
        };
        self.lose(segment.first, segment.end, next_seq.saturating_sub(segment.first_seq), reason);
        (self.expected, self.met) = (Some(next_seq), segment.end);
    }

    /// The next frame of the open segment.
    fn frame(&mut self, segment: &Segment) -> Result<bool, Error> {
        let Some(scan) = self.open.as_mut().and_then(|open| open.scan.as_mut()) else { return Ok(false) };
        match scan.next(segment.bytes) {
            Ok(Some(found)) => self.found(segment, &found).or_else(|error| self.unless_removed(segment, error)),
            Ok(None) => Ok(self.exhausted(segment)),
            Err(error) => self.unless_removed(segment, error),
        }
    }

    fn unless_removed(&self, segment: &Segment, source: io::Error) -> Result<bool, Error> {
        let removed = self.log.catalogue.lock().get(segment.first).is_none();
        let error = Error::Io { action: "read", path: segment.path.to_path_buf(), source };
        if removed { Ok(true) } else { Err(error) }
    }

    /// No more frames: what is missing up to the end of the segment is damaged, unless that was written meanwhile.
    fn exhausted(&mut self, segment: &Segment) -> bool {
        let expected = self.expected.unwrap_or(segment.first_seq);
        let known = segment.end_seq.filter(|end_seq| *end_seq > expected);
        if let Some(end_seq) = known
            && self.log.is_damaged(segment)
        {
            self.lose(self.met, segment.end, end_seq - expected, LossReason::Damaged);
            (self.expected, self.met) = (Some(end_seq), segment.end);
        }
        match self.outlook(segment) {
            Outlook::Grown => return true,
            Outlook::Last => return !self.events.is_empty(),
            Outlook::Complete => {}
        }
        if let Some(open) = &mut self.open {
            open.scan = None;
        }
        true
    }

    /// What has become of a segment since it was looked up. Asked of the catalogue at once: a segment may grow and be
    /// followed by another one while it is read.
    fn outlook(&self, seen: &Segment) -> Outlook {
        let catalogue = self.log.catalogue.lock();
        match (catalogue.get(seen.first), catalogue.behind(seen.first)) {
            (Some(now), _) if now.created != seen.created || now.bytes > seen.bytes => Outlook::Grown,
            (_, Some(_)) => Outlook::Complete,
            (_, None) => Outlook::Last,
        }
    }

    fn found(&mut self, segment: &Segment, found: &Found) -> io::Result<bool> {
        let header = &found.header;
        let expected = self.expected.unwrap_or(header.seq);
        if header.seq > expected {
            if !self.log.is_damaged(segment) {
                return Ok(true);
            }
            self.lose(self.met, header.first, header.seq - expected, LossReason::Damaged);
        }
        if header.end > self.position && !header.has(END) && !self.take_frame(segment, found)? {
            return Ok(true);
        }
        (self.expected, self.met) = (Some(header.end_seq()), header.end);
        Ok(true)
    }

    /// The items of a frame; false if its segment was removed meanwhile.
    fn take_frame(&mut self, segment: &Segment, found: &Found) -> io::Result<bool> {
        let header = found.header;
        if header.has(TOO_LARGE) {
            self.lose(header.first, header.end, 1, LossReason::TooLarge);
            return Ok(true);
        }
        let Some(open) = &mut self.open else { return Ok(false) };
        let (Some(fixed), Some(scan)) = (open.fixed, &mut open.scan) else { return Ok(false) };
        let Some((_, Some(decoder))) = &self.decoder else { return Ok(false) };
        let body = scan.body(found)?;
        let into = (self.position, &mut self.events);
        match body.and_then(|body| decode::frame(&fixed, &header, body, decoder.as_ref(), into)) {
            Some(()) => Ok(true),
            None => Ok(self.lose_frame(segment, &header)),
        }
    }

    fn lose_frame(&mut self, segment: &Segment, header: &FrameHeader) -> bool {
        let real = self.log.is_damaged(segment);
        if real {
            self.lose(header.first, header.end, header.count.into(), LossReason::Damaged);
        }
        real
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Next, Source};
    use crate::{
        Class, Codec, Journal,
        disk::Disk,
        testing::{Numbers, open},
    };
    use std::{path::Path, sync::Arc};

    /// A place behind all that a journal of 20 items has on disk.
    async fn at_the_end(dir: &Path) -> (Journal<Numbers>, Source<Numbers>) {
        let journal = open(&Disk::default(), dir);
        journal.append((0..20).collect()).await.unwrap();
        journal.flush().await.unwrap();
        let log = journal.shared().logs[Class::Normal.index()].clone();
        let mut source = Source::new(log, Arc::new(Numbers), 0);
        assert_eq!(rest(&mut source), (0..20).collect::<Vec<_>>());
        (journal, source)
    }

    fn rest<C: Codec<Item = u64>>(source: &mut Source<C>) -> Vec<u64> {
        let mut items = vec![];
        while let Some(event) = source.take().unwrap() {
            match event {
                Event::Entry(entry) => items.push(*entry.item),
                Event::Lost(lost) => panic!("{lost:?}"),
            }
        }
        items
    }

    #[tokio::test]
    async fn a_segment_that_grows_and_ends_while_it_is_looked_at_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, mut source) = at_the_end(dir.path()).await;
        let Next::Frame(seen) = source.next() else { panic!("the first segment is open") };
        for item in 20..400 {
            journal.append(vec![item]).await.unwrap();
            journal.flush().await.unwrap();
        }
        assert!(journal.shared().logs[Class::Normal.index()].catalogue.lock().len() > 1, "the segment has ended");
        assert!(source.frame(&seen).unwrap());
        assert_eq!(rest(&mut source), (20..400).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_segment_that_takes_the_name_of_one_that_could_not_be_written_is_entered_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (journal, mut source) = at_the_end(dir.path()).await;
        // As if what is open had been given up, and what has its name now had been made after that.
        let open = source.open.as_mut().unwrap();
        open.created.mono_nanos -= 1;
        journal.append(vec![20]).await.unwrap();
        journal.flush().await.unwrap();
        assert_eq!(rest(&mut source), vec![20]);
    }
}
