//! Whether a link can be opened and closed any number of times, also while it connects, and leaves nothing behind.

use super::growth::Growth;
use super::{Part, always};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::verdict::Verdict;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const NAME: &str = "lifecycle";

pub(super) const PART: Part =
    Part { name: NAME, applies: always, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: true };

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let mut dice = ground.dice(NAME);
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    let cycles = ground.rounds(25, 500);
    let growth = Growth::begin(ground, &host);
    for _ in 0..cycles {
        host.close(verdict).await;
        if !host.until_right("after close and connect", verdict).await {
            return Ok(());
        }
    }
    let grown = growth.since(ground, &host, cycles).await;
    verdict.check(grown.is_empty(), || format!("after close and connect: {}", grown.join("; ")));
    for _ in 0..cycles {
        close_while_connecting(&mut host, Duration::from_micros(dice.u64(0..3000)), verdict).await;
        if host.is_given_up() {
            return Ok(());
        }
    }
    if !host.until_right("after close during connect", verdict).await {
        return Ok(());
    }
    let grown = growth.since(ground, &host, cycles).await;
    verdict.check(grown.is_empty(), || format!("after close during connect: {}", grown.join("; ")));
    dropped(ground, host, cycles, verdict).await
}

async fn close_while_connecting(host: &mut Host<'_>, after: Duration, verdict: &mut Verdict) {
    let by = Instant::now() + Duration::from_secs(5);
    let (connecting, closing) = (host.link.clone(), host.link.clone());
    let both = async move {
        let connecting = async { drop(connecting.connect(by).await) };
        let closing = async {
            sleep(after).await;
            closing.close(by).await;
        };
        tokio::join!(connecting, closing);
    };
    host.call("close during connect", by, both, verdict).await;
    host.close(verdict).await;
}

/// Opens many links and drops them without closing.
async fn dropped(ground: &Ground<'_>, mut host: Host<'_>, cycles: usize, verdict: &mut Verdict) -> Result<(), Error> {
    host.close(verdict).await;
    let growth = Growth::begin(ground, &host);
    for _ in 0..cycles {
        let Some(connected) = host.another(verdict).await else { return Ok(()) };
        drop(connected);
    }
    let grown = growth.since(ground, &host, cycles).await;
    verdict.check(grown.is_empty(), || format!("after links were dropped: {}", grown.join("; ")));
    Ok(())
}
