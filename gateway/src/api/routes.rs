//! Routes: what goes to which target, and what became of it.

use super::input::Body;
use super::problem::{PROBLEM_JSON, Problem};
use crate::app::{NamedRoute, State};
use crate::router::{Holder, NOBODY};
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use edgeway_journal::Class;
use edgeway_sdk::Timestamp;
use edgeway_targets::Opening;
use edgeway_thing_models::Account;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};
use tokio::time::timeout;
use utoipa::ToSchema;

/// How long a test of a target may take.
const TEST_WITHIN: Duration = Duration::from_secs(15);

/// All routes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteList {
    /// In the order of the site.
    pub(crate) routes: Vec<RouteView>,
}

/// A route.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteView {
    /// Its name.
    #[schema(example = "telemetry")]
    pub(crate) name: String,
    /// Where it sends.
    #[schema(example = "cloud")]
    pub(crate) target: String,
    /// `connecting`, `connected`, `away`, `throttled`, `denied` or `paused`.
    #[schema(example = "connected")]
    pub(crate) state: String,
    /// Whether its target can be reached.
    pub(crate) connected: bool,
    /// Why it is not connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// What has become of its messages since it began, over all restarts.
    #[serde(flatten)]
    pub(crate) account: AccountView,
    /// Messages handed to the target since the gateway was started, repeats included.
    pub(crate) sent: u64,
    /// For how many hours the journal can still keep everything for this route while its target takes nothing, at the
    /// present rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hours_left: Option<f64>,
}

/// What has become of messages: taken = delivered + queued + expired + dropped + dead.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct AccountView {
    /// The route's subjects and conditions took them.
    pub(crate) taken: u64,
    /// The target has acknowledged them.
    pub(crate) delivered: u64,
    /// They wait, or are under way.
    pub(crate) queued: u64,
    /// They were older than the route's `ttl`.
    pub(crate) expired: u64,
    /// The journal was full, or they were damaged on disk. Each loss is in the ledger.
    pub(crate) dropped: u64,
    /// The target refused them for good; they are dead letters.
    pub(crate) dead: u64,
}

/// What has become of a route's messages, by device.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteLedger {
    /// The route.
    pub(crate) route: String,
    /// When this was read.
    pub(crate) time: String,
    /// All messages.
    pub(crate) total: AccountView,
    /// By device; `-` stands for what is of no device.
    pub(crate) devices: BTreeMap<String, AccountView>,
}

/// Where a route goes on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeekBody {
    /// `"start"` (the oldest message kept), `"end"` (the next new one) or an offset of the journal.
    #[schema(example = "start")]
    pub(crate) to: String,
}

/// How a test went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RouteTest {
    /// The route.
    pub(crate) route: String,
    /// Whether its target let a second connection in.
    pub(crate) ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// How long connecting took.
    pub(crate) milliseconds: u64,
}

