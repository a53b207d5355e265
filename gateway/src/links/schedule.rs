//! When each step of a link runs: pure, with the time as an argument.
//!
//! Every step has a time when it is due; the one that has been due longest runs first, so on a wire that is too slow
//! for its list all steps fall behind alike and none starves. A device that does not answer is backed off alone: one of
//! its steps probes it at growing intervals, the others wait. A step that the device refuses is split until the bad
//! point stands alone, and that one is asked for only now and then.

use edgeway_sdk::{DeviceIx, PointIx, Step};
use edgeway_thing_models::Online;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// A device counts as offline after this many transactions in a row without an answer: a single lost answer must not
/// make it flap.
const FAULTS_UNTIL_OFFLINE: u32 = 2;
/// Backoff of a device that does not answer: this, doubled with each failed probe ...
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// ... up to this.
const BACKOFF_MOST: Duration = Duration::from_secs(300);
/// A step waits no longer than this for its first run.
const SPREAD_MOST: Duration = Duration::from_secs(1);
/// How often a point that the device refuses is asked for again.
pub(super) const REFUSED_PERIOD: Duration = Duration::from_secs(60);

/// A step's place in the schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot(usize);

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Run this step now.
    Run(Slot),
    /// Nothing is due before this time.
    Wait(Instant),
    /// Nothing will ever be due.
    Never,
}

/// A change of a device's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transition {
    pub(super) device: DeviceIx,
    pub(super) online: Online,
    pub(super) reason: String,
}

/// Who did not answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Silence {
    /// The device, with its change of state if that is one.
    OfDevice(Option<Transition>),
    /// Only this step; it is treated as refused.
    OfStep(Option<Transition>),
}

struct Planned {
    step: Step,
    due: Instant,
    /// When it was started last, if it runs.
    started: Option<Instant>,
    /// How long it has taken of late.
    takes: Duration,
    /// Why the device refuses it, if it does.
    refused: Option<String>,
    retired: bool,
    /// Since when it has had no answer.
    silent_since: Option<Instant>,
}

struct Health {
    online: Online,
    /// Why it is so, as it was told.
    reason: String,
    /// Why some of its points cannot be used, if so.
    unfit: Option<String>,
    faults: u32,
    /// When it answered last, whichever step asked.
    answered_at: Option<Instant>,
    /// Not asked before this time.
    retry_at: Option<Instant>,
    slots: Vec<Slot>,
}

impl Health {
    fn fresh() -> Self {
        let (online, reason) = (Online::Unknown, String::new());
        Health { online, reason, unfit: None, faults: 0, answered_at: None, retry_at: None, slots: vec![] }
    }
}

/// The schedule of one link.
#[derive(Default)]
pub(super) struct Schedule {
    planned: Vec<Planned>,
    /// Due times, oldest first. An entry counts only if it is its slot's present due time.
    queue: BinaryHeap<Reverse<(Instant, Slot)>>,
    devices: HashMap<DeviceIx, Health>,
    overruns: u64,
    /// How many steps are refused.
    refused: usize,
    /// For how long a device is left alone that has not answered: see [`edgeway_sdk::LinkInfo::settle`].
    settle: Duration,
}

impl Schedule {
    /// A schedule in which the first runs are spread over each step's period, so that they do not come in bursts.
    pub(super) fn new(steps: Vec<Step>, now: Instant) -> Self {
        let mut schedule = Schedule::default();
        let count = steps.len();
        for (at, step) in steps.into_iter().enumerate() {
            let due = now + spread(&step, at, count);
            schedule.add(step, due);
        }
        schedule
    }

    fn add(&mut self, step: Step, due: Instant) {
        let slot = Slot(self.planned.len());
        self.devices.entry(step.device).or_insert_with(Health::fresh).slots.push(slot);
        let takes = step.wire_time;
        let (started, silent_since) = (None, None);
        self.planned.push(Planned { step, due, started, takes, refused: None, retired: false, silent_since });
        self.queue.push(Reverse((due, slot)));
    }

    pub(super) fn step(&self, slot: Slot) -> &Step {
        &self.planned[slot.0].step
    }

