//! Which numbers of a recorded model are which of a loaded one.

use super::{ModelNames, Names, PropertyNames};
use crate::model::Model;
use crate::things::{ModelIx, Things};
use edgeway_sdk::DeviceIx;
use std::collections::HashMap;
use std::sync::Arc;

/// The loaded numbers at the places of the recorded ones; complete, or it does not exist.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) properties: Vec<u16>,
    pub(super) events: Vec<u16>,
    pub(super) services: Vec<u16>,
}

impl Mapping {
    /// `None` if the loaded model does not have everything that the recorded one had, in the same units.
    fn new(old: &ModelNames, new: &Model) -> Option<Self> {
        let property = |old: &PropertyNames| {
            let (ix, property) = new.property(&old.identifier)?;
            (property.data_type.unit() == old.unit.as_ref()).then_some(ix.0)
        };
        (old.name == new.name).then_some(())?;
        Some(Mapping {
            properties: old.properties.iter().map(property).collect::<Option<_>>()?,
            events: old.events.iter().map(|name| Some(new.event(name)?.0.0)).collect::<Option<_>>()?,
            services: old.services.iter().map(|name| Some(new.service(name)?.0.0)).collect::<Option<_>>()?,
        })
    }
}

/// The mappings made so far: many devices share few models.
pub(super) struct Mappings<'a> {
    names: &'a Names,
    made: HashMap<(ModelIx, ModelIx), Option<Arc<Mapping>>>,
}

impl<'a> Mappings<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Mappings { names, made: HashMap::new() }
    }

    /// What a recorded model was; `None` if the names are damaged.
    pub(super) fn old(&self, model: ModelIx) -> Option<&'a ModelNames> {
        self.names.models.get(usize::from(model.0))
    }

    pub(super) fn between(&mut self, old: ModelIx, new: ModelIx, things: &Things) -> Option<Arc<Mapping>> {
        let names = self.old(old)?;
        self.made.entry((old, new)).or_insert_with(|| Mapping::new(names, things.model(new)).map(Arc::new)).clone()
    }

    /// The device, current if possible, that a recorded one is now.
    pub(super) fn stand_in(&mut self, id: &str, old: ModelIx, things: &Things) -> Option<(DeviceIx, Arc<Mapping>)> {
        things.all_of_id(id).find_map(|device| Some((device, self.between(old, things.device(device).model, things)?)))
    }
}
