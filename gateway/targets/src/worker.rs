//! A connection that lives in a task of its own, for targets that take deliveries together: a transaction, a file.
//!
//! The target hands each delivery over with a place for its answer and goes on. The task answers in any order; the window
//! brings the answers into order. If the task ends, what it has not answered fails with the error that ended it.

use crate::window::Window;
use crate::{Delivery, Outcome, TargetError};
use edgeway_formats::Content;
use std::future::Future;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// What the task is asked for.
pub(crate) enum Request {
    /// Take this delivery.
    Take(Job),
    /// Answer what can be answered quickly.
    Finish,
}

/// A delivery, and where its answer goes.
pub(crate) struct Job {
    pub(crate) delivery: Delivery,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

impl Job {
    /// Says what became of it.
    pub(crate) fn answer(self, outcome: Outcome) {
        // Nobody listens any more if the route has given up this connection.
        let _ = self.answer.send(outcome);
    }
}

/// The target's side of the task.
pub(crate) struct Worker {
    queue_max: usize,
    /// What a delivery counts in the window, in bytes.
    weigh: fn(&Delivery) -> usize,
    window: Window,
    task: Option<Task>,
}

struct Task {
    requests: mpsc::Sender<Request>,
    ended: watch::Receiver<Option<TargetError>>,
    handle: JoinHandle<()>,
}

impl Worker {
    /// At most so many deliveries without an answer, and the bytes of a window.
    pub(crate) fn new(deliveries_max: usize) -> Self {
        Worker { queue_max: deliveries_max, weigh: bytes, window: Window::new(deliveries_max), task: None }
    }

    /// For a task that gathers, and bounds by itself what it holds without an answer: only so many deliveries wait for it.
    pub(crate) fn gathering(queue_max: usize) -> Self {
        Worker { queue_max, weigh: |_| 0, window: Window::new(usize::MAX), task: None }
    }

    /// Starts the task. It ends when nobody can ask it for anything any more, or with an error.
    pub(crate) fn start<F>(&mut self, run: impl FnOnce(mpsc::Receiver<Request>) -> F)
    where
        F: Future<Output = Result<(), TargetError>> + Send + 'static,
    {
        self.window.clear();
        let (requests, asked) = mpsc::channel(self.queue_max);
        let (end, ended) = watch::channel(None);
        let run = run(asked);
        let handle = tokio::spawn(async move {
            if let Err(error) = run.await {
                end.send_replace(Some(error));
            }
        });
        self.task = Some(Task { requests, ended, handle });
    }

    /// Waits for the end of the task, which is asked for nothing more.
    pub(crate) async fn stop(&mut self) {
        let Some(Task { requests, handle, .. }) = self.task.take() else { return };
        drop(requests);
        // A panic in there has been reported by the panic hook; the connection is over either way.
        let _ = handle.await;
    }

    /// Ends the task wherever it is.
    pub(crate) async fn abort(&mut self) {
        if let Some(task) = &self.task {
            task.handle.abort();
        }
        self.stop().await;
    }

    /// See [`Target::send`](crate::Target::send).
    pub(crate) async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        for delivery in batch {
            let bytes = (self.weigh)(&delivery);
            // What is wrong is told by `ready`, after the outcomes.
            if self.window.room(bytes).await.is_err() || !self.hand_over(bytes, delivery).await {
                break;
            }
        }
        self.window.ready()
    }

    /// See [`Target::settle`](crate::Target::settle).
    pub(crate) async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.settle().await
    }

    /// See [`Target::finish`](crate::Target::finish).
    pub(crate) async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        if let Some(task) = &self.task {
            // If the task has ended the window says why.
            let _ = task.requests.send(Request::Finish).await;
        }
        self.window.finish().await
    }

    /// Whether the task took it. If not, the window has the reason.
    async fn hand_over(&mut self, bytes: usize, delivery: Delivery) -> bool {
        let Some(task) = &self.task else {
            self.window.push(0, std::future::ready(Err(TargetError::Away("not connected".into()))));
            return false;
        };
        let (answer, answered) = oneshot::channel();
        let mut ended = task.ended.clone();
        self.window.push(bytes, async move {
            match answered.await {
                Ok(outcome) => Ok(outcome),
                Err(_) => Err(reason(&mut ended).await),
            }
        });
        task.requests.send(Request::Take(Job { delivery, answer })).await.is_ok()
    }
}

