//! Points to steps: one step for the points of a device that are read equally often.

use edgeway_sdk::{DeviceIx, Plan, PointIx, PointSpec, Split, Step, StepIx};
use std::collections::BTreeMap;
use std::time::Duration;

/// What each step reads; a [`StepIx`] is a place in this list.
pub(crate) type Steps<T> = Vec<Vec<(PointIx, T)>>;

/// Groups the readable ones of `points` and appends them to `steps`, which a new plan empties first. A step that is
/// split becomes two. Points that `resolve` refuses are rejected for its reason.
pub(crate) fn plan<T>(
    steps: &mut Steps<T>,
    points: &[PointSpec],
    split: Split<'_>,
    mut resolve: impl FnMut(&PointSpec) -> Result<T, String>,
) -> Plan {
    let mut plan = Plan::default();
    let part = match split {
        Split::Nothing => points.len(),
        Split::Step(_) => points.len().div_ceil(2),
    };
    if matches!(split, Split::Nothing) {
        steps.clear();
    }
    for part in points.chunks(part.max(1)) {
        for ((device, period), group) in groups(part) {
            let mut sources = vec![];
            for point in group {
                match resolve(point) {
                    Ok(source) => sources.push((point.ix, source)),
                    Err(reason) => plan.rejected.push((point.ix, reason)),
                }
            }
            add(steps, &mut plan, device, period, sources);
        }
    }
    plan
}

fn groups(points: &[PointSpec]) -> BTreeMap<(DeviceIx, Duration), Vec<&PointSpec>> {
    let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for point in points.iter().filter(|point| point.access.reads()) {
        groups.entry((point.device, point.period)).or_default().push(point);
    }
    groups
}

fn add<T>(steps: &mut Steps<T>, plan: &mut Plan, device: DeviceIx, period: Duration, sources: Vec<(PointIx, T)>) {
    if sources.is_empty() {
        return;
    }
    let id = StepIx(u32::try_from(steps.len()).expect("a link has fewer than 2^32 steps"));
    plan.steps.push(Step {
        id,
        device,
        period,
        points: sources.iter().map(|(point, _)| *point).collect(),
        wire_time: Duration::ZERO,
    });
    steps.push(sources);
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{Access, Json};

    fn point(ix: u32, device: u32, period_s: u64, access: Access) -> PointSpec {
        let period = Duration::from_secs(period_s);
        PointSpec { ix: PointIx(ix), device: DeviceIx(device), options: Json::Null.into(), access, period }
    }

    #[test]
    fn points_of_a_device_and_a_period_share_a_step() {
        let points = [
            point(0, 0, 1, Access::Read),
            point(1, 1, 1, Access::Read),
            point(2, 0, 5, Access::ReadWrite),
            point(3, 0, 1, Access::Read),
            point(4, 0, 1, Access::Write),
            point(5, 0, 1, Access::Read),
        ];
        let refuse_5 = |point: &PointSpec| if point.ix.0 == 5 { Err("no such thing".into()) } else { Ok(()) };
        let mut steps = vec![];
        let planned = plan(&mut steps, &points, Split::Nothing, refuse_5);
        let read: Vec<Vec<u32>> = planned.steps.iter().map(|step| step.points.iter().map(|p| p.0).collect()).collect();
        assert_eq!(read, [vec![0, 3], vec![2], vec![1]]);
        assert_eq!(planned.rejected, [(PointIx(5), "no such thing".to_owned())]);
        assert_eq!(planned, plan(&mut steps, &points, Split::Nothing, refuse_5), "the same input gives the same plan");
    }

    #[test]
    fn a_split_halves_under_new_numbers() {
        let points: Vec<_> = (0..5).map(|ix| point(ix, 0, 1, Access::Read)).collect();
        let mut steps = vec![];
        let whole = plan(&mut steps, &points, Split::Nothing, |_| Ok(()));
        let halves = plan(&mut steps, &points, Split::Step(&whole.steps[0]), |_| Ok(()));
        let sizes: Vec<_> = halves.steps.iter().map(|step| (step.id.0, step.points.len())).collect();
        assert_eq!(sizes, [(1, 3), (2, 2)]);
        assert_eq!(steps.len(), 3);
    }
}
