//! Whether an answer that comes too late is taken for the answer to a later question.

use super::{Part, with_answers};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::Fate;
use crate::verdict::Verdict;

const NAME: &str = "late answer";

pub(super) const PART: Part =
    Part { name: NAME, applies: with_answers, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: false };

/// After the late answer the driver is polled as often, as fast as it goes: it would turn up in one of these.
const POLLS_AFTER: usize = 3;

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let mut dice = ground.dice(NAME);
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    for _ in 0..ground.rounds(5, 100) {
        let (honest, late) = (dice.usize(0..host.steps().len().max(1)), dice.usize(1..=2));
        {
            let mut state = ground.proxy().state();
            (0..honest).for_each(|_| state.then(Fate::Honest));
            (0..late).for_each(|_| state.then(Fate::Late));
        }
        for _ in 0..POLLS_AFTER {
            host.poll(verdict).await;
        }
        ground.proxy().state().calm();
        if !host.until_right("after a late answer", verdict).await {
            break;
        }
    }
    host.close(verdict).await;
    Ok(())
}
