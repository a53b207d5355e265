//! How fast a route may send. Pure: time is an argument.
//!
//! Two purses are filled at the route's rate: one for new messages, one for the backlog, in the shares that the site says.
//! What one of them has too much flows over into the other, so nothing is left unused while only one has something to send.

use super::books::Lane;
use edgeway_site::Rate;
use std::time::{Duration, Instant};

/// For how long of the rate a purse holds: what may be sent at once after a pause.
const BURST_SECONDS: f64 = 0.25;

/// The purses of a route.
pub(super) struct Pace {
    messages: Option<Purses>,
    bytes: Option<Purses>,
    live_share: f64,
    filled_at: Instant,
}

impl Pace {
    pub(super) fn new(rate: &Rate, now: Instant) -> Self {
        let purses = |per_second: f64| Purses { per_second, main: 0.0, live: 0.0 };
        Pace {
            messages: rate.messages_per_second.map(purses),
            bytes: rate.bytes_per_second.map(|bytes| purses(bytes as f64)),
            live_share: rate.live_share,
            filled_at: now,
        }
    }

    /// Whether new messages may overtake a backlog at all.
    pub(super) fn overtakes(&self) -> bool {
        self.live_share > 0.0
    }

    /// How long this lane has to wait before it may send; `None`: it may now. `both` lanes share the rate only while there
    /// are two.
    pub(super) fn wait(&mut self, lane: Lane, lanes: Lanes, now: Instant) -> Option<Duration> {
        self.fill(lanes, now);
        let purses = [&self.messages, &self.bytes].into_iter().flatten();
        let waits = purses.filter_map(|purses| purses.wait(lane, self.share(lane, lanes)));
        waits.max_by(Duration::cmp)
    }

    /// So much was sent. A purse may go into debt: payloads are not cut to fit.
    pub(super) fn spend(&mut self, lane: Lane, messages: u64, bytes: u64) {
        if let Some(purses) = &mut self.messages {
            *purses.of(lane) -= messages as f64;
        }
        if let Some(purses) = &mut self.bytes {
            *purses.of(lane) -= bytes as f64;
        }
    }

    fn share(&self, lane: Lane, lanes: Lanes) -> f64 {
        match (lanes, lane) {
            (Lanes::One, _) => 1.0,
            (Lanes::Two, Lane::Live) => self.live_share,
            (Lanes::Two, Lane::Main) => 1.0 - self.live_share,
        }
    }

    fn fill(&mut self, lanes: Lanes, now: Instant) {
        let seconds = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.filled_at = now;
        let (main, live) = (self.share(Lane::Main, lanes), if lanes == Lanes::Two { self.live_share } else { 0.0 });
        for purses in [&mut self.messages, &mut self.bytes].into_iter().flatten() {
            purses.fill(seconds, main, live);
        }
    }
}

/// How many lanes have something to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lanes {
    One,
    Two,
}

struct Purses {
    per_second: f64,
    main: f64,
    live: f64,
}

impl Purses {
    fn of(&mut self, lane: Lane) -> &mut f64 {
        match lane {
            Lane::Main => &mut self.main,
            Lane::Live => &mut self.live,
        }
    }

    fn fill(&mut self, seconds: f64, main: f64, live: f64) {
        let most = self.per_second * BURST_SECONDS;
        self.main += self.per_second * seconds * main;
        self.live += self.per_second * seconds * live;
        // The live purse's overflow goes to the backlog, and the other way round.
        let over = (self.live - most).max(0.0);
        self.live -= over;
        self.main += over;
        let over = (self.main - most).max(0.0);
        self.main -= over;
        self.live = (self.live + over * f64::from(u8::from(live > 0.0))).min(most);
    }

    fn wait(&self, lane: Lane, share: f64) -> Option<Duration> {
        let has = match lane {
            Lane::Main => self.main,
            Lane::Live => self.live,
        };
        let per_second = (self.per_second * share).max(f64::MIN_POSITIVE);
        (has <= 0.0).then(|| Duration::try_from_secs_f64((1.0 - has) / per_second).unwrap_or(Duration::from_secs(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages that each lane sends in ten seconds, one at a time, as far as it has any.
    fn sent(live_share: f64, lanes: Lanes, live_has: u64) -> (u64, u64) {
        let rate = Rate { messages_per_second: Some(100.0), bytes_per_second: None, live_share };
        let start = Instant::now();
        let mut pace = Pace::new(&rate, start);
        let (mut main, mut live) = (0, 0);
        for millis in 0..10_000 {
            let now = start + Duration::from_millis(millis);
            if live < live_has && pace.wait(Lane::Live, lanes, now).is_none() {
                pace.spend(Lane::Live, 1, 10);
                live += 1;
            }
            if pace.wait(Lane::Main, lanes, now).is_none() {
                pace.spend(Lane::Main, 1, 10);
                main += 1;
            }
        }
        (main, live)
    }

    fn near(found: u64, expected: u64) -> bool {
        found.abs_diff(expected) <= 30
    }

    #[test]
    fn one_lane_has_the_whole_rate() {
        let (main, live) = sent(0.5, Lanes::One, 0);
        assert!(near(main, 1000) && live == 0, "{main}, {live}");
    }

    #[test]
    fn two_lanes_share_it_and_what_one_leaves_the_other_takes() {
        let (main, live) = sent(0.3, Lanes::Two, u64::MAX);
        assert!(near(main, 700) && near(live, 300), "{main}, {live}");
        let (main, live) = sent(0.5, Lanes::Two, 100);
        assert!(near(main, 900) && live == 100, "{main}, {live}");
    }

    #[test]
    fn bytes_count_too() {
        let rate = Rate { messages_per_second: None, bytes_per_second: Some(1000), live_share: 0.0 };
        let start = Instant::now();
        let mut pace = Pace::new(&rate, start);
        pace.wait(Lane::Main, Lanes::One, start + Duration::from_millis(100));
        pace.spend(Lane::Main, 1, 5000);
        let wait = pace.wait(Lane::Main, Lanes::One, start + Duration::from_millis(100)).expect("in debt");
        assert!((4.5..5.5).contains(&wait.as_secs_f64()), "{wait:?}");
    }
}
