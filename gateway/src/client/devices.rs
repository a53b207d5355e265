//! `device list`, `get`, `set` and `call`.

use super::Session;
use super::error::ClientError;
use super::screen::Screen;
use super::table::{Cell, Tone};
use super::wording::{age_of, parse_input, parse_value, quality, value};
use crate::api::{CallBody, CommandView, DeviceList, DeviceSummary, DeviceView, PropertyView, SetBody};
use edgeway_sdk::Timestamp;
use reqwest::Method;
use std::collections::BTreeMap;
use std::time::Duration;

const PROPERTY_TITLES: [&str; 7] = ["property", "value", "unit", "quality", "measured", "wanted", "command"];

pub(super) async fn list(session: &Session, model: Option<&str>, state: Option<&str>) -> Result<(), ClientError> {
    let given = [("model", model), ("state", state)];
    let query: Vec<_> = given.into_iter().filter_map(|(key, text)| Some((key, text?))).collect();
    let answer = session.client.get(&["devices"], &query).await?;
    session.screen.show(&answer, |list: DeviceList| list_table(&list, Timestamp::now(), session.screen))
}

pub(super) async fn get(session: &Session, device: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["devices", device], &[]).await?;
    session.screen.show(&answer, |device: DeviceView| device_text(&device, Timestamp::now(), session.screen))
}

pub(super) async fn get_property(session: &Session, device: &str, property: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["devices", device, "properties", property], &[]).await?;
    let table = |property: PropertyView| {
        let row = property_row(&property, Timestamp::now());
        session.screen.table(&PROPERTY_TITLES, &[row])
    };
    session.screen.show(&answer, table)
}

pub(super) async fn set(
    session: &Session,
    device: &str,
    property: &str,
    typed: &str,
    within: Duration,
) -> Result<(), ClientError> {
    let body = SetBody { value: parse_value(typed), within: Some(duration(within)), id: None };
    let path = ["devices", device, "properties", property];
    let answer = session.client.command(Method::PUT, &path, &body, within).await?;
    session.screen.show(&answer, |command: CommandView| command_text(device, property, &command))
}

pub(super) async fn call(
    session: &Session,
    device: &str,
    service: &str,
    typed: &[String],
    within: Duration,
) -> Result<(), ClientError> {
    let input = parse_input(typed).map_err(ClientError::Usage)?;
    let body = CallBody { input, within: Some(duration(within)), id: None };
    let path = ["devices", device, "services", service];
    let answer = session.client.command(Method::POST, &path, &body, within).await?;
    session.screen.show(&answer, |command: CommandView| command_text(device, service, &command))
}

