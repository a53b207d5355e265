//! The driver: what the gateway calls.

mod call;
mod counters;
mod ear;
mod listen;
mod open;
mod survey;
mod unborn;
mod waiting;
mod write;

use crate::Mqtt;
use crate::client::{Connection, Settings};
use crate::config::{DeviceOptions, LinkOptions, Point, Qos, WrittenDevice, WrittenLink, WrittenPoint, sentence};
use crate::plan::Board;
use crate::sparkplug::Node;
use async_trait::async_trait;
use counters::Counters;
use edgeway_sdk::{
    Access, Batch, Capabilities, Deadline, DeviceIx, DeviceSpec, Discovered, Driver, Fault, Json, Link, LinkInfo,
    Manifest, Plan, PointSpec, Problem, Sink, Split, StepIx, Value, WriteOp, did_you_mean,
};
use open::Open;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use waiting::Waiting;

/// How many writes and calls may wait for their confirmation at the same time.
const CONCURRENCY: u16 = 16;

#[async_trait]
impl Driver for Mqtt {
    fn manifest(&self) -> &Manifest {
        static MANIFEST: LazyLock<Manifest> = LazyLock::new(|| {
            let summary = "MQTT: devices behind a broker, Zigbee2MQTT, Home Assistant discovery, Sparkplug B";
            let can = Capabilities { write: true, watch: true, call: true, browse: true, discover: true };
            Manifest::new("mqtt", env!("CARGO_PKG_VERSION"), summary)
                .can(can)
                .wire(&["endpoint", "client_id"])
                .options::<WrittenLink, WrittenDevice, WrittenPoint>()
        });
        &MANIFEST
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        LinkOptions::parse(options).map(|link| link.wire())
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        DeviceOptions::parse(options).err().unwrap_or_default()
    }

    fn check_point(&self, options: &Json, access: Access) -> Vec<Problem> {
        Point::parse(options, access).err().unwrap_or_default()
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        let options = LinkOptions::parse(&options).map_err(|problems| Fault::Config(sentence(&problems)))?;
        Ok(Arc::new(MqttLink::new(options)))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        survey::discover(hint, &found, by).await
    }
}

pub(crate) struct MqttLink {
    options: LinkOptions,
    client_id: String,
    board: Mutex<Arc<Board>>,
    open: Mutex<Option<Open>>,
    shared: Arc<Shared>,
    calls: AtomicU32,
}

/// What the link and the task of its connection share.
pub(crate) struct Shared {
    qos: Qos,
    payload_bytes_max: usize,
    waiting: Waiting,
    counters: Counters,
    nodes: Mutex<HashMap<(String, String), Node>>,
    /// Topics of answers that the broker does not let us hear, and why.
    unheard: Mutex<HashMap<String, String>>,
}

impl Shared {
    fn nodes(&self) -> MutexGuard<'_, HashMap<(String, String), Node>> {
        self.nodes.lock().expect("no thread panics while it holds this lock")
    }
}

fn unlocked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no thread panics while it holds this lock")
}

impl MqttLink {
    pub(crate) fn new(options: LinkOptions) -> Self {
        let client_id = options.client_id.clone().unwrap_or_else(|| survey::some_client_id(options.fingerprint));
        let shared = Shared {
            qos: options.qos,
            payload_bytes_max: options.payload_bytes_max as usize,
            waiting: Waiting::default(),
            counters: Counters::default(),
            nodes: Mutex::default(),
            unheard: Mutex::default(),
        };
        let (board, open, calls) = Default::default();
        MqttLink { options, client_id, board, open, shared: Arc::new(shared), calls }
    }

    fn board(&self) -> Arc<Board> {
        unlocked(&self.board).clone()
    }

    fn open_now(&self) -> Result<Open, Fault> {
        unlocked(&self.open).clone().ok_or_else(|| Fault::Link("not connected".into()))
    }
}

#[async_trait]
impl Link for MqttLink {
    async fn plan(&self, devices: &[DeviceSpec], points: &[PointSpec], split: Split<'_>) -> Result<Plan, Fault> {
        if matches!(split, Split::Step(_)) {
            // There are no steps: everything is told by the broker.
            return Ok(Plan::default());
        }
        let board = Board::plan(&self.options, devices, points);
        let plan = Plan {
            watched: board.watched.clone(),
            rejected: board.rejected.clone(),
            concurrency: CONCURRENCY,
            ..Plan::default()
        };
        *unlocked(&self.board) = Arc::new(board);
        Ok(plan)
    }

