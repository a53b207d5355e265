//! What the proxy counts, and what it has been told to do.

use super::Fate;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// So many questions are kept to be looked at.
const QUESTIONS_MAX: usize = 10_000;

/// What the proxy counts, and what it has been told to do.
pub(crate) struct State {
    pub(super) device: Option<SocketAddr>,
    /// What becomes of the next answers.
    next: VecDeque<Fate>,
    /// What becomes of those after them.
    always: Fate,
    dice: fastrand::Rng,
    connections: usize,
    /// A question that has been asked for so long was given up, for all that the proxy knows: it is not under way any more.
    patience: Duration,
    /// When each was asked.
    under_way: Vec<Instant>,
    under_way_max: usize,
    questions: Vec<Vec<u8>>,
}

impl State {
    pub(super) fn new(patience: Duration, seed: u64) -> Self {
        State {
            device: None,
            next: VecDeque::new(),
            always: Fate::Honest,
            dice: fastrand::Rng::with_seed(seed),
            connections: 0,
            patience,
            under_way: vec![],
            under_way_max: 0,
            questions: vec![],
        }
    }

    /// From now on all answers are handed through as they are.
    pub(crate) fn calm(&mut self) {
        self.next.clear();
        self.always = Fate::Honest;
    }

    /// What becomes of the next answer that nothing was said about yet.
    pub(crate) fn then(&mut self, fate: Fate) {
        self.next.push_back(fate);
    }

    /// What becomes of all answers from now on.
    pub(crate) fn always(&mut self, fate: Fate) {
        self.next.clear();
        self.always = fate;
    }

    /// One more question is under way. Returns what becomes of its answer.
    pub(super) fn asked(&mut self, now: Instant) -> Fate {
        self.under_way.push(now);
        self.under_way_max = self.under_way_max.max(self.under_way(now));
        self.next.pop_front().unwrap_or_else(|| self.always.clone())
    }

    /// The one that was asked then is not under way any more.
    pub(super) fn answered(&mut self, asked_at: Instant) {
        if let Some(place) = self.under_way.iter().position(|at| *at == asked_at) {
            self.under_way.swap_remove(place);
        }
    }

    fn under_way(&self, now: Instant) -> usize {
        self.under_way.iter().filter(|asked_at| now - **asked_at < self.patience).count()
    }

    /// Dice of its own for each answer: how many numbers one of them takes changes nothing for the others.
    pub(super) fn dice(&mut self) -> fastrand::Rng {
        self.dice.fork()
    }

    pub(super) fn opened(&mut self) {
        self.connections += 1;
    }

    pub(super) fn closed(&mut self) {
        self.connections -= 1;
    }

    /// Keeps a question to be looked at.
    pub(super) fn note(&mut self, question: &[u8]) {
        if self.questions.len() < QUESTIONS_MAX {
            self.questions.push(question.to_vec());
        }
    }

    /// How many connections of the driver are open.
    pub(crate) fn connections(&self) -> usize {
        self.connections
    }

    /// True if something that was said of coming answers has not happened yet.
    pub(crate) fn is_pending(&self) -> bool {
        !self.next.is_empty()
    }

    /// The most questions that were under way at the same time since this was asked last.
    pub(crate) fn take_under_way_max(&mut self) -> usize {
        let under_way = self.under_way(Instant::now());
        std::mem::replace(&mut self.under_way_max, under_way)
    }

    /// The questions since this was asked last.
    pub(crate) fn take_questions(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.questions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_long_ago_is_not_under_way() {
        let (patience, now) = (Duration::from_secs(1), Instant::now());
        let mut state = State::new(patience, 17);
        state.asked(now);
        state.asked(now + patience / 2);
        assert_eq!(state.under_way_max, 2);
        state.asked(now + patience);
        assert_eq!(state.under_way_max, 2, "the first may have been given up");
        state.answered(now + patience / 2);
        assert_eq!(state.under_way(now + patience), 1);
    }
}
