//! What the scripts declared, proved against the models and numbered. Nothing in it changes after loading.

mod condition;
mod index;
mod schedule;

pub(crate) use condition::{Condition, HeldIx, Leaf, Op, Operand, Truth, World};
pub(crate) use index::{Index, Watcher, Who};
pub(crate) use schedule::{Schedule, zoned};

use crate::scripts::Closure;
use crate::values::{Seen, Slot, Slots};
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{DataType, EventIx, PropertyIx, Row, ServiceIx, Things};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// All scenes of a site.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) things: Arc<Things>,
    pub(crate) slots: Slots,
    pub(crate) zone: TimeZone,
    pub(crate) echo: Duration,
    /// By priority, the highest first, then by name: of two that are set off by one message, the first acts first.
    pub(crate) scenes: Vec<Scene>,
    pub(crate) names: HashMap<Arc<str>, SceneIx>,
    /// Those of one scene are neighbours.
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) helds: Vec<HeldPlan>,
    pub(crate) index: Index,
}

/// A place in [`Plan::scenes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SceneIx(pub(crate) u32);

/// A place in [`Plan::triggers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TriggerIx(pub(crate) u32);

/// One scene.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) name: Arc<str>,
    pub(crate) title: String,
    pub(crate) file: Arc<str>,
    pub(crate) line: usize,
    pub(crate) triggers: Range<u32>,
    /// All must be true.
    pub(crate) conditions: Vec<Clause>,
    pub(crate) then: Arc<[Step]>,
    pub(crate) otherwise: Arc<[Step]>,
    pub(crate) cooldown: Duration,
    pub(crate) mode: Mode,
    pub(crate) priority: i64,
}

/// A condition with the text that traces show.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    pub(crate) condition: Condition,
    pub(crate) text: Arc<str>,
}

/// What a scene does when it is set off while it still runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mode {
    /// It lets the running one finish.
    #[default]
    Single,
    /// It ends the running one and begins again.
    Restart,
}

/// What sets a scene off.
#[derive(Debug)]
pub(crate) struct Trigger {
    pub(crate) scene: SceneIx,
    pub(crate) text: Arc<str>,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    /// The condition turns from known false to true.
    Edge(Condition),
    /// A report comes and the condition is true.
    Level(Condition),
    /// A good value differs from the good value before.
    Changed(Slot),
    Event(DeviceIx, EventIx),
    /// A row of a query comes.
    Row(Arc<RowOf>),
    Cron(Box<Schedule>),
}

/// Which rows of a query are meant.
#[derive(Debug)]
pub(crate) struct RowOf {
    pub(crate) query: Arc<str>,
    /// What columns have to hold.
    pub(crate) columns: Vec<(Arc<str>, Value)>,
}

impl RowOf {
    pub(crate) fn is(&self, row: &Row) -> bool {
        let value = |name: &Arc<str>| row.columns.iter().position(|column| column == name).map(|at| &row.values[at]);
        self.columns.iter().all(|(name, wanted)| value(name).is_some_and(|found| is_same(found, wanted)))
    }
}

/// A number is the same with a fraction of nothing and without one; whether something is true, not a number.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => found.as_f64() == wanted.as_f64(),
        _ => found == wanted,
    }
}

/// A `held` condition.
#[derive(Debug, Clone)]
pub(crate) struct HeldPlan {
    pub(crate) inner: Condition,
    pub(crate) dwell: Duration,
}

/// What a scene does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Set { device: DeviceIx, property: PropertyIx, value: Computed<Value> },
    Invoke { device: DeviceIx, service: ServiceIx, input: Vec<(Arc<str>, Value)> },
    Notify { channel: Arc<str>, text: Computed<Arc<str>> },
    Delay(Duration),
    RunScene(SceneIx),
    Run(Arc<Closure>),
}

/// Known while loading, or asked of a script each time.
#[derive(Debug, Clone)]
pub(crate) enum Computed<T> {
    Fixed(T),
    Script(Arc<Closure>),
}

impl Plan {
    pub(crate) fn scene(&self, ix: SceneIx) -> &Scene {
        &self.scenes[ix.0 as usize]
    }

    pub(crate) fn trigger(&self, ix: TriggerIx) -> &Trigger {
        &self.triggers[ix.0 as usize]
    }

    pub(crate) fn data_type(&self, slot: Slot) -> &DataType {
        let (device, property) = self.slots.place(slot);
        &self.things.property(device, property).data_type
    }

    /// `wt-07.state`.
    pub(crate) fn slot_name(&self, slot: Slot) -> String {
        let (device, property) = self.slots.place(slot);
        format!("{}.{}", self.things.device(device).id, self.things.property(device, property).identifier)
    }

    /// The value as people read it: an enum's label, a number with its unit.
    pub(crate) fn show(&self, slot: Slot, seen: &Seen) -> String {
        show(self.data_type(slot), &seen.value)
    }

    /// Visits the properties and devices that a condition reads, also through `held`.
    pub(crate) fn each_source(&self, condition: &Condition, visit: &mut impl FnMut(Leaf)) {
        let mut helds = vec![];
        condition.each_leaf(&mut |leaf| match leaf {
            Leaf::Held(held) => helds.push(held),
            leaf => visit(leaf),
        });
        while let Some(held) = helds.pop() {
            self.helds[held.0 as usize].inner.each_leaf(&mut |leaf| match leaf {
                Leaf::Held(inner) => helds.push(inner),
                leaf => visit(leaf),
            });
        }
    }
}

impl What {
    /// The condition, if that is what it waits for.
    pub(crate) fn condition(&self) -> Option<&Condition> {
        match self {
            What::Edge(condition) | What::Level(condition) => Some(condition),
            What::Changed(_) | What::Event(..) | What::Row(_) | What::Cron(_) => None,
        }
    }

    /// Visits what it reads directly.
    pub(crate) fn each_leaf(&self, visit: &mut impl FnMut(Leaf)) {
        match self {
            What::Edge(condition) | What::Level(condition) => condition.each_leaf(visit),
            What::Changed(slot) => visit(Leaf::Slot(*slot)),
            What::Event(device, _) => visit(Leaf::Device(*device)),
            What::Row(_) => {}
            What::Cron(_) => visit(Leaf::Clock),
        }
    }
}

/// A value as people read it: an enum's label, a number with its unit.
pub(crate) fn show(data_type: &DataType, value: &Value) -> String {
    match (data_type, value) {
        (DataType::Enum(labels), Value::Int(number)) => match labels.get(number) {
            Some(label) => label.clone(),
            None => number.to_string(),
        },
        (data_type, value @ (Value::Int(_) | Value::Float(_))) => match data_type.unit() {
            Some(unit) if !unit.is_empty() => format!("{} {unit}", number(value)),
            _ => number(value),
        },
        (_, Value::Text(text)) => format!("\"{text}\""),
        (_, value) => value.to_string(),
    }
}

/// Fractions with three digits at most: more of them tell people nothing.
fn number(value: &Value) -> String {
    match value {
        Value::Float(number) if number.abs() < 1e9 => ((number * 1000.0).round() / 1000.0).to_string(),
        other => other.to_string(),
    }
}
