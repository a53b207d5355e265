//! The driver: what the gateway calls.

mod browse;
mod call;
mod counters;
mod discover;
mod events;
mod read;
mod subscription;
mod watch;
mod write;

use crate::OpcUa;
use crate::config::{DeviceOptions, LinkOptions, Naming, Point, WrittenDevice, WrittenLink, WrittenPoint};
use crate::plan::{self, Request, Target, Targets};
use crate::session::Session;
use async_trait::async_trait;
use counters::Counters;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceIx, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo,
    Manifest, Plan, PointIx, PointSpec, Problem, Sink, Split, Step, StepIx, Value, WriteOp,
};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use watch::Teller;

#[async_trait]
impl Driver for OpcUa {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let can = Capabilities { write: true, watch: true, call: true, browse: true, discover: true };
            Manifest::new(
                "opcua",
                env!("CARGO_PKG_VERSION"),
                "OPC UA: values told or read, methods and events of a server",
            )
            .can(can)
            .wire(&["endpoint"])
            .options::<WrittenLink, WrittenDevice, WrittenPoint>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::parse(options).map(|link| link.endpoint.to_string())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::parse(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        // Whether its device has a name is seen when it is planned.
        let of = Naming { name: Some("name".into()), ..Naming::STANDARD };
        Point::parse(options, access, &of).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let options = LinkOptions::parse(&options).map_err(|problems| plan::wrong(&problems))?;
        let (planned, session, teller, counters) = Default::default();
        Ok(Arc::new(OpcUaLink { options, planned, session, teller, counters }))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        discover::run(&hint, &found, by).await
    }
}

struct OpcUaLink {
    options: LinkOptions,
    planned: Mutex<Planned>,
    session: Mutex<Option<Arc<Session>>>,
    teller: Teller,
    counters: Arc<Counters>,
}

/// What `plan` leaves for everything else.
#[derive(Default)]
struct Planned {
    requests: HashMap<StepIx, Arc<Request>>,
    watched: Vec<Arc<Target>>,
    writable: HashMap<PointIx, Arc<Target>>,
    devices: HashMap<DeviceIx, Arc<DeviceOptions>>,
    next: u32,
}

impl Planned {
    fn add(&mut self, request: Request) -> Step {
        let id = StepIx(self.next);
        self.next += 1;
        let points = request.targets.iter().map(|target| target.ix).collect();
        let step = Step { id, device: request.device, points, period: request.period, wire_time: Duration::ZERO };
        self.requests.insert(id, Arc::new(request));
        step
    }

    fn replace(&mut self, targets: &Targets, watched: Vec<Arc<Target>>) {
        self.requests.clear();
        let writable = targets.accepted.iter().filter(|target| target.access.writes());
        self.writable = writable.map(|target| (target.ix, target.clone())).collect();
        self.devices = targets.devices.clone();
        self.watched = watched;
    }
}

#[async_trait]
impl Link for OpcUaLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        let targets = Targets::resolve(devices, points)?;
        let mut planned = self.planned.lock();
        let (requests, watched) = match split {
            Split::Nothing => {
                let readable = targets.accepted.iter().filter(|target| target.access.reads()).cloned();
                let (watched, polled): (Vec<_>, Vec<_>) = readable.partition(|target| target.is_watched(&self.options));
                planned.replace(&targets, watched.clone());
                (plan::requests(polled, self.options.nodes_max), watched)
            }
            Split::Step(refused) => {
                planned.requests.remove(&refused.id);
                (plan::halves(targets.accepted), vec![])
            }
        };
        let steps = requests.into_iter().map(|request| planned.add(request)).collect();
        let watched = watched.iter().map(|target| target.ix).collect();
        Ok(Plan { steps, watched, rejected: targets.rejected, concurrency: self.options.in_flight })
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        self.disconnect(by).await;
        let opened = timeout_at(by, Session::open(&self.options, by)).await;
        let session = opened.map_err(|_| Fault::Link("the server has not opened a session in time".into()))??;
        let identity = session.identity.clone();
        *self.session.lock() = Some(Arc::new(session));
        Counters::count(&self.counters.sessions);
        Ok(LinkInfo { concurrency: self.options.in_flight, identity, settle: Duration::ZERO })
    }

    async fn exec(&self, step: StepIx, out: &mut Batch, by: Deadline) -> Result<(), Fault> {
        let request = self.planned.lock().requests.get(&step).cloned();
        let request = request.ok_or_else(|| Fault::Config(format!("step {} was never planned", step.0)))?;
        let read = read::run(&*self.session()?, &request, self.options.nodes_max, by).await;
        out.append(read.map_err(|failure| read::fault(self.counters.seen(failure), &request))?);
        Ok(())
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        let session = self.session()?;
        let (watched, devices) = {
            let planned = self.planned.lock();
            (planned.watched.clone(), planned.devices.clone())
        };
        let watching = watch::begin(session, &self.options, watched, &devices, self.counters.clone(), by).await?;
        self.teller.start(watching.tell(sink));
        Ok(())
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let target = self.planned.lock().writable.get(&op.point).cloned();
        let target = target.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        write::run(&*self.session()?, &target, &op.value, by).await
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        let options = self.device(device)?;
        let method = options.methods.get(service);
        let method = method.ok_or_else(|| Fault::Config(format!("the device has no method for `{service}`")))?;
        call::run(&*self.session()?, method, &input, by).await
    }

    async fn browse(&self, device: DeviceIx, at: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        let options = self.device(device)?;
        browse::run(&*self.session()?, &options, at, self.options.nodes_max, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.counters.list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, by: Deadline) {
        self.disconnect(by).await;
    }
}

impl OpcUaLink {
    fn session(&self) -> Result<Arc<Session>, Fault> {
        self.session.lock().clone().ok_or_else(|| Fault::Link("the link is not connected".into()))
    }

    fn device(&self, device: DeviceIx) -> Result<Arc<DeviceOptions>, Fault> {
        let options = self.planned.lock().devices.get(&device).cloned();
        options.ok_or_else(|| Fault::Config(format!("device {} was never planned", device.0)))
    }

    /// Gives the session up, if there is one, so that the server does not keep it.
    async fn disconnect(&self, by: Deadline) {
        self.teller.stop();
        let session = self.session.lock().take();
        if let Some(session) = session {
            session.close(by).await;
        }
    }
}
