//! Which points cannot be used as they are configured: said once each, and noted of their devices.

use super::LinkTask;
use crate::links::unfit::Reasons;
use edgeway_sdk::{Batch, DeviceIx, PointIx, Quality, Timestamp};
use edgeway_thing_models::Bound;
use std::collections::BTreeSet;
use tokio::time::Instant;
use tracing::warn;

impl LinkTask {
    /// Marks points that the driver has refused from the start.
    pub(super) fn reject(&mut self, rejected: &[(PointIx, String)]) {
        let (mut batch, now) = (Batch::default(), Timestamp::now());
        rejected.iter().for_each(|(point, reason)| batch.unfit(*point, Quality::BadConfig, reason, now));
        // Nobody else may speak of such a device.
        for (point, _) in rejected {
            self.schedule.watch(self.table.points[point.0 as usize].device);
        }
        self.publish_batch(&batch, &batch.reasons.iter().cloned().collect());
    }

    /// Looks for points that do not fit in what was read and has become these reports.
    pub(super) fn judge(&mut self, batch: &Batch, reasons: &Reasons, bound: Bound, now: Instant) {
        let misfits = self.misfits(batch, bound);
        let points = &self.table.points;
        let device_of = |point: PointIx| points.get(point.0 as usize).map(|site| site.device);
        let news = self.unfit.note(batch, reasons, &misfits, device_of, now);
        for (point, reason) in &news.points {
            let point = points[point.0 as usize].name(&self.table.things);
            warn!(link = %self.site.name, point, %reason, "A point cannot be used.");
        }
        self.tell_unfit(news.devices);
    }

    /// Looks for points that have fitted long enough.
    pub(super) fn forgive(&mut self, now: Instant) {
        let devices = self.unfit.forgive(now);
        self.tell_unfit(devices);
    }

    fn tell_unfit(&mut self, devices: BTreeSet<DeviceIx>) {
        let sentences: Vec<_> = devices.into_iter().map(|device| (device, self.sentence(device))).collect();
        let turned =
            sentences.into_iter().filter_map(|(device, unfit)| self.schedule.set_unfit(device, unfit)).collect();
        self.turned(turned);
    }

    /// Values that the driver has called good and the model does not take, because they are of another type.
    fn misfits(&self, batch: &Batch, bound: Bound) -> Reasons {
        if bound.misfits == 0 {
            return Reasons::new();
        }
        let (binding, things) = (&self.table.binding, &self.table.things);
        let good =
            batch.points.iter().zip(&batch.values).zip(&batch.qualities).filter(|(_, quality)| !quality.is_bad());
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
