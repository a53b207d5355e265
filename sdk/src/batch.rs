//! What one transaction brought.

use crate::{PointIx, Quality, Timestamp, Value};

/// Values of many points, by column: entry `i` of every column belongs together.
///
/// The gateway hands the same batch to one `exec` after another and clears it in between, so a driver
/// that only pushes allocates nothing once the columns have grown.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Which points.
    pub points: Vec<PointIx>,
    /// Their raw values, before scale and offset.
    pub values: Vec<Value>,
    /// How far each can be trusted.
    pub qualities: Vec<Quality>,
    /// When the device measured each; the time of the answer if the protocol carries none.
    pub source_times: Vec<Timestamp>,
    /// Why some of the bad ones are bad: not a column, there is an entry only where there is something to say.
    pub reasons: Vec<(PointIx, String)>,
}

impl Batch {
    /// Adds one value.
    pub fn push(&mut self, point: PointIx, value: Value, quality: Quality, source_time: Timestamp) {
        self.points.push(point);
        self.values.push(value);
        self.qualities.push(quality);
        self.source_times.push(source_time);
    }

    /// Adds one good value. NaN and infinities turn into [`Quality::BadOutOfRange`].
    pub fn good(&mut self, point: PointIx, value: Value, source_time: Timestamp) {
        match value {
            Value::Float(f) if !f.is_finite() => self.bad(point, Quality::BadOutOfRange, source_time),
            value => self.push(point, value, Quality::Good, source_time),
        }
    }

    /// Adds a point that could not be read.
    pub fn bad(&mut self, point: PointIx, quality: Quality, source_time: Timestamp) {
        self.push(point, Value::Null, quality, source_time);
    }

    /// Adds a point that cannot be read as it is configured, with why, for the operator: what the device says does not fit what
    /// was asked of it. The gateway tells it once, and the device counts as degraded.
    pub fn unfit(&mut self, point: PointIx, quality: Quality, reason: impl Into<String>, source_time: Timestamp) {
        self.bad(point, quality, source_time);
        self.reasons.push((point, reason.into()));
    }

    /// Adds all of another.
    pub fn append(&mut self, mut other: Batch) {
        self.points.append(&mut other.points);
        self.values.append(&mut other.values);
        self.qualities.append(&mut other.qualities);
        self.source_times.append(&mut other.source_times);
        self.reasons.append(&mut other.reasons);
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// Removes all values and keeps the memory.
    pub fn clear(&mut self) {
        self.points.clear();
        self.values.clear();
        self.qualities.clear();
        self.source_times.clear();
        self.reasons.clear();
    }
}
