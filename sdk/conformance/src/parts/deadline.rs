//! Whether calls come back by their deadline, whatever the device does.

use super::{Part, with_a_wire};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::Fate;
use crate::verdict::Verdict;
use edgeway_sdk::{Batch, Fault};
use std::time::Duration;
use tokio::time::Instant;

const NAME: &str = "deadline";

pub(super) const PART: Part =
    Part { name: NAME, applies: with_a_wire, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: false };

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let mut dice = ground.dice(NAME);
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    for _ in 0..ground.rounds(1, 20) {
        for (fate, what) in [(Fate::Stall, "a silent device"), (Fate::Endless, "an answer without end")] {
            // Before the driver's own timeout, at about the same time, and after it.
            for part in [0.3, 1.0, 2.0] {
                let within = ground.timeout().mul_f64(part * (0.8 + 0.4 * dice.f64()));
                ground.proxy().state().always(fate.clone());
                exec(ground, &mut host, within, what, verdict).await;
                ground.proxy().state().calm();
                if host.is_given_up() || !host.until_right(&format!("after {what}"), verdict).await {
                    return Ok(());
                }
            }
            ground.proxy().state().always(fate.clone());
            connect(ground, &mut host, verdict).await;
            write(ground, &mut host, verdict).await;
            ground.proxy().state().calm();
            if !host.until_right(&format!("after {what}"), verdict).await {
                return Ok(());
            }
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// Runs a step while nobody answers.
async fn exec(ground: &Ground<'_>, host: &mut Host<'_>, within: Duration, what: &str, verdict: &mut Verdict) {
    let Some(step) = host.steps().first().cloned() else { return };
    let link = host.link.clone();
    let by = Instant::now() + within;
    let call = async move {
        let mut batch = Batch::default();
        let result = link.exec(step.id, &mut batch, by).await;
        (result, batch)
    };
    if let Some((result, batch)) = host.call(&format!("exec against {what}"), by, call, verdict).await {
        let name = step.points.first().map(|point| ground.subject.name(*point)).unwrap_or_default();
        let is_good = result.is_ok() && batch.qualities.iter().any(|quality| quality.is_good());
        verdict.check(!is_good, || format!("the step of {name} against {what}: expected a fault, came a good value"));
        match result {
            Err(Fault::Link(_)) => host.link_lost(),
            Err(Fault::Device(_)) => host.leave_alone(step.device),
            _ => {}
        }
    }
}

/// Connects anew. A driver that asks nothing when it connects succeeds.
async fn connect(ground: &Ground<'_>, host: &mut Host<'_>, verdict: &mut Verdict) {
    let link = host.link.clone();
    let by = Instant::now() + ground.timeout();
    let call = async move { link.connect(by).await };
    if let Some(Err(_)) = host.call("connect", by, call, verdict).await {
        host.link_lost();
    }
}

/// Writes a value that the device has, so that nothing changes.
async fn write(ground: &Ground<'_>, host: &mut Host<'_>, verdict: &mut Verdict) {
    let writable = (0..).map(edgeway_sdk::PointIx).zip(&ground.subject.points);
    let Some((ix, point)) = writable.into_iter().find(|(_, point)| point.write.is_some() && point.access.reads())
    else {
        return;
    };
    let by = Instant::now() + ground.timeout();
    host.write_by(ix, &point.value, by, verdict).await;
}
