//! Whether what the device refuses spoils only what it is about.

use super::Part;
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::verdict::Verdict;
use edgeway_sdk::Fault;

pub(super) const PART: Part = Part {
    name: "fault scope",
    applies: |ground| {
        let is_told = !ground.subject.refused.is_empty();
        is_told.then_some(()).ok_or_else(|| "the subject has no `[[refused]]`".into())
    },
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: false,
};

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let subject = ground.subject;
    let points = subject.point_specs().into_iter().chain(subject.refused_specs()).collect();
    let Some(mut host) = Host::open(ground, points, verdict).await? else { return Ok(()) };
    if !host.until_right("with points beside them that the device refuses", verdict).await {
        return Ok(());
    }
    let rounds = ground.rounds(4, 40);
    let mut of_device = 0;
    for _ in 0..rounds {
        let polled = host.poll(verdict).await;
        for fault in &polled.faults {
            of_device += usize::from(matches!(fault, Fault::Device(_)));
            let is_narrow = !matches!(fault, Fault::Link(_));
            verdict.check(is_narrow, || {
                format!("expected a fault of a point or a step, the wire was well, came a fault of the link: {fault}")
            });
        }
    }
    // One may be a busy machine; a fault of the device in every poll keeps its other points from being read.
    verdict.check(of_device * 2 < rounds, || {
        format!(
            "expected faults of points or steps, came {of_device} of a device in {rounds} polls: it would be backed off"
        )
    });
    host.until_right("with refused points known", verdict).await;
    host.close(verdict).await;
    Ok(())
}
