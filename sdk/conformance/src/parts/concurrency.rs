//! Whether more questions are under way at the same time than the driver has declared.

use super::{Part, with_answers};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::proxy::Fate;
use crate::verdict::Verdict;

pub(super) const PART: Part = Part {
    name: "concurrency",
    applies: with_answers,
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: false,
};

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let Some(mut host) = Host::running(ground, verdict).await? else { return Ok(()) };
    // Slow answers show what is asked before they have come. None is late: what is given up is not under way for the driver.
    ground.proxy().state().always(Fate::Delay(ground.timeout() / 5));
    for _ in 0..ground.rounds(4, 100) {
        ground.proxy().state().take_under_way_max();
        let polled = host.poll(verdict).await;
        let (declared, found) = (host.concurrency(), ground.proxy().state().take_under_way_max());
        if polled.faults.is_empty() {
            verdict.check(found <= declared, || {
                format!("expected at most {declared} questions under way at the same time, as declared, came {found}")
            });
        }
    }
    ground.proxy().state().calm();
    host.close(verdict).await;
    Ok(())
}
