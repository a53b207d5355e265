//! How soon the next question may be asked.

use super::{Answer, Failure};
use crate::status;
use edgeway_sdk::Deadline;
use edgeway_sdk::options::duration::show;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};

/// How soon the next question may be asked.
pub(super) struct Pace {
    /// The least time between two.
    pause: Duration,
    next: Mutex<Next>,
}

#[derive(Default)]
struct Next {
    /// When the pause after the last is over.
    at: Option<Instant>,
    /// Until when the server wants to be left alone.
    not_before: Option<Instant>,
}

impl Pace {
    pub(super) fn new(pause: Duration) -> Self {
        Pace { pause, next: Mutex::default() }
    }

    /// Waits for our turn.
    ///
    /// # Errors
    /// [`Failure::Waiting`] if it comes too late.
    pub(super) async fn wait(&self, by: Deadline) -> Result<(), Failure> {
        if let Some(at) = self.turn(by)? {
            sleep_until(at).await;
        }
        Ok(())
    }

    fn turn(&self, by: Deadline) -> Result<Option<Instant>, Failure> {
        let (now, mut next) = (Instant::now(), self.next());
        if let Some(left) =
            next.not_before.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
        {
            let left = Duration::from_secs(left.as_secs() + 1);
            return Err(Failure::Waiting(format!("the server wants to be left alone for {} more", show(left))));
        }
        if self.pause.is_zero() {
            return Ok(None);
        }
        let at = next.at.unwrap_or(now).max(now);
        if at >= by {
            return Err(Failure::Waiting("others were asked first (`pause`)".into()));
        }
        next.at = Some(at + self.pause);
        Ok(Some(at))
    }

    /// Takes to heart what an answer says of the next question.
    pub(super) fn heed(&self, answer: &Answer) {
        if let Some(after) = status::retry_after(answer.status, &answer.headers, SystemTime::now()) {
            self.next().not_before = Some(Instant::now() + after);
        }
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().expect("no thread panics while it holds this lock")
    }
}
