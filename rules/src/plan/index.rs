//! Who has to look when something comes.

use super::{Clause, Condition, HeldIx, HeldPlan, Leaf, Trigger, TriggerIx, WaitIx, What};
use crate::values::{Slot, Slots};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::EventIx;
use std::collections::HashMap;
use std::sync::Arc;

/// A `held` condition, a trigger or a `wait_for`, in one numbering: the `held` conditions first, inner before outer, so
/// that whoever looks in ascending order finds every `held` already up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Watcher(u32);

/// From what comes to the watchers that have to look.
#[derive(Debug, Default)]
pub(crate) struct Index {
    helds: u32,
    triggers: u32,
    slots: Fanout,
    devices: Fanout,
    by_held: Fanout,
    events: HashMap<(DeviceIx, EventIx), Vec<TriggerIx>>,
    rows: HashMap<Arc<str>, Vec<TriggerIx>>,
    /// Whether the clock alone can change what the watcher sees.
    timed: Vec<bool>,
}

/// Lists of watchers by number, ascending, all in one piece of memory.
#[derive(Debug, Default)]
struct Fanout {
    starts: Vec<u32>,
    watchers: Vec<Watcher>,
}

/// Each kind of watcher.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    Held(HeldIx),
    Trigger(TriggerIx),
    Wait(WaitIx),
}

impl Index {
    pub(crate) fn new(
        slots: &Slots,
        devices: usize,
        helds: &[HeldPlan],
        triggers: &[Trigger],
        waits: &[Clause],
    ) -> Self {
        let mut builder = Builder::new(helds);
        helds.iter().for_each(|held| builder.add_condition(&held.inner));
        triggers.iter().for_each(|trigger| builder.add_trigger(&trigger.what));
        waits.iter().for_each(|wait| builder.add_condition(&wait.condition));
        let mut events: HashMap<_, Vec<TriggerIx>> = HashMap::new();
        let mut rows: HashMap<_, Vec<TriggerIx>> = HashMap::new();
        for (at, trigger) in triggers.iter().enumerate() {
            let at = TriggerIx(at as u32);
            match &trigger.what {
                What::Event(device, event) => events.entry((*device, *event)).or_default().push(at),
                What::Row(of) => rows.entry(of.query.clone()).or_default().push(at),
                _ => {}
            }
        }
        Index {
            helds: helds.len() as u32,
            triggers: triggers.len() as u32,
            slots: Fanout::new(slots.len(), builder.slots),
            devices: Fanout::new(devices, builder.devices),
            by_held: Fanout::new(helds.len(), builder.helds),
            events,
            rows,
            timed: builder.timed,
        }
    }

    pub(crate) fn of_slot(&self, slot: Slot) -> &[Watcher] {
        self.slots.of(slot.0)
    }

    pub(crate) fn of_device(&self, device: DeviceIx) -> &[Watcher] {
        self.devices.of(device.0)
    }

    /// Those that a `held` condition is part of, and itself.
    pub(crate) fn of_held(&self, held: HeldIx) -> &[Watcher] {
        self.by_held.of(held.0)
    }

    pub(crate) fn of_event(&self, device: DeviceIx, event: EventIx) -> &[TriggerIx] {
        self.events.get(&(device, event)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of_query(&self, query: &str) -> &[TriggerIx] {
        self.rows.get(query).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_timed(&self, watcher: Watcher) -> bool {
        self.timed[watcher.0 as usize]
    }

    pub(crate) fn who(&self, watcher: Watcher) -> Who {
        match watcher.0.checked_sub(self.helds) {
            None => Who::Held(HeldIx(watcher.0)),
            Some(trigger) if trigger < self.triggers => Who::Trigger(TriggerIx(trigger)),
            Some(behind) => Who::Wait(WaitIx(behind - self.triggers)),
        }
    }

    pub(crate) fn of_wait(&self, wait: WaitIx) -> Watcher {
        Watcher(self.helds + self.triggers + wait.0)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Watcher> + use<> {
        (0..self.timed.len() as u32).map(Watcher)
    }
}

impl Fanout {
    fn new(keys: usize, mut pairs: Vec<(u32, Watcher)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let starts = (0..=keys as u32).map(|key| pairs.partition_point(|(k, _)| *k < key) as u32).collect();
        Fanout { starts, watchers: pairs.into_iter().map(|(_, watcher)| watcher).collect() }
    }

    fn of(&self, key: u32) -> &[Watcher] {
        let at = key as usize;
        &self.watchers[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// Collects pairs of what is read and who reads it.
struct Builder<'a> {
    plans: &'a [HeldPlan],
    slots: Vec<(u32, Watcher)>,
    devices: Vec<(u32, Watcher)>,
    helds: Vec<(u32, Watcher)>,
    timed: Vec<bool>,
}

impl<'a> Builder<'a> {
    fn new(plans: &'a [HeldPlan]) -> Self {
        let helds = (0..plans.len() as u32).map(|held| (held, Watcher(held))).collect();
        Builder { plans, slots: vec![], devices: vec![], helds, timed: vec![] }
    }

    fn add_trigger(&mut self, what: &What) {
        match what {
            What::Edge(condition) | What::Level(condition) => self.add_condition(condition),
            What::Changed(slot) => {
                self.slots.push((slot.0, self.next()));
                self.timed.push(false);
            }
            What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => self.timed.push(false),
        }
    }

    fn add_condition(&mut self, condition: &Condition) {
        let watcher = self.next();
        let mut timed = false;
        let mut inner = self.visit(condition, watcher, &mut timed);
        while let Some(held) = inner.pop() {
            self.helds.push((held.0, watcher));
            // What the clock does to an inner condition is the business of that condition's own watcher.
            inner.extend(self.visit(&self.plans[held.0 as usize].inner, watcher, &mut false));
        }
        self.timed.push(timed);
    }

    fn visit(&mut self, condition: &Condition, watcher: Watcher, timed: &mut bool) -> Vec<HeldIx> {
        let mut helds = vec![];
        condition.each_leaf(&mut |leaf| match leaf {
            Leaf::Slot(slot) => self.slots.push((slot.0, watcher)),
            Leaf::Device(device) => self.devices.push((device.0, watcher)),
            Leaf::Held(held) => helds.push(held),
            Leaf::Clock => *timed = true,
            Leaf::Script => {}
        });
        helds
    }

    fn next(&self) -> Watcher {
        Watcher(self.timed.len() as u32)
    }
}
