//! Which numbers have been there before.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// So many numbers of a device are remembered, each of up to 255 bytes.
const NUMBERS_MAX: usize = 1_000;
/// And for so long.
const REMEMBERED_FOR: Duration = Duration::from_secs(24 * 3600);

/// The numbers of what was taken, the oldest first.
#[derive(Default)]
pub(super) struct Repeats(Mutex<Numbers>);

#[derive(Default)]
struct Numbers {
    order: VecDeque<(Instant, Arc<str>)>,
    known: HashSet<Arc<str>>,
}

impl Repeats {
    /// Remembers a number. False if it is known already.
    pub(super) fn is_new(&self, number: &str, now: Instant) -> bool {
        let mut numbers = self.0.lock().expect("no thread panics while it holds this lock");
        numbers.forget_old(now);
        if numbers.known.contains(number) {
            return false;
        }
        numbers.add(number.into(), now);
        true
    }
}

impl Numbers {
    fn forget_old(&mut self, now: Instant) {
        let is_old = |at: Instant| now.duration_since(at) >= REMEMBERED_FOR;
        while self.order.front().is_some_and(|(at, _)| is_old(*at)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, number)) = self.order.pop_front() {
            self.known.remove(&number);
        }
    }

    fn add(&mut self, number: Arc<str>, now: Instant) {
        if self.order.len() >= NUMBERS_MAX {
            self.forget_oldest();
        }
        self.known.insert(number.clone());
        self.order.push_back((now, number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_until_it_is_forgotten() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        assert!(repeats.is_new("a", now));
        assert!(!repeats.is_new("a", now + REMEMBERED_FOR / 2));
        assert!(repeats.is_new("a", now + REMEMBERED_FOR));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let (repeats, now) = (Repeats::default(), Instant::now());
        (0..3 * NUMBERS_MAX).for_each(|number| assert!(repeats.is_new(&number.to_string(), now)));
        let numbers = repeats.0.lock().expect("nobody panicked");
        assert_eq!((numbers.order.len(), numbers.known.len()), (NUMBERS_MAX, NUMBERS_MAX));
        drop(numbers);
        let kept = |number: usize| !repeats.is_new(&number.to_string(), now);
        assert!(kept(2 * NUMBERS_MAX), "the oldest of those that are remembered");
        assert!(kept(3 * NUMBERS_MAX - 1));
        assert!(!kept(0), "forgotten");
    }
}
