//! Verdicts about subjects. Subjects of devices repeat, so what was decided for them is remembered by number and no text
//! is made.

use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Body, EventIx, Message, Things};
use std::collections::HashMap;

/// What was decided for the subjects of devices.
pub(crate) struct Verdicts<T> {
    known: HashMap<Known, T>,
}

#[derive(PartialEq, Eq, Hash)]
enum Known {
    Report(DeviceIx),
    Event(DeviceIx, EventIx),
    Status(DeviceIx),
    Command(DeviceIx),
}

impl<T> Default for Verdicts<T> {
    fn default() -> Self {
        Verdicts { known: HashMap::new() }
    }
}

impl<T: Copy> Verdicts<T> {
    /// The verdict about a message's subject.
    pub(crate) fn of(&mut self, message: &Message, things: &Things, judge: impl FnOnce(&str) -> T) -> T {
        let Some(known) = known(message) else { return judge(&message.subject(things)) };
        *self.known.entry(known).or_insert_with(|| judge(&message.subject(things)))
    }
}

/// The device that a message is about.
pub(crate) fn device(message: &Message) -> Option<DeviceIx> {
    match &message.body {
        Body::Report(report) => Some(report.device),
        Body::Event(event) => Some(event.device),
        Body::Status(status) => Some(status.device),
        Body::Command(record) => Some(record.command.device),
        Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => None,
    }
}

fn known(message: &Message) -> Option<Known> {
    match &message.body {
        Body::Report(report) => Some(Known::Report(report.device)),
        Body::Event(event) => Some(Known::Event(event.device, event.event)),
        Body::Status(status) => Some(Known::Status(status.device)),
        Body::Command(record) => Some(Known::Command(record.command.device)),
        Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => None,
    }
}
