//! Commands: setting a property, calling a service.
//!
//! An answer waits for the command's result, as long as the command itself may take. What became of it decides the
//! status: 200 applied; 422 refused before anything was sent, since it does not fit the model or the device; 409 sent,
//! but the device did not do it; 504 the time was up. With 504 `command.state` tells the two cases apart: `expired` was
//! never applied and never will be, `unconfirmed` may have been.

use super::devices::{device, property};
use super::input::Body;
use super::problem::{PROBLEM_JSON, Problem};
use super::value;
use crate::app::State;
use crate::desk::{Request, Wanted};
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use edgeway_sdk::{DeviceIx, Value, options};
use edgeway_thing_models::{CallType, CommandState, DataType, Origin, Service};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use utoipa::ToSchema;

/// How long a command may take if it does not say so.
pub(crate) const WITHIN_DEFAULT: Duration = Duration::from_secs(10);
/// The longest that a command may take.
const WITHIN_MOST: Duration = Duration::from_secs(3600);
/// How long an answer waits for a result that is overdue.
const GRACE: Duration = Duration::from_secs(5);
/// How long the record of a command may take to get to disk.
const DURABLE_WITHIN: Duration = Duration::from_secs(2);
/// The most bytes of an id.
const ID_BYTES_MAX: usize = 128;

/// A value to set.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetBody {
    /// In the model's type and unit.
    pub(crate) value: serde_json::Value,
    /// How long it may take, `"5s"`, at most an hour; 10 s without it. It is never applied after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5s")]
    pub(crate) within: Option<String>,
    /// Makes a repeat harmless: the same id again gives the first one's result and is not applied twice. At most 128
    /// bytes; made by the gateway without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

/// A call of a service.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallBody {
    /// Its input by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) input: serde_json::Map<String, serde_json::Value>,
    /// As for setting a property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "5s")]
    pub(crate) within: Option<String>,
    /// As for setting a property.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct CommandView {
    /// Its id; the journal has it under this id too.
    pub(crate) id: String,
    /// `accepted` (on its way), `applied`, `refused`, `failed`, `unconfirmed` or `expired`.
    #[schema(example = "applied")]
    pub(crate) state: String,
    /// The value that was read back, or a service's output, where the protocol confirms one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<serde_json::Value>,
    /// Why it was not applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// Sets a property and waits for the result.
#[utoipa::path(
    put,
    path = "/devices/{id}/properties/{property}",
    operation_id = "set_property",
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device."),
        ("property" = String, Path, description = "The property's identifier."),
    ),
    request_body = SetBody,
    responses(
        (status = 200, description = "Applied.", body = CommandView),
        (status = 400, description = "The body is not what it should be.", body = Problem, content_type = PROBLEM_JSON),
        (
            status = 404,
            description = "There is no such device or property.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (status = 409, description = "The device did not do it.", body = Problem, content_type = PROBLEM_JSON),
        (status = 413, description = "The body is longer than 64 KiB.", body = Problem, content_type = PROBLEM_JSON),
        (
            status = 422,
            description = "Refused before anything was sent: read-only, out of range, of the wrong type.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (
            status = 504,
            description = "The time was up. State `expired`: never applied; `unconfirmed`: perhaps applied.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
    ),
)]
pub(super) async fn set(
    Shared(gateway): Shared<Arc<State>>,
    Path((id, name)): Path<(String, String)>,
    Body(body): Body<SetBody>,
) -> Result<Response, Problem> {
    let device = device(&gateway.things, &id)?;
    let (_, property) = property(&gateway.things, device, &name)?;
    let wanted = Wanted::Set { property: property.identifier.clone(), value: Value::from_json(&body.value) };
    let order = Order::new(device, wanted, body.within.as_deref(), body.id)?;
    order.carry_out(&gateway, Some(&property.data_type)).await
}

