//! Whether every point has its value, again and again.

use super::{Part, always};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::Fate;
use crate::verdict::Verdict;

pub(super) const PART: Part =
    Part { name: "values", applies: always, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: false };

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    all_good(ground, &mut host, "polling", verdict).await;
    if let Some(wire) = ground.wire() {
        let address = wire.proxy.address();
        let is_used = wire.proxy.state().connections() > 0 || !wire.proxy.state().take_questions().is_empty();
        // Nothing that is done to the wire would reach it.
        verdict.check(is_used, || {
            format!("expected the driver to connect to {address}, it has its values from elsewhere")
        });
        // How a network cuts bytes into pieces, and how long it takes, is no damage.
        let pieces = ground.is_stream().then_some((Fate::Split, "answers in pieces"));
        for (fate, what) in pieces.into_iter().chain([(Fate::Delay(ground.timeout() / 5), "slow answers")]) {
            wire.proxy.state().always(fate);
            all_good(ground, &mut host, what, verdict).await;
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// Polls some times. On a busy machine an answer may be late that is not: a quarter of the polls may have a fault.
async fn all_good(ground: &Ground<'_>, host: &mut Host<'_>, what: &str, verdict: &mut Verdict) {
    let rounds = ground.rounds(8, 100);
    let mut faulty = 0;
    let mut last = String::new();
    for _ in 0..rounds {
        let polled = host.poll(verdict).await;
        for (point, seen) in &polled.seen {
            let name = ground.subject.name(*point);
            verdict.check(seen.quality.is_good(), || format!("{what}, {name}: expected a good value, came {seen}"));
        }
        if let Some(fault) = polled.faults.last() {
            faulty += 1;
            last = fault.to_string();
        }
    }
    verdict.check(faulty * 4 <= rounds, || {
        format!("{what}: expected values, came faults in {faulty} of {rounds} polls, the last: {last}")
    });
    host.until_right(what, verdict).await;
}
