//! 100,000 floats in a second from 100 devices: what that takes, and how quickly a command gets through.

use super::super::figure::Figure;
use super::super::workload::Site;
use super::peer::{LINKS_MAX, Peer};
use super::wire;
use crate::app::{Gateway, Overrides, State};
use crate::desk::{Request, Wanted};
use crate::{program, usage};
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Batch, DeviceIx, DeviceSpec, Driver, PointSpec, Split, Value};
use edgeway_thing_models::{CommandState, Origin};
use serde_json::json;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, interval, interval_at, sleep};
use tokio_modbus::client::Reader;

const DEVICES: u64 = LINKS_MAX as u64;
const FLOATS: u64 = 1_000;
const RATE: f64 = (DEVICES * FLOATS) as f64;
const WARM_UP: Duration = Duration::from_secs(5);
const WITHIN: Duration = Duration::from_secs(5);
/// Between two commands.
const COMMAND_EVERY: Duration = Duration::from_millis(50);

pub(super) async fn run(peer: &Peer, time: Duration, progress: &dyn Fn(&str)) -> Result<Vec<Figure>, String> {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let empty = mib(usage::resident_bytes());
    progress("100,000 values/s: with journal, 100 scenes, 5 queries and MQTT");
    let whole = whole(peer, time).await?;
    progress("100,000 values/s: the driver alone, the bare client");
    let collected = collect(&peer.devices, time).await?;
    let bare = bare(&peer.devices, time).await?;
    let reference = ("tokio-modbus' bare client, % of a core", bare.cpu * 100.0);
    let holds = |held: &Held| held.values_per_second >= RATE * 0.98;
    let memory = mib(whole.resident_bytes);
    let mut figures = vec![
        Figure::new("100,000 values/s, collection alone", collected.cpu * 100.0, "% of a core", reference)
            .goal("at most 7 % of a core", collected.cpu <= 0.07 && holds(&collected)),
        Figure::new("100,000 values/s, all of it", whole.cpu * 100.0, "% of a core", reference)
            .goal("at most 15 % of a core", whole.cpu <= 0.15 && holds(&whole)),
        Figure::new(
            "100,000 values/s, rate held",
            whole.values_per_second,
            "values/s",
            ("tokio-modbus' bare client, values/s", bare.values_per_second),
        )
        .goal("98,000 and more", holds(&whole)),
        Figure::new("100,000 values/s, memory", memory, "MiB", ("this process before it, MiB", empty))
            .goal("at most 64 MiB", memory <= 64.0),
    ];
    if let Some((p50, p99)) = whole.commands {
        let reference = ("half of them, ms", p50.as_secs_f64() * 1e3);
        let figure = Figure::new("100,000 values/s, command to answer, p99", p99.as_secs_f64() * 1e3, "ms", reference);
        figures.push(figure.goal("at most 50 ms", p99 <= Duration::from_millis(50)));
    }
    Ok(figures)
}

struct Held {
    values_per_second: f64,
    /// Part of one core.
    cpu: f64,
    resident_bytes: u64,
    /// Half of the commands took no longer, 99 of a hundred took no longer.
    commands: Option<(Duration, Duration)>,
}

/// Reads that are made every second, counted together.
#[derive(Default)]
struct Paced {
    values: Arc<AtomicU64>,
    reading: JoinSet<String>,
}

impl Paced {
    /// When this device is read, and where its values are counted. Not all are read at the same moment, as the gateway
    /// does not either.
    fn device(&self, at: usize) -> (Interval, Arc<AtomicU64>) {
        let first = Instant::now() + Duration::from_millis(1000 * at as u64 / DEVICES);
        (interval_at(first, Duration::from_secs(1)), self.values.clone())
    }

    /// What the reads take, once all are under way.
    async fn measure(mut self, time: Duration) -> Result<Held, String> {
        sleep(WARM_UP).await;
        let (start, cpu, before) = (Instant::now(), usage::cpu(), self.values.load(Relaxed));
        sleep(time).await;
        let (seconds, values) = (start.elapsed().as_secs_f64(), self.values.load(Relaxed) - before);
        let cpu = (usage::cpu() - cpu).as_secs_f64() / seconds;
        match self.reading.try_join_next() {
            Some(ended) => Err(ended.unwrap_or_else(|error| error.to_string())),
            None => Ok(Held { values_per_second: values as f64 / seconds, cpu, resident_bytes: 0, commands: None }),
        }
    }
}