/// Calls a service. Waits for the result, unless the model says that nobody waits for this service.
#[utoipa::path(
    post,
    path = "/devices/{id}/services/{service}",
    operation_id = "call_service",
    tag = "commands",
    params(
        ("id" = String, Path, description = "The device."),
        ("service" = String, Path, description = "The service's identifier."),
    ),
    request_body = CallBody,
    responses(
        (status = 200, description = "Done.", body = CommandView),
        (
            status = 202,
            description = "On its way, and recorded on disk; for services that nobody waits for.",
            body = CommandView,
        ),
        (status = 400, description = "The body is not what it should be.", body = Problem, content_type = PROBLEM_JSON),
        (
            status = 404,
            description = "There is no such device or service.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (status = 409, description = "The device did not do it.", body = Problem, content_type = PROBLEM_JSON),
        (status = 413, description = "The body is longer than 64 KiB.", body = Problem, content_type = PROBLEM_JSON),
        (
            status = 422,
            description = "Refused before anything was sent: an input is missing, unknown or out of range.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (
            status = 503,
            description = "On its way, but the disk takes no record of it.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
        (
            status = 504,
            description = "The time was up. State `expired`: never done; `unconfirmed`: perhaps done.",
            body = Problem,
            content_type = PROBLEM_JSON,
        ),
    ),
)]
pub(super) async fn call(
    Shared(gateway): Shared<Arc<State>>,
    Path((id, name)): Path<(String, String)>,
    Body(body): Body<CallBody>,
) -> Result<Response, Problem> {
    let device = device(&gateway.things, &id)?;
    let service = service(&gateway, device, &name)?;
    let input = body.input.iter().map(|(name, value)| (name.as_str().into(), Value::from_json(value))).collect();
    let wanted = Wanted::Invoke { service: service.identifier.clone(), input };
    let order = Order::new(device, wanted, body.within.as_deref(), body.id)?;
    match service.call_type {
        CallType::Sync => order.carry_out(&gateway, None).await,
        CallType::Async => order.hand_over(&gateway).await,
    }
}

fn service<'g>(gateway: &'g State, device: DeviceIx, name: &str) -> Result<&'g Service, Problem> {
    let model = gateway.things.model_of(device);
    let known = || model.services.iter().map(|service| &*service.identifier);
    model.service(name).map(|(_, service)| service).ok_or_else(|| Problem::unknown("service", name, known()))
}

/// A command as a request has it, checked as far as the model is not needed.
struct Order(Request);

impl Order {
    fn new(device: DeviceIx, wanted: Wanted, within: Option<&str>, id: Option<String>) -> Result<Self, Problem> {
        let id = id.map(checked_id).transpose()?;
        let within = within.map_or(Ok(WITHIN_DEFAULT), duration)?;
        Ok(Order(Request { id, device, wanted, origin: Origin::Api, within, caused_at: None }))
    }

    /// Waits for the result. A client that goes away takes nothing back.
    async fn carry_out(self, gateway: &State, of: Option<&DataType>) -> Result<Response, Problem> {
        let patience = self.0.within + GRACE;
        let ticket = gateway.desk.submit(self.0);
        let id = ticket.id.clone();
        let state = timeout(patience, ticket.result()).await.unwrap_or(CommandState::Accepted);
        answer(view(&id, &state, of), &state, StatusCode::GATEWAY_TIMEOUT)
    }

    /// Waits for nothing but a refusal, which comes at once.
    async fn hand_over(self, gateway: &State) -> Result<Response, Problem> {
        let ticket = gateway.desk.submit(self.0);
        let (id, recorded) = (ticket.id.clone(), ticket.recorded);
        let state = timeout(Duration::ZERO, ticket.result()).await.unwrap_or(CommandState::Accepted);
        // Whoever is told "accepted" may rely on it, also after a power cut.
        if let Some(offset) = recorded
            && !timeout(DURABLE_WITHIN, gateway.journal.durable(offset)).await.is_ok_and(|durable| durable.is_ok())
        {
            let detail = "the command is on its way, but the disk has not taken the record of it";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not on disk", detail);
            return Err(problem.help("ask again with the same `id`: it is not applied twice"));
        }
        answer(view(&id, &state, None), &state, StatusCode::ACCEPTED)
    }
}

