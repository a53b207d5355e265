//! A link with points, ready to be asked.

use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{
    Access, Batch, Deadline, DeviceIx, DeviceSpec, Driver, Fault, Json, Link, Plan, PointIx, PointSpec, Quality, Split,
    StepIx, Value, WriteOp,
};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Long enough for an honest answer on a busy machine, short enough to wait for in a test.
const TIMEOUT: &str = "300ms";

/// A planned link.
pub(crate) struct Bench {
    pub(crate) link: Arc<dyn Link>,
    pub(crate) plan: Plan,
}

/// When everything in a test ought to have ended.
pub(crate) fn soon() -> Deadline {
    Instant::now() + Duration::from_secs(9)
}

impl Bench {
    /// One point per step, because no gap is read along; all of unit 7, readable and, where possible, writable.
    pub(crate) async fn new(port: u16, points: &[Json]) -> Bench {
        Bench::with(port, json!({ "max_gap_registers": 0 }), points).await
    }

    /// The same with options of the link.
    pub(crate) async fn with(port: u16, options: Json, points: &[Json]) -> Bench {
        Bench::of(port, options, json!({ "unit": 7 }), points).await
    }

    /// The same with options of the device.
    pub(crate) async fn of(port: u16, options: Json, device: Json, points: &[Json]) -> Bench {
        let mut all = json!({ "endpoint": format!("tcp://127.0.0.1:{port}"), "timeout": TIMEOUT });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let link = Modbus.open(all).expect("valid options");
        let devices = [DeviceSpec { ix: DeviceIx(0), options: device }];
        let plan = link.plan(&devices, &specs(points), Split::Nothing).await.expect("valid points");
        Bench { link, plan }
    }

    /// One register of each of two units, at 0 and at 100.
    pub(crate) async fn two_units(port: u16, options: Json, units: [u8; 2]) -> Bench {
        let mut all = json!({ "endpoint": format!("tcp://127.0.0.1:{port}"), "timeout": TIMEOUT });
        all.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
        let link = Modbus.open(all).expect("valid options");
        let devices = [0, 1].map(|ix| DeviceSpec { ix: DeviceIx(ix), options: json!({ "unit": units[ix as usize] }) });
        let mut points = specs(&[json!({ "at": "holding:0" }), json!({ "at": "holding:100" })]);
        points[1].device = DeviceIx(1);
        let plan = link.plan(&devices, &points, Split::Nothing).await.expect("valid points");
        Bench { link, plan }
    }

    /// Runs a step of the plan, counted from 0.
    pub(crate) async fn exec(&self, step: usize) -> Result<Vec<(PointIx, Value, Quality)>, Fault> {
        exec(&*self.link, self.plan.steps[step].id, soon()).await
    }

    /// Writes a point.
    pub(crate) async fn write(&self, point: u32, value: impl Into<Value>) -> Result<Option<Value>, Fault> {
        self.link.write(&WriteOp { point: PointIx(point), value: value.into() }, soon()).await
    }
}

pub(crate) fn specs(points: &[Json]) -> Vec<PointSpec> {
    let spec = |(ix, options): (usize, &Json)| {
        let read_only = options["at"].as_str().is_some_and(|at| at.starts_with("input") || at.starts_with("discrete"));
        let access = if read_only { Access::Read } else { Access::ReadWrite };
        PointSpec {
            ix: PointIx(ix as u32),
            device: DeviceIx(0),
            options: options.clone().into(),
            access,
            period: Duration::from_secs(1),
        }
    };
    points.iter().enumerate().map(spec).collect()
}

/// Runs a step and hands out what it pushed, which after an error must be nothing.
pub(crate) async fn exec(link: &dyn Link, step: StepIx, by: Deadline) -> Result<Vec<(PointIx, Value, Quality)>, Fault> {
    let mut batch = Batch::default();
    let result = link.exec(step, &mut batch, by).await;
    if result.is_err() {
        assert!(batch.is_empty(), "values were pushed before an error");
    }
    result.map(|()| {
        batch.points.into_iter().zip(batch.values).zip(batch.qualities).map(|((p, v), q)| (p, v, q)).collect()
    })
}
