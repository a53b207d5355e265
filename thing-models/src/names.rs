//! Names for recorded numbers.
//!
//! Messages carry numbers that mean something only in the site that was loaded when they were made. What is recorded
//! therefore begins with the [`Names`] of that site. When it is read in another one, [`Things::remember`] adds what the
//! site no longer has, and a [`Translator`] renumbers the messages.

mod mapping;
mod remember;
mod translator;

pub use translator::Translator;

use crate::model::Model;
use crate::things::{ModelIx, Things};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The names that numbers stood for when messages were recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Names {
    models: Vec<ModelNames>,
    devices: Vec<DeviceNames>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct ModelNames {
    name: Arc<str>,
    properties: Vec<PropertyNames>,
    events: Vec<Arc<str>>,
    services: Vec<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct PropertyNames {
    identifier: Arc<str>,
    unit: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct DeviceNames {
    id: Arc<str>,
    model: ModelIx,
    /// Retired already when this was recorded: only what was recorded before speaks of it.
    retired: bool,
}

impl Names {
    /// All names of a site, in the order of their numbers.
    pub fn of(things: &Things) -> Self {
        let devices = things.devices().map(|(ix, device)| DeviceNames {
            id: device.id.clone(),
            model: device.model,
            retired: things.is_retired(ix),
        });
        Names { models: things.models().map(|(_, model)| ModelNames::of(model)).collect(), devices: devices.collect() }
    }
}

impl ModelNames {
    fn of(model: &Model) -> Self {
        let properties = model.properties.iter().map(|property| PropertyNames {
            identifier: property.identifier.clone(),
            unit: property.data_type.unit().cloned(),
        });
        ModelNames {
            name: model.name.clone(),
            properties: properties.collect(),
            events: model.events.iter().map(|event| event.identifier.clone()).collect(),
            services: model.services.iter().map(|service| service.identifier.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
