//! Which points cannot be used as they are configured: said once each, and noted of their devices.

use super::LinkTask;
use edgeway_sdk::{Batch, DeviceIx, PointIx, Quality, Timestamp};
use edgeway_thing_models::Bound;
use std::collections::HashMap;
use tokio::time::Instant;
use tracing::warn;

impl LinkTask {
    /// Marks points that the driver has refused from the start.
    pub(super) fn reject(&mut self, rejected: &[(PointIx, String)]) {
        let (mut batch, now) = (Batch::default(), Timestamp::now());
        rejected.iter().for_each(|(point, reason)| batch.unfit(*point, Quality::BadConfig, reason, now));
        if !batch.is_empty() {
            self.publish_batch(&batch);
        }
    }

    /// Looks for points that do not fit in what was read and has become these reports.
    pub(super) fn judge(&mut self, batch: &Batch, bound: Bound, now: Instant) {
        let misfits = self.misfits(batch, bound);
        let points = &self.table.points;
        let device_of = |point: PointIx| points.get(point.0 as usize).map(|site| site.device);
        let news = self.unfit.note(batch, &misfits, device_of, now);
        for (point, reason) in &news.points {
            let point = points[point.0 as usize].name(&self.table.things);
            warn!(link = %self.site.name, point, %reason, "A point cannot be used.");
        }
        let turned: Vec<_> = news.devices.into_iter().map(|device| (device, self.sentence(device))).collect();
        let turned = turned.into_iter().filter_map(|(device, unfit)| self.schedule.set_unfit(device, unfit));
        let turned = turned.collect();
        self.turned(turned);
    }

    /// Values that the driver has called good and the model does not take, because they are of another type.
    fn misfits(&self, batch: &Batch, bound: Bound) -> HashMap<PointIx, String> {
        let told_bad = batch.qualities.iter().filter(|quality| quality.is_bad()).count();
        if bound.bad <= told_bad {
            return HashMap::new();
        }
        let (binding, things) = (&self.table.binding, &self.table.things);
        let good = batch.points.iter().zip(&batch.values).zip(&batch.qualities).filter(|(_, quality)| !quality.is_bad());
        good.filter_map(|((point, value), _)| Some((*point, binding.misfit(*point, things, value)?))).collect()
    }

    fn sentence(&self, device: DeviceIx) -> Option<String> {
        let (count, first, reason) = self.unfit.of(device)?;
        let first = self.table.points[first.0 as usize].name(&self.table.things);
        Some(match count {
            1 => format!("{first} cannot be used: {reason}"),
            count => format!("{count} points cannot be used, the first of them {first}: {reason}"),
        })
    }
}
