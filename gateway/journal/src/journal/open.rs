//! Opening a journal.

use super::{Handle, Journal};
use crate::{
    Class, Codec, Error, Options, Recovery, Stamp,
    cursors::Cursors,
    disk::Disk,
    lock,
    log::{Counters, Log},
    progress::{Closed, Progress},
    recovery::{self, Scanned},
    scribe::Scribe,
    segment::PREAMBLE_BYTES_MAX,
    shared::{Shared, Work},
    tail::Tail,
    writer::Writer,
};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    fs::File,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::{Notify, watch};

impl<C: Codec> Journal<C> {
    /// Opens the journal in `dir`, which is made if it is not there. Damage never fails it, see [`recovery`](Self::recovery).
    /// What format version 1 left is moved to where this version looks for it.
    ///
    /// Fails with [`Error::Locked`] if another process has it open, with [`Error::Version`] if a newer program wrote it
    /// (nothing is touched then), and with [`Error::Io`] if the directory cannot be used.
    pub fn open(dir: impl AsRef<Path>, codec: C, options: Options) -> Result<Self, Error> {
        Self::open_on(Disk::default(), dir.as_ref(), codec, options)
    }

    pub(crate) fn open_on(disk: Disk, dir: &Path, codec: C, options: Options) -> Result<Self, Error> {
        options.check()?;
        let preamble = codec.preamble();
        let max = PREAMBLE_BYTES_MAX.min(options.preamble_bytes_max());
        if preamble.len() > max {
            return Err(Error::Preamble { bytes: preamble.len(), max });
        }
        let lock = lock::lock(dir)?;
        let mut survey = recovery::survey(dir)?;
        let (cursors, found) = Cursors::open(dir, disk.clone())?;
        let mut recovery = Recovery { cursors_lost: found.damaged, ..Recovery::default() };
        recovery::upgrade(dir, &mut survey, &mut recovery)?;
        recovery.epoch = 1 + survey.epoch.max(found.mark.epoch);
        let mut classes = vec![];
        for class in Class::ALL {
            let dir = dir.join(class.as_str());
            classes.push(recovery::scan_class(&dir, class, &mut survey, &found.mark, &mut recovery)?);
        }
        let ends = classes.iter().map(Scanned::end);
        let mut head = ends.chain(found.mark.durable).chain([found.mark.head]).max().unwrap_or(0);
        let logs = logs(dir, classes, &mut head, &mut recovery, &options);
        recovery.next_offset = head;
        let seqs = logs.each_ref().map(|log| log.catalogue.lock().end().seq);
        let progress = Arc::new(Progress::new(head, seqs, recovery.epoch));
        cursors.begin(progress.clone());
        if let Err(error) = cursors.mark(Closed::No) {
            tracing::warn!(%error, "the journal cannot note that it was opened");
        }
        let origin = Stamp { mono_nanos: 0, wall_nanos: 0, ..options.clock.stamp(recovery.epoch) };
        let shared = Shared {
            dir: dir.into(),
            codec: Arc::new(codec),
            preamble,
            options,
            disk,
            recovery,
            origin,
            cursors,
            progress,
            tail: Mutex::new(Tail::new(head, seqs)),
            logs,
            writers: [Work::default(), Work::default(), Work::default()],
            scribe: Work::default(),
            keeper: OnceLock::new(),
            refused: Mutex::new(VecDeque::new()),
            head: watch::Sender::new(head),
            durable: watch::Sender::new(head),
            space: Notify::new(),
            closing: AtomicBool::new(false),
            writing: AtomicUsize::new(Class::ALL.len()),
            closed: AtomicBool::new(false),
        };
        for work in &shared.writers {
            work.durable.send_replace(head);
        }
        Self::start(Arc::new(shared), lock)
    }

    fn start(shared: Arc<Shared<C>>, lock: File) -> Result<Self, Error> {
        let mut threads = vec![];
        for class in Class::ALL {
            let writer = Writer::new(shared.clone(), class);
            let thread = spawn(class.as_str(), &shared.dir, move || writer.run()).inspect_err(|_| shared.end())?;
            shared.writers[class.index()].done_by(thread.thread().clone());
            threads.push(thread);
        }
        let scribe = Scribe::new(shared.clone(), lock);
        let thread = spawn("cursors", &shared.dir, move || scribe.run()).inspect_err(|_| shared.end())?;
        shared.cursors.written_by(thread.thread().clone());
        shared.scribe.done_by(thread.thread().clone());
        threads.push(thread);
        Ok(Journal { handle: Arc::new(Handle { shared, threads: Mutex::new(threads) }) })
    }
}

/// Each class with what it starts from; `head` comes to stand behind all of them.
fn logs(
    dir: &Path,
    scanned: Vec<Scanned>,
    head: &mut u64,
    recovery: &mut Recovery,
    options: &Options,
) -> [Arc<Log>; 3] {
    let mut scanned = scanned.into_iter();
    Class::ALL.map(|class| {
        let dir = dir.join(class.as_str());
        let catalogue = scanned.next().expect("one for each class").finish(&dir, head, recovery);
        Arc::new(Log {
            class,
            dir,
            catalogue: Mutex::new(catalogue),
            quarantine_bytes_max: options.classes[class.index()].quarantine_bytes_max(),
            counters: Counters::default(),
            full: AtomicBool::new(false),
            read_only: false,
        })
    })
}

fn spawn(name: &str, dir: &Path, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let named = thread::Builder::new().name(format!("journal-{name}"));
    named.spawn(work).map_err(Error::io("start a writer of", dir))
}