fn checked_id(id: String) -> Result<Arc<str>, Problem> {
    match id.len() {
        1..=ID_BYTES_MAX => Ok(id.into()),
        bytes => Err(Problem::bad_request(format!("`id` has {bytes} bytes")).help(format!("1 to {ID_BYTES_MAX}"))),
    }
}

fn duration(text: &str) -> Result<Duration, Problem> {
    let wrong = |what: &str| Problem::bad_request(format!("`within`: `{text}` {what}"));
    match options::duration::parse(text) {
        None => Err(wrong("is not a duration").help("write \"500ms\", \"5s\" or \"1m\"")),
        Some(within) if within > WITHIN_MOST => Err(wrong("is too long").help("at most \"1h\"")),
        Some(within) => Ok(within),
    }
}

fn view(id: &str, state: &CommandState, of: Option<&DataType>) -> CommandView {
    let result = match state {
        CommandState::Applied { result: Some(value) } => {
            Some(of.map_or_else(|| value.to_json(), |data_type| value::shown(data_type, value)))
        }
        _ => None,
    };
    let reason = state.reason().map(str::to_owned);
    CommandView { id: id.to_owned(), state: state.as_str().to_owned(), result, reason }
}

/// `open` is the status of a command that has no result yet.
fn answer(view: CommandView, state: &CommandState, open: StatusCode) -> Result<Response, Problem> {
    let (status, title) = match state {
        CommandState::Applied { .. } => return Ok(Json(view).into_response()),
        CommandState::Accepted if open == StatusCode::ACCEPTED => return Ok((open, Json(view)).into_response()),
        CommandState::Accepted => (open, "no result yet"),
        CommandState::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "command refused"),
        CommandState::Failed { .. } => (StatusCode::CONFLICT, "command failed"),
        CommandState::Unconfirmed { .. } => (StatusCode::GATEWAY_TIMEOUT, "command unconfirmed"),
        CommandState::Expired => (StatusCode::GATEWAY_TIMEOUT, "command expired"),
    };
    let detail = view.reason.clone().unwrap_or_else(|| "the result is overdue".to_owned());
    let mut problem = Problem::new(status, title, detail).maybe_help(advice(state));
    problem.command = Some(Box::new(view));
    Err(problem)
}

fn advice(state: &CommandState) -> Option<String> {
    let text = match state {
        CommandState::Accepted => "ask again with the same `id`: it is not applied twice",
        CommandState::Unconfirmed { .. } => {
            "it may or may not have been applied: read the property before you try again"
        }
        CommandState::Expired => "it was not applied: try again, or give it longer with `within`",
        _ => return None,
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(state: CommandState, open: StatusCode) -> u16 {
        match answer(view("c1", &state, None), &state, open) {
            Ok(response) => response.status().as_u16(),
            Err(problem) => {
                let command = problem.command.expect("a problem of a command has the command");
                assert_eq!((command.id.as_str(), command.state.as_str()), ("c1", state.as_str()));
                problem.status
            }
        }
    }

    #[test]
    fn the_status_says_what_became_of_the_command() {
        let reason: Arc<str> = "no".into();
        let cases = [
            (CommandState::Applied { result: None }, 200),
            (CommandState::Refused { reason: reason.clone() }, 422),
            (CommandState::Failed { reason: reason.clone() }, 409),
            (CommandState::Unconfirmed { reason }, 504),
            (CommandState::Expired, 504),
            (CommandState::Accepted, 504),
        ];
        for (state, expected) in cases {
            assert_eq!(status(state.clone(), StatusCode::GATEWAY_TIMEOUT), expected, "{state:?}");
        }
        assert_eq!(status(CommandState::Accepted, StatusCode::ACCEPTED), 202);
    }

    #[test]
    fn a_command_needs_a_sound_id_and_a_sound_time() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert!(duration("5").is_err() && duration("2h").is_err());
        assert!(checked_id(String::new()).is_err() && checked_id("x".repeat(129)).is_err());
        assert_eq!(checked_id("a".into()).as_deref(), Ok("a"));
    }
}
