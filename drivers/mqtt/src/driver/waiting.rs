//! Who waits for something to come: a write for the state that it makes, a call for its answer.

use bytes::Bytes;
use edgeway_sdk::{Batch, Json, PointIx, Value};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// More states than this are not kept for one that waits.
const STATES_MAX: usize = 16;

/// All who wait on a link. Mostly there is nobody, which costs a look at a number.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    count: AtomicUsize,
    all: Mutex<All>,
}

#[derive(Debug, Default)]
struct All {
    states: Vec<(PointIx, mpsc::Sender<Value>)>,
    answers: VecDeque<Answer>,
}

/// A call that waits for its answer, or has waited: a late answer must not be taken for another.
#[derive(Debug)]
struct Answer {
    topic: Vec<u8>,
    belongs: Belongs,
    /// `None` if its connection has ended, and nobody waits any more.
    to: Option<oneshot::Sender<Bytes>>,
    forget_at: Instant,
}

/// How an answer is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Belongs {
    /// By the correlation data of MQTT 5.
    Correlation(Bytes),
    /// By a field of the payload.
    Field { name: String, id: String },
    /// It is the next one.
    Next,
}

impl Waiting {
    fn with<T>(&self, change: impl FnOnce(&mut All) -> T) -> T {
        let mut all = self.all.lock().expect("no thread panics while it holds this lock");
        let result = change(&mut all);
        self.count.store(all.states.len() + all.answers.len(), Relaxed);
        result
    }

    fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    /// The next good values of a point.
    pub(crate) fn states(&self, point: PointIx) -> mpsc::Receiver<Value> {
        let (sender, receiver) = mpsc::channel(STATES_MAX);
        self.with(|all| {
            all.states.retain(|(_, sender)| !sender.is_closed());
            all.states.push((point, sender));
        });
        receiver
    }

    /// Hands the values from this place on to those who wait for them.
    pub(crate) fn tell(&self, batch: &Batch, from: usize) {
        if self.is_empty() {
            return;
        }
        self.with(|all| {
            all.states.retain(|(_, sender)| !sender.is_closed());
            for (point, sender) in &all.states {
                let of_point =
                    (from..batch.len()).filter(|at| batch.points[*at] == *point && batch.qualities[*at].is_good());
                // Whoever does not look has seen enough.
                of_point.for_each(|at| _ = sender.try_send(batch.values[at].clone()));
            }
        });
    }

    /// The answer to a call. `None` if another waits on this topic and one of the two takes whatever comes next: nobody could
    /// tell them apart.
    pub(crate) fn answer(&self, topic: &str, belongs: Belongs, forget_at: Instant) -> Option<oneshot::Receiver<Bytes>> {
        let (to, receiver) = oneshot::channel();
        let answer = Answer { topic: topic.as_bytes().to_vec(), belongs, to: Some(to), forget_at };
        self.with(|all| {
            let now = Instant::now();
            all.answers.retain(|other| other.forget_at > now);
            let is_taken = all.answers.iter().any(|other| other.is_like(&answer));
            (!is_taken).then(|| all.answers.push_back(answer))
        })?;
        Some(receiver)
    }

    /// Hands an answer to whom it belongs. False if nobody waits for it.
    pub(crate) fn answered(&self, topic: &[u8], correlation: Option<&[u8]>, payload: &Bytes) -> bool {
        if self.is_empty() {
            return false;
        }
        let found = self.with(|all| {
            let at = all.answers.iter().position(|a| a.topic == topic && a.belongs.is_met(correlation, payload))?;
            all.answers.remove(at)
        });
        found.and_then(|answer| answer.to).is_some_and(|to| to.send(payload.clone()).is_ok())
    }

    /// The connection has ended: nobody waits any more. An answer that is still to come may come on the next.
    pub(crate) fn clear(&self) {
        self.with(|all| {
            all.states.clear();
            all.answers.iter_mut().for_each(|answer| answer.to = None);
        });
    }
}

impl Answer {
    /// Whether a message could be taken for either.
    fn is_like(&self, other: &Answer) -> bool {
        self.topic == other.topic && [self, other].iter().any(|answer| answer.belongs == Belongs::Next)
    }
}

impl Belongs {
    fn is_met(&self, correlation: Option<&[u8]>, payload: &[u8]) -> bool {
        match self {
            Belongs::Correlation(data) => correlation == Some(data),
            Belongs::Field { name, id } => {
                let object: Option<Json> = serde_json::from_slice(payload).ok();
                object.is_some_and(|object| object.get(name).and_then(Json::as_str) == Some(id))
            }
            Belongs::Next => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(9)
    }

    #[tokio::test]
    async fn an_answer_goes_to_the_call_that_it_belongs_to() {
        let waiting = Waiting::default();
        let by_data = waiting.answer("r", Belongs::Correlation("a".into()), later()).expect("nobody else waits");
        let field = Belongs::Field { name: "id".into(), id: "7".into() };
        let by_field = waiting.answer("r", field, later()).expect("they can be told apart");
        assert!(!waiting.answered(b"r", Some(b"b"), &"{}".into()), "of somebody else");
        assert!(waiting.answered(b"r", None, &r#"{"id": "7"}"#.into()));
        assert!(waiting.answered(b"r", Some(b"a"), &"yes".into()));
        assert_eq!(by_data.await.expect("answered"), "yes");
        assert_eq!(by_field.await.expect("answered"), r#"{"id": "7"}"#);
        assert!(waiting.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_answer_is_not_taken_for_that_to_the_next_call() {
        let waiting = Waiting::default();
        let given_up = waiting.answer("r", Belongs::Next, later()).expect("nobody else waits");
        drop(given_up);
        assert!(waiting.answer("r", Belongs::Next, later()).is_none(), "its answer may still come");
        assert!(!waiting.answered(b"r", None, &"late".into()));
        let next = waiting.answer("r", Belongs::Next, later()).expect("it has come");
        assert!(waiting.answered(b"r", None, &"mine".into()));
        assert_eq!(next.await.expect("answered"), "mine");
        drop(waiting.answer("r", Belongs::Next, later()));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(waiting.answer("r", Belongs::Next, later()).is_some(), "it will not come any more");
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_next_is_not_waited_for_beside_an_answer_that_is_known_by_a_field() {
        let waiting = Waiting::default();
        let field = || Belongs::Field { name: "id".into(), id: "7".into() };
        let next = waiting.answer("r", Belongs::Next, later()).expect("nobody else waits");
        assert!(waiting.answer("r", field(), later()).is_none(), "the other would take its answer");
        assert!(waiting.answered(b"r", None, &"{}".into()));
        assert!(next.await.is_ok());
        assert!(waiting.answer("r", field(), later()).is_some());
        assert!(waiting.answer("r", Belongs::Next, later()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_comes_on_the_next_connection_is_late_as_well() {
        let waiting = Waiting::default();
        let cut = waiting.answer("r", Belongs::Next, later()).expect("nobody else waits");
        waiting.clear();
        assert!(cut.await.is_err(), "its connection has ended");
        assert!(waiting.answer("r", Belongs::Next, later()).is_none(), "its answer may still come");
        assert!(!waiting.answered(b"r", None, &"late".into()));
        assert!(waiting.answer("r", Belongs::Next, later()).is_some());
    }
}
