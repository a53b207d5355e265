//! Where a message is kept: in which class's log, or in memory alone.

use crate::subjects::Verdicts;
use edgeway_journal::{Class, Placement};
use edgeway_site::{JournalOptions, OnFull};
use edgeway_thing_models::{Body, Filter, Message, Things};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Decides by subject, as the site says.
pub(crate) struct Placer {
    things: Arc<Things>,
    rules: Mutex<Verdicts<Placement>>,
    memory: Vec<Filter>,
    critical: Vec<Filter>,
    bulk: Vec<Filter>,
    thinning: Arc<Thinning>,
}

impl Placer {
    pub(crate) fn new(site: &JournalOptions, things: Arc<Things>, thinning: Arc<Thinning>) -> Self {
        let [critical, _, bulk] = &site.classes;
        Placer {
            things,
            rules: Mutex::default(),
            memory: site.memory.clone(),
            critical: critical.subjects.clone(),
            bulk: bulk.subjects.clone(),
            thinning,
        }
    }

    pub(crate) fn place(&self, message: &Message) -> Placement {
        let placement = self.rules.lock().of(message, &self.things, |subject| self.judge(subject));
        match (placement, &message.body) {
            (Placement::Disk(class), Body::Report(report)) if self.thinning.leaves_out(class, report.device.0) => {
                Placement::Memory
            }
            _ => placement,
        }
    }

    /// What must not be lost is kept, whatever else is said of it: the site's check sees to that.
    fn judge(&self, subject: &str) -> Placement {
        let any = |filters: &[Filter]| filters.iter().any(|filter| filter.matches(subject));
        if any(&self.memory) {
            Placement::Memory
        } else if any(&self.critical) {
            Placement::Disk(Class::Critical)
        } else if any(&self.bulk) {
            Placement::Disk(Class::Bulk)
        } else {
            Placement::Disk(Class::Normal)
        }
    }
}

/// Leaves out all but every n-th report of each device while a class is nearly full and a route has asked for that.
pub(crate) struct Thinning {
    /// By class: one in so many is kept; 0: all are.
    keep_one_in: [AtomicU32; 3],
    devices: Box<[Device]>,
}

#[derive(Default)]
struct Device {
    seen: AtomicU32,
    /// By class.
    left_out: [AtomicU64; 3],
}

impl Thinning {
    pub(crate) fn new(devices: usize) -> Self {
        Thinning { keep_one_in: Default::default(), devices: (0..devices).map(|_| Device::default()).collect() }
    }

    /// From now on keeps one report in `n` of this class; with `None` all.
    pub(crate) fn set(&self, class: Class, keep_one_in: Option<u32>) {
        self.keep_one_in[class as usize].store(keep_one_in.unwrap_or(0), Relaxed);
    }

    fn leaves_out(&self, class: Class, device: u32) -> bool {
        let keep_one_in = self.keep_one_in[class as usize].load(Relaxed);
        let Some(device) = self.devices.get(device as usize).filter(|_| keep_one_in > 0) else { return false };
        let left_out = device.seen.fetch_add(1, Relaxed) % keep_one_in != 0;
        if left_out {
            device.left_out[class as usize].fetch_add(1, Relaxed);
        }
        left_out
    }

    /// How many reports of each device were left out since this was last asked.
    pub(crate) fn take_left_out(&self) -> Vec<(u32, Class, u64)> {
        let mut taken = vec![];
        for (index, device) in self.devices.iter().enumerate() {
            for class in Class::ALL {
                let count = device.left_out[class as usize].swap(0, Relaxed);
                if count > 0 {
                    taken.push((index as u32, class, count));
                }
            }
        }
        taken
    }
}

/// The part of a route's policy that acts before the journal.
pub(crate) fn sampling(policy: OnFull) -> Option<u32> {
    match policy {
        OnFull::Sample(keep_one_in) => Some(keep_one_in),
        OnFull::DropOldest | OnFull::DropNewest | OnFull::Block => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_every_nth_report_of_each_device_and_counts_the_rest() {
        let thinning = Thinning::new(2);
        let kept = |device| (0..10).filter(|_| !thinning.leaves_out(Class::Normal, device)).count();
        assert_eq!((kept(0), thinning.take_left_out()), (10, vec![]), "not while there is room");
        thinning.set(Class::Normal, Some(5));
        assert_eq!((kept(0), kept(1)), (2, 2));
        assert_eq!(thinning.take_left_out(), [(0, Class::Normal, 8), (1, Class::Normal, 8)]);
        assert_eq!(thinning.take_left_out(), []);
        assert!(!thinning.leaves_out(Class::Bulk, 0), "another class has room");
    }
}
