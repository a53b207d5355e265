//! Routes: what goes to which target.

use crate::app::{NamedRoute, State};
use axum::Json;
use axum::extract::State as Shared;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

/// All routes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteList {
    /// In the order of the site.
    pub(crate) routes: Vec<RouteView>,
}

/// A route. Counters count from the start of the gateway.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteView {
    /// Its name.
    #[schema(example = "telemetry")]
    pub(crate) name: String,
    /// Where it sends.
    #[schema(example = "cloud")]
    pub(crate) target: String,
    /// Whether its target can be reached.
    pub(crate) connected: bool,
    /// Why it is not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Messages of the journal that it has not dealt with, those that it will pass over included.
    pub(crate) queued: u64,
    /// Messages handed to the target, repeats included.
    pub(crate) sent: u64,
    /// Messages that the target has acknowledged.
    pub(crate) acked: u64,
    /// Messages that the target will never get. Each is in the ledger.
    pub(crate) dropped: u64,
}

/// Lists the routes.
#[utoipa::path(
    get,
    path = "/routes",
    operation_id = "list_routes",
    tag = "gateway",
    responses(
        (status = 200, description = "The routes, in the order of the site.", body = RouteList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<RouteList> {
    Json(RouteList { routes: views(&gateway) })
}

/// All routes as they are now.
pub(super) fn views(gateway: &State) -> Vec<RouteView> {
    let head = gateway.journal.head();
    gateway.routes.iter().map(|route| RouteView::of(route, head)).collect()
}

impl RouteView {
    fn of(route: &NamedRoute, head: u64) -> Self {
        let status = &route.status;
        RouteView {
            name: route.name.to_string(),
            target: route.target.to_string(),
            connected: status.connected.load(Relaxed),
            reason: status.trouble.lock().clone(),
            queued: status.queued(head),
            sent: status.sent.load(Relaxed),
            acked: status.acked.load(Relaxed),
            dropped: status.dropped.load(Relaxed),
        }
    }
}
