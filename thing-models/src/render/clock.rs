//! Times as text, without a formatter in between.

use edgeway_sdk::Timestamp;
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// `2026-11-23T09:00:00.500Z`: the same text as a [`Timestamp`]'s own, made about ten times as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339([u8; 24]);

const MILLIS_A_DAY: i64 = 86_400_000;

impl Rfc3339 {
    /// Writes a time. All times that a [`Timestamp`] can hold are in years of four digits.
    pub fn new(time: Timestamp) -> Self {
        let millis = time.as_millis();
        let (year, month, day) = civil(millis.div_euclid(MILLIS_A_DAY));
        let of_day = millis.rem_euclid(MILLIS_A_DAY) as u32;
        let mut text = *b"0000-00-00T00:00:00.000Z";
        digits(&mut text[0..4], year);
        digits(&mut text[5..7], month);
        digits(&mut text[8..10], day);
        digits(&mut text[11..13], of_day / 3_600_000);
        digits(&mut text[14..16], of_day / 60_000 % 60);
        digits(&mut text[17..19], of_day / 1000 % 60);
        digits(&mut text[20..23], of_day % 1000);
        Rfc3339(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and separators are ASCII")
    }
}

/// Fills a field with a number, right to left.
fn digits(field: &mut [u8], mut number: u32) {
    for digit in field.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Year, month and day of a day counted from 1970-01-01.
///
/// Counted from 0000-03-01 instead, so that leap days come last in their year, 4 years are 1,461 days, a century
/// 36,524 and 400 years 146,097; five months from March are always 153 days.
fn civil(day: i64) -> (u32, u32, u32) {
    let day = (day + 719_468) as u32;
    let of_era = day % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = day / 146_097 * 400 + year_of_era + u32::from(month <= 2);
    (year, month, day_of_month)
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_time_and_leap_days_are_written_right() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (i64::MIN, "1677-09-21T00:12:43.145Z"),
            (i64::MAX, "2262-04-11T23:47:16.854Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Rfc3339::new(Timestamp::from_nanos(nanos)).as_str(), text);
        }
    }

    proptest! {
        #[test]
        fn every_time_reads_back_to_its_millisecond(nanos in any::<i64>()) {
            let time = Timestamp::from_nanos(nanos);
            let text = Rfc3339::new(time).to_string();
            prop_assert_eq!(&text, &time.to_string());
        }
    }
}
