//! Values that are not reported because they are no news.
//!
//! The site says for which points, with `report = "change"` or a deadband. What is compared is the model's value, after
//! scale and offset, with the one that was reported last: a value that creeps is reported as soon as it has crept far
//! enough. Another quality is always news. What is kept back has been read all the same: it does not turn stale.

use edgeway_sdk::{DeviceIx, Quality, Value};
use edgeway_site::Reporting;
use edgeway_thing_models::{Observation, PropertyIx, Report};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The properties that are reported when they change, with what was reported last.
pub(super) struct Changes {
    watched: HashMap<(DeviceIx, PropertyIx), Watched>,
}

struct Watched {
    /// In the model's unit.
    deadband: f64,
    every: Option<Duration>,
    told: Option<Told>,
}

/// What was reported last.
struct Told {
    value: Value,
    quality: Quality,
    at: Instant,
}

/// A property whose value has not been told for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Overdue {
    pub(super) device: DeviceIx,
    pub(super) property: PropertyIx,
    /// When it was told last.
    pub(super) told_at: Instant,
}

impl Changes {
    /// Of these properties, those that are not always reported.
    pub(super) fn new(properties: impl IntoIterator<Item = (DeviceIx, PropertyIx, Reporting)>) -> Self {
        let watched = |(device, property, reporting)| match reporting {
            Reporting::Always => None,
            Reporting::OnChange { deadband, every } => {
                Some(((device, property), Watched { deadband, every, told: None }))
            }
        };
        Changes { watched: properties.into_iter().filter_map(watched).collect() }
    }

    /// Whether a value that was read is to be reported. If so, it counts as reported.
    pub(super) fn is_news(&mut self, device: DeviceIx, read: &Observation, now: Instant) -> bool {
        let Some(watched) = self.watched.get_mut(&(device, read.property)) else { return true };
        let is_news = watched.told.as_ref().is_none_or(|told| told.differs(read, watched.deadband));
        if is_news {
            watched.told = Some(Told::of(read, now));
        }
        is_news
    }

    /// Notes what was reported for another reason: it turned stale, it was read back after a command.
    pub(super) fn note(&mut self, report: &Report, now: Instant) {
        for observation in &report.values {
            if let Some(watched) = self.watched.get_mut(&(report.device, observation.property)) {
                watched.told = Some(Told::of(observation, now));
            }
        }
    }

    /// What must be told again by `by`, because of `report_every`; by device and property.
    pub(super) fn overdue(&self, by: Instant) -> Vec<Overdue> {
        let due = |(&(device, property), watched): (&(DeviceIx, PropertyIx), &Watched)| {
            let told_at = watched.told.as_ref()?.at;
            (told_at + watched.every? <= by).then_some(Overdue { device, property, told_at })
        };
        let mut overdue: Vec<Overdue> = self.watched.iter().filter_map(due).collect();
        overdue.sort_unstable();
        overdue
    }
}

impl Told {
    fn of(observation: &Observation, at: Instant) -> Self {
        Told { value: observation.value.clone(), quality: observation.quality, at }
    }

    fn differs(&self, read: &Observation, deadband: f64) -> bool {
        if self.quality != read.quality {
            return true;
        }
        match (&self.value, &read.value) {
            (Value::Float(told), Value::Float(read)) => (told - read).abs() > deadband,
            (Value::Int(told), Value::Int(read)) => told.abs_diff(*read) as f64 > deadband,
            (told, read) => told != read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Timestamp;

    const DEVICE: DeviceIx = DeviceIx(3);
    const PROPERTY: PropertyIx = PropertyIx(1);

    fn changes(deadband: f64) -> Changes {
        let every = Some(Duration::from_secs(60));
        Changes::new([(DEVICE, PROPERTY, Reporting::OnChange { deadband, every })])
    }

    fn read(value: impl Into<Value>, quality: Quality) -> Observation {
        Observation { property: PROPERTY, value: value.into(), quality, source_time: Timestamp::EPOCH }
    }

    /// Which of these good values are reported.
    fn reported<T: Into<Value> + Clone>(deadband: f64, values: &[T]) -> Vec<bool> {
        let (mut changes, now) = (changes(deadband), Instant::now());
        values.iter().map(|value| changes.is_news(DEVICE, &read(value.clone(), Quality::Good), now)).collect()
    }

    #[test]
    fn the_first_value_is_news_and_then_what_differs_by_more_than_the_deadband() {
        assert_eq!(reported(0.0, &[7, 7, 8, 8, 7]), [true, false, true, false, true]);
        assert_eq!(reported(1.0, &[7, 8, 6, 9, 8]), [true, false, false, true, false]);
        assert_eq!(reported(0.5, &[1.0, 1.5, 0.5, 1.75]), [true, false, false, true]);
        assert_eq!(reported(0.0, &["a", "a", "b"]), [true, false, true]);
        assert_eq!(reported(0.0, &[true, true, false]), [true, false, true]);
    }

    #[test]
    fn a_value_that_creeps_is_compared_with_what_was_reported_and_not_with_what_was_read() {
        assert_eq!(reported(1.0, &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]), [true, false, false, true, false, false, true]);
    }

    #[test]
    fn the_whole_range_of_integers_can_be_compared() {
        assert_eq!(reported(1.0, &[i64::MIN, i64::MAX, i64::MIN]), [true, true, true]);
    }

    #[test]
    fn another_quality_is_news_and_the_same_bad_one_is_not() {
        let (mut changes, now) = (changes(100.0), Instant::now());
        let mut is_news = |value: Value, quality| changes.is_news(DEVICE, &read(value, quality), now);
        assert!(is_news(7.into(), Quality::Good));
        assert!(is_news(7.into(), Quality::Uncertain));
        assert!(is_news(Value::Null, Quality::BadTimeout));
        assert!(!is_news(Value::Null, Quality::BadTimeout));
        assert!(is_news(Value::Null, Quality::Bad));
        assert!(is_news(7.into(), Quality::Good), "back again");
    }

    #[test]
    fn what_turned_stale_is_news_when_it_is_read_again() {
        let (mut changes, now) = (changes(0.0), Instant::now());
        assert!(changes.is_news(DEVICE, &read(7, Quality::Good), now));
        changes.note(&Report { device: DEVICE, values: vec![read(7, Quality::Stale)] }, now);
        assert!(changes.is_news(DEVICE, &read(7, Quality::Good), now));
        assert!(!changes.is_news(DEVICE, &read(7, Quality::Good), now));
    }

    #[test]
    fn what_is_always_reported_is_always_news() {
        let mut changes = Changes::new([(DEVICE, PROPERTY, Reporting::Always)]);
        assert!((0..3).all(|_| changes.is_news(DEVICE, &read(7, Quality::Good), Instant::now())));
        assert!(changes.watched.is_empty(), "and costs nothing");
    }

    #[test]
    fn a_value_is_overdue_when_it_has_not_been_told_for_its_time() {
        let (mut changes, start) = (changes(0.0), Instant::now());
        let minute = Duration::from_secs(60);
        assert_eq!(changes.overdue(start + minute), [], "nothing was read");
        changes.is_news(DEVICE, &read(7, Quality::Good), start);
        assert_eq!(changes.overdue(start + minute / 2), []);
        let overdue = Overdue { device: DEVICE, property: PROPERTY, told_at: start };
        assert_eq!(changes.overdue(start + minute), [overdue]);
        changes.note(&Report { device: DEVICE, values: vec![read(7, Quality::Good)] }, start + minute);
        assert_eq!(changes.overdue(start + minute), []);
    }
}
