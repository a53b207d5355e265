//! The last value of every property and the state of every device.

use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Observation, Online, PropertyIx, Things};
use std::sync::Arc;

/// A property of a device, numbered from 0 without gaps over all devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot(pub(crate) u32);

/// Where each device's properties begin.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    starts: Arc<[u32]>,
}

/// The last that was seen of a property.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) value: Value,
    pub(crate) quality: Quality,
    pub(crate) source_time: Timestamp,
}

/// The last value of every property and the state of every device.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    slots: Slots,
    seen: Vec<Option<Seen>>,
    online: Vec<Online>,
}

impl Slots {
    pub(crate) fn new(things: &Things) -> Self {
        let mut next = 0u32;
        let mut starts = Vec::with_capacity(things.devices().len() + 1);
        starts.push(0);
        for (ix, _) in things.devices() {
            let count = things.model_of(ix).properties.len();
            next = next.saturating_add(u32::try_from(count).expect("a model has fewer than 65,536 properties"));
            starts.push(next);
        }
        Slots { starts: starts.into() }
    }

    /// The slot of a property. The device and the property must be of the loaded site.
    pub(crate) fn of(&self, device: DeviceIx, property: PropertyIx) -> Slot {
        Slot(self.starts[device.0 as usize] + u32::from(property.0))
    }

    /// The same for numbers that come from outside; `None` if the site has no such property.
    fn find(&self, device: DeviceIx, property: PropertyIx) -> Option<Slot> {
        let start = *self.starts.get(device.0 as usize)?;
        let end = *self.starts.get(device.0 as usize + 1)?;
        let at = start + u32::from(property.0);
        (at < end).then_some(Slot(at))
    }

    /// The device and the property of a slot.
    pub(crate) fn place(&self, slot: Slot) -> (DeviceIx, PropertyIx) {
        let device = self.starts.partition_point(|start| *start <= slot.0) - 1;
        let property = u16::try_from(slot.0 - self.starts[device]).expect("a model has fewer than 65,536 properties");
        (DeviceIx(u32::try_from(device).expect("a site has fewer than 2^32 devices")), PropertyIx(property))
    }

    pub(crate) fn len(&self) -> usize {
        self.starts[self.starts.len() - 1] as usize
    }
}

impl Seen {
    /// The value, if it is good.
    pub(crate) fn good(&self) -> Option<&Value> {
        (self.quality.is_good() && self.value != Value::Null).then_some(&self.value)
    }
}

impl Values {
    pub(crate) fn new(slots: Slots) -> Self {
        let devices = slots.starts.len() - 1;
        Values { seen: vec![None; slots.len()], online: vec![Online::Unknown; devices], slots }
    }

    /// Keeps a value; `None` if the site has no such property.
    pub(crate) fn observe(&mut self, device: DeviceIx, observation: &Observation) -> Option<Slot> {
        let slot = self.slots.find(device, observation.property)?;
        self.seen[slot.0 as usize] = Some(Seen {
            value: observation.value.clone(),
            quality: observation.quality,
            source_time: observation.source_time,
        });
        Some(slot)
    }

    /// Keeps a device's state and returns the one before; `None` if the site has no such device.
    pub(crate) fn turn(&mut self, device: DeviceIx, online: Online) -> Option<Online> {
        let state = self.online.get_mut(device.0 as usize)?;
        Some(std::mem::replace(state, online))
    }

    pub(crate) fn seen(&self, slot: Slot) -> Option<&Seen> {
        self.seen[slot.0 as usize].as_ref()
    }

    /// The value, if there is one and it is good.
    pub(crate) fn good(&self, slot: Slot) -> Option<&Value> {
        self.seen(slot)?.good()
    }

    pub(crate) fn online(&self, device: DeviceIx) -> Online {
        self.online[device.0 as usize]
    }
}
