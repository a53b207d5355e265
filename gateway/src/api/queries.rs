//! Queries: continuous SQL.

use crate::app::State;
use axum::Json;
use axum::extract::State as Shared;
use edgeway_streams::QueryInfo;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// All queries.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct QueryList {
    /// Each after those that feed it.
    pub(crate) queries: Vec<QueryView>,
}

/// A query. Counters count from the start of the gateway.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct QueryView {
    /// Its name; its rows have the subject `stream/NAME`.
    #[schema(example = "power_1m")]
    pub(crate) name: String,
    /// Its file.
    #[schema(example = "queries/power_1m.sql")]
    pub(crate) file: String,
    /// Its text.
    pub(crate) sql: String,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
    /// Rows of its table that it got.
    pub(crate) rows_in: u64,
    /// Rows given out.
    pub(crate) rows_out: u64,
    /// Rows left out: they came after their window had been closed.
    pub(crate) late: u64,
    /// Rows left out: their time was too far ahead of the gateway's clock.
    pub(crate) future: u64,
    /// Rows left out: its state was full (too many windows, groups or bytes).
    pub(crate) dead: u64,
    /// Rows left out: an expression failed for them.
    pub(crate) errors: u64,
    /// Windows that are open.
    pub(crate) open_windows: usize,
    /// Groups in them, or keys of which something is remembered.
    pub(crate) groups: usize,
    /// Memory that its state takes, in bytes.
    #[serde(default)]
    pub(crate) state_bytes: u64,
    /// How long it has worked, in seconds of a processor.
    #[serde(default)]
    pub(crate) busy_seconds: f64,
    /// Up to which time it takes its rows to be complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) watermark: Option<String>,
}

/// Lists the queries.
#[utoipa::path(
    get,
    path = "/queries",
    operation_id = "list_queries",
    tag = "queries",
    responses(
        (status = 200, description = "The queries.", body = QueryList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<QueryList> {
    Json(QueryList { queries: views(&gateway) })
}

/// All queries as they are now.
pub(super) fn views(gateway: &State) -> Vec<QueryView> {
    gateway.queries.with(|queries| queries.list()).into_iter().map(QueryView::from).collect()
}

impl From<QueryInfo> for QueryView {
    fn from(query: QueryInfo) -> Self {
        QueryView {
            name: query.name.to_string(),
            file: query.file.to_string(),
            sql: query.sql.to_string(),
            columns: query.columns.iter().map(|column| column.to_string()).collect(),
            rows_in: query.rows_in,
            rows_out: query.rows_out,
            late: query.late,
            future: query.future,
            dead: query.dead,
            errors: query.errors,
            open_windows: query.open_windows,
            groups: query.groups,
            state_bytes: query.state_bytes as u64,
            busy_seconds: query.busy_nanos as f64 / 1e9,
            watermark: query.watermark.map(|time| time.to_string()),
        }
    }
}