/// Lists the routes.
#[utoipa::path(
    get,
    path = "/routes",
    operation_id = "list_routes",
    tag = "routes",
    responses(
        (status = 200, description = "The routes, in the order of the site.", body = RouteList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<RouteList> {
    Json(RouteList { routes: views(&gateway) })
}

/// Shows a route.
#[utoipa::path(
    get,
    path = "/routes/{name}",
    operation_id = "show_route",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "The route as it is now.", body = RouteView),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<RouteView>, Problem> {
    Ok(Json(RouteView::of(&gateway, route(&gateway, &name)?)))
}

/// Shows what has become of a route's messages, by device.
#[utoipa::path(
    get,
    path = "/routes/{name}/ledger",
    operation_id = "show_ledger",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "The ledger as it is now.", body = RouteLedger),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn ledger(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<RouteLedger>, Problem> {
    let route = route(&gateway, &name)?;
    let mut sums = BTreeMap::<String, Account>::new();
    for (holder, account) in route.state.accounts() {
        let name = match holder {
            Holder::Device(device) => gateway.things.device(device).id.to_string(),
            Holder::Nobody => NOBODY.to_owned(),
        };
        *sums.entry(name).or_default() += account;
    }
    let devices = sums.into_iter().map(|(name, account)| (name, account.into())).collect();
    let total = route.state.total().into();
    Ok(Json(RouteLedger { route: name, time: Timestamp::now().to_string(), total, devices }))
}

/// Stops a route from sending, also after a restart, until it is resumed. Its messages wait.
#[utoipa::path(
    post,
    path = "/routes/{name}/pause",
    operation_id = "pause_route",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "It is paused.", body = RouteView),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn pause(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<RouteView>, Problem> {
    let route = route(&gateway, &name)?;
    route.state.pause();
    Ok(Json(RouteView::of(&gateway, route)))
}

/// Lets a paused route send again.
#[utoipa::path(
    post,
    path = "/routes/{name}/resume",
    operation_id = "resume_route",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "It sends again.", body = RouteView),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn resume(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<RouteView>, Problem> {
    let route = route(&gateway, &name)?;
    route.state.resume();
    Ok(Json(RouteView::of(&gateway, route)))
}

/// Lets a route go on at another place of the journal. What waits before that place counts as dropped; what lies behind it
/// is sent (again), with the ids that it had.
#[utoipa::path(
    post,
    path = "/routes/{name}/seek",
    operation_id = "seek_route",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    request_body = SeekBody,
    responses(
        (status = 202, description = "It goes on there as soon as what is under way is given up.", body = RouteView),
        (status = 400, description = "There is no such place.", body = Problem, content_type = PROBLEM_JSON),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn seek(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
    Body(body): Body<SeekBody>,
) -> Result<(StatusCode, Json<RouteView>), Problem> {
    let route = route(&gateway, &name)?;
    route.state.seek(places(&gateway, &body.to)?);
    Ok((StatusCode::ACCEPTED, Json(RouteView::of(&gateway, route))))
}

/// Opens a second connection to a route's target and closes it again. Nothing is sent.
#[utoipa::path(
    post,
    path = "/routes/{name}/test",
    operation_id = "test_route",
    tag = "routes",
    params(("name" = String, Path, description = "The route.")),
    responses(
        (status = 200, description = "How it went.", body = RouteTest),
        (status = 404, description = "There is no such route.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn test(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<RouteTest>, Problem> {
    let route = route(&gateway, &name)?;
    let start = Instant::now();
    // A name of its own: a broker would throw the route out for a second client of the same id.
    let connected = async {
        let mut target = edgeway_targets::open(&format!("{name}-test"), &route.target)?;
        let connected = target.connect(Opening::default()).await;
        target.close().await;
        connected
    };
    let reason = match timeout(TEST_WITHIN, connected).await {
        Ok(connected) => connected.err().map(|error| error.to_string()),
        Err(_) => Some(format!("no answer within {} s", TEST_WITHIN.as_secs())),
    };
    let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(RouteTest { route: name, ok: reason.is_none(), reason, milliseconds }))
}

/// All routes as they are now.
pub(super) fn views(gateway: &State) -> Vec<RouteView> {
    gateway.routes.iter().map(|route| RouteView::of(gateway, route)).collect()
}

/// The route of this name.
pub(super) fn route<'g>(gateway: &'g State, name: &str) -> Result<&'g NamedRoute, Problem> {
    let known = || gateway.routes.iter().map(|route| &*route.name);
    let found = gateway.routes.iter().find(|route| &*route.name == name);
    found.ok_or_else(|| Problem::unknown("route", name, known()))
}

fn places(gateway: &State, to: &str) -> Result<[u64; 3], Problem> {
    let journal = &gateway.journal;
    match to {
        "start" => Ok(Class::ALL.map(|class| journal.first_of(class))),
        "end" => Ok([journal.head(); 3]),
        offset => match offset.parse::<u64>() {
            Ok(offset) if offset <= journal.head() => Ok([offset; 3]),
            Ok(_) => Err(Problem::bad_request(format!("`to`: the journal ends at offset {}", journal.head()))),
            Err(_) => Err(Problem::bad_request(format!("`to`: `{to}` is no place of the journal"))
                .help("write \"start\", \"end\" or an offset")),
        },
    }
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        let queued = account.queued();
        let Account { taken, delivered, expired, dropped, dead } = account;
        AccountView { taken, delivered, queued, expired, dropped, dead }
    }
}

impl RouteView {
    fn of(gateway: &State, route: &NamedRoute) -> Self {
        let state = &route.state;
        RouteView {
            name: route.name.to_string(),
            target: route.target.name.to_string(),
            state: state.word().to_owned(),
            connected: state.connected.load(Relaxed),
            reason: state.trouble.lock().as_ref().map(|trouble| trouble.reason.clone()),
            account: state.total().into(),
            sent: state.sent.load(Relaxed),
            hours_left: gateway.accountant.time_left(state).map(|left| left.as_secs_f64() / 3600.0),
        }
    }
}