/// Why the task has ended.
async fn reason(ended: &mut watch::Receiver<Option<TargetError>>) -> TargetError {
    let error = ended.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
    error.unwrap_or_else(|| TargetError::Away("the connection has ended".into()))
}

/// The memory that a delivery takes, in bytes.
fn bytes(delivery: &Delivery) -> usize {
    match &delivery.content {
        Content::Bytes(bytes, _) => bytes.len(),
        Content::Table(table) => table.batch.get_array_memory_size(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use edgeway_thing_models::{GatewayId, MessageId};

    fn delivery(offset: u64) -> Delivery {
        let id = MessageId { gateway: GatewayId::of("g"), epoch: 0, offset };
        let content = Content::Bytes(Bytes::new(), "text/plain");
        Delivery { topic: String::new(), key: String::new(), content, id, last_id: id, messages: 1 }
    }

    #[tokio::test]
    async fn answers_in_any_order_are_settled_in_order() {
        let mut worker = Worker::new(10);
        worker.start(|mut asked| async move {
            let mut jobs = vec![];
            while let Some(request) = asked.recv().await {
                match request {
                    Request::Take(job) => jobs.push(job),
                    Request::Finish => jobs.drain(..).rev().enumerate().for_each(|(at, job)| {
                        job.answer(if at == 0 { Outcome::Refused("last".into()) } else { Outcome::Delivered });
                    }),
                }
            }
            Ok(())
        });
        assert_eq!(worker.send(vec![delivery(0), delivery(1)]).await, Ok(vec![]));
        let outcomes = vec![Outcome::Delivered, Outcome::Refused("last".into())];
        assert_eq!(worker.finish().await, Ok(outcomes));
    }

    #[tokio::test]
    async fn what_ended_the_task_is_said_of_what_it_has_not_answered() {
        let denied = || TargetError::Denied("no".into());
        let mut worker = Worker::new(10);
        worker.start(|mut asked| async move {
            if let Some(Request::Take(job)) = asked.recv().await {
                job.answer(Outcome::Delivered);
            }
            asked.recv().await;
            Err(denied())
        });
        let mut told = vec![worker.send(vec![delivery(0), delivery(1), delivery(2)]).await];
        while told.last().is_some_and(Result::is_ok) {
            told.push(worker.settle().await);
        }
        assert_eq!(told.pop(), Some(Err(denied())));
        assert_eq!(told.into_iter().flatten().flatten().collect::<Vec<_>>(), [Outcome::Delivered]);
    }

    #[tokio::test]
    async fn a_task_that_panics_is_a_connection_that_is_lost() {
        let mut worker = Worker::new(10);
        worker.start(|mut asked| async move {
            asked.recv().await;
            panic!("a bug");
        });
        let sent = worker.send(vec![delivery(0)]).await;
        let told = if sent == Ok(vec![]) { worker.settle().await } else { sent };
        assert!(matches!(told, Err(TargetError::Away(_))), "{told:?}");
    }

    #[tokio::test]
    async fn a_task_that_gathers_is_given_more_than_a_window_holds() {
        let mut worker = Worker::gathering(1);
        worker.start(|mut asked| async move {
            let mut jobs = vec![];
            while let Some(Request::Take(job)) = asked.recv().await {
                jobs.push(job);
            }
            jobs.into_iter().for_each(|job| job.answer(Outcome::Delivered));
            Ok(())
        });
        let large = Content::Bytes(Bytes::from(vec![0; 3 << 20]), "text/plain");
        let batch = (0..10).map(|n| Delivery { content: large.clone(), ..delivery(n) }).collect();
        assert_eq!(worker.send(batch).await, Ok(vec![]));
        assert_eq!(worker.finish().await, Ok(vec![Outcome::Delivered; 10]));
    }

    #[tokio::test]
    async fn without_a_connection_nothing_is_taken() {
        assert!(matches!(Worker::new(10).send(vec![delivery(0)]).await, Err(TargetError::Away(_))));
    }
}
