//! Queries: continuous SQL.

use super::input::Body;
use super::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use crate::queries::{ReloadError, Reloaded, Running};
use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use edgeway_sdk::Timestamp;
use edgeway_sdk::options::duration;
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
    /// Windows told early and keys forgotten, to make room.
    #[serde(default)]
    pub(crate) evicted: u64,
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

/// How queries are reloaded.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReloadBody {
    /// New and changed queries begin as if they had run for so long already, as far as the journal goes back; without it
    /// they begin with the next message. It should be longer than their longest window.
    #[schema(example = "1h")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) warm: Option<String>,
}

/// What came of a reload, by the names of queries.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReloadView {
    /// They were not there before.
    pub(crate) added: Vec<String>,
    /// They are gone, and what they remembered is.
    pub(crate) removed: Vec<String>,
    /// They go on with what they remember.
    pub(crate) kept: Vec<String>,
    /// They have changed, or what they read has, and what they remembered does not fit.
    pub(crate) anew: Vec<String>,
    /// When the gateway got the first message that those which are new or begin anew have seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) warm_since: Option<String>,
    /// How many messages behind it are lost.
    #[serde(default)]
    pub(crate) warm_lost: u64,
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

/// Takes in the queries and tables of the site's folder as they are now. If there is a mistake, all stays as it is.
/// Queries whose words have not changed go on with what they remember. Models, devices and routes stay as they
/// were when the gateway was started.
#[utoipa::path(
    post,
    path = "/queries/reload",
    operation_id = "reload_queries",
    tag = "queries",
    request_body = ReloadBody,
    responses(
        (status = 200, description = "They run.", body = ReloadView),
        (status = 400, description = "`warm` is no duration.", body = Problem, content_type = PROBLEM_JSON),
        (status = 409, description = "There are mistakes; nothing has changed.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn reload(
    Shared(gateway): Shared<Arc<State>>,
    Body(body): Body<ReloadBody>,
) -> Result<Json<ReloadView>, Problem> {
    let since = body.warm.as_deref().map(since).transpose()?;
    let reloading = gateway.clone();
    // It computes for milliseconds, or, for hundreds of queries or long ones that are warmed, for longer.
    let done = tokio::task::spawn_blocking(move || {
        let running = Running { things: &reloading.things, routes: &reloading.route_sites };
        reloading.queries.reload(&reloading.root, &running, since)
    });
    let done = done.await;
    // If the disk is quick, a crash from here on finds the new queries where they are.
    gateway.queries.settle().await;
    match done {
        Ok(Ok(reloaded)) => Ok(Json(reloaded.into())),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not reloaded", error.to_string())),
    }
}

/// A time so long ago.
fn since(ago: &str) -> Result<Timestamp, Problem> {
    let Some(parsed) = duration::parse(ago) else {
        return Err(Problem::bad_request(format!("`warm`: `{ago}` is no duration")).help("write 90m, 1h or 2d"));
    };
    let nanos = i64::try_from(parsed.as_nanos()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_nanos(Timestamp::now().as_nanos().saturating_sub(nanos)))
}

/// All queries as they are now.
pub(super) fn views(gateway: &State) -> Vec<QueryView> {
    gateway.queries.with(|queries| queries.list()).into_iter().map(QueryView::from).collect()
}

impl From<Reloaded> for ReloadView {
    fn from(reloaded: Reloaded) -> Self {
        let texts = |names: Vec<Arc<str>>| names.iter().map(ToString::to_string).collect();
        ReloadView {
            added: texts(reloaded.added),
            removed: texts(reloaded.removed),
            kept: texts(reloaded.kept),
            anew: texts(reloaded.anew),
            warm_since: reloaded.warm_since.map(|time| time.to_string()),
            warm_lost: reloaded.warm_lost,
        }
    }
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        let help = match error {
            ReloadError::Mistakes(_) => {
                "mend the files and reload again; models, devices and routes are taken in at the next start"
            }
            ReloadError::UnderWay | ReloadError::Behind => "try again a little later",
            ReloadError::State(_) => "restart the gateway, which begins them anew",
            ReloadError::Journal(_) => "reload without `warm`",
        };
        Problem::new(StatusCode::CONFLICT, "not reloaded", error.to_string()).help(help)
    }
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
            evicted: query.evicted,
            open_windows: query.open_windows,
            groups: query.groups,
            state_bytes: query.state_bytes as u64,
            busy_seconds: query.busy_nanos as f64 / 1e9,
            watermark: query.watermark.map(|time| time.to_string()),
        }
    }
}
