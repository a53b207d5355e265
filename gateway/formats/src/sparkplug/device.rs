//! What is known of a device from what passed.

use super::Reaction;
use super::metric::{Last, Tense, metric, with_unit};
use super::said::{Gist, Said};
use edgeway_sdk::Timestamp;
use edgeway_sparkplug::Metric;
use edgeway_thing_models::{DataType, Model};
use std::sync::Arc;

/// A new value for the metric in a place.
pub(super) type Update = (usize, Last);

/// The places of metrics among all of a device: its status, its properties, its events.
pub(super) mod slot {
    use edgeway_thing_models::{EventIx, EventModel, Model, PropertyIx};

    pub(in super::super) const STATE: usize = 0;
    pub(in super::super) const REASON: usize = 1;
    const PROPERTIES: usize = 2;

    pub(in super::super) fn property(property: PropertyIx) -> usize {
        PROPERTIES + usize::from(property.0)
    }

    /// The place of an event's kind; its outputs follow.
    pub(in super::super) fn event(model: &Model, event: EventIx) -> usize {
        let before = model.events.iter().take(usize::from(event.0));
        PROPERTIES + model.properties.len() + before.map(places).sum::<usize>()
    }

    fn places(event: &EventModel) -> usize {
        1 + event.output.len()
    }
}

/// Whether the host takes a device to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing has been said of it yet.
    Unborn,
    There,
    Away,
}

/// A device with the last values of its metrics.
pub(super) struct Known {
    model: Arc<Model>,
    pub(super) standing: Standing,
    /// By place; `None`: never seen.
    last: Vec<Option<Last>>,
}

impl Known {
    pub(super) fn of(model: &Arc<Model>) -> Self {
        let places = names(model).count();
        Known { model: model.clone(), standing: Standing::Unborn, last: vec![None; places] }
    }

    /// Takes in what is said, and decides what the host has to be told.
    pub(super) fn hear(&mut self, said: &Said, late: bool) -> Reaction {
        if late {
            return self.hear_of_the_past();
        }
        said.updates.iter().for_each(|(place, last)| self.last[*place] = Some(last.clone()));
        let there = self.standing == Standing::There;
        match said.gist {
            Gist::Came => self.turn(Standing::There, Reaction::Birth(Tense::Present)),
            Gist::Went => self.turn(Standing::Away, Reaction::Death),
            Gist::Spoke | Gist::Silence if there => Reaction::Data(Tense::Present),
            Gist::Silence if self.standing == Standing::Away => Reaction::Death,
            Gist::Spoke | Gist::Silence => self.turn(Standing::There, Reaction::Birth(Tense::Present)),
        }
    }

    /// The past says nothing of whether a device is there now; but without a birth nothing can be said of it.
    fn hear_of_the_past(&mut self) -> Reaction {
        match self.standing {
            Standing::Unborn => self.turn(Standing::There, Reaction::Birth(Tense::Past)),
            Standing::There | Standing::Away => Reaction::Data(Tense::Past),
        }
    }

    fn turn(&mut self, standing: Standing, reaction: Reaction) -> Reaction {
        self.standing = standing;
        reaction
    }

    /// All metrics, with these updates on top if they are of the past; those of the present are known already.
    pub(super) fn birth(&self, updates: &[Update], tense: Tense, time: Timestamp) -> Vec<Metric> {
        let past = |place: usize| match tense {
            Tense::Past => updates.iter().find(|(updated, _)| *updated == place).map(|(_, last)| last),
            Tense::Present => None,
        };
        let metrics = names(&self.model).enumerate().map(|(place, (name, data_type))| match past(place) {
            Some(last) => with_unit(metric(name, data_type, last, Tense::Past), data_type),
            None => {
                let unseen = Last::unseen(time);
                let last = self.last[place].as_ref().unwrap_or(&unseen);
                with_unit(metric(name, data_type, last, Tense::Present), data_type)
            }
        });
        metrics.collect()
    }

    /// The updated metrics.
    pub(super) fn data(&self, updates: &[Update], tense: Tense) -> Vec<Metric> {
        let mut named: Vec<Option<(String, Option<&DataType>)>> = names(&self.model).map(Some).collect();
        let metrics = updates.iter().filter_map(|(place, last)| {
            let (name, data_type) = named.get_mut(*place)?.take()?;
            Some(metric(name, data_type, last, tense))
        });
        metrics.collect()
    }
}

/// The names and types of all metrics, by place. No property has a name with a space.
fn names(model: &Model) -> impl Iterator<Item = (String, Option<&DataType>)> {
    let status = ["Device Status/State", "Device Status/Reason"].map(|name| (name.to_owned(), None));
    let properties = model.properties.iter().map(|known| (known.identifier.to_string(), Some(&known.data_type)));
    let events = model.events.iter().flat_map(|event| {
        let kind = (format!("Device Events/{}/kind", event.identifier), None);
        let output = event
            .output
            .iter()
            .map(|field| (format!("Device Events/{}/{}", event.identifier, field.identifier), Some(&field.data_type)));
        std::iter::once(kind).chain(output)
    });
    status.into_iter().chain(properties).chain(events)
}
