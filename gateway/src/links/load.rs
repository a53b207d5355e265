//! How busy a wire is with the steps of a plan: pure arithmetic, before the wire is opened and while it runs.

use edgeway_sdk::{DeviceIx, Step};
use std::collections::BTreeMap;
use std::time::Duration;

/// A wire that is busier than this has no room for commands, second attempts and devices that do not answer.
const FITS: f64 = 0.8;
/// How many groups are named as the reason, and slowed down at most to make the rest fit.
pub(crate) const REASONS: usize = 3;
/// The periods that people use.
const PERIODS: [Duration; 8] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(600),
];

/// How busy a wire is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    /// Of its time, 1 being all of it.
    pub(crate) share: f64,
    /// What of it goes where, the largest part first.
    pub(crate) groups: Vec<Group>,
}

/// The steps of one device that run equally often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) device: DeviceIx,
    pub(crate) period: Duration,
    pub(crate) points: usize,
    pub(crate) steps: usize,
    /// How long all of them take once.
    pub(crate) time: Duration,
    /// Of the wire's time.
    pub(crate) share: f64,
}

/// A group that runs less often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Slower {
    pub(crate) device: DeviceIx,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Load {
    /// Of these steps, each of which takes so long, so many at the same time.
    pub(crate) fn of(steps: &[Step], time: impl Fn(&Step) -> Duration, concurrency: usize) -> Load {
        let mut groups: BTreeMap<(DeviceIx, Duration), Group> = BTreeMap::new();
        for step in steps {
            let (device, period) = (step.device, step.period);
            let none = Group { device, period, points: 0, steps: 0, time: Duration::ZERO, share: 0.0 };
            let group = groups.entry((device, period)).or_insert(none);
            group.points += step.points.len();
            group.steps += 1;
            group.time += time(step);
        }
        let mut groups: Vec<Group> = groups.into_values().collect();
        for group in &mut groups {
            group.share = share(group.time, group.period, concurrency);
        }
        groups.sort_by(|a, b| b.share.total_cmp(&a.share));
        Load { share: groups.iter().map(|group| group.share).sum(), groups }
    }

    /// Whether there is room left.
    pub(crate) fn fits(&self) -> bool {
        self.share <= FITS
    }

    /// What would make it fit: the heaviest groups less often, each as little as it takes; with the load that is left.
    /// `None` if that does not help.
    pub(crate) fn remedy(&self) -> Option<(Vec<Slower>, f64)> {
        let mut changes: Vec<Slower> = vec![];
        let mut left = self.share;
        for group in self.groups.iter().take(REASONS) {
            let others = left - group.share;
            let slower = |to: &&Duration| **to > group.period;
            let after = |to: Duration| others + group.share * group.period.as_secs_f64() / to.as_secs_f64();
            let enough = PERIODS.iter().filter(slower).find(|to| after(**to) <= FITS);
            // One that is not enough alone is slowed down tenfold, and the next one helps.
            let to = enough.copied().unwrap_or(group.period * 10);
            changes.push(Slower { device: group.device, from: group.period, to });
            left = after(to);
            if left <= FITS {
                return Some((changes, left));
            }
        }
        None
    }
}

fn share(time: Duration, period: Duration, concurrency: usize) -> f64 {
    time.as_secs_f64() / period.as_secs_f64().max(1e-6) / concurrency.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{PointIx, StepIx};

    fn step(device: u32, period_ms: u64, wire_ms: u64) -> Step {
        Step {
            id: StepIx(0),
            device: DeviceIx(device),
            points: vec![PointIx(0), PointIx(1)],
            period: Duration::from_millis(period_ms),
            wire_time: Duration::from_millis(wire_ms),
        }
    }

    fn load(steps: &[Step], concurrency: usize) -> Load {
        Load::of(steps, |step| step.wire_time, concurrency)
    }

    #[test]
    fn a_wire_is_as_busy_as_its_groups_together() {
        let steps = [step(0, 1000, 300), step(0, 1000, 300), step(1, 1000, 700), step(1, 10_000, 700)];
        let load = load(&steps, 1);
        assert_eq!((load.share * 100.0).round(), 137.0);
        let groups: Vec<_> = load.groups.iter().map(|group| (group.device.0, group.steps, group.points)).collect();
        assert_eq!(groups, [(1, 1, 2), (0, 2, 4), (1, 1, 2)]);
        assert!(!load.fits());
    }

    #[test]
    fn what_runs_at_the_same_time_shares_the_wire() {
        assert_eq!(load(&[step(0, 1000, 800)], 16).share, 0.05);
    }

    #[test]
    fn the_remedy_slows_down_as_little_as_it_takes() {
        let steps = [step(0, 1000, 600), step(1, 1000, 700), step(1, 10_000, 700)];
        let (changes, left) = load(&steps, 1).remedy().expect("there is one");
        let one = Slower { device: DeviceIx(1), from: Duration::from_secs(1), to: Duration::from_secs(10) };
        assert_eq!(changes, [one]);
        assert!(left <= FITS, "{left}");
    }

    #[test]
    fn a_list_that_is_far_too_long_has_no_small_remedy() {
        let steps: Vec<Step> = (0..100).map(|device| step(device, 1000, 300)).collect();
        assert_eq!(load(&steps, 1).remedy(), None);
    }
}
