//! Alink's requests, each with its topic.

use super::Said;
use super::value::AlinkValue;
use crate::value_text::json_of;
use edgeway_sdk::Value;
use edgeway_thing_models::{Event, EventModel, Model, Report};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A sub-device as the platform knows it.
#[derive(Clone, Copy)]
pub(super) struct Thing<'a> {
    pub(super) product_key: &'a str,
    pub(super) device_name: &'a str,
    pub(super) model: &'a Model,
}

impl Thing<'_> {
    /// One report.
    pub(super) fn properties(&self, id: u32, report: &Report) -> (String, String) {
        self.request(id, "property", ByName(self.observed(report)))
    }

    /// One event.
    pub(super) fn event(&self, id: u32, event: &Event) -> (String, String) {
        let (model, happened) = self.happened(event);
        self.request(id, &model.identifier, happened)
    }

    /// Several reports and events of the present.
    pub(super) fn batch(&self, id: u32, said: &[Said<'_>]) -> (String, String) {
        let mut batch = Batch { properties: Lists::default(), events: Lists::default() };
        for said in said {
            match said {
                Said::Report(report) => {
                    self.observed(report).into_iter().for_each(|(name, value)| batch.properties.add(name, value));
                }
                Said::Event(event) => {
                    let (model, happened) = self.happened(event);
                    batch.events.add(&model.identifier, happened);
                }
            }
        }
        self.request(id, "property.batch", batch)
    }

    /// Reports and events of the past.
    pub(super) fn history(&self, id: u32, said: &[Said<'_>]) -> (String, String) {
        let identity = Identity { product_key: self.product_key, device_name: self.device_name };
        let mut history = History { identity, properties: vec![], events: vec![] };
        for said in said {
            match said {
                Said::Report(report) => history.properties.push(ByName(self.observed(report))),
                Said::Event(event) => {
                    let (model, happened) = self.happened(event);
                    history.events.push(ByName(vec![(&model.identifier, happened)]));
                }
            }
        }
        self.request(id, "property.history", [history])
    }

    /// The usable values of a report by property.
    fn observed<'v>(&'v self, report: &'v Report) -> Vec<(&'v Arc<str>, Timed<AlinkValue<'v>>)> {
        let timed = report.values.iter().map(|observation| {
            let property = &self.model.properties[usize::from(observation.property.0)];
            let value = AlinkValue { value: &observation.value, data_type: Some(&property.data_type) };
            (&property.identifier, Timed { value, time: observation.source_time.as_millis() })
        });
        timed.filter(|(_, timed)| timed.value.is_usable()).collect()
    }

    fn happened<'v>(&'v self, event: &'v Event) -> (&'v EventModel, Timed<Output<'v>>) {
        let model = &self.model.events[usize::from(event.event.0)];
        let value = Output { values: &event.output, model };
        (model, Timed { value, time: event.source_time.as_millis() })
    }

    fn request<P: Serialize>(&self, id: u32, what: &str, params: P) -> (String, String) {
        let path = what.replace('.', "/");
        let topic = format!("/sys/{}/{}/thing/event/{path}/post", self.product_key, self.device_name);
        let method = format!("thing.event.{what}.post");
        // Nobody waits for replies: MQTT's acknowledgement is what counts as delivered.
        let request = Request { id: id.to_string(), version: "1.0", sys: Sys { ack: 0 }, params, method };
        (topic, json_of(&request))
    }
}

#[derive(Serialize)]
struct Request<P> {
    id: String,
    version: &'static str,
    sys: Sys,
    params: P,
    method: String,
}

#[derive(Serialize)]
struct Sys {
    ack: u8,
}

#[derive(Serialize)]
struct Timed<T> {
    value: T,
    time: i64,
}

/// An object of named values.
struct ByName<'a, T>(Vec<(&'a Arc<str>, T)>);

impl<T: Serialize> Serialize for ByName<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// What an event carries.
struct Output<'a> {
    values: &'a [(Arc<str>, Value)],
    model: &'a EventModel,
}

impl Serialize for Output<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = &self.model.output;
        let values = self.values.iter().map(|(name, value)| (name, AlinkValue::among(fields, name, value)));
        serializer.collect_map(values)
    }
}

#[derive(Serialize)]
struct Batch<'a> {
    properties: Lists<'a, Timed<AlinkValue<'a>>>,
    events: Lists<'a, Timed<Output<'a>>>,
}

/// An object of lists, in the order of their first entries.
struct Lists<'a, T>(Vec<(&'a Arc<str>, Vec<T>)>);

impl<T> Default for Lists<'_, T> {
    fn default() -> Self {
        Lists(vec![])
    }
}

impl<'a, T> Lists<'a, T> {
    fn add(&mut self, name: &'a Arc<str>, entry: T) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => list.push(entry),
            None => self.0.push((name, vec![entry])),
        }
    }
}

impl<T: Serialize> Serialize for Lists<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, list)| (name, list)))
    }
}

#[derive(Serialize)]
struct History<'a> {
    identity: Identity<'a>,
    properties: Vec<ByName<'a, Timed<AlinkValue<'a>>>>,
    events: Vec<ByName<'a, Timed<Output<'a>>>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    product_key: &'a str,
    device_name: &'a str,
}
