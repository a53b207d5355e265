//! One poll: every step once, with what the gateway makes of each fault.

use super::{BACKOFF_MAX, Host, Polled};
use crate::stage::{Breach, GRACE};
use crate::verdict::Verdict;
use edgeway_sdk::{Batch, DeviceIx, Fault, Step};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// What a step has come to.
struct Ended {
    step: Step,
    batch: Batch,
    result: Result<(), Fault>,
}

impl Host<'_> {
    /// Runs every step once, as many at the same time as the link takes. Connects before, if the wire is down.
    pub(crate) async fn poll(&mut self, verdict: &mut Verdict) -> Polled {
        let mut polled = Polled::default();
        if self.is_given_up() {
            return polled;
        }
        if self.info.is_none() {
            sleep(self.backoff).await;
            self.backoff = (self.backoff * 2).clamp(Duration::from_millis(10), BACKOFF_MAX);
            match self.connect(verdict).await {
                Ok(()) => {}
                Err(fault) => {
                    polled.faults.extend(fault);
                    return polled;
                }
            }
        }
        self.run_steps(&mut polled, verdict).await;
        self.take_in(&mut polled, verdict);
        for words in self.stage.panics() {
            verdict.finding(format!("a task of the driver panicked: {words}"));
        }
        if !polled.seen.is_empty() {
            self.backoff = Duration::ZERO;
        }
        polled
    }

    async fn run_steps(&mut self, polled: &mut Polled, verdict: &mut Verdict) {
        self.wait_for_quiet().await;
        let mut silent: HashSet<DeviceIx> = self.quiet_devices();
        let mut waiting: VecDeque<Step> = self.steps.iter().cloned().collect();
        let mut running = JoinSet::new();
        let mut until = Instant::now();
        loop {
            while running.len() < self.concurrency() && self.info.is_some() {
                let Some(step) = waiting.pop_front() else { break };
                if silent.contains(&step.device) {
                    continue;
                }
                until = Instant::now() + self.patience();
                self.start(step, until, &mut running);
            }
            let Ok(ended) = timeout_at(until + GRACE, running.join_next()).await else {
                running.abort_all();
                return self.breached("exec", Breach::Overran, verdict);
            };
            match ended {
                None => return,
                Some(Err(error)) => self.breached("exec", Breach::of(error), verdict),
                Some(Ok(ended)) => {
                    if let Some(device) = self.finish(ended, &mut waiting, polled, verdict).await {
                        silent.insert(device);
                    }
                }
            }
        }
    }

    fn start(&self, step: Step, by: Instant, running: &mut JoinSet<Ended>) {
        let link = self.link.clone();
        let call = async move {
            let mut batch = Batch::default();
            let result = link.exec(step.id, &mut batch, by).await;
            Ended { step, batch, result }
        };
        running.spawn_on(call, self.stage.handle());
    }

    /// Takes in what a step brought. The device is returned if it is silent.
    async fn finish(
        &mut self,
        ended: Ended,
        waiting: &mut VecDeque<Step>,
        polled: &mut Polled,
        verdict: &mut Verdict,
    ) -> Option<DeviceIx> {
        let Ended { step, batch, result } = ended;
        let Err(fault) = result else {
            self.judge_step(&step.points, &batch, verdict);
            polled.seen.extend(self.judge(&batch, verdict));
            return None;
        };
        verdict.check(batch.is_empty(), || {
            format!("expected nothing beside a fault, {} values came too: {fault}", batch.len())
        });
        polled.faults.push(fault.clone());
        match fault {
            Fault::Busy(_) => None,
            Fault::Device(_) => {
                self.leave_alone(step.device);
                Some(step.device)
            }
            Fault::Link(_) => {
                self.info = None;
                waiting.clear();
                None
            }
            Fault::Step(_) | Fault::Point { .. } if step.points.len() > 1 => {
                waiting.extend(self.split(step, verdict).await);
                None
            }
            Fault::Step(_) | Fault::Point { .. } => None,
            fault => {
                verdict.finding(format!("exec: expected a value or a fault of the wire, came: {fault}"));
                None
            }
        }
    }

    /// Smaller steps for one that the device refuses.
    async fn split(&mut self, step: Step, verdict: &mut Verdict) -> Vec<Step> {
        let points = self.points.iter().filter(|point| step.points.contains(&point.ix)).cloned().collect();
        let Some(plan) = self.plan(points, Some(step.clone()), verdict).await else { return vec![] };
        if plan.steps.is_empty() {
            return vec![];
        }
        self.steps.retain(|other| other.id != step.id);
        self.steps.extend(plan.steps.iter().cloned());
        plan.steps
    }

    /// Takes in what has been said unasked.
    pub(super) fn take_in(&mut self, polled: &mut Polled, verdict: &mut Verdict) {
        let held = self.inbox.take();
        for (point, seen) in self.judge(&held.values, verdict) {
            let name = self.ground.subject.name(point);
            verdict.check(self.watched.contains(&point), || {
                format!("{name}: nobody watches it, and the driver told of it")
            });
            polled.told.push((point, seen.clone()));
            self.told.insert(point, seen);
        }
        if let Some(reason) = held.lost {
            polled.faults.push(Fault::Link(reason));
            self.info = None;
        }
        if self.info.is_none() {
            self.told.clear();
        }
        polled.seen.extend(self.told.iter().map(|(point, seen)| (*point, seen.clone())));
    }

    fn quiet_devices(&self) -> HashSet<DeviceIx> {
        let now = Instant::now();
        self.quiet_until.iter().filter(|(_, until)| **until > now).map(|(device, _)| *device).collect()
    }

    /// If all devices are to be left alone, there is nothing to do before the first may be asked again.
    async fn wait_for_quiet(&self) {
        let quiet = self.quiet_devices();
        let devices: HashSet<DeviceIx> = self.steps.iter().map(|step| step.device).collect();
        if !devices.is_empty()
            && devices.is_subset(&quiet)
            && let Some(first) = self.quiet_until.values().min()
        {
            sleep_until(*first).await;
        }
    }
}
