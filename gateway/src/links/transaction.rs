//! One call into a driver, on guard against drivers that hang or panic.

use super::schedule::Slot;
use super::write::{self, WriteJob, Written};
use edgeway_sdk::{Batch, Fault, Link, StepIx};
use edgeway_site::PointSite;
use edgeway_thing_models::{Binding, Things};
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// The most time that a step may take. Drivers have timeouts of their own, far shorter.
const EXEC_WITHIN: Duration = Duration::from_secs(10);
/// How long a driver may overrun its deadline before the host gives the wire up.
const GRACE: Duration = Duration::from_secs(2);

/// A call that has ended.
pub(super) enum Ended {
    Step { slot: Slot, batch: Batch, result: Result<(), Fault> },
    Write { job: Box<WriteJob>, written: Written },
}

/// Runs one step.
pub(super) async fn step(link: Arc<dyn Link>, slot: Slot, step: StepIx, mut batch: Batch) -> Ended {
    batch.clear();
    let by = Instant::now() + EXEC_WITHIN;
    let result = guarded(link.exec(step, &mut batch, by), by).await.unwrap_or_else(Err);
    Ended::Step { slot, batch, result }
}

/// Runs one command.
pub(super) async fn write(link: Arc<dyn Link>, job: Box<WriteJob>, table: Arc<Table>) -> Ended {
    let by = Instant::now() + EXEC_WITHIN * 2;
    let written = guarded(write::run(&*link, &job, &table.binding, &table.points, &table.things), by).await;
    let written = written.unwrap_or_else(|fault| Written {
        state: edgeway_thing_models::CommandState::Unconfirmed { reason: fault.to_string().into() },
        report: None,
        link_lost: Some(fault.to_string()),
        unanswered: false,
    });
    Ended::Write { job, written }
}

/// What raw values mean.
pub(super) struct Table {
    pub(super) binding: Arc<Binding>,
    pub(super) points: Arc<[PointSite]>,
    pub(super) things: Arc<Things>,
}

async fn guarded<T>(call: impl Future<Output = T>, by: Instant) -> Result<T, Fault> {
    match timeout_at(by + GRACE, AssertUnwindSafe(call).catch_unwind()).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(Fault::Link("the driver panicked".into())),
        Err(_) => Err(Fault::Link("the driver did not keep its deadline".into())),
    }
}
