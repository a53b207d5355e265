//! The writer of one class: the only thread that changes its segments.

mod active;
mod retention;
mod spare;

pub(crate) use spare::spare_bytes;

use crate::{
    Class, ClassOptions, Codec, Error, SyncLevel,
    disk::sync_dir,
    frame::{Batch, Group},
    log::{Counters, Log},
    progress::Closed,
    segment::{self, Fixed, Header, VERSION},
    shared::{Answer, LAST_ANSWER, Shared},
};
use active::Active;
use spare::Spare;
use std::{
    fs,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long after a failure the next try is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often a full log asks whether something may go now.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How often segments are aged while nothing is written.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// How long written bytes stay without a sync at [`SyncLevel::Os`].
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// A segment is closed for a new one at this part of the greatest age, so that a quiet journal ages too.
const AGE_PARTS: u32 = 8;

pub(crate) struct Writer<C: Codec> {
    shared: Arc<Shared<C>>,
    log: Arc<Log>,
    active: Option<Active>,
    spare: Spare,
    group: Group,
    /// Not before this, unless someone flushes.
    retry_at: Option<Instant>,
    tidy_at: Instant,
}

/// Says that the writer has ended, even if it panics.
struct End<C: Codec>(Arc<Shared<C>>);

impl<C: Codec> Drop for End<C> {
    fn drop(&mut self) {
        self.0.writer_ended();
    }
}

impl<C: Codec> Writer<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, class: Class) -> Self {
        let log = shared.logs[class.index()].clone();
        let spare = Spare::open(&log.dir, shared.options.classes[class.index()].segment_bytes, shared.disk.clone());
        let (group, tidy_at) = (Group::default(), Instant::now() + TIDY_EVERY);
        Writer { shared, log, active: None, spare, group, retry_at: None, tidy_at }
    }

    fn options(&self) -> &ClassOptions {
        &self.shared.options.classes[self.log.class.index()]
    }

    /// Until the journal is closed.
    pub(crate) fn run(mut self) {
        let _end = End(self.shared.clone());
        let class = self.log.class;
        loop {
            let requested = self.shared.writers[class.index()].requested();
            let closing = self.shared.closing.load(Ordering::Acquire);
            let written = self.pass(closing || requested.is_some());
            if closing {
                return self.close(written);
            }
            match requested {
                Some(number) => {
                    self.shared.writers[class.index()].answer.send_replace(Answer { number, written });
                }
                None => thread::park_timeout(self.idle_for()),
            }
        }
    }

    /// Does what is due; all there is if it is urgent. False if something could not be written.
    fn pass(&mut self, urgent: bool) -> bool {
        let target = self.shared.tail.lock().head();
        let mut written = true;
        if urgent || self.group_is_due() {
            // What is due may be more than one write takes.
            while written && self.shared.tail.lock().durable_of(self.log.class) < target {
                written = self.write_group().map_err(|error| self.give_up(&error)).is_ok();
            }
        }
        if self.active.as_ref().is_some_and(|active| active.sync_due(urgent)) {
            written &= self.sync().map_err(|error| self.give_up(&error)).is_ok();
        }
        self.tidy();
        written
    }

    fn due_at(&self) -> Option<Instant> {
        let due = self.shared.tail.lock().due(self.log.class);
        let options = self.options();
        let delay = if due.items >= options.group_items { Duration::ZERO } else { options.delay() };
        let due_at = due.since? + delay;
        Some(self.retry_at.map_or(due_at, |retry_at| retry_at.max(due_at)))
    }

    fn group_is_due(&self) -> bool {
        self.due_at().is_some_and(|due_at| Instant::now() >= due_at)
    }

    /// How long nothing is due.
    fn idle_for(&self) -> Duration {
        let sync_at = self.active.as_ref().and_then(Active::sync_at);
        let times = [self.due_at(), self.spare.due_at(), sync_at];
        let next = times.into_iter().flatten().fold(self.tidy_at, Instant::min);
        next.saturating_duration_since(Instant::now())
    }

    /// Makes the oldest items that are not durable so.
    fn write_group(&mut self) -> Result<(), Error> {
        let bytes_max = self.options().group_bytes();
        let batch = self.shared.tail.lock().batch(self.log.class, bytes_max);
        let Some((first, last)) = batch.metas.first().zip(batch.metas.last()).map(|(a, b)| (a.offset, b.offset)) else {
            return Ok(());
        };
        let end_seq = batch.seq + batch.metas.len() as u64;
        if self.active.as_ref().is_none_or(|active| self.is_old(active) || !active.frames.reaches(last + 1, end_seq)) {
            self.roll(first)?;
        }
        self.encode(&batch);
        if self.active.as_ref().is_some_and(|active| !active.fits(self.group.bytes.len(), self.options())) {
            self.roll(first)?;
            self.encode(&batch);
        }
        self.write_encoded()?;
        self.publish(&batch);
        Ok(())
    }

    fn is_old(&self, active: &Active) -> bool {
        active.created.elapsed() >= self.options().age_max / AGE_PARTS
    }

    fn encode(&mut self, batch: &Batch<C::Item>) {
        let frames = self.active.as_ref().expect("a group is encoded for an active segment").frames;
        let bytes_max = self.options().group_bytes();
        self.group.fill(&*self.shared.codec, batch, frames, bytes_max);
    }

    fn write_encoded(&mut self) -> Result<(), Error> {
        let sync = self.options().sync;
        let active = self.active.as_mut().expect("a group is encoded for an active segment");
        let disk = &self.shared.disk;
        let mut written = disk.write(&active.file, &self.group.bytes, active.at);
        if sync != SyncLevel::Os {
            written = written.and_then(|()| disk.sync(&active.file));
        }
        written.map_err(Error::io("write", segment::path(&self.log.dir, active.frames.first)))?;
        active.at += self.group.bytes.len() as u64;
        if sync == SyncLevel::Os {
            active.unsynced_since.get_or_insert_with(Instant::now);
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Error> {
        let Some(active) = &mut self.active else { return Ok(()) };
        let synced = self.shared.disk.sync(&active.file);
        synced.map_err(Error::io("sync", segment::path(&self.log.dir, active.frames.first)))?;
        active.unsynced_since = None;
        Ok(())
    }

    /// Tells everyone that the group is durable.
    fn publish(&mut self, batch: &Batch<C::Item>) {
        let (taken, counters) = (self.group.taken, &self.log.counters);
        let end = batch.metas[taken - 1].offset + 1;
        let at = self.active.as_ref().map_or(0, |active| active.at);
        // Before it is called durable, readers must find it on disk.
        self.log.catalogue.lock().grow(end, batch.seq + taken as u64, at);
        for offset in &self.group.refused {
            tracing::warn!(offset, "an item is longer than 1 MiB and was not written");
            self.shared.refuse(self.log.class, *offset);
        }
        Counters::add(&counters.synced_groups, 1);
        Counters::add(&counters.raw_bytes, self.group.raw_bytes);
        Counters::add(&counters.written_bytes, self.group.bytes.len() as u64);
        if self.retry_at.take().is_some() {
            *counters.last_error.lock() = None;
            tracing::info!(dir = %self.log.dir.display(), "the journal can be written again");
        }
        self.log.full.store(false, Ordering::Release);
        self.shared.settle(self.log.class, taken);
    }

    /// The active segment takes no more writes; what was not acknowledged is tried again later, in a new one.
    fn give_up(&mut self, error: &Error) {
        let full = matches!(error, Error::QuotaFull { .. });
        if self.retry_at.is_none() {
            tracing::error!(dir = %self.log.dir.display(), %error, "the journal cannot be written; retrying");
        }
        if full {
            // The disk is fine, and so is what was written.
            self.retry_at = Some(Instant::now() + ASK_AGAIN_AFTER);
            return;
        }
        self.log.counters.note(error);
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        let Some(active) = self.active.take() else { return };
        // Only gives space back: readers stop at the last durable byte anyway.
        let _ = active.file.set_len(active.at);
        if self.log.catalogue.lock().seal() == crate::catalogue::Sealed::Empty {
            // If it cannot be removed, the next segment with this name takes its place.
            let _ = fs::remove_file(segment::path(&self.log.dir, active.frames.first));
        }
    }

    /// Begins a new segment at offset `first`.
    fn roll(&mut self, first: u64) -> Result<(), Error> {
        self.make_room()?;
        self.seal()?;
        let created = self.shared.options.clock.stamp(self.shared.origin.epoch);
        let end = self.log.catalogue.lock().end();
        let preamble = self.shared.preamble.clone();
        let fixed = Fixed {
            version: VERSION,
            class: self.log.class,
            first,
            first_seq: end.seq,
            previous_end: end.offset,
            created,
            preamble_bytes: 0,
            preamble_crc: 0,
            seed: 0,
        };
        let header = Header { fixed, preamble };
        let (bytes, seed) = header.bytes();
        let path = segment::path(&self.log.dir, first);
        let file = self.spare.take()?;
        self.shared.cursors.mark(Closed::No)?;
        // Complete before it gets its name: a file named like a segment has a header.
        let disk = &self.shared.disk;
        let named = disk.write(&file, &bytes, 0).and_then(|()| disk.sync(&file));
        let named = named.and_then(|()| fs::rename(self.spare.path(), &path)).and_then(|()| sync_dir(&self.log.dir));
        named.map_err(Error::io("create", &path))?;
        let start = header.end();
        self.log.catalogue.lock().push(first, start, created);
        self.active = Some(Active::new(file, Fixed { seed, ..fixed }.frames(), start));
        Ok(())
    }

    /// Ends the active segment and gives its unused part back.
    fn seal(&mut self) -> Result<(), Error> {
        if self.active.as_ref().is_some_and(|active| active.unsynced_since.is_some()) {
            self.sync()?;
        }
        let Some(active) = self.active.take() else { return Ok(()) };
        let end = self.log.catalogue.lock().end();
        if let Err(error) = active.end(end.offset, end.seq, &self.shared.disk) {
            tracing::warn!(%error, "the unused end of a segment cannot be given back");
        }
        self.log.catalogue.lock().seal();
        Ok(())
    }

    /// Keeps a spare segment ready and lets old ones go.
    fn tidy(&mut self) {
        self.spare.prepare();
        if Instant::now() >= self.tidy_at {
            self.retain();
            self.tidy_at = Instant::now() + TIDY_EVERY;
        }
    }

    /// The last words. Which classes are complete the thread that writes cursors sees by itself.
    fn close(mut self, written: bool) {
        let complete = self.shared.tail.lock().due(self.log.class).items == 0;
        let sealed = !complete || self.seal().map_err(|error| self.log.counters.note(&error)).is_ok();
        let written = written && complete && sealed;
        let answer = Answer { number: LAST_ANSWER, written };
        self.shared.writers[self.log.class.index()].answer.send_replace(answer);
    }
}

#[cfg(test)]
mod tests;
