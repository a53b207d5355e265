//! The thread that writes cursors, and the journal's last words.

use crate::{
    Codec, Error,
    progress::Closed,
    shared::{Answer, LAST_ANSWER, Shared},
};
use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

/// How often cursors are written at most.
const EVERY: Duration = Duration::from_millis(200);
/// How long after a failure the next try is made.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// While nothing moves.
const IDLE: Duration = Duration::from_secs(3600);

pub(crate) struct Scribe<C: Codec> {
    shared: Arc<Shared<C>>,
    due_at: Instant,
    failing: bool,
    /// Held for as long as files may change: this thread is the last one that ends.
    _lock: File,
}

/// Says that the last thread has ended, even if it panics.
struct End<C: Codec>(Arc<Shared<C>>);

impl<C: Codec> Drop for End<C> {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl<C: Codec> Scribe<C> {
    pub(crate) fn new(shared: Arc<Shared<C>>, lock: File) -> Self {
        Scribe { shared, due_at: Instant::now(), failing: false, _lock: lock }
    }

    /// Until the journal is closed and all its writers have ended.
    pub(crate) fn run(mut self) {
        let shared = self.shared.clone();
        let end = End(shared.clone());
        loop {
            let requested = shared.scribe.requested();
            let ended = shared.writing.load(Ordering::Acquire) == 0;
            let due = shared.cursors.moved() && Instant::now() >= self.due_at;
            let written = (requested.is_none() && !ended && !due) || self.write();
            if ended {
                self.close(written);
                break;
            }
            match requested {
                Some(number) => {
                    shared.scribe.answer.send_replace(Answer { number, written });
                }
                None => thread::park_timeout(self.idle_for()),
            }
        }
        // The directory is free before anyone hears that it is.
        drop(self);
        drop(end);
    }

    fn idle_for(&self) -> Duration {
        let moved = self.shared.cursors.moved();
        if moved { self.due_at.saturating_duration_since(Instant::now()) } else { IDLE }
    }

    fn write(&mut self) -> bool {
        let result = self.shared.cursors.write();
        self.due_at = Instant::now() + if result.is_ok() { EVERY } else { RETRY_AFTER };
        self.note(result)
    }

    /// An error of the cursors is shown with those of the first class.
    fn note(&mut self, result: Result<(), Error>) -> bool {
        let counters = &self.shared.logs[0].counters;
        match &result {
            Err(error) => {
                if !self.failing {
                    tracing::error!(%error, "cursors cannot be written; retrying");
                }
                counters.note(error);
            }
            Ok(()) if self.failing => *counters.last_error.lock() = None,
            Ok(()) => {}
        }
        self.failing = result.is_err();
        result.is_ok()
    }

    fn close(&mut self, written: bool) {
        let complete = self.shared.writers.iter().all(|work| work.answer.borrow().written);
        let mut written = written && complete;
        if written {
            let marked = self.shared.cursors.mark(Closed::Yes);
            written = self.note(marked);
        }
        self.shared.scribe.answer.send_replace(Answer { number: LAST_ANSWER, written });
    }
}
