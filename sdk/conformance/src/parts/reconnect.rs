//! Whether data comes again after the device was gone, each time, and nothing is left over.

use super::growth::Growth;
use super::{Part, with_a_wire};
use crate::Error;
use crate::ground::{Ground, Wire};
use crate::host::Host;
use crate::verdict::Verdict;

pub(super) const PART: Part = Part {
    name: "reconnect",
    applies: with_a_wire,
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: true,
};

/// A program takes its time to start: in the short form it is killed only now and then, and else only cut off.
const KILLED_EVERY: usize = 4;

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let Some(wire) = ground.wire() else { return Ok(()) };
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    // What is made at the first time and kept is no growth.
    if !cycle(wire, &mut host, true, verdict).await? {
        return Ok(());
    }
    let growth = Growth::begin(ground, &host);
    let cycles = ground.rounds(8, 40);
    for at in 0..cycles {
        let is_killed = ground.options.long || at % KILLED_EVERY == 0;
        if !cycle(wire, &mut host, is_killed, verdict).await? {
            return Ok(());
        }
    }
    let grown = growth.since(ground, &host, cycles).await;
    verdict.check(grown.is_empty(), || format!("after connecting again: {}", grown.join("; ")));
    host.close(verdict).await;
    Ok(())
}

/// The device goes and comes back once. False if data did not come again.
async fn cycle(wire: &Wire, host: &mut Host<'_>, is_killed: bool, verdict: &mut Verdict) -> Result<bool, Error> {
    let is_killed = is_killed && wire.peer.is_program();
    if is_killed {
        wire.peer.kill().await;
    }
    wire.proxy.down().await;
    let polled = host.poll(verdict).await;
    verdict.check(!polled.faults.is_empty() || host.steps().is_empty() || host.is_given_up(), || {
        "the device is gone: expected a fault, came none".into()
    });
    if is_killed {
        wire.proxy.up(wire.peer.start().await?).await?;
    } else {
        wire.proxy.again().await?;
    }
    Ok(host.until_right("after the device came back", verdict).await)
}
