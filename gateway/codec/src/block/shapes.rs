//! Which properties a report tells, and which report of the frame it can be compared with.
//!
//! A list of properties is spelled out once in a frame; from then on it has a number.

use super::budget::Budget;
use crate::coder::Probability;
use crate::number::Number;
use crate::stream::{Sink, Source};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::PropertyIx;
use std::collections::HashMap;
use std::rc::Rc;

/// The lists of properties so far, and the last report with each.
#[derive(Default)]
pub(super) struct Shapes {
    lists: Vec<Rc<[PropertyIx]>>,
    /// Their numbers; used by the encoder alone.
    numbers: HashMap<Rc<[PropertyIx]>, usize>,
    /// The last report with each list.
    alike: Vec<Place>,
    /// The last report of each device with each list.
    own: HashMap<(DeviceIx, usize), Place>,
    /// The last list of each device.
    of_device: HashMap<DeviceIx, usize>,
    last: usize,
    expected: Probability,
    number: Number,
    length: Number,
    step: Number,
}

/// Where a report of the frame is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Its message.
    pub(super) message: usize,
    /// Its first value among all values of the frame.
    pub(super) value: usize,
}

/// The report that another one is compared with, value by value: they have the same properties.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reference {
    pub(super) place: Place,
    pub(super) kin: Kin,
}

/// Whose report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kin {
    /// The same device's.
    Own = 0,
    /// Another device's.
    Alike = 1,
}

impl Shapes {
    pub(super) fn encode(&mut self, device: DeviceIx, list: &[PropertyIx], sink: &mut Sink) -> usize {
        if let Some(expected) = self.expect(device) {
            let hit = *self.lists[expected] == *list;
            sink.bit(&mut self.expected, hit);
            if hit {
                return expected;
            }
        }
        let known = self.numbers.get(list).copied();
        self.number.encode(known.map_or(0, |number| number as i64 + 1), sink);
        known.unwrap_or_else(|| {
            self.spell(list, sink);
            let list: Rc<[PropertyIx]> = list.into();
            self.numbers.insert(list.clone(), self.lists.len());
            self.add(list)
        })
    }

    pub(super) fn decode(&mut self, device: DeviceIx, source: &mut Source<'_>, budget: &mut Budget) -> Option<usize> {
        if let Some(expected) = self.expect(device)
            && source.bit(&mut self.expected)
        {
            budget.values(self.lists[expected].len())?;
            return Some(expected);
        }
        let number = usize::try_from(self.number.decode(source).0).ok()?;
        match number.checked_sub(1) {
            Some(known) => budget.values(self.lists.get(known)?.len())?,
            None => {
                let list = self.read(source, budget)?;
                self.add(list);
            }
        }
        Some(number.checked_sub(1).unwrap_or(self.lists.len() - 1))
    }

    /// Its properties.
    pub(super) fn list(&self, shape: usize) -> Rc<[PropertyIx]> {
        self.lists[shape].clone()
    }

    /// What to compare a report with, and from now on others with it.
    pub(super) fn place(&mut self, device: DeviceIx, shape: usize, place: Place) -> Option<Reference> {
        self.last = shape;
        self.of_device.insert(device, shape);
        let own = self.own.insert((device, shape), place).map(|place| Reference { place, kin: Kin::Own });
        let alike = match self.alike.get_mut(shape) {
            Some(last) => Some(Reference { place: std::mem::replace(last, place), kin: Kin::Alike }),
            None => {
                self.alike.push(place);
                None
            }
        };
        own.or(alike)
    }

    /// The last list of this device, or of any.
    fn expect(&self, device: DeviceIx) -> Option<usize> {
        (!self.lists.is_empty()).then(|| self.of_device.get(&device).copied().unwrap_or(self.last))
    }

    fn add(&mut self, list: Rc<[PropertyIx]>) -> usize {
        self.lists.push(list);
        self.lists.len() - 1
    }

    fn spell(&mut self, list: &[PropertyIx], sink: &mut Sink) {
        self.length.encode(list.len() as i64, sink);
        let mut next = 0;
        for property in list {
            self.step.encode(i64::from(property.0) - next, sink);
            next = i64::from(property.0) + 1;
        }
    }

    fn read(&mut self, source: &mut Source<'_>, budget: &mut Budget) -> Option<Rc<[PropertyIx]>> {
        let length = usize::try_from(self.length.decode(source).0).ok()?;
        budget.values(length)?;
        let mut next = 0_i64;
        let property = |_| {
            let property = u16::try_from(next.checked_add(self.step.decode(source).0)?).ok()?;
            next = i64::from(property) + 1;
            Some(PropertyIx(property))
        };
        (0..length).map(property).collect()
    }
}
