//! Renumbering recorded messages.

use super::Names;
use super::mapping::{Mapping, Mappings};
use crate::message::{Action, Body, Message};
use crate::things::Things;
use edgeway_sdk::DeviceIx;
use std::sync::Arc;

/// From the numbers of recorded messages to those of the loaded site.
#[derive(Debug, Clone)]
pub struct Translator {
    devices: Vec<Option<(DeviceIx, Arc<Mapping>)>>,
}

impl Translator {
    /// Prepares for the messages that were recorded under these names. Call [`Things::remember`] with the same names
    /// before, or what the site no longer has cannot be translated.
    pub fn new(names: &Names, things: &Things) -> Self {
        let mut mappings = Mappings::new(names);
        let devices = names.devices.iter().map(|old| mappings.stand_in(&old.id, old.model, things));
        Translator { devices: devices.collect() }
    }

    /// The message in the numbers of the loaded site; `None` if it speaks of something that its names do not have.
    /// One look-up for each number, so a message about things that have not moved costs no more than checking it.
    pub fn translate(&self, mut message: Message) -> Option<Message> {
        match &mut message.body {
            Body::Report(report) => {
                let mapping = self.move_device(&mut report.device)?;
                for observation in &mut report.values {
                    renumber(&mapping.properties, &mut observation.property.0)?;
                }
            }
            Body::Event(event) => renumber(&self.move_device(&mut event.device)?.events, &mut event.event.0)?,
            Body::Status(status) => {
                self.move_device(&mut status.device)?;
            }
            Body::Command(record) => {
                let mapping = self.move_device(&mut record.command.device)?;
                match &mut record.command.action {
                    Action::Set { property, .. } => renumber(&mapping.properties, &mut property.0)?,
                    Action::Invoke { service, .. } => renumber(&mapping.services, &mut service.0)?,
                }
            }
            Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {}
        }
        Some(message)
    }

    fn move_device(&self, device: &mut DeviceIx) -> Option<&Mapping> {
        let (new, mapping) = self.devices.get(device.0 as usize)?.as_ref()?;
        *device = *new;
        Some(mapping)
    }
}

fn renumber(new: &[u16], number: &mut u16) -> Option<()> {
    *number = *new.get(usize::from(*number))?;
    Some(())
}
