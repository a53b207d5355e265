//! What must hold of every value, in every part.

use super::Host;
use crate::subject::same;
use crate::verdict::Verdict;
use edgeway_sdk::{Batch, PointIx, Quality, Timestamp, Value};
use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

/// So far apart may two readings of one clock be.
const CLOCK: Duration = Duration::from_secs(1);

/// A value of a point.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) value: Value,
    pub(crate) quality: Quality,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.value, self.quality)
    }
}

impl Host<'_> {
    /// Looks at every value of a batch.
    pub(super) fn judge(&mut self, batch: &Batch, verdict: &mut Verdict) -> Vec<(PointIx, Seen)> {
        let length = batch.len();
        let is_even = [batch.values.len(), batch.qualities.len(), batch.source_times.len()] == [length; 3];
        verdict.check(is_even, || "the columns of a batch have different lengths".into());
        let now = Timestamp::now();
        let columns = batch.points.iter().zip(&batch.values).zip(&batch.qualities).zip(&batch.source_times);
        columns
            .map(|(((&point, value), &quality), &time)| {
                let seen = Seen { value: value.clone(), quality };
                self.judge_value(point, &seen, verdict);
                self.judge_time(point, time, now, verdict);
                (point, seen)
            })
            .collect()
    }

    fn judge_value(&self, point: PointIx, seen: &Seen, verdict: &mut Verdict) {
        if seen.quality.is_bad() {
            return;
        }
        let name = self.ground.subject.name(point);
        let Some(allowed) = self.allowed.get(&point) else {
            verdict.check(false, || format!("{name}: expected a refusal, came {seen}"));
            return;
        };
        let is_right = allowed.iter().any(|value| same(value, &seen.value));
        verdict.check(is_right, || {
            let allowed = allowed.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
            format!("{name}: expected {allowed}, came {seen}")
        });
    }

    fn judge_time(&mut self, point: PointIx, time: Timestamp, now: Timestamp, verdict: &mut Verdict) {
        let name = || self.ground.subject.name(point);
        verdict
            .check(time <= now + CLOCK, || format!("{}: expected a source time not after {now}, came {time}", name()));
        let before = self.newest.get(&point).copied().unwrap_or(time);
        verdict.check(time + CLOCK >= before, || {
            format!("{}: expected a source time not before the last, {before}, came {time}", name())
        });
        self.newest.insert(point, time.max(before));
    }

    /// Looks at whether a step brought its points, each once, and no others.
    pub(super) fn judge_step(&self, points: &[PointIx], batch: &Batch, verdict: &mut Verdict) {
        let expected: HashSet<PointIx> = points.iter().copied().collect();
        let found: HashSet<PointIx> = batch.points.iter().copied().collect();
        let is_whole = expected == found && batch.points.len() == points.len();
        verdict.check(is_whole, || {
            let first = points.first().map(|point| self.ground.subject.name(*point)).unwrap_or_default();
            let (wanted, came) = (points.len(), batch.points.len());
            format!("the step of {first}: expected one value for each of its {wanted} points, came {came}")
        });
    }
}
