//! Alink JSON, as Alibaba Cloud IoT Platform takes it from a gateway for its sub-devices.
//!
//! The published shapes (*Device properties, events, and services* of the platform's user guide) that are used here:
//!
//! | what | method | topic below `/sys/<product key>/<device>/thing/event/` |
//! | --- | --- | --- |
//! | one report | `thing.event.property.post` | `property/post` |
//! | one event | `thing.event.<event>.post` | `<event>/post` |
//! | several reports and events of one device | `thing.event.property.batch.post` | `property/batch/post` |
//! | late ones, which must not pass for the present | `thing.event.property.history.post` | `property/history/post` |
//!
//! A payload is of one device. Values without a usable number or text are left out: Alink knows no quality.

mod request;
mod value;

use crate::runs::runs;
use crate::{Content, Format, Item, Payload, Unfit};
use bytes::Bytes;
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Body, Event, Report, Things};
use request::Thing;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

const MEDIA_TYPE: &str = "application/json";
/// The platform refuses a request with more values of properties ...
const PROPERTIES_MAX: usize = 200;
/// ... or more events.
const EVENTS_MAX: usize = 20;

/// See the file's head.
pub(crate) struct Alink {
    things: Arc<Things>,
    product_keys: BTreeMap<String, String>,
}

/// A message that Alink can say.
#[derive(Clone, Copy)]
enum Said<'a> {
    Report(&'a Report),
    Event(&'a Event),
}

impl<'a> Said<'a> {
    fn of(item: &'a Item) -> Result<Self, String> {
        match (&item.selected, &item.message.body) {
            (Some(_), _) => {
                Err("Alink cannot say what a `select` made; leave `select` out or choose another format".into())
            }
            (None, Body::Report(report)) if report.values.len() > PROPERTIES_MAX => Err(format!(
                "a report of {} values; Alink takes {PROPERTIES_MAX} at a time, so read the device in smaller groups",
                report.values.len()
            )),
            (None, Body::Report(report)) => Ok(Said::Report(report)),
            (None, Body::Event(event)) => Ok(Said::Event(event)),
            (None, _) => Err("Alink says properties and events alone; keep other subjects off this route".into()),
        }
    }

    fn device(self) -> DeviceIx {
        match self {
            Said::Report(report) => report.device,
            Said::Event(event) => event.device,
        }
    }

    /// How many values of properties and how many events it is.
    fn size(self) -> (usize, usize) {
        match self {
            Said::Report(report) => (report.values.len(), 0),
            Said::Event(_) => (0, 1),
        }
    }
}

impl Alink {
    pub(crate) fn new(things: Arc<Things>, product_keys: BTreeMap<String, String>) -> Self {
        Alink { things, product_keys }
    }

    fn thing(&self, device: DeviceIx) -> Thing<'_> {
        let (device, model) = (self.things.device(device), self.things.model_of(device));
        let product_key = self.product_keys.get(&*model.name).map_or(&*model.name, |key| key);
        Thing { product_key, device_name: &device.id, model }
    }

    fn payload(&self, items: &[Item], said: &[Said<'_>], run: Range<usize>) -> Payload {
        let (first, said) = (&items[run.start], &said[run.clone()]);
        let thing = self.thing(said[0].device());
        let id = first.id.offset as u32;
        let (topic, json) = match said {
            _ if first.late => thing.history(id, said),
            [Said::Report(report)] => thing.properties(id, report),
            [Said::Event(event)] => thing.event(id, event),
            said => thing.batch(id, said),
        };
        Payload { topic: Some(topic), content: Content::Bytes(Bytes::from(json), MEDIA_TYPE), items: run }
    }
}

impl Format for Alink {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let said = items.iter().enumerate().map(|(at, item)| Said::of(item).map_err(|reason| Unfit::new(at, reason)));
        let said: Vec<Said<'_>> = said.collect::<Result<_, _>>()?;
        let of_device = runs(items, |item| (Said::of(item).ok().map(Said::device), item.late));
        let parts = of_device.into_iter().flat_map(|run| parts(&said, run));
        Ok(parts.map(|run| self.payload(items, &said, run)).collect())
    }
}

/// A run in parts that the platform takes at a time.
fn parts(said: &[Said<'_>], run: Range<usize>) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = vec![];
    let mut sum = (0, 0);
    for at in run {
        let size = said[at].size();
        sum = (sum.0 + size.0, sum.1 + size.1);
        match parts.last_mut() {
            Some(part) if sum.0 <= PROPERTIES_MAX && sum.1 <= EVENTS_MAX => part.end = at + 1,
            _ => {
                parts.push(at..at + 1);
                sum = size;
            }
        }
    }
    parts
}
