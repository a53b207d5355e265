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
            // What was answered to others meanwhile counts.
            self.next().allows(Instant::now())?;
        }
        Ok(())
    }

    fn turn(&self, by: Deadline) -> Result<Option<Instant>, Failure> {
        let (now, mut next) = (Instant::now(), self.next());
        next.allows(now)?;
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

    /// Takes to heart what an answer says of the next question. One that comes late takes nothing back.
    pub(super) fn heed(&self, answer: &Answer) {
        if let Some(after) = status::retry_after(answer.status, &answer.headers, SystemTime::now()) {
            let mut next = self.next();
            next.not_before = next.not_before.max(Some(Instant::now() + after));
        }
    }

    fn next(&self) -> MutexGuard<'_, Next> {
        self.next.lock().expect("no thread panics while it holds this lock")
    }
}

impl Next {
    /// Whether the server may be asked now.
    fn allows(&self, now: Instant) -> Result<(), Failure> {
        let left = self.not_before.unwrap_or(now).duration_since(now);
        if left.is_zero() {
            return Ok(());
        }
        let left = Duration::from_secs(left.as_secs() + 1);
        Err(Failure::Waiting(format!("the server wants to be left alone for {} more", show(left))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use edgeway_sdk::Timestamp;
    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, RETRY_AFTER};

    /// An answer that wants us to wait so long.
    fn busy(seconds: u64) -> Answer {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, seconds.into())]);
        let status = StatusCode::TOO_MANY_REQUESTS;
        Answer { status, headers, body: Bytes::new(), received: Timestamp::now() }
    }

    fn soon() -> Deadline {
        Instant::now() + Duration::from_secs(9)
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_a_turn_hears_that_the_server_wants_to_be_left_alone() {
        let pace = Pace::new(Duration::from_secs(1));
        assert_eq!(pace.wait(soon()).await, Ok(()));
        let (second, ()) = tokio::join!(pace.wait(soon()), async { pace.heed(&busy(60)) });
        let alone = "the server wants to be left alone for 60s more";
        assert_eq!(second, Err(Failure::Waiting(alone.into())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_takes_nothing_back() {
        let pace = Pace::new(Duration::ZERO);
        pace.heed(&busy(60));
        pace.heed(&busy(0));
        assert!(pace.wait(soon()).await.is_err());
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(pace.wait(soon()).await, Ok(()));
    }
}
