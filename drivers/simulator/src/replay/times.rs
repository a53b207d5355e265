//! When which row of a recording is due.

use super::Recording;
use crate::config::{AtEnd, ReplayOptions, Times};
use edgeway_sdk::Timestamp;
use std::time::Duration;

/// How long the last row of a recording stands before it begins anew, where nothing tells.
const LAST_LASTS: Duration = Duration::from_secs(1);

/// A recording that is played back from a moment on, at a speed.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    times: Times,
    at_end: AtEnd,
    speed: f64,
    /// When the recording began, and when playing it back did.
    first: Timestamp,
    began: Timestamp,
    /// How long one round takes.
    round: Duration,
    rows: u64,
}

impl Schedule {
    /// `recording` has rows.
    pub(crate) fn new(recording: &Recording, options: &ReplayOptions, speed: f64, began: Timestamp) -> Self {
        let time = |at: usize| recording.rows.get(at).map(|row| row.time).unwrap_or_default();
        let last = recording.rows.len().saturating_sub(1);
        // The next round begins as long after the last row as that came after the one before it.
        let gap = time(last).since(time(last.saturating_sub(1)));
        let gap = if gap.is_zero() { LAST_LASTS } else { gap };
        Schedule {
            times: options.times,
            at_end: options.at_end,
            speed,
            first: time(0),
            began,
            round: time(last).since(time(0)) + gap,
            rows: recording.rows.len() as u64,
        }
    }

    /// After how much time the nth row is due, counted on over all rounds; `None` if the recording has ended.
    pub(crate) fn due(&self, n: u64, recording: &Recording) -> Option<Duration> {
        let (round, at) = (n / self.rows, n % self.rows);
        if round > 0 && self.at_end == AtEnd::Stop {
            return None;
        }
        let within = recording.rows.get(at as usize)?.time.since(self.first);
        let passed = self.round.as_secs_f64() * round as f64 + within.as_secs_f64();
        Duration::try_from_secs_f64(passed / self.speed).ok()
    }

    /// How many rows are due after so much time.
    pub(crate) fn passed(&self, passed: Duration, recording: &Recording) -> u64 {
        let rounds = (passed.as_secs_f64() * self.speed / self.round.as_secs_f64()) as u64;
        let start = match self.at_end {
            AtEnd::Stop => 0,
            AtEnd::Repeat => rounds.saturating_sub(1) * self.rows,
        };
        let is_due = |n: &u64| self.due(*n, recording).is_some_and(|due| due <= passed);
        start + (start..).take_while(is_due).count() as u64
    }

    /// The source time of the nth row.
    pub(crate) fn source_time(&self, n: u64, recording: &Recording) -> Timestamp {
        match self.times {
            Times::Shifted => self.began + self.due(n, recording).unwrap_or_default(),
            Times::Original => recording.rows.get((n % self.rows) as usize).map(|row| row.time).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Row;

    fn recording() -> Recording {
        let row = |second| Row { time: Timestamp::from_secs(second), values: vec![] };
        Recording { rows: [1000, 1010, 1040, 1050].map(row).into(), ..Recording::default() }
    }

    fn schedule(options: serde_json::Value, speed: f64) -> Schedule {
        let options = serde_json::from_value(options).expect("valid");
        Schedule::new(&recording(), &options, speed, Timestamp::from_secs(5000))
    }

    fn seconds(schedule: &Schedule, rows: u64) -> Vec<Option<f64>> {
        (0..rows).map(|n| schedule.due(n, &recording()).map(|due| due.as_secs_f64())).collect()
    }

    #[test]
    fn rows_follow_each_other_as_they_did_only_faster() {
        let schedule = schedule(serde_json::json!({"file": "a.csv"}), 10.0);
        assert_eq!(seconds(&schedule, 5), [Some(0.0), Some(1.0), Some(4.0), Some(5.0), None]);
        let times: Vec<i64> = (0..4).map(|n| schedule.source_time(n, &recording()).as_millis() / 1000).collect();
        assert_eq!(times, [5000, 5001, 5004, 5005], "a shifted time is never in the future");
        let passed = |seconds| schedule.passed(Duration::from_secs(seconds), &recording());
        assert_eq!([0, 1, 3, 4, 500].map(passed), [1, 2, 2, 3, 4]);
    }

    #[test]
    fn original_times_are_those_of_the_recording() {
        let schedule = schedule(serde_json::json!({"file": "a.csv", "times": "original"}), 10.0);
        assert_eq!(schedule.source_time(2, &recording()), Timestamp::from_secs(1040));
    }

    #[test]
    fn a_repeated_recording_begins_anew_after_its_last_gap() {
        let schedule = schedule(serde_json::json!({"file": "a.csv", "at_end": "repeat"}), 1.0);
        assert_eq!(seconds(&schedule, 6)[3..], [Some(50.0), Some(60.0), Some(70.0)]);
        assert_eq!(schedule.passed(Duration::from_secs(6_000_000), &recording()), 400_001);
        assert_eq!(schedule.source_time(4, &recording()), Timestamp::from_secs(5060));
    }
}
