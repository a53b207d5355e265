//! Reading points through a driver without a gateway around it.

use crate::cli::locator::Locator;
use edgeway_sdk::{
    Access, Batch, DeviceIx, DeviceSpec, Fault, Json, Link, PointIx, PointSpec, Quality, Sink, Split, Step, Timestamp,
    Value,
};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// How long a connection, a transaction, or the first word of a device that is not asked may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Points of one device, and the link that reads them.
pub(super) struct Reading {
    link: Arc<dyn Link>,
    device: DeviceSpec,
    points: Vec<PointSpec>,
    steps: Vec<Step>,
    /// Set if the device says by itself what is new.
    said: Option<Arc<Said>>,
    batch: Batch,
}

impl Reading {
    /// Plans the points and opens the wire.
    ///
    /// # Errors
    /// A [`Fault`], also if the driver rejects a point.
    pub(super) async fn open(locator: &Locator, points: &[Json]) -> Result<Self, Fault> {
        let link = locator.open()?;
        let device = DeviceSpec { ix: DeviceIx(0), options: locator.device.clone() };
        let point = |(at, options): (usize, &Json)| PointSpec {
            ix: PointIx(at as u32),
            device: DeviceIx(0),
            options: Arc::new(options.clone()),
            access: Access::Read,
            period: Duration::from_secs(1),
        };
        let points: Vec<PointSpec> = points.iter().enumerate().map(point).collect();
        let plan = link.plan(std::slice::from_ref(&device), &points, Split::Nothing).await?;
        if let Some((_, reason)) = plan.rejected.into_iter().next() {
            return Err(Fault::Config(reason));
        }
        let by = Instant::now() + WITHIN;
        link.connect(by).await?;
        let said = (!plan.watched.is_empty()).then(Arc::<Said>::default);
        if let Some(said) = &said {
            link.watch(said.clone(), by).await?;
        }
        Ok(Reading { link, device, points, steps: plan.steps, said, batch: Batch::default() })
    }

    /// Reads all points once, and says how long that took. A step that is refused is divided; a point that is refused is bad.
    ///
    /// # Errors
    /// A [`Fault`] that leaves nothing to read.
    pub(super) async fn read(&mut self) -> Result<Duration, Fault> {
        let began = Instant::now();
        self.batch.clear();
        let mut steps = std::mem::take(&mut self.steps);
        let mut at = 0;
        while let Some(step) = steps.get(at).cloned() {
            match self.exec(&step).await {
                Err(Fault::Step(_)) if step.points.len() > 1 => steps.extend(self.split(&step).await?),
                Err(Fault::Step(reason) | Fault::Point { reason, .. }) if self.points.len() == 1 => {
                    return Err(Fault::Step(reason));
                }
                Err(Fault::Step(_) | Fault::Point { .. }) => {
                    let now = Timestamp::now();
                    step.points.iter().for_each(|point| self.batch.bad(*point, Quality::BadConfig, now));
                }
                other => other?,
            }
            at += 1;
        }
        self.steps = steps;
        if let Some(said) = &self.said {
            said.wait().await?;
            self.batch.append(std::mem::take(&mut said.values.lock()));
        }
        Ok(began.elapsed())
    }

    async fn exec(&mut self, step: &Step) -> Result<(), Fault> {
        self.link.exec(step.id, &mut self.batch, Instant::now() + WITHIN).await
    }

    async fn split(&self, step: &Step) -> Result<Vec<Step>, Fault> {
        let points: Vec<PointSpec> = self.points.iter().filter(|p| step.points.contains(&p.ix)).cloned().collect();
        let device = std::slice::from_ref(&self.device);
        Ok(self.link.plan(device, &points, Split::Step(step)).await?.steps)
    }

    /// What was read last.
    pub(super) fn values(&self) -> impl Iterator<Item = (PointIx, Value, Quality, Timestamp)> + '_ {
        let batch = &self.batch;
        (0..batch.len())
            .map(|at| (batch.points[at], batch.values[at].clone(), batch.qualities[at], batch.source_times[at]))
    }

    pub(super) async fn close(self) {
        self.link.close(Instant::now() + Duration::from_secs(1)).await;
    }
}

/// What a device has said unasked.
#[derive(Default)]
struct Said {
    values: Mutex<Batch>,
    news: Notify,
}

impl Said {
    async fn wait(&self) -> Result<(), Fault> {
        if self.values.lock().is_empty() {
            let said = timeout(WITHIN, self.news.notified()).await;
            said.map_err(|_| Fault::Device(format!("the device has said nothing within {WITHIN:?}")))?;
        }
        Ok(())
    }
}

impl Sink for Said {
    fn data(&self, batch: Batch) {
        self.values.lock().append(batch);
        self.news.notify_one();
    }

    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}

    fn lost(&self, _: &str) {}

    fn online(&self, _: DeviceIx, _: Option<&str>) {}
}
