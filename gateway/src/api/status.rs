//! The gateway as a whole.

use super::links::{self, LinkView};
use super::queries::{self, QueryView};
use super::routes::{self, RouteView};
use super::scenes::{self, SceneView};
use crate::app::State;
use crate::telemetry;
use axum::Json;
use axum::extract::State as Shared;
use edgeway_journal::Class;
use edgeway_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use utoipa::ToSchema;

/// The gateway as a whole. Counters count from its start.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StatusView {
    /// The site's name.
    #[schema(example = "wind-farm")]
    pub(crate) name: String,
    /// Unique to this gateway; the first part of every message's id.
    #[schema(example = "wind-farm-7f3a91c2")]
    pub(crate) gateway: String,
    /// The program's version.
    pub(crate) version: String,
    /// When it was started.
    #[schema(format = DateTime)]
    pub(crate) started: String,
    /// How long it has been running, in seconds.
    pub(crate) uptime_seconds: f64,
    /// Where the embedded broker listens, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) broker: Option<String>,
    /// Devices by state.
    pub(crate) devices: BTreeMap<String, usize>,
    /// Transactions that brought values, over all links.
    pub(crate) readings: u64,
    /// Values in them.
    pub(crate) values: u64,
    /// Values in them that were not good.
    pub(crate) bad_values: u64,
    /// How commands went.
    pub(crate) commands: CommandCounts,
    /// How often scenes ran.
    pub(crate) scene_firings: u64,
    /// How many rows queries gave out.
    pub(crate) query_rows: u64,
    /// Messages appended to the journal.
    pub(crate) journal_messages: u64,
    /// Messages that targets have refused for good and that are kept.
    pub(crate) dead_letters: u64,
    /// Parts that panicked. Each is a bug in Edgeway.
    pub(crate) part_restarts: u64,
    /// The journal.
    pub(crate) journal: JournalView,
    /// The wires to the devices.
    pub(crate) links: Vec<LinkView>,
    /// What goes to which target.
    pub(crate) routes: Vec<RouteView>,
    /// Linkage rules.
    pub(crate) scenes: Vec<SceneView>,
    /// Continuous SQL.
    pub(crate) queries: Vec<QueryView>,
}

/// How commands went.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CommandCounts {
    /// Applied.
    pub(crate) ok: u64,
    /// Refused, failed, unconfirmed or expired.
    pub(crate) failed: u64,
}

/// The journal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct JournalView {
    /// Its size on disk.
    pub(crate) bytes: u64,
    /// Its files with messages.
    pub(crate) segments: usize,
    /// The offset of the oldest message kept.
    pub(crate) first: u64,
    /// The offset of the next message.
    pub(crate) head: u64,
    /// All messages below this offset are on disk.
    pub(crate) durable_head: u64,
    /// Messages removed for space or age.
    pub(crate) dropped: u64,
    /// Each class has a log and a quota of its own.
    pub(crate) classes: Vec<ClassView>,
    /// Why the disk takes nothing at the moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What a class of messages takes on disk.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ClassView {
    /// `critical`, `normal` or `bulk`.
    pub(crate) class: String,
    /// Its size on disk.
    pub(crate) bytes: u64,
    /// The most that it may take.
    pub(crate) bytes_max: u64,
    /// It takes no new messages: the disk is full, or a route keeps what is there.
    pub(crate) full: bool,
}

/// Shows the gateway as a whole.
#[utoipa::path(
    get,
    path = "/status",
    operation_id = "show_status",
    tag = "gateway",
    responses(
        (status = 200, description = "The gateway as it is now.", body = StatusView),
    ),
)]
pub(super) async fn show(Shared(gateway): Shared<Arc<State>>) -> Json<StatusView> {
    Json(StatusView::of(&gateway))
}

impl StatusView {
    fn of(gateway: &State) -> Self {
        let (links, queries) = (links::views(gateway), queries::views(gateway));
        let sum = |count: fn(&LinkView) -> u64| links.iter().map(count).sum();
        let tally = gateway.desk.tally();
        let stats = gateway.journal.stats();
        StatusView {
            name: gateway.name.to_string(),
            gateway: gateway.gateway.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: gateway.started.to_string(),
            uptime_seconds: Timestamp::now().since(gateway.started).as_secs_f64(),
            broker: gateway.broker.map(|address| address.to_string()),
            devices: telemetry::count_devices(gateway)
                .map(|(online, count)| (online.as_str().to_owned(), count))
                .into(),
            readings: sum(|link| link.readings),
            values: sum(|link| link.values),
            bad_values: sum(|link| link.bad_values),
            commands: CommandCounts { ok: tally.ok.load(Relaxed), failed: tally.failed.load(Relaxed) },
            scene_firings: gateway.scenes.with(|scenes| scenes.counters().firings),
            query_rows: queries.iter().map(|query| query.rows_out).sum(),
            journal_messages: stats.appended_total,
            dead_letters: gateway.letters.len() as u64,
            part_restarts: gateway.restarts.get(),
            journal: JournalView {
                bytes: stats.bytes_on_disk,
                segments: stats.segments,
                first: stats.first,
                head: stats.head,
                durable_head: stats.durable_head,
                dropped: stats.dropped_by_retention_total,
                classes: Class::ALL.map(|class| ClassView::of(gateway, class)).into(),
                error: stats.last_error,
            },
            links,
            routes: routes::views(gateway),
            scenes: scenes::views(gateway),
            queries,
        }
    }
}

impl ClassView {
    fn of(gateway: &State, class: Class) -> Self {
        let usage = gateway.journal.usage(class);
        ClassView { class: class.as_str().to_owned(), bytes: usage.bytes, bytes_max: usage.bytes_max, full: usage.full }
    }
}