    pub(super) fn is_refused(&self, slot: Slot) -> bool {
        self.planned[slot.0].refused.is_some()
    }

    pub(super) fn online(&self, device: DeviceIx) -> Online {
        self.devices.get(&device).map_or(Online::Unknown, |health| health.online)
    }

    /// How often a step ran so late that a whole period was skipped.
    pub(super) fn overruns(&self) -> u64 {
        self.overruns
    }

    /// The next step to run. A step that is running is not due again before its outcome has been told.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        while let Some(Reverse((due, slot))) = self.queue.peek().copied() {
            let planned = &self.planned[slot.0];
            if planned.retired || planned.due != due {
                self.queue.pop();
                continue;
            }
            if due > now {
                return Next::Wait(due);
            }
            self.queue.pop();
            match self.held_back(slot, now) {
                Some(until) => self.put(slot, until),
                None => {
                    self.planned[slot.0].started = Some(now);
                    return Next::Run(slot);
                }
            }
        }
        Next::Never
    }

    /// Until when the step's device is left alone. The first step to come after that time is the probe.
    fn held_back(&mut self, slot: Slot, now: Instant) -> Option<Instant> {
        let health = self.devices.get_mut(&self.planned[slot.0].step.device)?;
        let retry_at = health.retry_at?;
        if retry_at > now {
            return Some(retry_at);
        }
        health.retry_at = Some(now + BACKOFF_FIRST);
        None
    }

    fn put(&mut self, slot: Slot, due: Instant) {
        self.planned[slot.0].due = due;
        self.planned[slot.0].started = None;
        self.queue.push(Reverse((due, slot)));
    }

    /// Puts a step back after it has run. Missed periods are skipped, not made up for.
    pub(super) fn again(&mut self, slot: Slot, now: Instant) {
        let planned = &self.planned[slot.0];
        let period = if planned.refused.is_some() { REFUSED_PERIOD } else { planned.step.period };
        let due = planned.due + period;
        if due + period < now {
            self.overruns += 1;
        }
        self.put(slot, due.max(now));
    }

    /// The device answered.
    pub(super) fn answered(&mut self, slot: Slot, now: Instant) -> Option<Transition> {
        self.planned[slot.0].silent_since = None;
        self.measure(slot, now);
        if self.planned[slot.0].refused.take().is_some() {
            self.refused -= 1;
        }
        self.again(slot, now);
        self.alive(slot, now)
    }

    /// The device refuses the step, and it cannot be divided further.
    pub(super) fn refused(&mut self, slot: Slot, now: Instant, reason: &str) -> Option<Transition> {
        if self.planned[slot.0].refused.replace(reason.to_owned()).is_none() {
            self.refused += 1;
        }
        self.again(slot, now);
        self.alive(slot, now)
    }

    /// The device is there but has no time; it is asked again at the next period.
    pub(super) fn busy(&mut self, slot: Slot, now: Instant) -> Option<Transition> {
        self.again(slot, now);
        self.alive(slot, now)
    }

    /// Notes how long a step took: the newest time counts an eighth.
    fn measure(&mut self, slot: Slot, now: Instant) {
        let planned = &mut self.planned[slot.0];
        let Some(took) = planned.started.map(|started| now - started) else { return };
        planned.takes = if planned.takes.is_zero() { took } else { (planned.takes * 7 + took) / 8 };
    }

    /// How busy the steps keep the wire, as they have run so far.
    pub(super) fn load(&self, concurrency: usize) -> f64 {
        let running = self.planned.iter().filter(|planned| !planned.retired && planned.refused.is_none());
        let share = |planned: &Planned| planned.takes.as_secs_f64() / planned.step.period.as_secs_f64().max(1e-6);
        running.map(share).sum::<f64>() / concurrency.max(1) as f64
    }

    /// Makes a device known that is not asked, or not only.
    pub(super) fn watch(&mut self, device: DeviceIx) {
        self.devices.entry(device).or_insert_with(Health::fresh);
    }

    /// A device has said something unasked.
    pub(super) fn heard(&mut self, device: DeviceIx, now: Instant) -> Option<Transition> {
        let health = self.devices.get_mut(&device)?;
        health.faults = 0;
        health.answered_at = Some(now);
        let (online, reason) = self.as_heard(device);
        self.turn(device, online, reason)
    }

    /// The driver says that a device is gone.
    pub(super) fn gone(&mut self, device: DeviceIx, reason: &str) -> Option<Transition> {
        self.turn(device, Online::Offline, reason.to_owned())
    }

    /// Notes why some points of a device cannot be used; `None` if all can.
    pub(super) fn set_unfit(&mut self, device: DeviceIx, unfit: Option<String>) -> Option<Transition> {
        let health = self.devices.get_mut(&device)?;
        health.unfit = unfit;
        let (online, reason) = match health.online {
            Online::Online | Online::Degraded => self.as_heard(device),
            // Nobody asks it: all its points may be those.
            Online::Unknown if health.slots.is_empty() => (Online::Unknown, health.unfit.clone().unwrap_or_default()),
            Online::Unknown | Online::Offline => return None,
        };
        let health = self.devices.get_mut(&device)?;
        if (health.online, &health.reason) == (online, &reason) {
            return None;
        }
        (health.online, health.reason) = (online, reason.clone());
        Some(Transition { device, online, reason })
    }

    /// What a device is that answers: degraded while some of its points are refused or cannot be used.
    fn as_heard(&self, device: DeviceIx) -> (Online, String) {
        let refused = (self.refused > 0).then(|| self.as_refused(device)).flatten();
        let unfit = || self.devices.get(&device)?.unfit.clone();
        match refused.or_else(unfit) {
            Some(reason) => (Online::Degraded, reason),
            None => (Online::Online, String::new()),
        }
    }

    /// Which points the device refuses.
    fn as_refused(&self, device: DeviceIx) -> Option<String> {
        let slots = self.devices.get(&device).map_or(&[][..], |health| &health.slots);
        let refused = slots.iter().map(|slot| &self.planned[slot.0]);
        let refused = refused.filter_map(|planned| Some((planned.step.points.len(), planned.refused.as_deref()?)));
        let (mut points, mut first) = (0, None);
        for (count, reason) in refused {
            points += count;
            first.get_or_insert(reason);
        }
        let first = first?;
        Some(match points {
            1 => format!("1 point is refused by the device: {first}"),
            points => format!("{points} points are refused by the device, the first because: {first}"),
        })
    }

    /// Notes an answer: the device is online (degraded while some of its points are refused), and its steps that were
    /// held back are due at once.
    fn alive(&mut self, slot: Slot, now: Instant) -> Option<Transition> {
        let device = self.planned[slot.0].step.device;
        let health = self.devices.get_mut(&device)?;
        health.faults = 0;
        health.answered_at = Some(now);
        if health.retry_at.take().is_some() {
            let waiting: Vec<Slot> = health.slots.iter().copied().filter(|other| *other != slot).collect();
            for slot in waiting {
                if self.planned[slot.0].started.is_none() {
                    self.put(slot, now);
                }
            }
        }
        let (online, reason) = self.as_heard(device);
        self.turn(device, online, reason)
    }

    /// The device did not answer this step.
    pub(super) fn silent(&mut self, slot: Slot, now: Instant, reason: &str) -> Silence {
        let since = *self.planned[slot.0].silent_since.get_or_insert(now);
        let device = self.planned[slot.0].step.device;
        let health = self.devices.get_mut(&device).expect("every step's device is known");
        if health.answered_at.is_some_and(|answered| answered > since) {
            // The device has answered other steps meanwhile: it is there, and does not know this one.
            return Silence::OfStep(self.refused(slot, now, reason));
        }
        health.faults = health.faults.saturating_add(1);
        if health.faults < FAULTS_UNTIL_OFFLINE {
            // A lost answer is asked for again at once, not only at the next period.
            if !self.settle.is_zero() {
                health.retry_at = Some(now + self.settle);
            }
            self.put(slot, now);
            return Silence::OfDevice(None);
        }
        // Answers that were lost at the same time count once.
        if health.retry_at.is_none_or(|retry_at| retry_at <= now + BACKOFF_FIRST) {
            health.retry_at = Some(now + backoff(health.faults - FAULTS_UNTIL_OFFLINE).max(self.settle));
        }
        self.again(slot, now);
        Silence::OfDevice(self.turn(device, Online::Offline, reason.to_owned()))
    }

    /// A command was not answered: its answer could be taken for that of a reading, for as long as the wire says.
    pub(super) fn settle(&mut self, device: DeviceIx, now: Instant) {
        let Some(health) = self.devices.get_mut(&device).filter(|_| !self.settle.is_zero()) else { return };
        let until = now + self.settle;
        health.retry_at = Some(health.retry_at.map_or(until, |retry_at| retry_at.max(until)));
    }

    /// The wire is gone: every device is.
    pub(super) fn link_lost(&mut self, reason: &str) -> Vec<Transition> {
        let devices: Vec<DeviceIx> = self.devices.keys().copied().collect();
        devices.into_iter().filter_map(|device| self.turn(device, Online::Offline, reason.to_owned())).collect()
    }

    /// The wire is back: everything is due within its period, and nobody is backed off. Of a device that nobody asks it is
    /// not known whether it is there, until it says something; till then it may be commanded.
    pub(super) fn link_up(&mut self, now: Instant, settle: Duration) -> Vec<Transition> {
        self.settle = settle;
        for health in self.devices.values_mut() {
            (health.faults, health.retry_at) = (0, None);
        }
        self.queue.clear();
        let count = self.planned.len();
        for slot in 0..count {
            if !self.planned[slot].retired {
                self.put(Slot(slot), now + spread(&self.planned[slot].step, slot, count));
            }
        }
        let unasked = self.devices.iter().filter(|(_, health)| health.slots.is_empty());
        let unasked: Vec<DeviceIx> = unasked.map(|(device, _)| *device).collect();
        let unknown = |device| {
            let unfit = self.devices.get(&device).and_then(|health| health.unfit.clone());
            self.turn(device, Online::Unknown, unfit.unwrap_or_else(|| "nothing has been heard of it yet".to_owned()))
        };
        unasked.into_iter().filter_map(unknown).collect()
    }

    /// Replaces a step by smaller ones for the same points.
    pub(super) fn split(&mut self, slot: Slot, steps: Vec<Step>, now: Instant) {
        let planned = &mut self.planned[slot.0];
        planned.retired = true;
        let device = planned.step.device;
        if let Some(health) = self.devices.get_mut(&device) {
            health.slots.retain(|other| *other != slot);
        }
        for step in steps {
            self.add(step, now);
        }
    }

    fn turn(&mut self, device: DeviceIx, online: Online, reason: String) -> Option<Transition> {
        let health = self.devices.get_mut(&device)?;
        let says_more = online != Online::Unknown && is_other_reason(&health.reason, &reason);
        if health.online == online && !says_more {
            return None;
        }
        health.online = online;
        health.reason.clone_from(&reason);
        Some(Transition { device, online, reason })
    }

    /// The points that are readable at all, by the steps that hold them.
    pub(super) fn points(&self) -> impl Iterator<Item = PointIx> + '_ {
        self.planned.iter().filter(|p| !p.retired).flat_map(|p| p.step.points.iter().copied())
    }
}

/// Whether a reason says something else. Numbers do not count: how long was waited is another one each time.
pub(super) fn is_other_reason(before: &str, now: &str) -> bool {
    !before.chars().filter(|c| !c.is_ascii_digit()).eq(now.chars().filter(|c| !c.is_ascii_digit()))
}

/// When a step first runs: steps that all began at once would come in bursts for ever.
fn spread(step: &Step, at: usize, count: usize) -> Duration {
    step.period.min(SPREAD_MOST) * at as u32 / count.max(1) as u32
}

fn backoff(failures: u32) -> Duration {
    BACKOFF_FIRST.saturating_mul(1 << failures.min(16)).min(BACKOFF_MOST)
}

#[cfg(test)]
mod tests;
