//! Which segments go, and who is asked before.

use super::Writer;
use crate::{
    Codec, Entry, Error, LostRange, catalogue::Expendable, disk, entry::Event, log::Counters, quarantine,
    source::Source,
};
use std::sync::atomic::Ordering;

impl<C: Codec> Writer<C> {
    /// Removes segments until another one fits; the log is full if none may go.
    pub(super) fn make_room(&mut self) -> Result<(), Error> {
        self.retain();
        let full = self.log.catalogue.lock().bytes_on_disk() > self.room();
        self.log.full.store(full, Ordering::Release);
        if full {
            return Err(Error::QuotaFull { class: self.log.class, bytes_max: self.options().total_bytes_max });
        }
        Ok(())
    }

    /// Bytes that segments may take when another one begins: it and the spare one need room too.
    fn room(&self) -> u64 {
        let options = self.options();
        let others = 2 * options.segment_bytes + quarantine::bytes_on_disk(&self.log.dir);
        options.total_bytes_max.saturating_sub(others)
    }

    /// Removes what is too old, and the oldest of what may go while there is too much.
    pub(super) fn retain(&self) {
        quarantine::shrink(&self.log.dir, self.options().quarantine_bytes_max());
        let now = self.shared.options.clock.stamp(self.shared.origin.epoch);
        let room = self.room();
        let expendable = self.log.catalogue.lock().expendable(room, self.options().age_max, &now);
        for one in expendable {
            let wanted = one.aged || self.log.catalogue.lock().bytes_on_disk() > room;
            if wanted && self.may_remove(&one) {
                self.remove(&one);
            }
        }
    }

    fn may_remove(&self, one: &Expendable) -> bool {
        let offsets = one.segment.first..one.end;
        self.shared.keeper.get().is_none_or(|keeper| keeper.may_remove(self.log.class, offsets))
    }

    fn remove(&self, one: &Expendable) {
        let segment = &one.segment;
        if let Some(keeper) = self.shared.keeper.get() {
            let source = Source::of_segment(self.log.clone(), self.shared.codec.clone(), segment);
            keeper.removing(self.log.class, segment.first..one.end, &mut Going(source));
        }
        self.log.catalogue.lock().remove(segment.first);
        if let Err(error) = disk::remove(&segment.path) {
            tracing::warn!(path = %segment.path.display(), %error, "an old segment cannot be removed");
        }
        Counters::add(&self.log.counters.dropped_by_retention, one.items);
    }
}

/// What is in a segment that goes.
struct Going<C: Codec>(Source<C>);

impl<C: Codec> Iterator for Going<C> {
    type Item = Result<Entry<C::Item>, LostRange>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.take() {
            Ok(event) => event.map(|event| match event {
                Event::Entry(entry) => Ok(entry),
                Event::Lost(lost) => Err(lost),
            }),
            Err(error) => {
                tracing::warn!(%error, "a segment that is removed cannot be read");
                self.0.give_up().map(Err)
            }
        }
    }
}
