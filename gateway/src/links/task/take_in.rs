//! What devices have said unasked.

use super::LinkTask;
use crate::links::inbox::Said;
use crate::links::rounds;
use crate::links::unfit::Reasons;
use crate::spine;
use edgeway_sdk::{Batch, DeviceIx, Value};
use edgeway_thing_models::{Body, Event};
use std::collections::HashSet;
use tokio::time::Instant;
use tracing::warn;

impl LinkTask {
    /// Takes in what devices have said unasked. Why the wire is gone, if that was said.
    pub(super) fn take_in(&mut self) -> Option<String> {
        let held = self.inbox.take(self.batches.pop().unwrap_or_default());
        self.status.count(|s| &s.merged, held.merged);
        let (mut values, mut taken) = (held.values, 0);
        let reasons = values.reasons.drain(..).collect();
        for (before, said) in held.said {
            let mut earlier = rounds::front(&mut values, before - taken);
            self.take_in_values(&mut earlier, &reasons);
            self.take_in_said(said);
            taken = before;
        }
        self.take_in_values(&mut values, &reasons);
        values.clear();
        self.batches.push(values);
        held.lost
    }

    fn take_in_values(&mut self, batch: &mut Batch, reasons: &Reasons) {
        if batch.is_empty() {
            return;
        }
        let points = batch.points.iter().filter_map(|point| self.table.points.get(point.0 as usize));
        let devices: HashSet<DeviceIx> = points.map(|site| site.device).collect();
        let now = Instant::now();
        let heard = devices.into_iter().filter_map(|device| self.schedule.heard(device, now)).collect();
        self.turned(heard);
        let pieces = self.rounds.cut(batch);
        pieces.iter().for_each(|piece| self.publish_batch(piece, reasons));
    }

    fn take_in_said(&mut self, said: Said) {
        match said {
            Said::Online { device, gone } => {
                let turned = match gone {
                    None => self.schedule.heard(device, Instant::now()),
                    Some(reason) => self.schedule.gone(device, &reason),
                };
                self.turned(turned.into_iter().collect());
            }
            Said::Event { device, event, output, source_time } => {
                let Some((event_ix, _)) = self.table.things.model_of(device).event(&event) else {
                    let device = &self.table.things.device(device).id;
                    warn!(link = %self.site.name, %device, event, "A device told of an event that its model does not have.");
                    return;
                };
                let output = output.as_object().into_iter().flatten();
                let output = output.map(|(name, value)| (name.as_str().into(), Value::from_json(value))).collect();
                let event = Event { device, event: event_ix, output, source_time };
                self.publish(vec![spine::message(Body::Event(event))]);
            }
        }
    }
}