/// The bare client: the same registers of the same devices, every second, left as they are.
async fn bare(addresses: &[SocketAddr], time: Duration) -> Result<Held, String> {
    let mut paced = Paced::default();
    for (at, address) in addresses.iter().enumerate() {
        let mut client = tokio_modbus::client::tcp::connect(*address).await.map_err(|error| error.to_string())?;
        let (mut seconds, values) = paced.device(at);
        paced.reading.spawn(async move {
            loop {
                seconds.tick().await;
                for first in (0..2 * FLOATS as u16).step_by(wire::REGISTERS.into()) {
                    let count = wire::REGISTERS.min(2 * FLOATS as u16 - first);
                    match client.read_holding_registers(first, count).await {
                        Ok(Ok(registers)) => values.fetch_add(registers.len() as u64 / 2, Relaxed),
                        other => return format!("the bare client: {other:?}"),
                    };
                }
            }
        });
    }
    paced.measure(time).await
}

/// The driver alone: every second all of every device.
async fn collect(addresses: &[SocketAddr], time: Duration) -> Result<Held, String> {
    let mut paced = Paced::default();
    for (at, address) in addresses.iter().enumerate() {
        let link = Modbus.open(json!({ "endpoint": format!("tcp://{address}") })).map_err(|fault| fault.to_string())?;
        let device = DeviceSpec { ix: DeviceIx(0), options: json!({ "unit": 1 + at }) };
        let points: Vec<PointSpec> = (0..FLOATS).map(|number| wire::float(number as u16)).collect();
        let steps = link.plan(&[device], &points, Split::Nothing).await.map_err(|fault| fault.to_string())?.steps;
        link.connect(Instant::now() + WITHIN).await.map_err(|fault| fault.to_string())?;
        let (mut seconds, values) = paced.device(at);
        paced.reading.spawn(async move {
            let mut batch = Batch::default();
            loop {
                seconds.tick().await;
                for step in &steps {
                    batch.clear();
                    if let Err(fault) = link.exec(step.id, &mut batch, Instant::now() + WITHIN).await {
                        return fault.to_string();
                    }
                    values.fetch_add(batch.len() as u64, Relaxed);
                }
            }
        });
    }
    paced.measure(time).await
}

/// The whole gateway.
async fn whole(peer: &Peer, time: Duration) -> Result<Held, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (template, list) = site(&peer.devices);
    let site = Site { properties: FLOATS, template, list, broker: peer.broker };
    site.write(folder.path()).map_err(|error| error.to_string())?;
    let program = program::load(folder.path()).map_err(|findings| program::listed(&findings))?;
    let gateway = Gateway::start(program, Overrides::default()).await.map_err(|error| error.to_string())?;
    sleep(WARM_UP).await;
    let state = gateway.state.clone();
    let values = || state.links.iter().map(|link| link.status.values.load(Relaxed)).sum::<u64>();
    let (start, cpu, before) = (Instant::now(), usage::cpu(), values());
    let commands = command(&state, start + time).await?;
    let seconds = start.elapsed().as_secs_f64();
    let held = Held {
        values_per_second: (values() - before) as f64 / seconds,
        cpu: (usage::cpu() - cpu).as_secs_f64() / seconds,
        resident_bytes: usage::resident_bytes(),
        commands: Some(commands),
    };
    gateway.stop().await;
    Ok(held)
}

/// One command after the other; how long they took.
async fn command(state: &State, until: Instant) -> Result<(Duration, Duration), String> {
    let mut took = vec![];
    let mut pace = interval(COMMAND_EVERY);
    while Instant::now() < until {
        pace.tick().await;
        let start = Instant::now();
        let ticket = state.desk.submit(Request {
            id: None,
            device: DeviceIx((took.len() as u64 % DEVICES) as u32),
            wanted: Wanted::Set { property: "limit".into(), value: Value::Float(1.0) },
            origin: Origin::Api,
            within: WITHIN,
            caused_at: None,
        });
        match ticket.result().await {
            // The device does not keep what is written: that it shows another value is as good an answer.
            CommandState::Applied { .. } | CommandState::Failed { .. } => took.push(start.elapsed()),
            other => return Err(format!("a command was not applied: {other:?}")),
        }
    }
    took.sort();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize];
    Ok((at(0.5), at(0.99)))
}

/// Links, the template and the list of devices.
fn site(addresses: &[SocketAddr]) -> (String, String) {
    let mut template = String::new();
    for (link, address) in addresses.iter().enumerate() {
        let _ = writeln!(template, "[link.wire-{link}]\ndriver = \"modbus\"\nendpoint = \"tcp://{address}\"\n");
    }
    let _ = writeln!(template, "[template.probe]\nmodel = \"probe\"\npoll = \"1s\"\n[template.probe.points]");
    for number in 0..FLOATS {
        let _ = writeln!(template, "p{number} = {{ at = \"holding:{}\", type = \"f32\" }}", 2 * number);
    }
    let _ = writeln!(
        template,
        "limit = {{ at = \"holding:{}\", type = \"f32\", write = true, poll = \"1m\" }}",
        2 * FLOATS
    );
    let mut list = "id,link,template,modbus.unit\n".to_owned();
    for device in 0..DEVICES {
        let _ = writeln!(list, "probe-{device},wire-{device},probe,{}", 1 + device);
    }
    (template, list)
}
