//! Dead letters: messages that a target refused for good.

use super::input::{Body, Params};
use super::problem::{PROBLEM_JSON, Problem};
use super::routes::route;
use crate::app::State;
use crate::deadletters::{Envelope, Letter};
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use edgeway_thing_models::Rendered;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Letters, oldest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LetterList {
    /// Oldest first.
    pub(crate) letters: Vec<LetterView>,
}

/// A letter.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LetterView {
    /// Its number, for `show` and `redrive`.
    pub(crate) number: u64,
    /// The route whose target refused it.
    pub(crate) route: String,
    /// What the message is about.
    #[schema(example = "property/wind-turbine/wt-07")]
    pub(crate) subject: String,
    /// The message's id.
    pub(crate) id: String,
    /// When it was refused.
    pub(crate) time: String,
    /// Why.
    pub(crate) reason: String,
    /// The message; only where one letter is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) message: Option<serde_json::Value>,
}

/// Which letters.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WhichLetters {
    /// Those of this route.
    pub(crate) route: Option<String>,
    /// Those with these numbers.
    pub(crate) numbers: Option<Vec<u64>>,
}

/// How many letters are on their way again.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Redriven {
    /// They are struck off once the target has taken them.
    pub(crate) letters: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    route: Option<String>,
}

/// Lists dead letters.
#[utoipa::path(
    get,
    path = "/deadletters",
    operation_id = "list_dead_letters",
    tag = "routes",
    params(("route" = Option<String>, Query, description = "Those of one route only.")),
    responses(
        (status = 200, description = "The letters, oldest first.", body = LetterList),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn list(
    Shared(gateway): Shared<Arc<State>>,
    Params(filter): Params<Filter>,
) -> Result<Json<LetterList>, Problem> {
    if let Some(name) = &filter.route {
        route(&gateway, name)?;
    }
    let letters = gateway.letters.list(filter.route.as_deref());
    Ok(Json(LetterList { letters: letters.into_iter().map(LetterView::from).collect() }))
}

/// Shows a dead letter with its message.
#[utoipa::path(
    get,
    path = "/deadletters/{number}",
    operation_id = "show_dead_letter",
    tag = "routes",
    params(("number" = u64, Path, description = "The letter's number.")),
    responses(
        (status = 200, description = "The letter.", body = LetterView),
        (status = 404, description = "There is no such letter.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(number): Path<u64>,
) -> Result<Json<LetterView>, Problem> {
    let letter = gateway.letters.get(number).ok_or_else(|| unknown(number))?;
    Ok(Json(view(&gateway, number, &letter)))
}

/// Sends dead letters again, all of them unless the body says which.
#[utoipa::path(
    post,
    path = "/deadletters/redrive",
    operation_id = "redrive_dead_letters",
    tag = "routes",
    request_body = WhichLetters,
    responses(
        (status = 202, description = "They are on their way.", body = Redriven),
        (status = 404, description = "There is no such letter or route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn redrive(
    Shared(gateway): Shared<Arc<State>>,
    Body(which): Body<WhichLetters>,
) -> Result<(StatusCode, Json<Redriven>), Problem> {
    let chosen = choose(&gateway, &which)?;
    let mut letters = 0;
    for state in &gateway.routes {
        let its = chosen.iter().filter(|envelope| envelope.route == state.name);
        let its: Vec<_> = its.filter_map(|e| Some((e.number, gateway.letters.get(e.number)?))).collect();
        letters += its.len();
        state.state.redrive(its);
    }
    Ok((StatusCode::ACCEPTED, Json(Redriven { letters })))
}

fn choose(gateway: &State, which: &WhichLetters) -> Result<Vec<Envelope>, Problem> {
    if let Some(name) = &which.route {
        route(gateway, name)?;
    }
    let mut letters = gateway.letters.list(which.route.as_deref());
    if let Some(numbers) = &which.numbers {
        letters.retain(|envelope| numbers.contains(&envelope.number));
        if let Some(missing) = numbers.iter().find(|number| !letters.iter().any(|e| e.number == **number)) {
            return Err(unknown(*missing));
        }
    }
    Ok(letters)
}

fn unknown(number: u64) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown dead letter", format!("there is no dead letter {number}"))
        .help("`edgeway deadletter list` shows all; one that was delivered is struck off")
}

fn view(gateway: &State, number: u64, letter: &Letter) -> LetterView {
    let rendered = Rendered::new(&letter.message, &gateway.things, Some(letter.id));
    LetterView {
        number,
        route: letter.route.to_string(),
        subject: letter.message.subject(&gateway.things),
        id: letter.id.to_string(),
        time: letter.at.to_string(),
        reason: letter.reason.to_string(),
        message: serde_json::to_value(rendered).ok(),
    }
}

impl From<Envelope> for LetterView {
    fn from(envelope: Envelope) -> Self {
        LetterView {
            number: envelope.number,
            route: envelope.route.to_string(),
            subject: envelope.subject.to_string(),
            id: envelope.id.to_string(),
            time: envelope.at.to_string(),
            reason: envelope.reason.to_string(),
            message: None,
        }
    }
}
