//! Whether every point is planned, the same way each time, down to single points, and soon.

use super::{Part, always};
use crate::Error;
use crate::ground::Ground;
use crate::host::Host;
use crate::subject::number;
use crate::verdict::Verdict;
use edgeway_sdk::{DeviceIx, DeviceSpec, Plan, PointIx, PointSpec, Split, Step, StepIx};
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

pub(super) const PART: Part =
    Part { name: "plan", applies: always, run: |ground, verdict| Box::pin(run(ground, verdict)), counts: false };

/// So many points on so many devices are planned soon enough.
const MANY: usize = 100_000;
const MANY_DEVICES: usize = 1_000;
/// A build that is not optimised is some ten times slower, and is not what runs in the field.
const MANY_WITHIN: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 1 });

async fn run(ground: &Ground<'_>, verdict: &mut Verdict) -> Result<(), Error> {
    let points: Vec<PointSpec> =
        ground.subject.point_specs().into_iter().chain(ground.subject.refused_specs()).collect();
    let (Some(mut host), Some(mut other)) =
        (Host::open(ground, points.clone(), verdict).await?, Host::open(ground, points.clone(), verdict).await?)
    else {
        return Ok(());
    };
    let (Some(first), Some(second)) =
        (host.plan(points.clone(), None, verdict).await, other.plan(points.clone(), None, verdict).await)
    else {
        return Ok(());
    };
    verdict
        .check(alike(&first) == alike(&second), || "expected the same plan for the same points, came another".into());
    complete(ground, &points, &first, verdict);
    for (point, reason) in &first.rejected {
        let is_promised = ground.subject.point(*point).is_some();
        let name = ground.subject.name(*point);
        verdict.check(!is_promised, || format!("{name}: expected a step, it was rejected: {reason}"));
    }
    split(ground, &mut host, &points, first.steps, verdict).await;
    many(ground, &mut other, verdict).await;
    Ok(())
}

/// A plan without the numbers of its steps, which a driver may give as it likes.
fn alike(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.steps.iter_mut().for_each(|step| step.id = StepIx(0));
    plan
}

/// Every readable point is in exactly one step, or watched, or rejected for a reason.
fn complete(ground: &Ground<'_>, points: &[PointSpec], plan: &Plan, verdict: &mut Verdict) {
    let mut places: HashMap<PointIx, usize> = HashMap::new();
    let rejected = plan.rejected.iter().map(|(point, _)| point);
    for point in plan.steps.iter().flat_map(|step| &step.points).chain(&plan.watched).chain(rejected) {
        *places.entry(*point).or_default() += 1;
    }
    for spec in points {
        let (name, times) = (ground.subject.name(spec.ix), places.remove(&spec.ix).unwrap_or_default());
        if spec.access.reads() {
            verdict.check(times == 1, || {
                format!("{name}: expected to be in one step, watched or rejected, it is so in {times} places")
            });
        } else {
            let is_read = plan.steps.iter().any(|step| step.points.contains(&spec.ix));
            verdict.check(!is_read, || format!("{name}: it can only be written, and a step reads it"));
        }
    }
    verdict.check(places.is_empty(), || format!("the plan has {} points that nobody gave it", places.len()));
    for (point, reason) in &plan.rejected {
        let name = ground.subject.name(*point);
        verdict.check(!reason.trim().is_empty(), || format!("{name}: it is rejected without a reason"));
    }
    let specs: HashMap<PointIx, &PointSpec> = points.iter().map(|spec| (spec.ix, spec)).collect();
    for step in &plan.steps {
        let first = step.points.first().map(|point| ground.subject.name(*point)).unwrap_or_default();
        verdict.check(!step.points.is_empty(), || "a step without points".into());
        let is_of_one = step
            .points
            .iter()
            .filter_map(|point| specs.get(point))
            .all(|spec| spec.device == step.device && spec.period == step.period);
        verdict
            .check(is_of_one, || format!("the step of {first}: its points are not all of its device and its period"));
    }
}

/// Splits every step until all have one point, or the driver says by an empty plan that it cannot be divided.
async fn split(
    ground: &Ground<'_>,
    host: &mut Host<'_>,
    points: &[PointSpec],
    steps: Vec<Step>,
    verdict: &mut Verdict,
) {
    let mut numbers: HashSet<StepIx> = steps.iter().map(|step| step.id).collect();
    verdict.check(numbers.len() == steps.len(), || "two steps of a plan have one number".into());
    let mut whole: Vec<Step> = steps.into_iter().filter(|step| step.points.len() > 1).collect();
    while let Some(step) = whole.pop() {
        let of_step: Vec<PointSpec> = points.iter().filter(|spec| step.points.contains(&spec.ix)).cloned().collect();
        let Some(parts) = host.plan(of_step.clone(), Some(step.clone()), verdict).await else { return };
        if parts.steps.is_empty() && parts.watched.is_empty() && parts.rejected.is_empty() {
            continue;
        }
        complete(ground, &of_step, &parts, verdict);
        let first = step.points.first().map(|point| ground.subject.name(*point)).unwrap_or_default();
        for part in parts.steps {
            let is_smaller = part.points.len() < step.points.len();
            verdict.check(is_smaller, || {
                let (had, has) = (step.points.len(), part.points.len());
                format!("splitting the step of {first}: expected fewer than {had} points in each part, came {has}")
            });
            verdict.check(numbers.insert(part.id), || {
                format!("splitting the step of {first}: expected new numbers, step {} has been there before", part.id.0)
            });
            if is_smaller && part.points.len() > 1 {
                whole.push(part);
            }
        }
    }
}

/// Plans very many points: those of the subject, over and over.
async fn many(ground: &Ground<'_>, host: &mut Host<'_>, verdict: &mut Verdict) {
    let (kinds, sample) = (ground.subject.devices(), ground.subject.point_specs());
    let device = |at: usize| DeviceSpec { ix: DeviceIx(number(at)), options: kinds[at % kinds.len()].options.clone() };
    let devices: Vec<DeviceSpec> = (0..MANY_DEVICES).map(device).collect();
    let point = |at: usize| {
        let like = &sample[at % sample.len()];
        // A device of the same kind as the one that the point is of.
        let kind = like.device.0 as usize;
        let rounds = MANY_DEVICES.saturating_sub(kind).div_ceil(kinds.len()).max(1);
        let device = DeviceIx(number(at / sample.len() % rounds * kinds.len() + kind));
        PointSpec { ix: PointIx(number(at)), device, ..like.clone() }
    };
    let points: Vec<PointSpec> = (0..MANY).map(point).collect();
    let readable = points.iter().filter(|point| point.access.reads()).count();
    let link = host.link.clone();
    let planning = async move {
        let began = Instant::now();
        let plan = link.plan(&devices, &points, Split::Nothing).await;
        (plan, began.elapsed())
    };
    let by = Instant::now() + MANY_WITHIN * 4;
    match host.call("plan", by, planning, verdict).await {
        None => {}
        Some((Err(fault), _)) => verdict.finding(format!("plan refuses {MANY} points of the subject's kinds: {fault}")),
        Some((Ok(plan), took)) => {
            verdict.check(took < MANY_WITHIN, || {
                format!("expected {MANY} points to be planned within {MANY_WITHIN:?}, it took {took:.1?}")
            });
            let steps: usize = plan.steps.iter().map(|step| step.points.len()).sum();
            let planned = steps + plan.watched.len() + plan.rejected.len();
            verdict.check(planned == readable, || {
                format!(
                    "expected {readable} of {MANY} points in the plan (the others are only written), came {planned}"
                )
            });
        }
    }
}
