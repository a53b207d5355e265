//! Which messages have been seen already (RFC 7252 section 4.5). Pure.

use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// EXCHANGE_LIFETIME of RFC 7252 section 4.8.2: so long a message may come again.
const LIFETIME: Duration = Duration::from_secs(247);

/// The messages that came last, each with what was said to it.
#[derive(Debug)]
pub(crate) struct Recent<K, R> {
    seen: VecDeque<(K, Instant, R)>,
    most: usize,
}

impl<K: PartialEq, R> Recent<K, R> {
    /// So many are remembered at most.
    pub(crate) fn new(most: usize) -> Self {
        Recent { seen: VecDeque::new(), most }
    }

    /// What was said to it, if it has come before.
    pub(crate) fn find(&mut self, key: &K, now: Instant) -> Option<&R> {
        while self.seen.front().is_some_and(|(_, at, _)| now > *at + LIFETIME) {
            self.seen.pop_front();
        }
        self.seen.iter().rev().find(|(seen, ..)| seen == key).map(|(.., said)| said)
    }

    pub(crate) fn add(&mut self, key: K, now: Instant, said: R) {
        if self.seen.len() >= self.most {
            self.seen.pop_front();
        }
        self.seen.push_back((key, now, said));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_remembered_for_a_while_and_so_are_so_many() {
        let (mut recent, now) = (Recent::new(2), Instant::now());
        recent.add(1, now, "a");
        recent.add(2, now, "b");
        assert_eq!(recent.find(&1, now), Some(&"a"));
        recent.add(3, now + LIFETIME, "c");
        assert_eq!(recent.find(&1, now), None);
        assert_eq!(recent.find(&2, now + LIFETIME), Some(&"b"));
        assert_eq!(recent.find(&2, now + LIFETIME + Duration::from_secs(1)), None);
        assert_eq!(recent.find(&3, now + LIFETIME + Duration::from_secs(1)), Some(&"c"));
    }
}
