//! Faults between a device that tells by itself what is new, and the gateway.

use super::state::State;
use crate::config::Effect;
use edgeway_sdk::{Batch, DeviceIx, Json, PointIx, Quality, Sink, Timestamp, Value};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, RwLock, RwLockReadGuard};

/// Hands on what devices say, as far as they are there.
pub(super) struct FaultySink {
    sink: Arc<dyn Sink>,
    state: Arc<RwLock<State>>,
    /// What the devices that are away would have said: the newest value of each point.
    kept: Mutex<HashMap<DeviceIx, Unsaid>>,
}

type Unsaid = BTreeMap<PointIx, (Value, Quality, Timestamp)>;

impl FaultySink {
    pub(super) fn new(sink: Arc<dyn Sink>, state: Arc<RwLock<State>>) -> Self {
        FaultySink { sink, state, kept: Mutex::default() }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().expect("no thread panics while it holds this lock")
    }

    fn is_away(&self, device: DeviceIx) -> bool {
        let state = self.state();
        state.is_link_lost() || state.of_device(device).any(|effect| matches!(effect, Effect::Offline(_)))
    }

    /// Sorts out what is not to be said, and adds what was not said before by devices that are back.
    fn sift(&self, batch: Batch) -> Batch {
        let mut kept = self.kept.lock().expect("no thread panics while it holds this lock");
        let mut said = Batch::default();
        for (at, point) in batch.points.iter().enumerate() {
            let Some(device) = self.state().device_of_point(*point) else { continue };
            let entry = (batch.values[at].clone(), batch.qualities[at], batch.source_times[at]);
            if self.is_away(device) {
                kept.entry(device).or_insert_with(|| self.goes(device)).insert(*point, entry);
                continue;
            }
            for (point, (value, quality, time)) in
                kept.remove(&device).map(|unsaid| self.comes(device, unsaid)).into_iter().flatten()
            {
                said.push(point, value, quality, time);
            }
            let (value, quality, time) = entry;
            said.push(*point, value, quality, time);
        }
        said.reasons = batch.reasons;
        said
    }

    fn goes(&self, device: DeviceIx) -> Unsaid {
        self.sink.online(device, Some("the simulated device is offline"));
        Unsaid::new()
    }

    fn comes(&self, device: DeviceIx, unsaid: Unsaid) -> Unsaid {
        self.sink.online(device, None);
        unsaid
    }
}

impl Sink for FaultySink {
    fn data(&self, batch: Batch) {
        if !self.state().can_fail() {
            return self.sink.data(batch);
        }
        let mut said = self.sift(batch);
        self.state().spoil(&mut said, 0);
        if !said.is_empty() {
            self.sink.data(said);
        }
    }

    fn event(&self, device: DeviceIx, event: &str, output: Json, source_time: Timestamp) {
        if !self.is_away(device) {
            self.sink.event(device, event, output, source_time);
        }
    }

    fn online(&self, device: DeviceIx, gone: Option<&str>) {
        self.sink.online(device, gone);
    }

    fn lost(&self, reason: &str) {
        self.sink.lost(reason);
    }
}
