//! Devices: what they are, what they last said, what they were last told.

use super::input::Params;
use super::models::{EventView, ServiceView};
use super::problem::{PROBLEM_JSON, Problem};
use super::value;
use crate::app::State;
use crate::twins::{self, Twin};
use axum::Json;
use axum::extract::{Path, State as Shared};
use edgeway_sdk::{Access, DeviceIx};
use edgeway_thing_models::{Online, Property, PropertyIx, Things};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// All devices, shortly.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeviceList {
    /// In the order of the site.
    pub(crate) devices: Vec<DeviceSummary>,
}

/// A device, shortly.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeviceSummary {
    /// Its id.
    #[schema(example = "wt-07")]
    pub(crate) id: String,
    /// Its model's name.
    #[schema(example = "wind-turbine")]
    pub(crate) model: String,
    /// What the site says of it.
    pub(crate) labels: BTreeMap<String, String>,
    /// `unknown` (not asked yet), `online`, `degraded` (it answers, but some of its points are bad) or `offline`.
    #[schema(example = "online")]
    pub(crate) state: String,
    /// Why it is not online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Since when it is in this state. RFC 3339, like all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) since: Option<String>,
}

/// A device with its values.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeviceView {
    /// Its id.
    pub(crate) id: String,
    /// Its model's name.
    pub(crate) model: String,
    /// What the site says of it.
    pub(crate) labels: BTreeMap<String, String>,
    /// `unknown`, `online`, `degraded` or `offline`.
    pub(crate) state: String,
    /// Why it is not online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Since when it is in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) since: Option<String>,
    /// In the order of the model.
    pub(crate) properties: Vec<PropertyView>,
    /// What it reports when something happens.
    pub(crate) events: Vec<EventView>,
    /// What it can be asked to do.
    pub(crate) services: Vec<ServiceView>,
}

/// A property of a device. What was never read has no `value`, `quality`, `source_time` and `received`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PropertyView {
    /// Its identifier in the model.
    #[schema(example = "wind_speed")]
    pub(crate) identifier: String,
    /// What to show people.
    #[schema(example = "Wind speed")]
    pub(crate) title: String,
    /// Its type's name in TSL.
    #[serde(rename = "type")]
    #[schema(example = "float")]
    pub(crate) type_name: String,
    /// The unit's symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "m/s")]
    pub(crate) unit: Option<String>,
    /// `r`, `rw` or `w`.
    #[schema(example = "r")]
    pub(crate) access: String,
    /// In the model's type and unit; `null` if the last reading was bad.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<serde_json::Value>,
    /// The value's word, for enums and booleans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    /// `good`, `uncertain`, `stale`, `bad`, or `bad` with a reason: `bad:timeout`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "good")]
    pub(crate) quality: Option<String>,
    /// When the device measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) source_time: Option<String>,
    /// When the gateway got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) received: Option<String>,
    /// What it was last told to be, if it ever was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) desired: Option<DesiredView>,
}

/// What a property was last told to be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DesiredView {
    /// In the model's type and unit.
    pub(crate) value: serde_json::Value,
    /// Counts the commands for this property, from 1.
    pub(crate) version: u64,
    /// What became of the command: `accepted`, `applied`, `refused`, `failed`, `unconfirmed` or `expired`.
    #[schema(example = "applied")]
    pub(crate) state: String,
    /// Why it was not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The command's id.
    pub(crate) command: String,
    /// When it was given.
    #[schema(format = DateTime)]
    pub(crate) at: String,
}

/// Keeps `null` apart from nothing at all.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

/// Which devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only devices of this model.
    #[param(example = "wind-turbine")]
    model: Option<String>,
    /// Only devices in this state: `unknown`, `online`, `degraded` or `offline`.
    #[param(example = "offline")]
    state: Option<String>,
}

