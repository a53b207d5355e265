//! What conditions come to, and which triggers fire.

use super::super::script::{Condition, Device, Op, Operand, Place, Trigger};
use super::{Held, Reference, SECOND, SetOff, State, Touch};
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::Online;
use std::cmp::Ordering;
use std::collections::BTreeSet;

const DAY: u64 = 24 * 3600;
const NOON: u64 = 12 * 3600;
const SATURDAY: usize = 5;

impl Reference {
    /// All `held` conditions count, all triggers are evaluated, the scenes set off act, and what was waited for has come.
    pub(super) fn look(&mut self, touch: &Touch) {
        self.count_helds();
        let fired = self.fired(touch);
        let come = self.waits_that_are_over();
        for (scene, set_off) in fired {
            self.decide(scene, set_off);
        }
        for (run, strand) in come {
            self.came_true(run, strand);
        }
    }

    fn count_helds(&mut self) {
        let mut all = vec![];
        let set = self.set.clone();
        set.scenes.iter().for_each(|scene| scene.each_condition(&mut |condition| all.extend(helds_in(condition))));
        all.sort_by_key(|(id, ..)| *id);
        for (id, inner, dwell_s) in all {
            let inner = self.truth(inner);
            self.helds[id].count(inner, dwell_s * SECOND, self.now);
        }
    }

    /// The scenes that are set off, in order, each once; one that counts for each device, once for each.
    fn fired(&mut self, touch: &Touch) -> Vec<(usize, SetOff)> {
        let mut fired: Vec<(usize, SetOff)> = vec![];
        for scene in self.order.clone() {
            let found = self.set.scenes[scene].clone();
            for (at, trigger) in found.triggers.iter().enumerate() {
                if !self.fires((scene, at), trigger, touch) {
                    continue;
                }
                let set_off =
                    SetOff { chain: self.chain_of(trigger, touch), device: trigger.devices().first().copied() };
                let is_same = |(other, before): &(usize, SetOff)| {
                    *other == scene && (!found.per_device || before.device == set_off.device)
                };
                if !fired.iter().any(is_same) {
                    fired.push((scene, set_off));
                }
            }
        }
        fired
    }

    fn fires(&mut self, (scene, at): (usize, usize), trigger: &Trigger, touch: &Touch) -> bool {
        match trigger {
            Trigger::Edge(condition) => self.is_edge(scene, at, self.truth(condition)),
            Trigger::GoesOnline(device) => self.is_edge(scene, at, self.answers(device)),
            Trigger::GoesOffline(device) => self.is_edge(scene, at, self.answers(device).map(|answers| !answers)),
            Trigger::Level(condition) => is_about(condition, touch) && self.truth(condition) == Some(true),
            Trigger::Changed(place) => self.has_changed(scene, at, *place),
            Trigger::Event(of) => matches!(touch, Touch::Alarm { device, .. } if device == of),
        }
    }

    fn is_edge(&mut self, scene: usize, at: usize, truth: Option<bool>) -> bool {
        let last_known = &mut self.scenes[scene].triggers[at].last_known;
        let before = *last_known;
        if truth.is_some() {
            *last_known = truth;
        }
        before == Some(false) && truth == Some(true)
    }

    fn has_changed(&mut self, scene: usize, at: usize, place: Place) -> bool {
        let Some(value) = self.good(place).cloned() else { return false };
        let before = self.scenes[scene].triggers[at].last_good.replace(value.clone());
        before.is_some_and(|before| before != value)
    }

    /// The scenes whose doing came back by this message; what the clock sets off may go back to what came before.
    fn chain_of(&self, trigger: &Trigger, touch: &Touch) -> Vec<usize> {
        if let (Trigger::Event(_), Touch::Alarm { chain, .. }) = (trigger, touch) {
            return chain.clone();
        }
        let mut found = vec![];
        for place in trigger.places() {
            let Some(set) = self.sets.get(&place) else { continue };
            let is_back = match touch {
                Touch::Clock => set.back_in.is_some(),
                _ => set.back_in == Some(self.message),
            };
            if is_back && set.until >= self.now {
                found = set.chain.clone();
            }
        }
        found
    }

