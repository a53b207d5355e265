//! Whether watched points tell their present values first, and then what changes.

use super::Part;
use crate::Error;
use crate::ground::Ground;
use crate::host::{Host, Polled};
use crate::subject::{Point, Write, same};
use crate::verdict::Verdict;
use edgeway_sdk::{PointIx, Value};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

pub(super) const PART: Part = Part {
    name: "watch",
    applies: |ground| {
        let can = ground.driver.manifest().can.watch;
        can.then_some(()).ok_or_else(|| "the driver does not watch".into())
    },
    run: |ground, verdict| Box::pin(run(ground, verdict)),
    counts: false,
};

/// What a device says unasked is here by then.
const TOLD_WITHIN: Duration = Duration::from_secs(8);

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let Some(mut host) = Host::open(ground, ground.subject.point_specs(), verdict).await? else { return Ok(()) };
    let watched = host.watched().clone();
    if watched.is_empty() {
        nothing_to_tell(&mut host, verdict).await;
        return Ok(());
    }
    for _ in 0..ground.rounds(3, 30) {
        if !present_values(ground, &mut host, &watched, verdict).await {
            return Ok(());
        }
        host.close(verdict).await;
    }
    if !present_values(ground, &mut host, &watched, verdict).await {
        return Ok(());
    }
    for (ix, point) in (0..).map(PointIx).zip(&ground.subject.points) {
        if let (Some(write), true) = (&point.write, watched.contains(&ix)) {
            changes(ground, &mut host, ix, (point, write), verdict).await;
        }
    }
    host.close(verdict).await;
    Ok(())
}

/// A driver that watches on some links and not on this one says so.
async fn nothing_to_tell(host: &mut Host<'_>, verdict: &mut Verdict) {
    if let Err(fault) = host.connect(verdict).await {
        return verdict.finding(format!("expected to connect, came {fault:?}"));
    }
    verdict.check(!host.tells(), || {
        "the manifest says that the driver watches, `plan` watches no point of the subject, and `watch` does not say that \
         it is unsupported"
            .into()
    });
    host.close(verdict).await;
}

/// After each `connect`, every watched point tells what it is.
async fn present_values(
    ground: &Ground<'_>,
    host: &mut Host<'_>,
    watched: &HashSet<PointIx>,
    verdict: &mut Verdict,
) -> bool {
    let missing = told(host, watched.clone(), verdict, |polled, missing| {
        missing.retain(|point| !polled.told.iter().any(|(told, seen)| told == point && seen.quality.is_good()));
    });
    let missing = missing.await;
    verdict.check(missing.is_empty(), || {
        let mut names: Vec<String> = missing.iter().map(|point| ground.subject.name(*point)).collect();
        names.sort();
        format!("{}: expected the present value within {TOLD_WITHIN:?} after connecting, came none", names.join(", "))
    });
    missing.is_empty()
}

/// Writes the other value and the first again; each must be told.
async fn changes(
    ground: &Ground<'_>,
    host: &mut Host<'_>,
    ix: PointIx,
    (point, write): (&Point, &Write),
    verdict: &mut Verdict,
) {
    for (value, becomes) in [(&write.value, &write.reads_back), (&point.value, &point.value)] {
        host.allow(ix, vec![point.value.clone(), write.reads_back.clone()]);
        host.write(ix, value, verdict).await;
        let is_new = |seen: &Value| same(becomes, seen);
        let missing = told(host, HashSet::from([ix]), verdict, |polled, missing| {
            missing.retain(|point| !polled.told.iter().any(|(told, seen)| told == point && is_new(&seen.value)));
        });
        let missing = missing.await;
        verdict.check(missing.is_empty(), || {
            format!(
                "{}: expected to be told of its change to {becomes} within {TOLD_WITHIN:?}",
                ground.subject.name(ix)
            )
        });
    }
    host.allow(ix, vec![point.value.clone()]);
}

/// Polls until nothing is missing any more, or for too long. Returns what is still missing.
async fn told(
    host: &mut Host<'_>,
    mut missing: HashSet<PointIx>,
    verdict: &mut Verdict,
    mut take: impl FnMut(&Polled, &mut HashSet<PointIx>),
) -> HashSet<PointIx> {
    let until = Instant::now() + TOLD_WITHIN;
    while !missing.is_empty() && Instant::now() < until && !host.is_given_up() {
        let polled = host.poll(verdict).await;
        take(&polled, &mut missing);
        sleep(Duration::from_millis(10)).await;
    }
    missing
}
