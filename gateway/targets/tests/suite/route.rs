//! A route as simple as one can be: it sends, settles, connects again after an error, and sends again what is unsettled.

use crate::peer::{WITHIN, open};
use edgeway_site::TargetKind;
use edgeway_targets::{Delivery, Opening, Outcome, Target, TargetError};
use edgeway_thing_models::MessageId;
use futures::FutureExt;
use std::collections::VecDeque;
use std::time::Duration;

/// The pause after an error.
const BACKOFF: Duration = Duration::from_millis(50);
/// How many deliveries are handed over at a time.
const BATCH: usize = 50;

pub(crate) struct Route {
    pub(crate) target: Box<dyn Target>,
    is_connected: bool,
    waiting: VecDeque<Delivery>,
    unsettled: VecDeque<Delivery>,
    /// What became of what, in the order in which the target said so.
    pub(crate) settled: Vec<(MessageId, Outcome)>,
    /// What went wrong.
    pub(crate) errors: Vec<TargetError>,
}

impl Route {
    pub(crate) fn new(kind: TargetKind) -> Self {
        let (waiting, unsettled) = (VecDeque::new(), VecDeque::new());
        Route { target: open(kind), is_connected: false, waiting, unsettled, settled: vec![], errors: vec![] }
    }

    /// Sends deliveries until all are settled; afterwards the target has nothing more to say.
    pub(crate) async fn run(&mut self, deliveries: impl IntoIterator<Item = Delivery>) {
        self.waiting.extend(deliveries);
        tokio::time::timeout(WITHIN, self.settle_all()).await.unwrap_or_else(|_| {
            let errors = self.errors.iter().rev().take(3).collect::<Vec<_>>();
            panic!("{} are settled after {WITHIN:?}; the last errors: {errors:?}", self.settled.len())
        });
        assert!(self.target.settle().now_or_never().is_none(), "nothing is unsettled");
    }

    /// Sends deliveries without waiting for their answers.
    pub(crate) async fn send(&mut self, deliveries: impl IntoIterator<Item = Delivery>) {
        self.waiting.extend(deliveries);
        while !self.waiting.is_empty() && self.errors.is_empty() {
            let done = self.send_some().await;
            self.note(done).await;
        }
    }

    async fn settle_all(&mut self) {
        while !self.waiting.is_empty() || !self.unsettled.is_empty() {
            let done = self.step().await;
            self.note(done).await;
        }
    }

    async fn step(&mut self) -> Result<Vec<Outcome>, TargetError> {
        if !self.is_connected {
            self.target.connect(Opening::default()).await?;
            self.is_connected = true;
        }
        match self.waiting.is_empty() {
            true => self.target.settle().await,
            false => self.send_some().await,
        }
    }

    async fn send_some(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let batch: Vec<_> = self.waiting.drain(..self.waiting.len().min(BATCH)).collect();
        self.unsettled.extend(batch.iter().cloned());
        self.target.send(batch).await
    }

    pub(crate) async fn note(&mut self, done: Result<Vec<Outcome>, TargetError>) {
        match done {
            Ok(outcomes) => self.take(outcomes),
            Err(error) => {
                let pause = if let TargetError::Throttled { after, .. } = &error { *after } else { BACKOFF };
                self.errors.push(error);
                self.is_connected = false;
                while let Some(delivery) = self.unsettled.pop_back() {
                    self.waiting.push_front(delivery);
                }
                tokio::time::sleep(pause).await;
            }
        }
    }

    fn take(&mut self, outcomes: Vec<Outcome>) {
        for outcome in outcomes {
            let delivery = self.unsettled.pop_front().expect("an outcome is of something that was sent");
            self.settled.push((delivery.id, outcome));
        }
    }
}