    /// Strands that wait for what is true now: by the order of scenes, then of the script, then by who came first.
    fn waits_that_are_over(&self) -> Vec<(usize, usize)> {
        let mut found = vec![];
        for run in &self.runs {
            for (at, strand) in run.strands.iter().enumerate() {
                if let State::WaitFor { condition, id, since, .. } = &strand.state
                    && self.truth(condition) == Some(true)
                {
                    found.push((self.rank(run.scene), *id, *since, (run.number, at)));
                }
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(.., place)| place).collect()
    }

    /// Where a scene stands in the order in which scenes act.
    pub(super) fn rank(&self, scene: usize) -> usize {
        self.order.iter().position(|other| *other == scene).expect("every scene has its place")
    }

    /// `None` is unknown.
    pub(super) fn truth(&self, condition: &Condition) -> Option<bool> {
        match condition {
            Condition::Compare(left, op, operand) => {
                let right = match operand {
                    Operand::Value(value) => value,
                    Operand::Place(place) => self.good(*place)?,
                };
                Some(holds(self.good(*left)?, *op, right))
            }
            Condition::Fresh(place, within_s) => {
                let seen = self.values.get(place)?;
                Some(self.good(*place).is_some() && self.now - seen.time <= within_s * SECOND)
            }
            Condition::Stale(place) => Some(self.values.get(place)?.quality == Quality::Stale),
            Condition::Between(from, to) => {
                let time = (self.now / SECOND + NOON) % DAY;
                Some(if from < to { (*from..*to).contains(&time) } else { time >= *from || time < *to })
            }
            Condition::Days(_, days) => {
                let midnights = (self.now / SECOND + NOON) / DAY;
                Some(days[(SATURDAY + usize::try_from(midnights).expect("few days")) % 7])
            }
            Condition::Online(device) => self.answers(device),
            Condition::Held { id, .. } => self.helds[*id].truth,
            Condition::All(parts) => {
                let truths: Vec<_> = parts.iter().map(|part| self.truth(part)).collect();
                all(&truths)
            }
            Condition::Any(parts) => {
                let falsehoods: Vec<_> = parts.iter().map(|part| self.truth(part).map(|truth| !truth)).collect();
                all(&falsehoods).map(|none| !none)
            }
            Condition::Not(inner) => self.truth(inner).map(|truth| !truth),
            Condition::OrUnknown(inner) => Some(self.truth(inner) != Some(false)),
        }
    }

    pub(super) fn good(&self, place: Place) -> Option<&Value> {
        let seen = self.values.get(&place)?;
        (seen.quality == Quality::Good).then_some(&seen.value)
    }

    fn answers(&self, device: Device) -> Option<bool> {
        match self.online.get(device)? {
            Online::Unknown => None,
            Online::Online | Online::Degraded => Some(true),
            Online::Offline => Some(false),
        }
    }

    /// When anything may change by itself.
    pub(in crate::reference) fn next_wake(&self) -> Option<u64> {
        let mut moments: BTreeSet<u64> = self.untils().map(|(until, ..)| until).collect();
        moments.extend(self.helds.iter().filter_map(Held::full_at));
        for scene in &self.set.scenes {
            scene.each_condition(&mut |condition| self.each_moment(condition, &mut moments));
        }
        moments.into_iter().find(|moment| *moment > self.now)
    }

    fn each_moment(&self, condition: &Condition, moments: &mut BTreeSet<u64>) {
        match condition {
            Condition::Fresh(place, within_s) => {
                moments.extend(self.values.get(place).map(|seen| seen.time + within_s * SECOND + 1));
            }
            Condition::Between(from, to) => moments.extend([self.next_time(*from), self.next_time(*to)]),
            Condition::Days(..) => moments.extend([self.next_time(0)]),
            _ => condition.parts().into_iter().for_each(|part| self.each_moment(part, moments)),
        }
    }

    /// When it is next so late in the day.
    fn next_time(&self, second_of_day: u64) -> u64 {
        let today = (self.now / SECOND + NOON) % DAY;
        let left = (second_of_day + DAY - today - 1) % DAY + 1;
        (self.now / SECOND + left) * SECOND
    }
}

impl Held {
    /// Time counts while the condition is known to be true, and is lost when it is known to be false.
    fn count(&mut self, inner: Option<bool>, dwell: u64, now: u64) {
        if self.was == Some(true) {
            self.counted += now - self.looked;
        }
        if inner == Some(false) {
            self.counted = 0;
        }
        self.truth = inner.map(|inner| inner && self.counted >= dwell);
        (self.was, self.looked, self.dwell) = (inner, now, dwell);
    }

    fn full_at(&self) -> Option<u64> {
        (self.was == Some(true)).then(|| (self.looked + self.dwell).saturating_sub(self.counted))
    }
}

/// The `held` conditions in a condition: number, what has to hold, and how long.
fn helds_in(condition: &Condition) -> Vec<(usize, &Condition, u64)> {
    let mut found: Vec<_> = condition.parts().into_iter().flat_map(helds_in).collect();
    if let Condition::Held { id, inner, dwell_s } = condition {
        found.push((*id, &**inner, *dwell_s));
    }
    found
}

/// Whether a message brings something that the condition reads.
fn is_about(condition: &Condition, touch: &Touch) -> bool {
    match touch {
        Touch::Report(places) => Trigger::Level(condition.clone()).places().iter().any(|place| places.contains(place)),
        Touch::Turn(device) => condition.asks_whether_online(device),
        Touch::Alarm { .. } | Touch::Clock => false,
    }
}

/// False if any is false, true if all are true.
fn all(truths: &[Option<bool>]) -> Option<bool> {
    if truths.contains(&Some(false)) {
        return Some(false);
    }
    if truths.contains(&None) { None } else { Some(true) }
}

fn holds(left: &Value, op: Op, right: &Value) -> bool {
    let order = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Int(left), Value::Int(right)) => left.cmp(right),
        (Value::Float(left), Value::Float(right)) => left.total_cmp(right),
        other => panic!("no scene compares these: {other:?}"),
    };
    match op {
        Op::Equal => order == Ordering::Equal,
        Op::NotEqual => order != Ordering::Equal,
        Op::Greater => order == Ordering::Greater,
        Op::GreaterOrEqual => order != Ordering::Less,
        Op::Less => order == Ordering::Less,
        Op::LessOrEqual => order != Ordering::Greater,
    }
}
