//! What came with the cause of a run: what `cause()` shows to closures, and the device that a run is for.

use crate::plan::Plan;
use crate::plan::{Leaf, TriggerIx, What};
use crate::values::Values;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{Event, Row};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What came with the cause of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// The id of the device that it came from.
    pub(crate) device: Option<Arc<str>>,
    /// The property, the event or the query.
    pub(crate) name: Arc<str>,
    /// A property's value, what an event carries, a row's columns.
    pub(crate) values: Vec<(Arc<str>, Value)>,
}

/// What kind of thing it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Property,
    Event,
    Row,
    Device,
}

impl Kind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Property => "property",
            Kind::Event => "event",
            Kind::Row => "row",
            Kind::Device => "device",
        }
    }
}

impl Facts {
    pub(crate) fn of_event(plan: &Plan, event: &Event) -> Facts {
        let name = plan.things.model_of(event.device).events[usize::from(event.event.0)].identifier.clone();
        let device = Some(plan.things.device(event.device).id.clone());
        Facts { kind: Kind::Event, device, name, values: event.output.clone() }
    }

    /// A row is of the device that its column `device` names.
    pub(crate) fn of_row(row: &Row) -> Facts {
        let values: Vec<(Arc<str>, Value)> = row.columns.iter().cloned().zip(row.values.iter().cloned()).collect();
        let device = values.iter().find(|(name, _)| &**name == "device").and_then(|(_, value)| match value {
            Value::Text(id) => Some(id.clone()),
            _ => None,
        });
        Facts { kind: Kind::Row, device, name: row.query.clone(), values }
    }

    /// Of a property or a device's state: the first that the trigger reads.
    pub(crate) fn of_trigger(plan: &Plan, values: &Values, trigger: TriggerIx) -> Option<Facts> {
        let device = plan.device_of(trigger)?;
        let id = Some(plan.things.device(device).id.clone());
        let Some(slot) = plan.slot_of(trigger) else {
            return Some(Facts { kind: Kind::Device, device: id, name: "".into(), values: vec![] });
        };
        let (device, property) = plan.slots.place(slot);
        let name = plan.things.property(device, property).identifier.clone();
        let value = values.good(slot).cloned().unwrap_or(Value::Null);
        Some(Facts { kind: Kind::Property, device: id, name: name.clone(), values: vec![(name, value)] })
    }
}

impl Plan {
    /// The first property that a trigger reads.
    fn slot_of(&self, trigger: TriggerIx) -> Option<crate::values::Slot> {
        let mut found = None;
        self.each_leaf_of(trigger, &mut |leaf| {
            if let (None, Leaf::Slot(slot)) = (found, leaf) {
                found = Some(slot);
            }
        });
        found
    }

    /// The first device that a trigger reads.
    pub(crate) fn device_of(&self, trigger: TriggerIx) -> Option<DeviceIx> {
        let mut found = None;
        self.each_leaf_of(trigger, &mut |leaf| match leaf {
            Leaf::Slot(slot) if found.is_none() => found = Some(self.slots.place(slot).0),
            Leaf::Device(device) if found.is_none() => found = Some(device),
            _ => {}
        });
        found
    }

    fn each_leaf_of(&self, trigger: TriggerIx, visit: &mut impl FnMut(Leaf)) {
        match &self.trigger(trigger).what {
            What::Edge(condition) | What::Level(condition) => self.each_source(condition, visit),
            what => what.each_leaf(visit),
        }
    }
}
