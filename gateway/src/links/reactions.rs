//! How long it took from a reading handed over by a driver to the command that it caused handed to a driver.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::time::Duration;

/// How many of the last reactions are kept.
const KEPT: usize = 16_384;

/// The last reactions of a link.
#[derive(Default)]
pub(crate) struct Reactions(Mutex<VecDeque<Duration>>);

impl Reactions {
    pub(super) fn record(&self, way: Duration) {
        metrics::histogram!("edgeway_scene_reading_to_command_seconds").record(way.as_secs_f64());
        let mut kept = self.0.lock();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(way);
    }

    /// How many are kept, their median and their 99th percentile; `None` if there are none.
    pub(crate) fn summary(&self) -> Option<(usize, Duration, Duration)> {
        let mut ways: Vec<Duration> = self.0.lock().iter().copied().collect();
        ways.sort_unstable();
        let at = |part: f64| ways.get((ways.len().checked_sub(1)? as f64 * part) as usize).copied();
        Some((ways.len(), at(0.5)?, at(0.99)?))
    }

    /// Forgets and gives what was kept.
    pub(crate) fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.0.lock()).into()
    }
}
