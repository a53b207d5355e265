//! Health, for whatever watches over the gateway, and metrics.

use super::links;
use crate::app::State;
use axum::Json;
use axum::extract::State as Shared;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

/// Whether the gateway does its work.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Readiness {
    /// Whether the gateway takes in and keeps messages. A device or a target that is away does not change it: the
    /// gateway is made to go on working then.
    pub(crate) ready: bool,
    /// The parts, without anything secret.
    pub(crate) parts: Vec<Part>,
}

/// A part of the gateway.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Part {
    /// `journal`, or a link or a route by name: `link farm`, `route telemetry`.
    #[schema(example = "link farm")]
    pub(crate) name: String,
    /// Whether it works.
    pub(crate) ok: bool,
    /// In one or two words.
    #[schema(example = "up")]
    pub(crate) detail: String,
}

/// Tells that the process is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "is_alive",
    tag = "health",
    security(()),
    responses(
        (
            status = 200,
            description = "The process is alive.",
            body = String,
            content_type = "text/plain",
            example = "ok",
        ),
    ),
)]
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// Tells whether the gateway does its work, and how its parts are. Needs no token.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "is_ready",
    tag = "health",
    security(()),
    responses(
        (status = 200, description = "The gateway takes in and keeps messages.", body = Readiness),
        (
            status = 503,
            description = "The disk takes no messages at the moment; they wait in memory.",
            body = Readiness,
        ),
    ),
)]
pub(super) async fn ready(Shared(gateway): Shared<Arc<State>>) -> impl IntoResponse {
    let journal = journal(&gateway);
    let ready = journal.ok;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let parts = std::iter::once(journal).chain(links(&gateway)).chain(routes(&gateway)).collect();
    (status, Json(Readiness { ready, parts }))
}

/// The reason that the disk gives may name paths, so it is left to the status.
fn journal(gateway: &State) -> Part {
    let ok = gateway.journal.stats().last_error.is_none();
    let detail = if ok { "writing" } else { "not writing" };
    Part { name: "journal".into(), ok, detail: detail.into() }
}

fn links(gateway: &State) -> impl Iterator<Item = Part> {
    gateway.links.iter().map(|link| {
        let detail = links::word(&link.status.state());
        Part { name: format!("link {}", link.name), ok: detail == "up", detail: detail.into() }
    })
}

fn routes(gateway: &State) -> impl Iterator<Item = Part> {
    gateway.routes.iter().map(|route| {
        let ok = route.state.connected.load(Relaxed);
        let detail = if ok { "connected" } else { "not connected" };
        Part { name: format!("route {}", route.name), ok, detail: detail.into() }
    })
}

/// Shows the metrics in Prometheus' text form.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "show_metrics",
    tag = "health",
    responses(
        (status = 200, description = "The metrics.", body = String, content_type = "text/plain; version=0.0.4"),
    ),
)]
pub(super) async fn metrics(Shared(gateway): Shared<Arc<State>>) -> impl IntoResponse {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, gateway.metrics.render(&gateway))
}