/// A duration as the API reads it.
fn duration(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

fn list_table(list: &DeviceList, now: Timestamp, screen: Screen) -> String {
    let row = |device: &DeviceSummary| {
        vec![
            Cell::text(&device.id),
            Cell::text(&device.model),
            Cell::text(&device.state).tone(state_tone(&device.state)),
            Cell::text(age_of(device.since.as_deref(), now)),
            Cell::text(device.reason.as_deref().unwrap_or_default()),
            Cell::text(labels(&device.labels)),
        ]
    };
    let rows: Vec<_> = list.devices.iter().map(row).collect();
    screen.table(&["device", "model", "state", "since", "reason", "labels"], &rows)
}

fn device_text(device: &DeviceView, now: Timestamp, screen: Screen) -> String {
    let head = vec![
        Cell::text(&device.id),
        Cell::text(&device.model),
        Cell::text(&device.state).tone(state_tone(&device.state)),
        Cell::text(age_of(device.since.as_deref(), now)),
        Cell::text(device.reason.as_deref().unwrap_or_default()),
        Cell::text(labels(&device.labels)),
    ];
    let head = screen.table(&["device", "model", "state", "since", "reason", "labels"], &[head]);
    let rows: Vec<_> = device.properties.iter().map(|property| property_row(property, now)).collect();
    let properties = screen.table(&PROPERTY_TITLES, &rows);
    let names: Vec<_> = device.services.iter().map(|service| service.identifier.as_str()).collect();
    let services = if names.is_empty() { String::new() } else { format!("\nservices: {}\n", names.join(", ")) };
    format!("{head}\n{properties}{services}")
}

fn property_row(property: &PropertyView, now: Timestamp) -> Vec<Cell> {
    let quality_text = property.quality.as_deref().unwrap_or("not read yet");
    let wanted = property.desired.as_ref();
    vec![
        Cell::text(&property.identifier),
        Cell::number(shown(property)),
        Cell::text(property.unit.as_deref().unwrap_or_default()),
        Cell::text(quality_text).tone(property.quality.as_deref().map_or(Tone::Doubtful, quality)),
        Cell::text(age_of(property.source_time.as_deref(), now)),
        Cell::number(wanted.map(|desired| value(&desired.value)).unwrap_or_default()),
        Cell::text(wanted.map(|desired| desired.state.as_str()).unwrap_or_default()),
    ]
}

/// A value with its label: `2 production`.
fn shown(property: &PropertyView) -> String {
    let value = property.value.as_ref().map_or_else(|| "-".to_owned(), value);
    match &property.label {
        Some(label) => format!("{value} {label}"),
        None => value,
    }
}

fn command_text(device: &str, what: &str, command: &CommandView) -> String {
    let result = command.result.as_ref().map(|result| format!(", result {}", value(result))).unwrap_or_default();
    format!("{device} {what}: {}{result} (command {})\n", command.state, command.id)
}

/// The tone of a device's state.
pub(super) fn state_tone(state: &str) -> Tone {
    match state {
        "online" => Tone::Good,
        "offline" => Tone::Bad,
        _ => Tone::Doubtful,
    }
}

fn labels(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_device_is_shown_with_units_labels_ages_and_wishes() {
        let property =
            |identifier: &str| json!({"identifier": identifier, "title": "", "type": "float", "access": "rw"});
        let mut speed = property("wind_speed");
        speed["value"] = json!(7.1);
        speed["unit"] = json!("m/s");
        speed["quality"] = json!("good");
        speed["source_time"] = json!("2026-11-23T09:00:00.000Z");
        let mut state = property("state");
        state["value"] = json!(2);
        state["label"] = json!("production");
        state["quality"] = json!("stale");
        state["source_time"] = json!("2026-11-23T08:00:00.000Z");
        let mut limit = property("power_limit");
        limit["desired"] =
            json!({"value": 1500, "version": 1, "state": "failed", "command": "c", "at": "2026-11-23T09:00:00Z"});
        let device = json!({
            "id": "wt-07", "model": "wind-turbine", "labels": {"row": "a"}, "state": "online",
            "since": "2026-11-23T08:00:00Z", "properties": [speed, state, limit], "events": [],
            "services": [{"identifier": "stop", "title": "", "call": "sync", "input": [], "output": []}],
        });
        let device: DeviceView = serde_json::from_value(device).expect("valid");
        let now = Timestamp::parse("2026-11-23T09:00:02Z").expect("a time");
        let expected = "\
device  model         state   since    labels
wt-07   wind-turbine  online  1 h ago  row=a

property            value  unit  quality       measured  wanted  command
wind_speed            7.1  m/s   good          2 s ago
state        2 production        stale         1 h ago
power_limit             -        not read yet              1500  failed

services: stop
";
        let screen = Screen::plain();
        assert_eq!(device_text(&device, now, screen), expected);
    }

    #[test]
    fn the_result_of_a_command_fits_on_a_line() {
        let command = CommandView { id: "c1".into(), state: "applied".into(), result: Some(json!(1500)), reason: None };
        assert_eq!(
            command_text("wt-07", "power_limit", &command),
            "wt-07 power_limit: applied, result 1500 (command c1)\n"
        );
    }
}
