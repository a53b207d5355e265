//! The unit in which times are counted.

use edgeway_sdk::Timestamp;

/// The coarsest unit in which all times of a column are whole: a device that tells milliseconds does not pay for
/// nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    code: u8,
}

const NANOS: [i64; 4] = [1, 1_000, 1_000_000, 1_000_000_000];

impl Unit {
    pub(crate) fn of(times: impl IntoIterator<Item = Timestamp>) -> Self {
        let mut unit = Unit { code: 3 };
        for time in times {
            while time.as_nanos() % unit.nanos() != 0 {
                unit.code -= 1;
            }
            if unit.code == 0 {
                break;
            }
        }
        unit
    }

    fn nanos(self) -> i64 {
        NANOS[usize::from(self.code)]
    }

    /// The time in units, rounded down.
    #[inline]
    pub(crate) fn count(self, time: Timestamp) -> i64 {
        match self.code {
            0 => time.as_nanos(),
            _ => time.as_nanos().div_euclid(self.nanos()),
        }
    }

    #[inline]
    pub(crate) fn time(self, count: i64) -> Timestamp {
        Timestamp::from_nanos(count.wrapping_mul(self.nanos()))
    }

    /// 0 nanoseconds, 1 microseconds, 2 milliseconds, 3 seconds.
    pub(crate) fn code(self) -> u8 {
        self.code
    }

    /// The unit of the two lowest bits.
    pub(crate) fn from_code(code: u8) -> Self {
        Unit { code: code & 3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarsest_unit_that_fits_all_is_taken() {
        let of = |nanos: &[i64]| Unit::of(nanos.iter().map(|n| Timestamp::from_nanos(*n))).code();
        assert_eq!([of(&[]), of(&[5_000_000_000]), of(&[5_000_000_000, -1_000_000])], [3, 3, 2]);
        assert_eq!([of(&[2_000]), of(&[1_000_000, 1]), of(&[i64::MIN])], [1, 0, 0]);
    }

    #[test]
    fn whole_times_come_back() {
        for nanos in [0, -3_000_000, 1_800_000_000_123_000_000] {
            let time = Timestamp::from_nanos(nanos);
            let unit = Unit::of([time]);
            assert_eq!(unit.time(unit.count(time)), time);
        }
    }
}
