//! Deliveries under way: bounded, and settled in the order in which they were sent.
//!
//! A target pushes one future for each delivery, which ends with the peer's answer. Only the oldest is looked at, so an
//! answer that overtakes another waits for its turn. Outcomes stay in here until they are taken, so that whoever waits
//! for them may stop waiting at any time.

use crate::{Outcome, TargetError};
use futures::future::{BoxFuture, FutureExt};
use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

/// The most payload bytes under way on one connection.
pub(crate) const WINDOW_BYTES_MAX: usize = 4 << 20;
/// How long a clean stop waits for the answers to what is under way.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// What the peer said to one delivery.
pub(crate) type Answer = BoxFuture<'static, Result<Outcome, TargetError>>;

/// The deliveries of one connection that are sent and not settled.
pub(crate) struct Window {
    deliveries_max: usize,
    bytes: usize,
    under_way: VecDeque<UnderWay>,
    settled: Vec<Outcome>,
    error: Option<TargetError>,
}

struct UnderWay {
    bytes: usize,
    answer: Answer,
}

impl Window {
    /// A window of so many deliveries, at least 1, and [`WINDOW_BYTES_MAX`].
    pub(crate) fn new(deliveries_max: usize) -> Self {
        let deliveries_max = deliveries_max.max(1);
        Window { deliveries_max, bytes: 0, under_way: VecDeque::new(), settled: vec![], error: None }
    }

    /// How many deliveries have no outcome, as far as was looked; after an error, those that the connection left unsettled.
    pub(crate) fn len(&self) -> usize {
        self.under_way.len()
    }

    /// Adds a delivery that was sent. Call [`Window::room`] before sending it.
    pub(crate) fn push(
        &mut self,
        bytes: usize,
        answer: impl Future<Output = Result<Outcome, TargetError>> + Send + 'static,
    ) {
        self.bytes += bytes;
        self.under_way.push_back(UnderWay { bytes, answer: answer.boxed() });
    }

    /// Adds a delivery whose outcome is known without asking the peer. It is settled in its turn.
    pub(crate) fn push_settled(&mut self, outcome: Outcome) {
        self.push(0, std::future::ready(Ok(outcome)));
    }

    /// Waits until a delivery of so many bytes has room. One that is larger than the window is sent alone.
    ///
    /// # Errors
    /// What ended the connection.
    pub(crate) async fn room(&mut self, bytes: usize) -> Result<(), TargetError> {
        while self.is_full(bytes) {
            self.oldest().await?;
        }
        Ok(())
    }

    /// Waits until nothing is under way.
    ///
    /// # Errors
    /// What ended the connection.
    pub(crate) async fn empty(&mut self) -> Result<(), TargetError> {
        while !self.under_way.is_empty() {
            self.oldest().await?;
        }
        Ok(())
    }

    /// The outcomes known by now.
    ///
    /// # Errors
    /// What ended the connection, once all outcomes from before are taken; again and again until [`Window::clear`].
    pub(crate) fn ready(&mut self) -> Result<Vec<Outcome>, TargetError> {
        while self.error.is_none() && !self.under_way.is_empty() && self.oldest().now_or_never().is_some() {}
        match &self.error {
            Some(error) if self.settled.is_empty() => Err(error.clone()),
            _ => Ok(std::mem::take(&mut self.settled)),
        }
    }