/// Lists the devices.
#[utoipa::path(
    get,
    path = "/devices",
    operation_id = "list_devices",
    tag = "devices",
    params(Which),
    responses(
        (status = 200, description = "The devices, in the order of the site.", body = DeviceList),
        (
            status = 400,
            description = "A parameter is unknown or no state.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (status = 404, description = "There is no such model.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list(
    Shared(gateway): Shared<Arc<State>>,
    Params(which): Params<Which>,
) -> Result<Json<DeviceList>, Problem> {
    let things = &gateway.things;
    if let Some(name) = &which.model
        && things.model_ix(name).is_none()
    {
        return Err(Problem::unknown("model", name, things.current_models().map(|(_, model)| &*model.name)));
    }
    let state = which.state.as_deref().map(state).transpose()?;
    let of_model = |device| which.model.as_deref().is_none_or(|name| *things.model_of(device).name == *name);
    let devices = things.current_devices().map(|(device, _)| device).filter(|device| of_model(*device));
    let in_state =
        devices.filter(|device| state.is_none_or(|state| gateway.twins.with(*device, |twin| twin.online == state)));
    Ok(Json(DeviceList { devices: in_state.map(|device| summary(&gateway, device)).collect() }))
}

fn state(name: &str) -> Result<Online, Problem> {
    let states = [Online::Unknown, Online::Online, Online::Degraded, Online::Offline];
    states.into_iter().find(|state| state.as_str() == name).ok_or_else(|| {
        let help = edgeway_sdk::did_you_mean(name, states.map(Online::as_str));
        Problem::bad_request(format!("`{name}` is no state of a device")).maybe_help(help)
    })
}

/// Shows a device with its values.
#[utoipa::path(
    get,
    path = "/devices/{id}",
    operation_id = "show_device",
    tag = "devices",
    params(
        ("id" = String, Path, description = "The device."),
    ),
    responses(
        (status = 200, description = "The device.", body = DeviceView),
        (status = 404, description = "There is no such device.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(id): Path<String>,
) -> Result<Json<DeviceView>, Problem> {
    let device = device(&gateway.things, &id)?;
    let model = gateway.things.model_of(device);
    let DeviceSummary { id, model: model_name, labels, state, reason, since } = summary(&gateway, device);
    let properties = gateway.twins.with(device, |twin| {
        let view = |(at, property)| property_view(property, PropertyIx(at as u16), twin);
        model.properties.iter().enumerate().map(view).collect()
    });
    let events = model.events.iter().map(EventView::of).collect();
    let services = model.services.iter().map(ServiceView::of).collect();
    Ok(Json(DeviceView { id, model: model_name, labels, state, reason, since, properties, events, services }))
}

/// Shows a property of a device.
#[utoipa::path(
    get,
    path = "/devices/{id}/properties/{property}",
    operation_id = "show_property",
    tag = "devices",
    params(
        ("id" = String, Path, description = "The device."),
        ("property" = String, Path, description = "The property's identifier."),
    ),
    responses(
        (status = 200, description = "The property.", body = PropertyView),
        (
            status = 404,
            description = "There is no such device or property.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
    ),
)]
pub(super) async fn show_property(
    Shared(gateway): Shared<Arc<State>>,
    Path((id, name)): Path<(String, String)>,
) -> Result<Json<PropertyView>, Problem> {
    let device = device(&gateway.things, &id)?;
    let (ix, property) = property(&gateway.things, device, &name)?;
    Ok(Json(gateway.twins.with(device, |twin| property_view(property, ix, twin))))
}

/// The device of this id.
pub(super) fn device(things: &Things, id: &str) -> Result<DeviceIx, Problem> {
    let known = || things.current_devices().map(|(_, device)| &*device.id);
    things.device_ix(id).ok_or_else(|| Problem::unknown("device", id, known()))
}

/// The property of a device.
pub(super) fn property<'t>(
    things: &'t Things,
    device: DeviceIx,
    name: &str,
) -> Result<(PropertyIx, &'t Property), Problem> {
    let model = things.model_of(device);
    let known = || model.properties.iter().map(|property| &*property.identifier);
    model.property(name).ok_or_else(|| Problem::unknown("property", name, known()))
}

fn summary(gateway: &State, device: DeviceIx) -> DeviceSummary {
    let known = gateway.things.device(device);
    gateway.twins.with(device, |twin| DeviceSummary {
        id: known.id.to_string(),
        model: gateway.things.model_of(device).name.to_string(),
        labels: known.labels.clone(),
        state: twin.online.as_str().to_owned(),
        reason: Some(twin.reason.to_string()).filter(|reason| !reason.is_empty()),
        since: twin.since.map(|since| since.to_string()),
    })
}

fn property_view(property: &Property, ix: PropertyIx, twin: &Twin) -> PropertyView {
    let data_type = &property.data_type;
    let reported = twin.reported.get(&ix);
    PropertyView {
        identifier: property.identifier.to_string(),
        title: property.name.clone(),
        type_name: data_type.name().to_owned(),
        unit: data_type.unit().map(|unit| unit.to_string()),
        access: access(property.access).to_owned(),
        value: reported.map(|reported| value::shown(data_type, &reported.value)),
        label: reported.and_then(|reported| value::label(data_type, &reported.value)),
        quality: reported.map(|reported| reported.quality.as_str().to_owned()),
        source_time: reported.map(|reported| reported.source_time.to_string()),
        received: reported.map(|reported| reported.received.to_string()),
        desired: twin.desired.get(&ix).map(|desired| desired_view(property, desired)),
    }
}

fn desired_view(property: &Property, desired: &twins::Desired) -> DesiredView {
    DesiredView {
        value: value::shown(&property.data_type, &desired.value),
        version: desired.version,
        state: desired.state.clone(),
        reason: desired.reason.clone(),
        command: desired.command.to_string(),
        at: desired.at.to_string(),
    }
}

/// TSL's word for what may be done with a property.
pub(super) fn access(access: Access) -> &'static str {
    match access {
        Access::Read => "r",
        Access::ReadWrite => "rw",
        Access::Write => "w",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_null_and_an_unread_one_is_not_there() {
        let view = |json: &str| serde_json::from_str::<PropertyView>(json).expect("valid");
        let common = r#""identifier":"a","title":"A","type":"int","access":"r""#;
        assert_eq!(view(&format!("{{{common}}}")).value, None);
        let bad = view(&format!(r#"{{{common},"value":null,"quality":"bad:timeout"}}"#));
        assert_eq!(bad.value, Some(serde_json::Value::Null));
        assert!(serde_json::to_string(&bad).expect("serialises").contains(r#""value":null"#));
    }

    #[test]
    fn a_misspelt_state_is_explained() {
        assert_eq!(state("offline"), Ok(Online::Offline));
        let problem = state("ofline").expect_err("misspelt");
        assert_eq!(problem.help.as_deref(), Some("did you mean `offline`?"));
    }
}
