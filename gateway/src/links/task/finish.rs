//! What calls into the driver have brought: readings, refusals, silence.

use super::{InFlight, LinkTask};
use crate::links::schedule::{Silence, Slot, Transition};
use crate::links::transaction::Ended;
use edgeway_sdk::{Batch, Fault, PointSpec, Quality, Split};
use edgeway_thing_models::Message;
use futures::{FutureExt, StreamExt};
use std::sync::atomic::Ordering::Relaxed;
use tokio::time::Instant;
use tracing::warn;

/// After this many answers that were there together, others get their turn.
const ANSWERS_IN_ROW_MAX: usize = 64;

impl LinkTask {
    /// Takes in what a call brought, and what others have brought meanwhile.
    pub(super) async fn finish_all(&mut self, first: Ended, in_flight: &mut InFlight) -> Option<String> {
        let mut lost = self.finish(first).await;
        for _ in 1..ANSWERS_IN_ROW_MAX {
            let Some(Some(ended)) = in_flight.next().now_or_never() else { break };
            lost = self.finish(ended).await.or(lost);
        }
        lost
    }

    /// Takes in what a call brought. Says so if the wire is gone.
    pub(super) async fn finish(&mut self, ended: Ended) -> Option<String> {
        match ended {
            Ended::Write { job, written } => {
                if written.unanswered {
                    self.schedule.settle(job.command.device, Instant::now());
                }
                let report: Vec<Message> = written.report.into_iter().collect();
                self.read_back(&report, Instant::now());
                self.publish(report);
                // Whoever hears that it is done finds in the journal what was read back.
                self.flush();
                let _ = job.done.send(written.state);
                written.link_lost
            }
            Ended::Step { slot, mut batch, result } => {
                let lost = self.finish_step(slot, &mut batch, result).await;
                self.batches.push(batch);
                lost
            }
        }
    }

    async fn finish_step(&mut self, slot: Slot, batch: &mut Batch, result: Result<(), Fault>) -> Option<String> {
        let now = Instant::now();
        if result.is_err() {
            batch.clear();
            self.status.count(|s| &s.faults, 1);
        }
        let transition = match result {
            Ok(()) => {
                let reasons = batch.reasons.drain(..).collect();
                self.publish_batch(batch, &reasons);
                self.schedule.answered(slot, now)
            }
            Err(Fault::Busy(_)) => self.schedule.busy(slot, now),
            Err(Fault::Device(reason)) => self.silent(slot, now, &reason),
            Err(Fault::Link(reason)) => {
                self.schedule.again(slot, now);
                return Some(reason);
            }
            Err(fault @ (Fault::Step(_) | Fault::Point { .. })) if self.may_divide(slot) => {
                self.split(slot, &fault).await;
                None
            }
            Err(fault) => self.refused(slot, &fault),
        };
        self.status.overruns.store(self.schedule.overruns(), Relaxed);
        self.turned(transition.into_iter().collect());
        None
    }

    /// One that is refused as a whole was not to be divided when it was tried.
    fn may_divide(&self, slot: Slot) -> bool {
        self.schedule.step(slot).points.len() > 1 && !self.schedule.is_refused(slot)
    }

    /// Divides a step that the device refuses, so that one bad point does not spoil its neighbours.
    async fn split(&mut self, slot: Slot, fault: &Fault) {
        self.flush();
        let step = self.schedule.step(slot).clone();
        let points: Vec<PointSpec> = self.site.points.iter().filter(|p| step.points.contains(&p.ix)).cloned().collect();
        match self.link.plan(&self.site.devices, &points, Split::Step(&step)).await {
            Ok(plan) if !plan.steps.is_empty() => {
                self.schedule.split(slot, plan.steps, Instant::now());
                self.reject(&plan.rejected);
            }
            _ => {
                let refused = self.refused(slot, fault);
                self.turned(refused.into_iter().collect());
            }
        }
    }

    fn silent(&mut self, slot: Slot, now: Instant, reason: &str) -> Option<Transition> {
        match self.schedule.silent(slot, now, reason) {
            Silence::OfDevice(transition) => transition,
            Silence::OfStep(transition) => {
                let points = self.schedule.step(slot).points.clone();
                self.publish_bad(&points, Quality::BadTimeout);
                transition
            }
        }
    }

    /// Marks the points of a step that the device refuses; said once, then asked for now and then.
    fn refused(&mut self, slot: Slot, fault: &Fault) -> Option<Transition> {
        let quality = match fault {
            Fault::Point { quality, .. } => *quality,
            _ => Quality::BadConfig,
        };
        let step = self.schedule.step(slot);
        let (device, points) = (step.device, step.points.clone());
        if !self.schedule.is_refused(slot) {
            let device = &self.table.things.device(device).id;
            warn!(link = %self.site.name, %device, %fault, "The device refuses a point.");
        }
        self.publish_bad(&points, quality);
        self.schedule.refused(slot, Instant::now(), &fault.to_string())
    }
}