    async fn connect(&self, by: Deadline) -> Result<LinkInfo, Fault> {
        // The broker would cut one of two connections with the same id.
        if let Some(before) = unlocked(&self.open).take() {
            before.end("the link is connected anew");
        }
        self.shared.waiting.clear();
        let settings = Settings::of(&self.options, self.client_id.clone())?;
        let by = by.min(Instant::now() + self.options.timeout);
        let connected = timeout_at(by, Connection::open(&settings)).await;
        let no_answer = || Fault::Link(format!("{}: the broker does not answer", self.options.endpoint));
        let connection = connected.map_err(|_| no_answer())??;
        self.shared.counters.connections.add(1);
        self.shared.nodes().clear();
        unlocked(&self.shared.unheard).clear();
        *unlocked(&self.open) = Some(Open::new(connection));
        Ok(LinkInfo { concurrency: CONCURRENCY, ..LinkInfo::default() })
    }

    async fn exec(&self, step: StepIx, _: &mut Batch, _: Deadline) -> Result<(), Fault> {
        Err(Fault::Config(format!("step {} was never planned", step.0)))
    }

    async fn watch(&self, sink: Arc<dyn Sink>, by: Deadline) -> Result<(), Fault> {
        let (open, board) = (self.open_now()?, self.board());
        self.listen(&open, board.clone(), sink.clone())?;
        match timeout_at(by, self.begin(&open, &board, &*sink)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(())) => Err(Fault::Link(open.why().await)),
            Err(_) => Err(Fault::Link("the broker has not acknowledged the subscriptions in time".into())),
        }
    }

    async fn write(&self, op: &WriteOp, by: Deadline) -> Result<Option<Value>, Fault> {
        let board = self.board();
        let target = board.targets.get(&op.point);
        let target = target.ok_or_else(|| Fault::Config(format!("point {} cannot be written", op.point.0)))?;
        self.write_to(target, op, by).await
    }

    async fn call(&self, device: DeviceIx, service: &str, input: Json, by: Deadline) -> Result<Json, Fault> {
        let board = self.board();
        match board.services.get(&(device, service.to_owned())) {
            Some(target) => self.call_at(target, input, by).await,
            None => {
                let names = board.services.keys().filter(|(of, _)| *of == device).map(|(_, name)| name.as_str());
                let help = did_you_mean(service, names).map(|help| format!(" ({help})")).unwrap_or_default();
                Err(Fault::Config(format!("the options of the device have no service `{service}`{help}")))
            }
        }
    }

    async fn browse(&self, device: DeviceIx, _: Option<&str>, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        let board = self.board();
        let device = board.devices.iter().find(|known| known.ix == device);
        let device = device.ok_or_else(|| Fault::Config("the device is not planned".into()))?;
        survey::browse(&self.options, &device.options, by).await
    }

    fn health(&self) -> Vec<(Cow<'static, str>, u64)> {
        self.shared.counters.list().into_iter().map(|(name, count)| (name.into(), count)).collect()
    }

    async fn close(&self, by: Deadline) {
        let open = unlocked(&self.open).take();
        if let Some(open) = open {
            open.leave(by).await;
        }
    }
}

impl Settings {
    /// Certificates are read each time, so that renewed ones are used without a restart.
    fn of(options: &LinkOptions, client_id: String) -> Result<Settings, Fault> {
        let tls = match options.endpoint.security {
            crate::config::Security::None => None,
            crate::config::Security::Tls => {
                let config = edgeway_tls::client(&options.files).map_err(|error| Fault::Config(error.to_string()))?;
                Some(Arc::new(config))
            }
        };
        Ok(Settings {
            endpoint: options.endpoint.clone(),
            version: options.version,
            client_id,
            credentials: options.credentials.clone(),
            tls,
            keep_alive: options.keep_alive,
            session: options.session,
            timeout: options.timeout,
            payload_bytes_max: options.payload_bytes_max,
        })
    }
}
