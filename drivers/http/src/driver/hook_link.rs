//! A link that devices send to.

use crate::config::HookOptions;
use crate::hooks::{Counters, Desk, Door, Routes, serve};
use crate::plan;
use async_trait::async_trait;
use edgeway_sdk::{
    Batch, Deadline, DeviceSpec, Fault, Link, LinkInfo, Plan, PointIx, PointSpec, Sink, Split, StepIx, Value, WriteOp,
};
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

/// A link that devices send to.
pub(super) struct HookLink {
    options: HookOptions,
    counters: Arc<Counters>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    routes: Arc<Routes>,
    /// From `connect` to `watch`.
    listener: Option<Listener>,
    /// From `watch` on.
    serving: Option<Serving>,
}

struct Listener {
    socket: TcpListener,
    /// Of an endpoint with TLS.
    door: Option<Door>,
}

/// The task that takes what devices send. It ends with this.
struct Serving(AbortHandle);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl HookLink {
    pub(super) fn new(options: HookOptions) -> Self {
        HookLink { options, counters: Arc::default(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds this lock")
    }

    fn stop(&self) {
        let mut state = self.state();
        (state.listener, state.serving) = (None, None);
    }
}

#[async_trait]
impl Link for HookLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], _split: Split<'_>) -> Result<Plan, Fault> {
        let (routes, rejected) = Routes::of(devices, points, &plan::items(points)?)?;
        let unfit: HashSet<PointIx> = rejected.iter().map(|(point, _)| *point).collect();
        let watched = points.iter().map(|spec| spec.ix).filter(|point| !unfit.contains(point)).collect();
        self.state().routes = Arc::new(routes);
        Ok(Plan { watched, rejected, ..Plan::default() })
    }

    /// Certificates are read anew each time.
    async fn connect(&self, _by: Deadline) -> Result<LinkInfo, Fault> {
        self.stop();
        let door =
            Door::open(&self.options, self.counters.clone()).map_err(|error| Fault::Config(error.to_string()))?;
        let address = &self.options.address;
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|error| Fault::Link(format!("cannot listen at {address}: {error}")))?;
        self.state().listener = Some(Listener { socket, door });
        Ok(LinkInfo::default())
    }

    async fn exec(&self, _step: StepIx, _out: &mut Batch, _by: Deadline) -> Result<(), Fault> {
        Err(Fault::Unsupported("asking devices that send"))
    }

    async fn watch(&self, sink: Arc<dyn Sink>, _by: Deadline) -> Result<(), Fault> {
        let mut state = self.state();
        let Listener { socket, door } =
            state.listener.take().ok_or_else(|| Fault::Link("nobody listens yet".into()))?;
        let desk = Desk::new(&self.options, state.routes.clone(), self.counters.clone(), sink);
        state.serving = Some(Serving(tokio::spawn(serve(socket, door, desk)).abort_handle()));
        Ok(())
    }

    async fn write(&self, _op: &WriteOp, _by: Deadline) -> Result<Option<Value>, Fault> {
        Err(Fault::Unsupported("writing to devices that send"))
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.counters.list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, _by: Deadline) {
        self.stop();
    }
}
