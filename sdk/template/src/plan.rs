//! Points to questions, pure: a line asks for one register, so every point is a step.

use crate::codec::Register;
use crate::config::{Device, Point};
use edgeway_sdk::{DeviceIx, DeviceSpec, Fault, Plan, PointIx, PointSpec, Split, Step, StepIx};
use std::collections::HashMap;
use std::time::Duration;

/// What is planned for a link: numbers to registers.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    /// Of every point, also those that are only written.
    pub(crate) points: HashMap<PointIx, Register>,
    /// The point that a step reads.
    pub(crate) steps: HashMap<StepIx, PointIx>,
    next: u32,
}

impl Planned {
    /// Plans points. A step of one point cannot be made smaller.
    ///
    /// # Errors
    /// [`Fault::Config`] if the options of a device or a point are wrong.
    pub(crate) fn plan(
        &mut self,
        devices: &[DeviceSpec],
        points: &[PointSpec],
        split: Split<'_>,
    ) -> Result<Plan, Fault> {
        if matches!(split, Split::Nothing) {
            *self = Planned::default();
        }
        let wrong = |problem: edgeway_sdk::Problem| Fault::Config(problem.to_string());
        let units: HashMap<DeviceIx, u8> = devices
            .iter()
            .map(|spec| Ok((spec.ix, Device::read(&spec.options).map_err(wrong)?.unit)))
            .collect::<Result<_, _>>()?;
        let mut plan = Plan::default();
        for point in points {
            let unit = units.get(&point.device).copied();
            let unit = unit.ok_or_else(|| Fault::Config(format!("there is no device {}", point.device.0)))?;
            let at = Point::read(&point.options).map_err(wrong)?.at;
            self.points.insert(point.ix, Register { unit, at });
            if point.access.reads() {
                plan.steps.push(self.step(point));
            }
        }
        Ok(plan)
    }

    fn step(&mut self, point: &PointSpec) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        self.steps.insert(id, point.ix);
        let (device, period) = (point.device, point.period);
        Step { id, device, points: vec![point.ix], period, wire_time: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Access;
    use serde_json::json;
    use std::sync::Arc;

    #[test]
    fn every_point_that_is_read_is_a_step() {
        let devices = [DeviceSpec { ix: DeviceIx(3), options: json!({ "unit": 7 }) }];
        let point = |ix, at, access| PointSpec {
            ix: PointIx(ix),
            device: DeviceIx(3),
            options: Arc::new(json!({ "at": at })),
            access,
            period: Duration::from_secs(1),
        };
        let points = [point(0, 12, Access::Read), point(1, 50, Access::Write)];
        let mut planned = Planned::default();
        let plan = planned.plan(&devices, &points, Split::Nothing).expect("right");
        assert_eq!(plan.steps.iter().map(|step| step.points.clone()).collect::<Vec<_>>(), [[PointIx(0)]]);
        assert_eq!(planned.points[&PointIx(1)], Register { unit: 7, at: 50 });
    }
}
