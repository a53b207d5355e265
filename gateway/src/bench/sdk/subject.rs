//! A driver whose values cost nothing, so that what carries them is measured.

use async_trait::async_trait;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceSpec, Driver, Fault, Json, Link, LinkInfo, Manifest, Plan, PointIx,
    PointSpec, Problem, Sink, Split, Step, StepIx, Timestamp,
};
use parking_lot::Mutex;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// One step reads all points; `watch` tells all of them without end.
pub(super) struct Subject;

#[async_trait]
impl Driver for Subject {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let can = Capabilities { watch: true, ..Capabilities::default() };
            Manifest::new("bench", "1.0.0", "values out of nothing").can(can)
        });
        &MANIFEST
    }

    fn check_link(&self, _: &Json) -> Result<String, Vec<Problem>> {
        Ok("bench".into())
    }

    fn check_device(&self, _: &Json) -> Vec<Problem> {
        vec![]
    }

    fn check_point(&self, _: &Json, _: Access) -> Vec<Problem> {
        vec![]
    }

    fn open(&self, _: Json) -> Result<Arc<dyn Link>, Fault> {
        Ok(Arc::new(Values(Mutex::default())))
    }
}

struct Values(Mutex<Arc<[PointIx]>>);

impl Values {
    fn fill(points: &[PointIx], out: &mut Batch) {
        let now = Timestamp::now();
        points.iter().for_each(|point| out.good(*point, f64::from(point.0).into(), now));
    }
}

#[async_trait]
impl Link for Values {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], _: Split<'_>) -> Result<Plan, Fault> {
        let points: Vec<PointIx> = points.iter().map(|point| point.ix).collect();
        *self.0.lock() = points.as_slice().into();
        let Some(device) = devices.first().filter(|_| !points.is_empty()) else { return Ok(Plan::default()) };
        let period = Duration::from_secs(1);
        let step = Step { id: StepIx(0), device: device.ix, points, period, wire_time: Duration::ZERO };
        Ok(Plan { steps: vec![step], ..Plan::default() })
    }

    async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
        Ok(LinkInfo::default())
    }

    async fn exec(&self, _: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
        let points = self.0.lock().clone();
        Values::fill(&points, out);
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _: Deadline) -> Result<(), Fault> {
        let points = self.0.lock().clone();
        tokio::spawn(async move {
            loop {
                let mut batch = Batch::default();
                Values::fill(&points, &mut batch);
                sink.data(batch);
                tokio::task::yield_now().await;
            }
        });
        Ok(())
    }

    async fn close(&self, _: Deadline) {}
}
