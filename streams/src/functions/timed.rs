//! Functions of values that stay what they are until the next report: `tw_avg`, `integral`, `time_in`, `availability`,
//! `counter_increase`, and `first` and `last` by time.
//!
//! Devices report when something changes, so a mean over reports is wrong. Here a value counts for as long as it stands: from
//! its report to the next one or to the end of the window, and a window begins with the value that stood at its start.
//! Times are in nanoseconds; rows come in order.

use super::summary::Summary;

/// A value and since when it has stood; `None` if it is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Standing {
    since: i64,
    value: Option<f64>,
}

/// Values one after the other.
#[derive(Debug, Clone, Default)]
struct Course {
    /// The first and the last, if there is one.
    ends: Option<(Standing, Standing)>,
    /// The sum of values times how long they stood, in nanoseconds.
    area: f64,
    /// How long any was known.
    known: i64,
    /// The time of the last report.
    reported: i64,
}

impl Course {
    fn step(&mut self, next: Standing) {
        let Some((_, last)) = &mut self.ends else {
            self.ends = Some((next, next));
            return;
        };
        let stood = next.since.saturating_sub(last.since);
        if let Some(value) = last.value {
            self.area += value * stood as f64;
            self.known += stood;
        }
        *last = next;
    }

    fn report(&mut self, value: Option<f64>, ts: i64) {
        self.step(Standing { since: ts, value });
        self.reported = ts;
    }

    fn merge(&mut self, other: &Course) {
        let (Some((first, _)), Some((other_first, other_last))) = (self.ends, other.ends) else {
            if self.ends.is_none() {
                *self = other.clone();
            }
            return;
        };
        if other_first.since < first.since {
            let mut earlier = other.clone();
            earlier.merge(self);
            *self = earlier;
            return;
        }
        self.step(other_first);
        self.area += other.area;
        self.known += other.known;
        self.ends = Some((first, other_last));
        self.reported = self.reported.max(other.reported);
    }

    fn close(&mut self, end: i64) {
        if let Some((_, last)) = self.ends {
            self.step(Standing { since: end.max(last.since), ..last });
        }
    }

    fn carry(&self, at: i64) -> Option<Course> {
        let (_, last) = self.ends?;
        let standing = Standing { since: at.max(last.since), ..last };
        Some(Course { ends: Some((standing, standing)), reported: self.reported, ..Course::default() })
    }

    fn words(&self) -> [i64; 8] {
        let Some((first, last)) = self.ends else { return [0; 8] };
        let known = 1 | i64::from(first.value.is_some()) << 1 | i64::from(last.value.is_some()) << 2;
        let value = |standing: Standing| standing.value.unwrap_or_default().to_bits() as i64;
        [
            known,
            first.since,
            value(first),
            last.since,
            value(last),
            self.area.to_bits() as i64,
            self.known,
            self.reported,
        ]
    }

    fn of_words([known, first_at, first, last_at, last, area, span, reported]: [i64; 8]) -> Course {
        if known == 0 {
            return Course::default();
        }
        let value = |bit: i64, word: i64| (known & bit != 0).then(|| f64::from_bits(word as u64));
        let first = Standing { since: first_at, value: value(2, first) };
        let last = Standing { since: last_at, value: value(4, last) };
        Course { ends: Some((first, last)), area: f64::from_bits(area as u64), known: span, reported }
    }
}

macro_rules! course {
    ($(#[$doc:meta])* $name:ident, $answer:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub(super) struct $name(Course, Option<i64>);

        impl Summary for $name {
            const WORDS: usize = 8;

            fn add(&mut self, value: f64, ts: i64) {
                self.0.report(Some(value), ts);
            }

            fn add_bad(&mut self, ts: i64) {
                self.0.report(None, ts);
            }

            fn merge(&mut self, other: &Self) {
                self.0.merge(&other.0);
            }

            fn words(&self) -> [i64; 8] {
                self.0.words()
            }

            fn of_words(words: [i64; 8]) -> Self {
                $name(Course::of_words(words), None)
            }

            fn answer(&self) -> Option<f64> {
                let answer: fn(&Course, i64) -> Option<f64> = $answer;
                answer(&self.0, self.1.unwrap_or_default())
            }

            fn close(&mut self, start: i64, end: i64) {
                self.0.close(end);
                self.1 = Some(end.saturating_sub(start));
            }

            fn carry(&self, at: i64) -> Option<Self> {
                Some($name(self.0.carry(at)?, None))
            }

            fn last(&self) -> i64 {
                self.0.reported
            }
        }
    };
}

const NANOS_PER_HOUR: f64 = 3.6e12;

course!(
    /// The mean over the time in which the value was known. A value that stood for no time counts by itself.
    Mean,
    |course, _| match course.known {
        0 => course.ends.and_then(|(first, _)| first.value),
        known => Some(course.area / known as f64),
    }
);
course!(
    /// The value times how long it stood, in hours: kWh from kW.
    Integral,
    |course, _| course.ends.map(|_| course.area / NANOS_PER_HOUR)
);
course!(
    /// How long a condition was true, in nanoseconds.
    TimeIn,
    |course, _| course.ends.map(|_| course.area)
);
course!(
    /// The part of the window in which the value was known.
    Availability,
    |course, length| (length > 0).then(|| course.known as f64 / length as f64)
);

/// How much a counter has gone up. When it falls it has begun again at zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Increase {
    ends: Option<((i64, f64), (i64, f64))>,
    total: f64,
    reported: i64,
}

fn rise(before: f64, after: f64) -> f64 {
    if after >= before { after - before } else { after }
}

impl Summary for Increase {
    const WORDS: usize = 7;

