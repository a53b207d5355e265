//! What the scripts declared, proved against the models and numbered. Nothing in it changes after loading.

mod condition;
mod index;
mod moment;
mod program;
mod schedule;

pub(crate) use condition::{Condition, HeldIx, Leaf, Op, Operand, Truth, WaitIx, World, bit};
pub(crate) use index::{Index, Watcher, Who};
pub(crate) use moment::{Locale, Moment, Sun, zoned};
pub use program::command_text;
pub(crate) use program::{Act, Computed, Deed, Doing, How, Program, Step};
pub(crate) use schedule::Schedule;

use crate::values::{Seen, Slot, Slots};
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{DataType, EventIx, Row, Things};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// All scenes of a site.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) things: Arc<Things>,
    pub(crate) slots: Slots,
    pub(crate) locale: Locale,
    pub(crate) echo: Duration,
    /// How many decisions each scene remembers.
    pub(crate) decisions: usize,
    /// By priority, the highest first, then by name: of two that are set off by one message, the first acts first.
    pub(crate) scenes: Vec<Scene>,
    pub(crate) names: HashMap<Arc<str>, SceneIx>,
    /// Those of one scene are neighbours.
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) helds: Vec<HeldPlan>,
    /// What `wait_for` steps wait for.
    pub(crate) waits: Vec<Clause>,
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
    /// In characters, from 1.
    pub(crate) column: u32,
    pub(crate) triggers: Range<u32>,
    /// All must be true.
    pub(crate) conditions: Vec<Clause>,
    /// Whether some condition asks a script.
    pub(crate) asks_scripts: bool,
    pub(crate) then: Arc<Program>,
    pub(crate) otherwise: Arc<Program>,
    pub(crate) cooldown: Duration,
    pub(crate) mode: Mode,
    /// Whether mode and cooldown count for each device alone.
    pub(crate) per_device: bool,
    pub(crate) priority: i64,
    /// How late a run may go on after a restart; `None` as [`Scene::may_be_late`] says.
    pub(crate) resume_within: Option<Duration>,
    pub(crate) on_update: OnUpdate,
    pub(crate) at_most: Rate,
    /// It decides and traces and sends nothing.
    pub(crate) shadow: bool,
    /// Findings that the author has looked at.
    pub(crate) allows: Vec<Finding>,
    /// The same for the same words: runs of another version do not go on.
    pub(crate) version: u64,
}

/// How often a scene may fire before it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) per: Duration,
}

/// How often a scene may fire, unless it says: more is a loop that nothing else has found.
pub(crate) const RATE: Rate = Rate { count: 200, per: Duration::from_secs(10) };

/// What becomes of a run when its scene has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnUpdate {
    /// It ends, and the trace says so.
    #[default]
    Abandon,
    /// The new version begins from its first step.
    Restart,
}

/// What a proof may warn of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Loop,
    Conflict,
    /// Nothing sets it off but a person.
    Idle,
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
    /// It waits for the running one to end.
    Queue,
    /// Both run.
    Parallel,
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
    Cron(Schedule),
    /// The gateway starts.
    Start,
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
    /// The condition with its span: what a clock is remembered by.
    pub(crate) text: Arc<str>,
}

/// How late a run may go on after a restart, unless its scene says.
const LATE_MAX: Duration = Duration::from_secs(60 * 60);

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
        show_rounded(self.data_type(slot), &seen.value)
    }

    /// Visits the properties and devices that a condition reads, also through `held`, in the order of the script.
    pub(crate) fn each_source(&self, condition: &Condition, visit: &mut dyn FnMut(Leaf)) {
        condition.each_leaf(&mut |leaf| match leaf {
            Leaf::Held(held) => self.each_source(&self.helds[held.0 as usize].inner, visit),
            leaf => visit(leaf),
        });
    }
}

impl Scene {
    /// How late a run may go on after a restart. A set-point of before must not come back by itself, so with something
    /// left to write to a device it may not go on at all.
    pub(crate) fn may_be_late(&self, writes: bool) -> Option<Duration> {
        self.resume_within.or_else(|| (!writes).then_some(LATE_MAX))
    }

    pub(crate) fn program(&self, block: Block) -> &Arc<Program> {
        match block {
            Block::Then => &self.then,
            Block::Otherwise => &self.otherwise,
        }
    }
}

/// One of a scene's two lists of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Block {
    Then,
    Otherwise,
}

impl What {
    /// The condition, if that is what it waits for.
    pub(crate) fn condition(&self) -> Option<&Condition> {
        match self {
            What::Edge(condition) | What::Level(condition) => Some(condition),
            What::Changed(_) | What::Event(..) | What::Row(_) | What::Cron(_) | What::Start => None,
        }
    }

    /// Visits what it reads directly.
    pub(crate) fn each_leaf(&self, visit: &mut impl FnMut(Leaf)) {
        match self {
            What::Edge(condition) | What::Level(condition) => condition.each_leaf(visit),
            What::Changed(slot) => visit(Leaf::Slot(*slot)),
            What::Event(device, _) => visit(Leaf::Device(*device)),
            What::Row(_) | What::Start => {}
            What::Cron(_) => visit(Leaf::Clock),
        }
    }
}

/// A value as people write it, exactly: an enum's label, a number with its unit. Texts that are kept are made of it.
pub(crate) fn show(data_type: &DataType, value: &Value) -> String {
    match (data_type, value) {
        (DataType::Enum(labels), Value::Int(number)) => match labels.get(number) {
            Some(label) => label.clone(),
            None => number.to_string(),
        },
        (data_type, value @ (Value::Int(_) | Value::Float(_))) => match data_type.unit() {
            Some(unit) if !unit.is_empty() => format!("{value} {unit}"),
            _ => value.to_string(),
        },
        (_, Value::Text(text)) => format!("\"{text}\""),
        (_, value) => value.to_string(),
    }
}

/// The same with three digits behind the point at most: more of them tell people nothing.
pub(crate) fn show_rounded(data_type: &DataType, value: &Value) -> String {
    match value {
        Value::Float(number) if number.abs() < 1e9 => {
            show(data_type, &Value::Float((number * 1000.0).round() / 1000.0))
        }
        other => show(data_type, other),
    }
}
