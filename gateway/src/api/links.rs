//! Links: the wires to the devices.

use super::problem::{PROBLEM_JSON, Problem};
use crate::app::{NamedLink, State};
use crate::links::LinkState;
use axum::Json;
use axum::extract::{Path, State as Shared};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

/// All links.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkList {
    /// In the order of the site.
    pub(crate) links: Vec<LinkView>,
}

/// A link. Counters count from the start of the gateway.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct LinkView {
    /// Its name.
    #[schema(example = "farm")]
    pub(crate) name: String,
    /// Its driver.
    #[schema(example = "modbus")]
    pub(crate) driver: String,
    /// The wire, as the driver names it.
    pub(crate) wire: String,
    /// `connecting`, `up` or `down`.
    #[schema(example = "up")]
    pub(crate) state: String,
    /// Why it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Transactions that brought values.
    pub(crate) readings: u64,
    /// Values in them.
    pub(crate) values: u64,
    /// Values in them that were not good.
    pub(crate) bad_values: u64,
    /// Values in them that were no news, and are in no report.
    #[serde(default)]
    pub(crate) suppressed: u64,
    /// Transactions that failed.
    pub(crate) faults: u64,
    /// Times that the wire was opened.
    pub(crate) connects: u64,
    /// Readings that were so late that a whole period was skipped.
    pub(crate) overruns: u64,
    /// Values and events that devices told unasked faster than they were taken, and that were merged or dropped.
    #[serde(default)]
    pub(crate) merged: u64,
    /// How busy the readings keep the wire as they have gone of late, 1 being all of its time.
    #[serde(default)]
    pub(crate) load: f64,
    /// What the driver counts beside, by its own names.
    #[serde(default)]
    pub(crate) counters: BTreeMap<String, u64>,
    /// How quickly scenes have acted on this wire, if they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reactions: Option<ReactionsView>,
}

/// The way from a value that a device gave to the command that it caused, of the last 16,384.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReactionsView {
    /// How many.
    pub(crate) count: usize,
    /// Half of them took no longer, in milliseconds.
    pub(crate) p50_ms: f64,
    /// 99 of a hundred took no longer, in milliseconds.
    pub(crate) p99_ms: f64,
}

/// Lists the links.
#[utoipa::path(
    get,
    path = "/links",
    operation_id = "list_links",
    tag = "gateway",
    responses(
        (status = 200, description = "The links, in the order of the site.", body = LinkList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<LinkList> {
    Json(LinkList { links: views(&gateway) })
}

/// Shows a link.
#[utoipa::path(
    get,
    path = "/links/{link}",
    operation_id = "show_link",
    tag = "gateway",
    params(("link" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The link.", body = LinkView),
        (status = 404, description = "There is no such link.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<LinkView>, Problem> {
    let found = gateway.links.iter().find(|link| *link.name == *name);
    let names = || gateway.links.iter().map(|link| &*link.name);
    found.map(|link| Json(LinkView::of(link))).ok_or_else(|| Problem::unknown("link", &name, names()))
}

/// All links as they are now.
pub(super) fn views(gateway: &State) -> Vec<LinkView> {
    gateway.links.iter().map(LinkView::of).collect()
}

/// The state of a link in one word.
pub(super) fn word(state: &LinkState) -> &'static str {
    match state {
        LinkState::Connecting => "connecting",
        LinkState::Up => "up",
        LinkState::Down { .. } => "down",
    }
}

impl LinkView {
    fn of(link: &NamedLink) -> Self {
        let (status, state) = (&link.status, link.status.state());
        LinkView {
            name: link.name.to_string(),
            driver: link.driver.clone(),
            wire: link.wire.clone(),
            state: word(&state).to_owned(),
            readings: status.readings.load(Relaxed),
            values: status.values.load(Relaxed),
            bad_values: status.bad_values.load(Relaxed),
            suppressed: status.suppressed.load(Relaxed),
            faults: status.faults.load(Relaxed),
            connects: status.connects.load(Relaxed),
            overruns: status.overruns.load(Relaxed),
            merged: status.merged.load(Relaxed),
            load: status.load_permille.load(Relaxed) as f64 / 1e3,
            counters: link.link.health().into_iter().map(|(name, count)| (name.into_owned(), count)).collect(),
            reactions: status.reactions.summary().map(|(count, p50, p99)| ReactionsView {
                count,
                p50_ms: p50.as_secs_f64() * 1e3,
                p99_ms: p99.as_secs_f64() * 1e3,
            }),
            reason: match state {
                LinkState::Down { reason } => Some(reason),
                LinkState::Connecting | LinkState::Up => None,
            },
        }
    }
}
