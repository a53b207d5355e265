//! When something was appended.

use rustix::time::{ClockId, clock_gettime};
use std::{
    fmt, fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Wall clocks before 2025 were not set: nothing is old by their word.
pub(crate) const CLOCK_WAS_SET_NANOS: i64 = 1_735_689_600 * 1_000_000_000;
/// A wall clock that ran off by no more than this since it was last compared is taken to be where it was: two clocks are
/// never read at the same moment, and equal distances cost nothing on disk.
const JITTER_NANOS: i64 = 1_000_000;

/// When an item was appended, by a clock that can be set and by one that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// How often the journal had been opened by then, counted from 1; 0 for what format version 1 wrote.
    pub epoch: u32,
    /// The operating system's boot id; zeros if it is not known.
    pub boot: [u8; 16],
    /// `CLOCK_BOOTTIME` in nanoseconds: comparable only between stamps with the same `boot`. 0 if it is not known.
    pub mono_nanos: i64,
    /// The wall clock, nanoseconds since 1970, within one millisecond.
    pub wall_nanos: i64,
}

impl Stamp {
    /// How long before `now` this was: by the clock that nobody sets if both are of one start of the system, by the wall
    /// clock if not, and zero if one of the two was never set.
    pub fn age(&self, now: &Stamp) -> Duration {
        let known = self.boot != [0; 16] && self.boot == now.boot;
        let set = self.wall_nanos > CLOCK_WAS_SET_NANOS && now.wall_nanos > CLOCK_WAS_SET_NANOS;
        let nanos = match (known, set) {
            (true, _) => now.mono_nanos.saturating_sub(self.mono_nanos),
            (false, true) => now.wall_nanos.saturating_sub(self.wall_nanos),
            (false, false) => 0,
        };
        Duration::from_nanos(nanos.max(0).unsigned_abs())
    }
}

/// Where the journal gets its times from.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    mono: Arc<dyn Fn() -> Duration + Send + Sync>,
    boot: [u8; 16],
}

impl Clock {
    /// A wall clock that asks `wall`; the rest is the system's.
    pub fn new(wall: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Clock { wall: Arc::new(wall), ..Clock::default() }
    }

    /// The same with another clock that nobody sets.
    #[must_use]
    pub fn with_mono(self, mono: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Clock { mono: Arc::new(mono), ..self }
    }

    /// The same with another boot id.
    #[must_use]
    pub fn with_boot(self, boot: [u8; 16]) -> Self {
        Clock { boot, ..self }
    }

    /// Now, in epoch `epoch`.
    pub(crate) fn stamp(&self, epoch: u32) -> Stamp {
        let wall = (self.wall)().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Stamp { epoch, boot: self.boot, mono_nanos: nanos((self.mono)()), wall_nanos: nanos(wall) }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock { wall: Arc::new(SystemTime::now), mono: Arc::new(boottime), boot: boot_id().unwrap_or_default() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// How far the wall clock is ahead of the other one.
#[derive(Debug, Default)]
pub(crate) struct Distance(Option<i64>);

impl Distance {
    /// The stamp with its wall clock where it would be if both clocks ran alike, unless it really was set.
    pub(crate) fn steady(&mut self, stamp: Stamp) -> Stamp {
        let measured = stamp.wall_nanos.saturating_sub(stamp.mono_nanos);
        let known = *self.0.get_or_insert(measured);
        if known.abs_diff(measured) > JITTER_NANOS.unsigned_abs() {
            self.0 = Some(measured);
            return stamp;
        }
        Stamp { wall_nanos: stamp.mono_nanos.saturating_add(known), ..stamp }
    }
}

fn nanos(since: Duration) -> i64 {
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}

fn boottime() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The 16 bytes of the system's boot id.
fn boot_id() -> Option<[u8; 16]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok())?.map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(boot: u8, mono_nanos: i64, wall_nanos: i64) -> Stamp {
        Stamp { epoch: 1, boot: [boot; 16], mono_nanos, wall_nanos }
    }

    #[test]
    fn ages_follow_the_clock_that_nobody_sets() {
        let set = CLOCK_WAS_SET_NANOS;
        assert_eq!(stamp(1, 5, set + 9).age(&stamp(1, 8, set + 900)), Duration::from_nanos(3));
        assert_eq!(stamp(1, 5, set + 1).age(&stamp(2, 1, set + 4)), Duration::from_nanos(3), "another boot");
        assert_eq!(stamp(1, 5, 7).age(&stamp(2, 9, set + 4)), Duration::ZERO, "nobody knows");
        assert_eq!(stamp(1, 8, 1).age(&stamp(1, 5, 1)), Duration::ZERO);
    }

    #[test]
    fn jitter_is_taken_out_of_the_wall_clock_and_steps_are_kept() {
        let mut distance = Distance::default();
        let wall = |distance: &mut Distance, mono, wall| distance.steady(stamp(1, mono, wall)).wall_nanos;
        assert_eq!(wall(&mut distance, 100, 1_100), 1_100);
        assert_eq!(wall(&mut distance, 200, 1_450), 1_200);
        assert_eq!(wall(&mut distance, 300, 5_000_000_000), 5_000_000_000);
        assert_eq!(wall(&mut distance, 400, 5_000_000_300), 5_000_000_100);
    }

    #[test]
    fn the_system_has_a_boot_id_and_a_clock_that_nobody_sets() {
        let clock = Clock::default();
        let (first, second) = (clock.stamp(3), clock.stamp(3));
        assert!(first.boot != [0; 16] && first.mono_nanos > 0 && second.mono_nanos >= first.mono_nanos);
    }
}
