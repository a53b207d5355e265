//! What a message says of its device, in Sparkplug's terms.

use super::device::{Update, slot};
use super::metric::{self, Last};
use crate::Item;
use crate::flat::event_model;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, DataType, Event, Model, Online, Report, Status, Things};

/// Values of metrics of one device.
pub(super) struct Said {
    pub(super) device: DeviceIx,
    pub(super) gist: Gist,
    pub(super) updates: Vec<Update>,
}

/// What follows from a message besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gist {
    /// The device is there.
    Came,
    /// The device is away.
    Went,
    /// It has said something.
    Spoke,
    /// No value was usable: this does not show that it is there.
    Silence,
}

impl Said {
    /// What the message says, or why Sparkplug B cannot say it.
    pub(super) fn of(item: &Item, things: &Things) -> Result<Self, String> {
        if item.selected.is_some() {
            return Err(
                "Sparkplug B cannot say what a `select` made; leave `select` out or choose another format".into()
            );
        }
        match &item.message.body {
            Body::Report(report) => of_report(report, things.model_of(report.device)),
            Body::Event(event) => of_event(event, things),
            Body::Status(status) => Ok(of_status(status, item.message.time)),
            _ => Err(
                "Sparkplug B says properties, events and status of devices alone; keep other subjects off this route"
                    .into(),
            ),
        }
    }
}

fn of_report(report: &Report, model: &Model) -> Result<Said, String> {
    let mut updates = Vec::with_capacity(report.values.len());
    for observation in &report.values {
        let property = &model.properties[usize::from(observation.property.0)];
        fits(&property.identifier, &observation.value, &property.data_type)?;
        let last =
            Last { value: observation.value.clone(), quality: observation.quality, time: observation.source_time };
        updates.push((slot::property(observation.property), last));
    }
    let usable = report.values.iter().any(|seen| matches!(seen.quality, Quality::Good | Quality::Uncertain));
    let gist = if usable { Gist::Spoke } else { Gist::Silence };
    Ok(Said { device: report.device, gist, updates })
}

fn of_event(event: &Event, things: &Things) -> Result<Said, String> {
    let of = event_model(event, things);
    let begin = slot::event(things.model_of(event.device), event.event);
    let good = |value: Value| Last { value, quality: Quality::Good, time: event.source_time };
    let mut updates = vec![(begin, good(of.kind.as_str().into()))];
    for (name, value) in &event.output {
        let Some(at) = of.output.iter().position(|field| field.identifier == *name) else {
            return Err(format!("the event `{}` has no output `{name}` in its model", of.identifier));
        };
        fits(name, value, &of.output[at].data_type)?;
        updates.push((begin + 1 + at, good(value.clone())));
    }
    Ok(Said { device: event.device, gist: Gist::Spoke, updates })
}

fn of_status(status: &Status, time: Timestamp) -> Said {
    let good = |text: &str| Last { value: text.into(), quality: Quality::Good, time };
    let updates = vec![(slot::STATE, good(status.online.as_str())), (slot::REASON, good(&status.reason))];
    let gist = match status.online {
        Online::Online | Online::Degraded => Gist::Came,
        Online::Offline | Online::Unknown => Gist::Went,
    };
    Said { device: status.device, gist, updates }
}

fn fits(name: &str, value: &Value, data_type: &DataType) -> Result<(), String> {
    match metric::has_form(value, data_type) {
        true => Ok(()),
        false => Err(format!("`{name}` is {value}, which is not the {} of its model", data_type.name())),
    }
}
