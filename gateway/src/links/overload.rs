//! Whether a wire is asked for more than it can bear, said once.

use std::time::Duration;
use tokio::time::Instant;

/// A start, or a burst of commands, is no overload.
const LASTS: Duration = Duration::from_secs(30);
/// It is over below this part of the wire's time.
const OVER: f64 = 0.95;

/// What there is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// For half a minute the readings have wanted more than all of the wire's time.
    Overloaded,
    /// There is room again.
    Relieved,
}

/// Watches one wire.
#[derive(Default)]
pub(super) struct Overload {
    since: Option<Instant>,
    told: bool,
}

impl Overload {
    /// Takes in how busy the wire is, 1 being all of its time.
    pub(super) fn look(&mut self, load: f64, now: Instant) -> Option<Turn> {
        if load <= OVER {
            self.since = None;
            return std::mem::take(&mut self.told).then_some(Turn::Relieved);
        }
        if load <= 1.0 {
            return None;
        }
        let since = *self.since.get_or_insert(now);
        if self.told || now.duration_since(since) < LASTS {
            return None;
        }
        self.told = true;
        Some(Turn::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_and_again_when_it_is_over() {
        let mut overload = Overload::default();
        let start = Instant::now();
        let mut look = |load, second| overload.look(load, start + Duration::from_secs(second));
        assert_eq!(
            [look(1.4, 0), look(1.4, 29), look(1.4, 30), look(1.4, 31)],
            [None, None, Some(Turn::Overloaded), None]
        );
        assert_eq!([look(0.97, 32), look(0.9, 33), look(0.9, 34)], [None, Some(Turn::Relieved), None]);
    }

    #[test]
    fn a_burst_is_no_overload() {
        let mut overload = Overload::default();
        let start = Instant::now();
        for second in 0..600 {
            let load = if second % 20 < 15 { 1.5 } else { 0.5 };
            assert_eq!(overload.look(load, start + Duration::from_secs(second)), None);
        }
    }
}
