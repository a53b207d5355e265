//! Keeping what recorded messages speak of.

use super::mapping::Mappings;
use super::{ModelNames, Names, PropertyNames};
use crate::model::{CallType, DataType, EventKind, EventModel, Model, Property, Range, Service};
use crate::things::{Device, ModelIx, Things};
use edgeway_sdk::Access;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Things {
    /// Adds what recorded messages speak of and the site no longer has, so that they can still be delivered under
    /// their old names.
    ///
    /// A device that is gone, whose model has another name now, or whose model lost something or changed a unit, is
    /// added as a retired one; the same id can thus stand for a current and several retired devices. A device that was
    /// retired already when the messages were recorded is added only if older messages call for it, so that retired
    /// devices vanish with the last message about them.
    pub fn remember(&mut self, names: &Names) {
        let mut mappings = Mappings::new(names);
        for device in names.devices.iter().filter(|device| !device.retired) {
            if mappings.stand_in(&device.id, device.model, self).is_some() {
                continue;
            }
            if let Some(model) = self.remembered_model(device.model, &mut mappings) {
                self.add_retired_device(Device { id: device.id.clone(), model, labels: BTreeMap::new() });
            }
        }
    }

    /// A loaded model that has all that the recorded one had; a reconstruction if there is none.
    fn remembered_model(&mut self, old: ModelIx, mappings: &mut Mappings<'_>) -> Option<ModelIx> {
        let names = mappings.old(old)?;
        let known = self.models().filter(|(_, model)| model.name == names.name).map(|(ix, _)| ix);
        let known: Vec<ModelIx> = known.collect();
        if let Some(ix) = known.into_iter().find(|ix| mappings.between(old, *ix, self).is_some()) {
            return Some(ix);
        }
        let now = self.model_ix(&names.name).map(|ix| self.model(ix).clone());
        Some(self.add_retired_model(Arc::new(names.reconstructed(now.as_deref()))))
    }
}

impl ModelNames {
    /// The model that the names are left of. What today's model of the same name still has is taken from there.
    fn reconstructed(&self, now: Option<&Model>) -> Model {
        let event =
            |name: &Arc<str>| now.and_then(|now| now.event(name)).map_or_else(|| lost_event(name), |(_, e)| e.clone());
        let service = |name: &Arc<str>| {
            now.and_then(|now| now.service(name)).map_or_else(|| lost_service(name), |(_, s)| s.clone())
        };
        Model {
            name: self.name.clone(),
            title: now.map_or_else(|| self.name.to_string(), |now| now.title.clone()),
            properties: self.properties.iter().map(|property| property.reconstructed(now)).collect(),
            events: self.events.iter().map(event).collect(),
            services: self.services.iter().map(service).collect(),
        }
    }
}

impl PropertyNames {
    fn reconstructed(&self, now: Option<&Model>) -> Property {
        let found = now.and_then(|now| now.property(&self.identifier)).map(|(_, property)| property);
        match found.filter(|property| property.data_type.unit() == self.unit.as_ref()) {
            Some(property) => property.clone(),
            None => self.lost(),
        }
    }

    /// Its type is lost. A double without limits carries the unit and changes no recorded value.
    fn lost(&self) -> Property {
        Property {
            identifier: self.identifier.clone(),
            name: self.identifier.to_string(),
            access: Access::Read,
            required: false,
            data_type: DataType::Double(Range { unit: self.unit.clone(), ..Range::default() }),
            description: String::new(),
        }
    }
}

fn lost_event(name: &Arc<str>) -> EventModel {
    EventModel { identifier: name.clone(), name: name.to_string(), kind: EventKind::Info, output: vec![] }
}

fn lost_service(name: &Arc<str>) -> Service {
    let (input, output) = (vec![], vec![]);
    Service { identifier: name.clone(), name: name.to_string(), call_type: CallType::Async, input, output }
}
