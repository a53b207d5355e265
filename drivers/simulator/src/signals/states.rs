//! Values that come one after the other, each for its time.

use edgeway_sdk::{Timestamp, Value};
use std::time::Duration;

/// A cycle of values.
pub(crate) struct States {
    /// Each with the time at which it ends, counted from the start of the cycle.
    until_ns: Vec<(i64, Value)>,
    cycle_ns: i64,
    /// Where in its cycle it is at the start of 1970.
    phase_ns: i64,
}

impl States {
    /// As many durations as values, all above 0. `phase` is a part of the cycle, 0 to 1.
    pub(crate) fn new(values: &[Value], lasts: &[Duration], phase: f64) -> Self {
        let mut end_ns: i64 = 0;
        let mut until_ns = Vec::with_capacity(values.len());
        for (value, lasts) in values.iter().zip(lasts) {
            end_ns = end_ns.saturating_add(i64::try_from(lasts.as_nanos()).unwrap_or(i64::MAX).max(1));
            until_ns.push((end_ns, value.clone()));
        }
        States { until_ns, cycle_ns: end_ns.max(1), phase_ns: (end_ns as f64 * phase) as i64 }
    }

    pub(crate) fn at(&self, time: Timestamp) -> Value {
        let passed_ns = (time.as_nanos().rem_euclid(self.cycle_ns) as i128 + self.phase_ns as i128)
            .rem_euclid(self.cycle_ns as i128);
        let at = self.until_ns.partition_point(|(until_ns, _)| i128::from(*until_ns) <= passed_ns);
        self.until_ns.get(at).map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(phase: f64) -> Vec<Value> {
        let lasts = [2, 1, 3].map(Duration::from_secs);
        let states = States::new(&["off".into(), "starting".into(), "on".into()], &lasts, phase);
        (-1..7).map(|second| states.at(Timestamp::from_secs(second))).collect()
    }

    #[test]
    fn every_state_lasts_its_time_and_the_first_comes_again() {
        assert_eq!(run(0.0), ["on", "off", "off", "starting", "on", "on", "on", "off"].map(Value::from));
    }

    #[test]
    fn a_phase_moves_the_cycle() {
        assert_eq!(run(0.5), ["starting", "on", "on", "on", "off", "off", "starting", "on"].map(Value::from));
    }
}
