//! A link whose devices fail to order: any other link, with faults put between it and the gateway.

mod sink;
mod state;
mod switch;

use crate::clock::Clock;
use crate::config::{Effect, Trouble};
use crate::plan::plan;
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceIx, DeviceSpec, Discovered, Fault, Json, Link, LinkInfo, Plan, PointIx, PointSpec, Quality,
    Sink, Split, Step, StepIx, Timestamp, Value, WriteOp,
};
use sink::FaultySink;
use state::State;
use std::borrow::Cow;
use std::sync::{Arc, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Steps that read switches; those of the link within begin at 0.
const SWITCH_STEPS: u32 = 1 << 31;

pub(crate) struct FaultyLink {
    within: Arc<dyn Link>,
    in_flight: u16,
    state: Arc<RwLock<State>>,
}

impl FaultyLink {
    pub(crate) fn new(within: Arc<dyn Link>, clock: Clock, in_flight: u16, troubles: Vec<Trouble>) -> Self {
        FaultyLink { within, in_flight, state: Arc::new(RwLock::new(State::new(clock, troubles))) }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no thread panics while it holds this lock")
    }

    /// What befalls a request to a device, before it reaches the device.
    async fn befall(&self, device: DeviceIx, by: Deadline) -> Result<(), Fault> {
        let effect = {
            let state = self.state();
            state.check_link()?;
            state.of_device(device).find(|effect| is_of_requests(effect)).cloned()
        };
        match effect {
            Some(Effect::Offline(delay)) => {
                sleep_until((Instant::now() + delay).min(by)).await;
                Err(Fault::Device("the simulated device is offline".into()))
            }
            Some(Effect::Slow(delay)) => answer_late(delay, by).await,
            Some(Effect::Busy) => Err(Fault::Busy("the simulated device is busy".into())),
            _ => Ok(()),
        }
    }
}

/// Whether it is about the request as a whole; the others are about values.
fn is_of_requests(effect: &Effect) -> bool {
    matches!(effect, Effect::Offline(_) | Effect::Slow(_) | Effect::Busy)
}

async fn answer_late(delay: Duration, by: Deadline) -> Result<(), Fault> {
    if Instant::now() + delay < by {
        sleep(delay).await;
        return Ok(());
    }
    sleep_until(by).await;
    Err(Fault::Device(format!("the simulated device answers only after {delay:?}")))
}

#[async_trait]
impl Link for FaultyLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let (switches, others): (Vec<PointSpec>, Vec<PointSpec>) = points.iter().cloned().partition(switch::is_switch);
        let mut planned = self.within.plan(devices, &others, split).await?;
        let mut state = self.state.write().expect("no thread panics while it holds this lock");
        if matches!(split, Split::Nothing) {
            state.learn(devices, &others)?;
        }
        state.note_steps(&planned.steps);
        let mut steps = std::mem::take(&mut state.switch_steps);
        let of_switches = plan(&mut steps, &switches, split, |point| state.switch(point).map(|_| ()));
        state.switch_steps = steps;
        for point in &switches {
            match state.switch(point) {
                Ok(switch) => _ = state.switches.insert(point.ix, switch),
                Err(reason) if !point.access.reads() => planned.rejected.push((point.ix, reason)),
                Err(_) => {}
            }
        }
        let apart = |step: Step| Step { id: StepIx(step.id.0 + SWITCH_STEPS), ..step };
        planned.steps.extend(of_switches.steps.into_iter().map(apart));
        planned.rejected.extend(of_switches.rejected);
        planned.concurrency = self.in_flight;
        Ok(planned)
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.state().check_link()?;
        let info = self.within.connect(by).await?;
        Ok(LinkInfo { concurrency: self.in_flight, ..info })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        if !self.state().can_fail() {
            return self.within.exec(step, out, by).await;
        }
        let device = self.state().device_of_step(step)?;
        self.befall(device, by).await?;
        if let Some(at) = step.0.checked_sub(SWITCH_STEPS) {
            return self.state().show_switches(at, out);
        }
        self.state().check_refused(step)?;
        let start = out.len();
        self.within.exec(step, out, by).await?;
        self.state().spoil(out, start);
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        self.within.watch(Arc::new(FaultySink::new(sink, self.state.clone())), by).await
    }

    /// A switch is never faulty itself.
    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        if let Some(shown) = self.state().throw(op)? {
            return Ok(Some(shown));
        }
        let device = self.state().device_of_point(op.point);
        if let Some(device) = device {
            self.befall(device, by).await?;
            if self.state().of_point(op.point).any(|effect| *effect == Effect::Refused) {
                return Err(refused(op.point));
            }
        }
        self.within.write(op, by).await
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        self.befall(device, by).await?;
        if self.state().of_device(device).any(|effect| *effect == Effect::Refused) {
            return Err(Fault::Busy("the simulated device refuses the call".into()));
        }
        self.within.call(device, service, input, by).await
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        self.within.browse(device, at, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        let mut health = self.within.health();
        health.push(("values_spoiled".into(), self.state().spoiled()));
        health
    }

    async fn close(&self, by: Deadline) {
        self.within.close(by).await;
    }
}

fn refused(point: PointIx) -> Fault {
    let reason = "the simulated device refuses this point".to_owned();
    Fault::Point { point, quality: Quality::BadConfig, reason }
}

/// One entry of a batch.
type Entry = (Value, Quality, Timestamp);

#[cfg(test)]
mod tests;
