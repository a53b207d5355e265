//! Time that never goes back, and what is to happen when.

use edgeway_sdk::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::Add;
use std::time::Duration;

/// Time since the first call. It stands still while the wall clock catches up with a jump back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Steady(Duration);

/// The wall clock as the caller tells it, and the steady time beside it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    wall: Option<Timestamp>,
    steady: Steady,
}

impl Steady {
    pub(crate) fn since(self, earlier: Steady) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Steady {
    type Output = Steady;
    fn add(self, duration: Duration) -> Steady {
        Steady(self.0.saturating_add(duration))
    }
}

impl Clock {
    /// Takes the caller's time. Returns how far it jumped back, zero if it did not.
    pub(crate) fn tell(&mut self, now: Timestamp) -> Duration {
        let before = self.wall.replace(now).unwrap_or(now);
        self.steady = self.steady + now.since(before);
        before.since(now)
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.wall.unwrap_or_default()
    }

    pub(crate) fn steady(&self) -> Steady {
        self.steady
    }

    /// What the wall clock will say then, if it does not jump.
    pub(crate) fn wall_at(&self, at: Steady) -> Timestamp {
        self.wall() + at.since(self.steady)
    }
}

/// At most one time for each key.
#[derive(Debug)]
pub(crate) struct Timers<T, K> {
    order: BTreeSet<(T, K)>,
    times: HashMap<K, T>,
}

impl<T: Ord + Copy, K: Ord + Copy + Hash> Timers<T, K> {
    pub(crate) fn new() -> Self {
        Timers { order: BTreeSet::new(), times: HashMap::new() }
    }

    /// Sets the key's time, or removes it.
    pub(crate) fn set(&mut self, key: K, at: Option<T>) {
        let before = match at {
            Some(at) => self.times.insert(key, at),
            None => self.times.remove(&key),
        };
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, key));
        }
        if let Some(at) = at {
            self.order.insert((at, key));
        }
    }

    /// Takes out the earliest that is due.
    pub(crate) fn pop_due(&mut self, now: T) -> Option<(T, K)> {
        if self.next()? > now {
            return None;
        }
        let (at, key) = self.order.pop_first()?;
        self.times.remove(&key);
        Some((at, key))
    }

    pub(crate) fn first(&self) -> Option<(T, K)> {
        self.order.first().copied()
    }

    pub(crate) fn next(&self) -> Option<T> {
        self.first().map(|(at, _)| at)
    }

    pub(crate) fn time_of(&self, key: K) -> Option<T> {
        self.times.get(&key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_time_stands_still_while_the_clock_catches_up() {
        let mut clock = Clock::default();
        clock.tell(Timestamp::from_secs(100));
        clock.tell(Timestamp::from_secs(110));
        let start = clock.steady();
        assert_eq!(clock.tell(Timestamp::from_secs(50)), Duration::from_secs(60));
        assert_eq!(clock.steady(), start);
        clock.tell(Timestamp::from_secs(55));
        assert_eq!(clock.steady().since(start), Duration::from_secs(5));
        assert_eq!(clock.wall_at(clock.steady() + Duration::from_secs(1)), Timestamp::from_secs(56));
    }

    #[test]
    fn a_key_has_one_time() {
        let mut timers = Timers::new();
        timers.set('a', Some(5));
        timers.set('b', Some(3));
        timers.set('a', Some(1));
        timers.set('b', None);
        assert_eq!(timers.pop_due(0), None);
        assert_eq!(timers.pop_due(9), Some((1, 'a')));
        assert_eq!(timers.pop_due(9), None);
    }
}
