//! Whether old values are handed out as good ones while the device is silent or gone.

use super::{Part, with_a_wire};
use crate::Error;
use crate::ground::{Ground, Wire};
use crate::host::Host;
use crate::proxy::Fate;
use crate::verdict::Verdict;
use std::time::Duration;
use tokio::time::sleep;

pub(super) const PART: Part = Part {
    name: "stale data",
    applies: with_a_wire,
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: false,
};

/// What was on its way when the device fell silent has come after so long.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let Some(wire) = ground.wire() else { return Ok(()) };
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    for _ in 0..ground.rounds(1, 10) {
        wire.proxy.state().always(Fate::Stall);
        silence(ground, &mut host, "the device is silent", verdict).await;
        wire.proxy.state().calm();
        if !host.until_right("after the device was silent", verdict).await {
            return Ok(());
        }
        wire.proxy.down().await;
        silence(ground, &mut host, "the device is gone", verdict).await;
        back(wire).await?;
        if !host.until_right("after the device was gone", verdict).await {
            return Ok(());
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// Starts the device anew, whether it has ended or not, and leads connections to it.
async fn back(wire: &Wire) -> Result<(), Error> {
    Ok(wire.proxy.up(wire.peer.start().await?).await?)
}

async fn silence(ground: &Ground<'_>, host: &mut Host<'_>, when: &str, verdict: &mut Verdict) {
    sleep(ON_ITS_WAY).await;
    // What was told before it fell silent.
    host.drain(verdict);
    for _ in 0..3 {
        let polled = host.poll(verdict).await;
        let asked = polled.seen.iter().filter(|(point, _)| !host.watched().contains(point));
        let told = polled.told.iter().map(|(point, seen)| (point, seen));
        for (point, seen) in asked.chain(told) {
            let name = ground.subject.name(*point);
            verdict.check(!seen.quality.is_good(), || {
                format!("{when}, {name}: expected a fault or a bad value, came {seen}")
            });
        }
        verdict.check(true, String::new);
    }
}