    /// Waits for at least one outcome, and gives all that are known then. Never ends if nothing is unsettled. May be
    /// dropped at any time.
    ///
    /// # Errors
    /// What ended the connection, once all outcomes from before are taken.
    pub(crate) async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        if self.settled.is_empty() && self.error.is_none() {
            // An error is told by `ready`, after the outcomes.
            let _ = self.oldest().await;
        }
        self.ready()
    }

    /// Waits for all answers, but no longer than a clean stop may take.
    ///
    /// # Errors
    /// What ended the connection, once all outcomes from before are taken.
    pub(crate) async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        let _ = tokio::time::timeout(FINISH_WITHIN, self.empty()).await;
        self.ready()
    }

    /// Forgets everything, for a new connection.
    pub(crate) fn clear(&mut self) {
        *self = Window::new(self.deliveries_max);
    }

    fn is_full(&self, bytes: usize) -> bool {
        let full = self.under_way.len() >= self.deliveries_max || self.bytes + bytes > WINDOW_BYTES_MAX;
        full && !self.under_way.is_empty()
    }

    /// Waits for the answer to the oldest delivery. Never ends if there is none.
    async fn oldest(&mut self) -> Result<(), TargetError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let Some(oldest) = self.under_way.front_mut() else { return std::future::pending().await };
        match (&mut oldest.answer).await {
            Ok(outcome) => {
                self.bytes -= self.under_way.pop_front().map_or(0, |settled| settled.bytes);
                self.settled.push(outcome);
                Ok(())
            }
            Err(error) => {
                self.error = Some(error.clone());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    type Peer = oneshot::Sender<Result<Outcome, TargetError>>;

    fn send(window: &mut Window, bytes: usize) -> Peer {
        let (peer, answer) = oneshot::channel();
        window.push(bytes, async { answer.await.expect("the peer answers") });
        peer
    }

    fn answer(peer: Peer, outcome: Outcome) {
        peer.send(Ok(outcome)).expect("somebody waits");
    }

    fn away() -> TargetError {
        TargetError::Away("gone".into())
    }

    #[tokio::test]
    async fn an_answer_that_overtakes_another_waits_for_its_turn() {
        let mut window = Window::new(10);
        let [first, second] = [(); 2].map(|()| send(&mut window, 1));
        answer(second, Outcome::Refused("no".into()));
        assert_eq!(window.ready(), Ok(vec![]));
        answer(first, Outcome::Delivered);
        assert_eq!(window.settle().await, Ok(vec![Outcome::Delivered, Outcome::Refused("no".into())]));
        assert!(window.settle().now_or_never().is_none(), "nothing is left to settle");
    }

    #[tokio::test]
    async fn a_full_window_has_room_again_after_an_answer() {
        let mut window = Window::new(1);
        let peer = send(&mut window, 1);
        assert!(window.room(1).now_or_never().is_none());
        answer(peer, Outcome::Delivered);
        assert_eq!(window.room(1).await, Ok(()));
        assert_eq!(window.settle().await, Ok(vec![Outcome::Delivered]), "the outcome is kept until it is taken");
    }

    #[tokio::test]
    async fn bytes_fill_the_window_and_what_is_larger_goes_alone() {
        let mut window = Window::new(10);
        assert_eq!(window.room(2 * WINDOW_BYTES_MAX).await, Ok(()));
        let peer = send(&mut window, 2 * WINDOW_BYTES_MAX);
        assert!(window.room(0).now_or_never().is_none());
        answer(peer, Outcome::Delivered);
        assert_eq!(window.room(WINDOW_BYTES_MAX).await, Ok(()));
    }

    #[tokio::test]
    async fn outcomes_from_before_an_error_come_first_and_nothing_after_it() {
        let mut window = Window::new(10);
        let [first, second, third] = [(); 3].map(|()| send(&mut window, 1));
        answer(first, Outcome::Delivered);
        second.send(Err(away())).expect("somebody waits");
        answer(third, Outcome::Delivered);
        assert_eq!(window.settle().await, Ok(vec![Outcome::Delivered]));
        assert_eq!(window.settle().await, Err(away()));
        assert_eq!(window.len(), 2, "what came after the error is not settled");
        window.clear();
        assert!(window.settle().now_or_never().is_none());
    }

    #[tokio::test]
    async fn whoever_stops_waiting_loses_no_outcome() {
        let mut window = Window::new(10);
        let [first, second] = [(); 2].map(|()| send(&mut window, 1));
        assert!(window.settle().now_or_never().is_none());
        answer(first, Outcome::Delivered);
        assert!(window.empty().now_or_never().is_none());
        answer(second, Outcome::Delivered);
        assert_eq!(window.settle().await, Ok(vec![Outcome::Delivered; 2]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clean_stop_does_not_wait_for_a_peer_that_says_nothing() {
        let mut window = Window::new(10);
        let [first, _silent] = [(); 2].map(|()| send(&mut window, 1));
        answer(first, Outcome::Delivered);
        assert_eq!(window.finish().await, Ok(vec![Outcome::Delivered]));
        assert_eq!(window.len(), 1);
    }
}
