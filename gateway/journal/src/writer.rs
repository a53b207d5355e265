//! The writer thread: the only one that changes files.

use crate::{
    Codec, Error, catalogue,
    cursors::Closed,
    disk::{Disk, bytes_on_disk, sync_dir},
    frame::{Group, Stamp},
    quarantine,
    segment::{self, Header},
    shared::{Answer, LAST_ANSWER, Shared},
    slot,
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often cursors are written at most.
const CURSORS_EVERY: Duration = Duration::from_millis(200);
/// How long after a failure the next try is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How often segments are aged while nothing is written.
const TIDY_EVERY: Duration = Duration::from_secs(60);
/// A segment is closed for a new one at this part of the greatest age, so that a quiet journal ages too.
const AGE_PARTS: u32 = 8;

pub(crate) struct Writer<C: Codec> {
    shared: Arc<Shared<C>>,
    active: Option<Active>,
    spare: Option<File>,
    group: Group,
    /// Not before this, unless someone flushes.
    retry_at: Option<Instant>,
    spare_at: Instant,
    cursors_at: Instant,
    tidy_at: Instant,
    /// Held for as long as files may change.
    _lock: File,
}

/// The segment that is being written.
struct Active {
    file: File,
    first: u64,
    seed: u32,
    created: Instant,
    start: u64,
    at: u64,
}

/// Says that the writer has ended, even if it panics.
struct End<C: Codec>(Arc<Shared<C>>);

impl<C: Codec> Drop for End<C> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<C: Codec> Writer<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, lock: File) -> Self {
        let now = Instant::now();
        let spare = open_spare(&shared.dir, shared.options.segment_bytes);
        let group = Group::default();
        let (retry_at, tidy_at) = (None, now + TIDY_EVERY);
        Writer { shared, active: None, spare, group, retry_at, spare_at: now, cursors_at: now, tidy_at, _lock: lock }
    }

    /// Until the journal is closed.
    pub(crate) fn run(mut self) {
        let _end = End(self.shared.clone());
        loop {
            let wanted = self.shared.flushes.wanted.load(Ordering::Acquire);
            let closing = self.shared.closing.load(Ordering::Acquire);
            let urgent = closing || wanted > self.shared.flushes.answer.borrow().number;
            let written = self.pass(urgent);
            if closing {
                return self.close(written);
            }
            if urgent {
                self.shared.flushes.answer.send_replace(Answer { number: wanted, written });
            } else {
                thread::park_timeout(self.idle_for());
            }
        }
    }

    /// Does what is due; all there is if it is urgent. False if something could not be written.
    fn pass(&mut self, urgent: bool) -> bool {
        let target = self.shared.tail.lock().head();
        let mut written = true;
        if urgent || self.group_is_due() {
            // What is due may be more than one write takes.
            while written && self.shared.tail.lock().durable() < target {
                written = self.write_group().map_err(|error| self.give_up(&error)).is_ok();
            }
        }
        if self.shared.cursors.moved() && (urgent || Instant::now() >= self.cursors_at) {
            written &= self.write_cursors();
        }
        self.tidy();
        written
    }

    fn group_is_due(&self) -> bool {
        let tail = self.shared.tail.lock();
        let Some(since) = tail.pending_since() else { return false };
        let full = tail.pending_items() >= self.shared.options.group_items as u64;
        let due_at = if full { since } else { since + self.shared.options.group_delay };
        Instant::now() >= self.retry_at.map_or(due_at, |retry_at| retry_at.max(due_at))
    }

    /// How long nothing is due.
    fn idle_for(&self) -> Duration {
        let since = self.shared.tail.lock().pending_since();
        let group_at = since.map(|since| since + self.shared.options.group_delay);
        let group_at = group_at.map(|at| self.retry_at.map_or(at, |retry_at| at.max(retry_at)));
        let cursors_at = self.shared.cursors.moved().then_some(self.cursors_at);
        let spare_at = self.spare.is_none().then_some(self.spare_at);
        let next = [group_at, cursors_at, spare_at].into_iter().flatten().fold(self.tidy_at, Instant::min);
        next.saturating_duration_since(Instant::now())
    }

    /// Makes the oldest items that are not durable so.
    fn write_group(&mut self) -> Result<(), Error> {
        let (first, items) = {
            let tail = self.shared.tail.lock();
            (tail.durable(), tail.pending(self.shared.options.group_bytes()))
        };
        if self.active.as_ref().is_none_or(|active| self.is_old(active)) {
            self.roll(first)?;
        }
        self.encode(first, &items);
        if self.active.as_ref().is_some_and(|active| !self.fits(active)) {
            self.roll(first)?;
            self.encode(first, &items);
        }
        self.write_encoded()?;
        self.publish(first);
        Ok(())
    }

    fn is_old(&self, active: &Active) -> bool {
        active.created.elapsed() >= self.shared.options.age_max / AGE_PARTS
    }

    /// An empty segment takes any group.
    fn fits(&self, active: &Active) -> bool {
        active.at == active.start || active.at + self.group.bytes.len() as u64 <= self.shared.options.segment_bytes
    }

    fn encode(&mut self, first: u64, items: &[Arc<C::Item>]) {
        let seed = self.active.as_ref().map_or(0, |active| active.seed);
        let stamp = Stamp { first, time_nanos: self.shared.options.clock.nanos(), seed };
        self.group.fill(&self.shared.codec, items, self.shared.options.group_bytes(), stamp);
    }

    fn write_encoded(&mut self) -> Result<(), Error> {
        let active = self.active.as_mut().expect("a group is encoded for an active segment");
        let disk = &self.shared.disk;
        disk.write(&active.file, &self.group.bytes, active.at)
            .and_then(|()| disk.sync(&active.file))
            .map_err(Error::io("write", segment::path(&self.shared.dir, active.first)))?;
        active.at += self.group.bytes.len() as u64;
        Ok(())
    }

    /// Tells everyone that the group is durable.
    fn publish(&mut self, first: u64) {
        let shared = &self.shared;
        let end = first + self.group.sizes.len() as u64;
        let at = self.active.as_ref().map_or(0, |active| active.at);
        // Before anything leaves the tail, readers must find it on disk.
        shared.catalogue.lock().grow(end, at);
        let (evicted, room) = {
            let mut tail = shared.tail.lock();
            tail.settle(&self.group.sizes, Instant::now());
            (tail.evict(&shared.options), tail.pending_bytes() < shared.options.pending_bytes_max)
        };
        for offset in &self.group.refused {
            tracing::warn!(offset, "an item is longer than 1 MiB and was not written");
            shared.refuse(*offset);
        }
        shared.counters.synced_groups.fetch_add(1, Ordering::Relaxed);
        if self.retry_at.take().is_some() {
            *shared.counters.last_error.lock() = None;
            tracing::info!(dir = %shared.dir.display(), "the journal can be written again");
        }
        shared.durable.send_replace(end);
        if room {
            shared.space.notify_waiters();
        }
        drop(evicted);
    }

    /// The active segment takes no more writes; what was not acknowledged is tried again later, in a new one.
    fn give_up(&mut self, error: &Error) {
        if self.retry_at.is_none() {
            tracing::error!(dir = %self.shared.dir.display(), %error, "the journal cannot be written; retrying every second");
        }
        self.note(error);
        self.retry_at = Some(Instant::now() + RETRY_AFTER);
        let Some(active) = self.active.take() else { return };
        // Only gives space back: readers stop at the last durable byte anyway.
        let _ = active.file.set_len(active.at);
        if self.shared.catalogue.lock().seal().is_none() {
            // If it cannot be removed, the next segment with this name takes its place.
            let _ = fs::remove_file(segment::path(&self.shared.dir, active.first));
        }
    }

    fn note(&self, error: &Error) {
        self.shared.counters.sync_errors.fetch_add(1, Ordering::Relaxed);
        let text = match error {
            Error::Io { source, .. } => format!("{error}: {source}"),
            error => error.to_string(),
        };
        *self.shared.counters.last_error.lock() = Some(text);
    }

    /// Begins a new segment at `first`.
    fn roll(&mut self, first: u64) -> Result<(), Error> {
        self.seal();
        self.retain();
        let shared = self.shared.clone();
        let spare_path = spare_path(&shared.dir);
        let file = match self.spare.take() {
            Some(file) => file,
            None => allocate_spare(&shared.disk, &spare_path, shared.options.segment_bytes)?,
        };
        let created_nanos = shared.options.clock.nanos();
        let header = Header { first, created_nanos, preamble: shared.preamble.clone() };
        let (bytes, seed) = header.bytes();
        shared.cursors.mark(&shared.disk, first, Closed::No)?;
        let path = segment::path(&shared.dir, first);
        // Complete before it gets its name: a file named like a segment has a header.
        let named = shared.disk.write(&file, &bytes, 0).and_then(|()| shared.disk.sync(&file));
        let named = named.and_then(|()| fs::rename(&spare_path, &path)).and_then(|()| sync_dir(&shared.dir));
        named.map_err(Error::io("create", &path))?;
        let start = header.end();
        shared.catalogue.lock().push(start, created_nanos);
        self.active = Some(Active { file, first, seed, created: Instant::now(), start, at: start });
        Ok(())
    }

    /// Gives the unused end of the active segment back.
    fn seal(&mut self) {
        let Some(active) = self.active.take() else { return };
        if let Err(error) = active.file.set_len(active.at) {
            tracing::warn!(%error, "the unused end of a segment cannot be given back");
        }
        self.shared.catalogue.lock().seal();
    }

    /// Removes the oldest segments until another one fits and none is too old.
    fn retain(&self) {
        let shared = &self.shared;
        let options = &shared.options;
        quarantine::shrink(&shared.dir, options.total_bytes_max / 8);
        let others = 2 * options.segment_bytes + slot::FILE_BYTES + quarantine::bytes_on_disk(&shared.dir);
        let bytes_max = options.total_bytes_max.saturating_sub(others);
        let age = i64::try_from(options.age_max.as_nanos()).unwrap_or(i64::MAX);
        let older_than = options.clock.nanos().saturating_sub(age);
        loop {
            let expired = shared.catalogue.lock().expire(bytes_max, older_than);
            let Some(segment) = expired else { return };
            catalogue::remove(&shared.dir, &segment);
            shared.counters.dropped_by_retention.fetch_add(segment.end - segment.first, Ordering::Relaxed);
        }
    }

    fn write_cursors(&mut self) -> bool {
        let durable = *self.shared.durable.borrow();
        let result = self.shared.cursors.write(&self.shared.disk, durable);
        let pause = if result.is_ok() { CURSORS_EVERY } else { RETRY_AFTER };
        self.cursors_at = Instant::now() + pause;
        match result {
            Ok(()) if self.retry_at.is_none() => *self.shared.counters.last_error.lock() = None,
            Ok(()) => {}
            Err(error) => {
                self.note(&error);
                return false;
            }
        }
        true
    }

    /// Keeps a spare segment ready and lets old ones go.
    fn tidy(&mut self) {
        let now = Instant::now();
        if self.spare.is_none() && now >= self.spare_at {
            let path = spare_path(&self.shared.dir);
            self.spare = allocate_spare(&self.shared.disk, &path, self.shared.options.segment_bytes).ok();
            self.spare_at = now + RETRY_AFTER;
        }
        if now >= self.tidy_at {
            self.retain();
            self.tidy_at = now + TIDY_EVERY;
        }
    }

    /// The last words: the mark, the answers.
    fn close(mut self, written: bool) {
        let (head, durable) = {
            let tail = self.shared.tail.lock();
            (tail.head(), tail.durable())
        };
        let mut written = written && head == durable;
        if written {
            self.seal();
            let marked = self.shared.cursors.mark(&self.shared.disk, durable, Closed::Yes);
            written = marked.map_err(|error| self.note(&error)).is_ok();
        }
        self.shared.flushes.answer.send_replace(Answer { number: LAST_ANSWER, written });
    }
}

fn spare_path(dir: &Path) -> PathBuf {
    dir.join("spare")
}

fn allocate_spare(disk: &Disk, path: &Path, bytes: u64) -> Result<File, Error> {
    disk.allocate(path, bytes).map_err(Error::io("allocate", path))
}

/// The spare segment of the last run, if nothing was written to it.
fn open_spare(dir: &Path, bytes: u64) -> Option<File> {
    let path = spare_path(dir);
    let mut file = fs::OpenOptions::new().read(true).write(true).open(&path).ok()?;
    let mut head = [0; 16];
    let read: io::Result<()> = file.read_exact(&mut head);
    let unused = read.is_ok() && head == [0; 16] && file.metadata().is_ok_and(|metadata| metadata.len() == bytes);
    if unused { Some(file) } else { fs::remove_file(&path).ok().and(None) }
}

/// Bytes of the spare segment.
pub(crate) fn spare_bytes(dir: &Path) -> u64 {
    bytes_on_disk(&spare_path(dir))
}

#[cfg(test)]
mod tests;
