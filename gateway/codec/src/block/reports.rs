//! Reports: nearly all of the traffic.

use super::budget::Budget;
use super::observations::{Observations, Past};
use super::report;
use super::shapes::{Place, Shapes};
use crate::number::Number;
use crate::stream::{Sink, Source};
use crate::unit::Unit;
use edgeway_sdk::{DeviceIx, Timestamp};
use edgeway_thing_models::{Message, Observation, PropertyIx, Report};
use std::borrow::Borrow;
use std::sync::Arc;

/// What is expected of the next report.
pub(super) struct Reports {
    /// The device of the last one.
    device: i64,
    devices: Number,
    shapes: Shapes,
    observations: Observations,
}

impl Reports {
    pub(super) fn new(source_unit: Unit) -> Self {
        Reports {
            device: -1,
            devices: Number::default(),
            shapes: Shapes::default(),
            observations: Observations::new(source_unit),
        }
    }

    /// Writes the report that is `at` its place among the messages.
    pub(super) fn encode(&mut self, messages: &[Arc<Message>], at: usize, sink: &mut Sink) {
        let message = &messages[at];
        let Report { device, values } = report(message).expect("only reports get here");
        self.devices.encode(i64::from(device.0) - self.device, sink);
        self.device = i64::from(device.0);
        let list: Vec<PropertyIx> = values.iter().map(|observation| observation.property).collect();
        let shape = self.shapes.encode(*device, &list, sink);
        let reference = self.shapes.place(*device, shape, self.observations.place(at));
        let past = reference.map(|reference| Past::new(values_at(messages, reference.place), reference));
        self.observations.encode(message.time, values, past, sink);
    }

    pub(super) fn decode(
        &mut self,
        time: Timestamp,
        messages: &[Message],
        source: &mut Source<'_>,
        budget: &mut Budget,
    ) -> Option<Report> {
        self.device = self.device.checked_add(self.devices.decode(source).0)?;
        let device = DeviceIx(u32::try_from(self.device).ok()?);
        let shape = self.shapes.decode(device, source, budget)?;
        let reference = self.shapes.place(device, shape, self.observations.place(messages.len()));
        let past = reference.map(|reference| Past::new(values_at(messages, reference.place), reference));
        let values = self.observations.decode(time, &self.shapes.list(shape), past, source)?;
        Some(Report { device, values })
    }
}

fn values_at<M: Borrow<Message>>(messages: &[M], place: Place) -> &[Observation] {
    report(messages[place.message].borrow()).map_or(&[], |report| &report.values)
}
