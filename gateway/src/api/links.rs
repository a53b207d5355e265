//! Links: the wires to the devices.

use crate::app::{NamedLink, State};
use crate::links::LinkState;
use axum::Json;
use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};
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
    /// Transactions that failed.
    pub(crate) faults: u64,
    /// Times that the wire was opened.
    pub(crate) connects: u64,
    /// Readings that were so late that a whole period was skipped.
    pub(crate) overruns: u64,
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
            faults: status.faults.load(Relaxed),
            connects: status.connects.load(Relaxed),
            overruns: status.overruns.load(Relaxed),
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
