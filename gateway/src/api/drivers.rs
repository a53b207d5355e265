//! Drivers that are processes of their own.

use super::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use axum::Json;
use axum::extract::{Path, State as Shared};
use edgeway_driver_host::Status;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// All drivers that are processes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DriverList {
    /// In the order of `edgeway.toml`.
    pub(crate) drivers: Vec<DriverView>,
}

/// A driver that is a process.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DriverView {
    /// Its name.
    #[schema(example = "acme")]
    pub(crate) name: String,
    /// `awaited`, `starting`, `running`, `waiting` or `quarantined`.
    #[schema(example = "running")]
    pub(crate) state: String,
    /// Why it is not running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The number of its process, if the gateway has started one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pid: Option<u32>,
    /// How often its process was started.
    pub(crate) starts: u64,
    /// Resident memory, in bytes; of one that runs elsewhere 0.
    pub(crate) memory_bytes: u64,
    /// Cores used over the last ten seconds; of one that runs elsewhere 0.
    pub(crate) cpu_cores: f64,
    /// The last lines that it has written; only where one driver is shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lines: Vec<String>,
}

/// Lists the drivers that are processes of their own.
#[utoipa::path(
    get,
    path = "/drivers",
    operation_id = "list_drivers",
    tag = "gateway",
    responses(
        (status = 200, description = "The drivers that are processes, in the order of `edgeway.toml`.", body = DriverList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<DriverList> {
    let short = |status: Status| DriverView { lines: vec![], ..DriverView::of(status) };
    Json(DriverList { drivers: gateway.drivers.processes.iter().map(|driver| short(driver.status())).collect() })
}

/// Shows a driver that is a process of its own, with the last lines that it has written.
#[utoipa::path(
    get,
    path = "/drivers/{driver}",
    operation_id = "show_driver",
    tag = "gateway",
    params(("driver" = String, Path, description = "Its name")),
    responses(
        (status = 200, description = "The driver.", body = DriverView),
        (status = 404, description = "There is no such process.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<DriverView>, Problem> {
    let all: Vec<Status> = gateway.drivers.processes.iter().map(|driver| driver.status()).collect();
    let unknown = || Problem::unknown("driver process", &name, all.iter().map(|status| status.name.as_str()));
    let found = all.iter().find(|status| status.name == name).cloned();
    found.map(|status| Json(DriverView::of(status))).ok_or_else(unknown)
}

impl DriverView {
    fn of(status: Status) -> Self {
        DriverView {
            state: status.condition.word().to_owned(),
            reason: status.condition.reason(),
            name: status.name,
            pid: status.pid,
            starts: status.starts,
            memory_bytes: status.memory_bytes,
            cpu_cores: status.cpu_cores,
            lines: status.lines,
        }
    }
}