    fn add(&mut self, value: f64, ts: i64) {
        self.reported = ts;
        let Some((_, last)) = &mut self.ends else {
            self.ends = Some(((ts, value), (ts, value)));
            return;
        };
        self.total += rise(last.1, value);
        *last = (ts, value);
    }

    fn merge(&mut self, other: &Self) {
        let (Some((first, last)), Some((other_first, other_last))) = (self.ends, other.ends) else {
            if self.ends.is_none() {
                *self = other.clone();
            }
            return;
        };
        if other_first.0 < first.0 {
            let mut earlier = other.clone();
            earlier.merge(self);
            *self = earlier;
            return;
        }
        self.total += rise(last.1, other_first.1) + other.total;
        self.ends = Some((first, other_last));
        self.reported = self.reported.max(other.reported);
    }

    fn words(&self) -> [i64; 8] {
        let Some((first, last)) = self.ends else { return [0; 8] };
        let bits = |value: f64| value.to_bits() as i64;
        [1, first.0, bits(first.1), last.0, bits(last.1), bits(self.total), self.reported, 0]
    }

    fn of_words([is_there, first_at, first, last_at, last, total, reported, _]: [i64; 8]) -> Self {
        let value = |word: i64| f64::from_bits(word as u64);
        let ends = (is_there == 1).then(|| ((first_at, value(first)), (last_at, value(last))));
        Increase { ends, total: value(total), reported }
    }

    fn answer(&self) -> Option<f64> {
        self.ends.map(|_| self.total)
    }

    fn carry(&self, at: i64) -> Option<Self> {
        let (_, (last_at, last)) = self.ends?;
        let point = (at.max(last_at), last);
        Some(Increase { ends: Some((point, point)), total: 0.0, reported: self.reported })
    }

    fn last(&self) -> i64 {
        self.reported
    }
}

/// The value at one end of the group's time.
#[derive(Debug, Clone, Default)]
pub(super) struct End<const NEWEST: bool>(Option<(i64, f64)>);

/// The oldest value; of two of the same time the one that came first.
pub(super) type First = End<false>;

/// The newest value; of two of the same time the one that came last.
pub(super) type Last = End<true>;

impl<const NEWEST: bool> Summary for End<NEWEST> {
    const WORDS: usize = 3;

    fn add(&mut self, value: f64, ts: i64) {
        if self.0.is_none_or(|(end, _)| if NEWEST { ts >= end } else { ts < end }) {
            self.0 = Some((ts, value));
        }
    }

    fn merge(&mut self, other: &Self) {
        other.0.inspect(|(ts, value)| self.add(*value, *ts));
    }

    fn words(&self) -> [i64; 8] {
        self.0.map_or([0; 8], |(ts, value)| [1, ts, value.to_bits() as i64, 0, 0, 0, 0, 0])
    }

    fn of_words([is_there, ts, value, ..]: [i64; 8]) -> Self {
        End((is_there == 1).then(|| (ts, f64::from_bits(value as u64))))
    }

    fn answer(&self) -> Option<f64> {
        self.0.map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::summary::testing::in_parts;
    use super::*;

    const UNKNOWN: f64 = f64::NAN;

    fn of<S: Summary>(rows: &[(f64, i64)], window: (i64, i64)) -> Option<f64> {
        let whole = in_parts::<S>(rows, 1, window);
        for parts in 2..=rows.len() {
            assert_eq!(in_parts::<S>(rows, parts, window), whole, "in {parts} parts");
        }
        whole
    }

    #[test]
    fn a_value_counts_for_as_long_as_it_stands() {
        // 10 for 2, 20 for 6, 0 for 2.
        let rows = [(10.0, 0), (20.0, 2), (0.0, 8)];
        assert_eq!(of::<Mean>(&rows, (0, 10)), Some(14.0));
        assert_eq!(of::<Integral>(&rows, (0, 10)), Some(140.0 / 3.6e12));
        assert_eq!(of::<Mean>(&rows[..1], (0, 0)), Some(10.0));
        assert_eq!(of::<Mean>(&[], (0, 10)), None);
    }

    #[test]
    fn time_in_which_nothing_is_known_counts_as_none() {
        let rows = [(1.0, 0), (UNKNOWN, 4), (0.0, 6)];
        assert_eq!(of::<TimeIn>(&rows, (0, 10)), Some(4.0));
        assert_eq!(of::<Availability>(&rows, (0, 10)), Some(0.8));
        assert_eq!(of::<Mean>(&rows, (0, 10)), Some(0.5));
    }

    #[test]
    fn what_a_window_begins_with_is_the_value_that_stood() {
        let mut before = Mean::default();
        before.add(6.0, 3);
        let mut window = before.carry(10).expect("a value");
        assert_eq!(window.last(), 3);
        window.add(0.0, 15);
        window.close(10, 20);
        assert_eq!(window.answer(), Some(3.0));
    }

    #[test]
    fn a_counter_that_falls_has_begun_again() {
        let rows = [(100.0, 0), (150.0, 1), (20.0, 2), (25.0, 3)];
        assert_eq!(of::<Increase>(&rows, (0, 10)), Some(75.0));
        let mut before = Increase::default();
        before.add(100.0, 3);
        let mut window = before.carry(10).expect("a value");
        assert_eq!(window.answer(), Some(0.0));
        window.add(130.0, 12);
        assert_eq!(window.answer(), Some(30.0));
    }

    #[test]
    fn first_and_last_are_by_time() {
        let rows = [(5.0, 3), (1.0, 1), (9.0, 9), (2.0, 1)];
        assert_eq!((of::<First>(&rows, (0, 10)), of::<Last>(&rows, (0, 10))), (Some(1.0), Some(9.0)));
    }
}
