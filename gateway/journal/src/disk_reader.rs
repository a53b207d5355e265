//! Reading entries from segments.

use crate::{
    Codec, Decoder, Entry, Error, Fetched, LossReason, LostRange,
    catalogue::Segment,
    frame::next_item,
    scan::{Found, Limit, Scan},
    shared::Shared,
};
use std::{fs::File, io, sync::Arc};

/// A place in some segment.
pub(crate) struct DiskReader<C: Codec> {
    shared: Arc<Shared<C>>,
    open: Option<Open>,
    decoder: Option<(Vec<u8>, Decoding<C::Item>)>,
}

struct Open {
    first: u64,
    scan: Scan,
}

/// A decoder; none if the codec has none for the segment.
type Decoding<T> = Option<Box<dyn Decoder<T>>>;

impl<C: Codec> DiskReader<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>) -> Self {
        DiskReader { shared, open: None, decoder: None }
    }

    /// Entries from `from` on, all of one segment, or what is lost there. Nothing if `from` is not on disk.
    pub(crate) fn fetch(&mut self, from: u64, items_max: usize, tail_first: u64) -> Result<Fetched<C::Item>, Error> {
        let (first, segment) = {
            let catalogue = self.shared.catalogue.lock();
            (catalogue.first(), catalogue.holding(from))
        };
        let Some(segment) = segment else {
            let end = first.min(tail_first);
            return Ok(if from < end { Fetched::too_late(from, end) } else { Fetched::entries(vec![]) });
        };
        let fetched = self.fetch_segment(from, items_max, segment);
        let first = self.shared.catalogue.lock().first();
        match fetched {
            // The segment was removed while it was being read.
            Ok(Fetched { lost: Some(_), .. }) | Err(_) if from < first => {
                self.open = None;
                Ok(Fetched::too_late(from, first.min(tail_first.max(from + 1))))
            }
            other => other,
        }
    }

    fn fetch_segment(&mut self, from: u64, items_max: usize, segment: Segment) -> Result<Fetched<C::Item>, Error> {
        let lost = |reason| Ok(Fetched::lost(LostRange::until(from, segment.end, reason)));
        let path = self.shared.catalogue.lock().path(segment.first);
        if self.open.as_ref().is_none_or(|open| open.first != segment.first) {
            let file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return lost(LossReason::Damaged),
                file => file.map_err(Error::io("open", &path))?,
            };
            match Scan::new(file) {
                Err(unreadable) => return unreadable.error(&path).map_or_else(|| lost(LossReason::Damaged), Err),
                Ok((scan, header)) => self.begin(scan, segment.first, header.preamble),
            }
        }
        if self.decoder.as_ref().is_none_or(|(_, decoder)| decoder.is_none()) {
            return lost(LossReason::Unreadable);
        }
        self.fetch_open(from, items_max, segment).map_err(Error::io("read", &path))
    }

    fn begin(&mut self, scan: Scan, first: u64, preamble: Vec<u8>) {
        self.open = Some(Open { first, scan });
        if self.decoder.as_ref().is_some_and(|(known, _)| *known == preamble) {
            return;
        }
        let decoder = self.shared.codec.decoder(&preamble);
        if let Err(reason) = &decoder {
            tracing::warn!(segment = first, reason, "the items of a segment cannot be understood");
        }
        self.decoder = Some((preamble, decoder.ok()));
    }

    fn fetch_open(&mut self, from: u64, items_max: usize, segment: Segment) -> io::Result<Fetched<C::Item>> {
        let (Some(open), Some((_, Some(decoder)))) = (&mut self.open, &self.decoder) else {
            return Ok(Fetched::entries(vec![]));
        };
        let mut batch = Batch { next: from, items_max, entries: vec![], stop: None };
        let limit = Limit { bytes: segment.bytes, offset: segment.end };
        while !batch.is_done() {
            let Some(found) = open.scan.next(batch.next, limit)? else {
                batch.gap(segment.end);
                break;
            };
            batch.gap(found.header.first);
            if !batch.is_done() {
                batch.take(&found, open.scan.items(&found)?, decoder.as_ref());
            }
            if batch.next < found.header.end() {
                open.scan.unread(&found);
            }
        }
        Ok(batch.fetched())
    }
}

/// What one call gives: entries up to the first loss, or a loss.
struct Batch<T> {
    next: u64,
    items_max: usize,
    entries: Vec<Entry<T>>,
    stop: Option<LostRange>,
}

impl<T> Batch<T> {
    fn is_done(&self) -> bool {
        self.stop.is_some() || self.entries.len() >= self.items_max
    }

    /// Nothing up to `end` can be read.
    fn gap(&mut self, end: u64) {
        if self.next < end {
            self.lose(end, LossReason::Damaged);
        }
    }

    /// Entries that came before are given first; the loss is met again at the next call.
    fn lose(&mut self, end: u64, reason: LossReason) {
        self.stop = Some(LostRange::until(self.next, end, reason));
        if self.entries.is_empty() {
            self.next = end;
        }
    }

    /// The items of a frame from `next` on.
    fn take(&mut self, found: &Found, mut body: &[u8], decoder: &dyn Decoder<T>) {
        if !found.sound {
            return self.lose(found.header.end(), LossReason::Damaged);
        }
        for offset in found.header.first..found.header.end() {
            let item = next_item(&mut body);
            if offset < self.next {
                continue;
            }
            match item.flatten().map(|bytes| decoder.decode(bytes)) {
                Some(Some(item)) => self.entries.push(Entry { offset, item: Arc::new(item) }),
                Some(None) => return self.lose(offset + 1, LossReason::Unreadable),
                None if item.is_some() => return self.lose(offset + 1, LossReason::TooLarge),
                None => return self.lose(found.header.end(), LossReason::Damaged),
            }
            self.next = offset + 1;
            if self.is_done() {
                return;
            }
        }
    }

    fn fetched(self) -> Fetched<T> {
        match self.stop {
            Some(lost) if self.entries.is_empty() => Fetched::lost(lost),
            _ => Fetched::entries(self.entries),
        }
    }
}
