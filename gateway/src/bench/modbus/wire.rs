//! One way of reading after the other, each as fast as it goes.

use super::super::rate::{self, Rate, Watch};
use super::super::workload;
use edgeway_driver_modbus::Modbus;
use edgeway_sdk::{Access, Batch, DeviceIx, DeviceSpec, Driver, PointIx, PointSpec, Split};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::json;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_modbus::client::Reader;

/// Floats in one request, and the registers that they take.
const FLOATS: u16 = 62;
pub(super) const REGISTERS: u16 = 2 * FLOATS;
/// Units on all wires together, each with one request every 10 ms: enough for every wire to have one waiting.
const UNITS_LEAST: u64 = 200;
const UNITS_PER_WIRE_LEAST: u64 = 10;
const WITHIN: Duration = Duration::from_secs(10);

/// The bare client: reads the registers and leaves them as they are.
pub(super) async fn raw(addresses: &[SocketAddr], time: Duration) -> Result<Rate, String> {
    let mut clients = vec![];
    for address in addresses {
        clients.push(tokio_modbus::client::tcp::connect(*address).await.map_err(|error| error.to_string())?);
    }
    let watch = Watch::start();
    let until = Instant::now() + time;
    let mut reading: JoinSet<Result<u64, String>> = JoinSet::new();
    for mut client in clients {
        reading.spawn(async move {
            let mut values = 0;
            while Instant::now() < until {
                let read = client.read_holding_registers(0, REGISTERS).await.map_err(|error| error.to_string())?;
                values += read.map_err(|exception| exception.to_string())?.len() as u64 / 2;
            }
            Ok(values)
        });
    }
    Ok(watch.rate(sum(reading).await?))
}

/// The driver alone: the registers become values.
pub(super) async fn driver(addresses: &[SocketAddr], in_flight: usize, time: Duration) -> Result<Rate, String> {
    let mut wires = vec![];
    for address in addresses {
        let options = json!({ "endpoint": format!("tcp://{address}"), "in_flight": in_flight });
        let link = Modbus.open(options).map_err(|fault| fault.to_string())?;
        let device = DeviceSpec { ix: DeviceIx(0), options: json!({ "unit": 1 }) };
        let points: Vec<PointSpec> = (0..FLOATS).map(float).collect();
        let plan = link.plan(&[device], &points, Split::Nothing).await.map_err(|fault| fault.to_string())?;
        link.connect(Instant::now() + WITHIN).await.map_err(|fault| fault.to_string())?;
        wires.push((link, plan.steps));
    }
    let watch = Watch::start();
    let until = Instant::now() + time;
    let mut reading = JoinSet::new();
    for (link, steps) in wires {
        reading.spawn(async move {
            let (mut values, mut under_way) = (0, FuturesUnordered::new());
            let exec = |mut batch: Batch| {
                let (link, step) = (link.clone(), steps[0].id);
                async move {
                    batch.clear();
                    link.exec(step, &mut batch, Instant::now() + WITHIN).await.map(|()| batch)
                }
            };
            (0..in_flight).for_each(|_| under_way.push(exec(Batch::default())));
            while let Some(done) = under_way.next().await {
                let batch = done.map_err(|fault| fault.to_string())?;
                values += batch.len() as u64;
                if Instant::now() < until {
                    under_way.push(exec(batch));
                }
            }
            Ok(values)
        });
    }
    Ok(watch.rate(sum(reading).await?))
}

/// A float of the device, polled every second.
pub(super) fn float(number: u16) -> PointSpec {
    PointSpec {
        ix: PointIx(number.into()),
        device: DeviceIx(0),
        options: Arc::new(json!({ "at": format!("holding:{}", 2 * number), "type": "f32" })),
        access: Access::Read,
        period: Duration::from_secs(1),
    }
}

async fn sum(mut reading: JoinSet<Result<u64, String>>) -> Result<u64, String> {
    let mut sum = 0;
    while let Some(values) = reading.join_next().await {
        sum += values.map_err(|error| error.to_string())??;
    }
    Ok(sum)
}

/// The whole gateway: poll, model, journal, twin. The list asks for more than the wires can bear, so they are never idle.
pub(super) async fn gateway(addresses: &[SocketAddr], in_flight: usize, time: Duration) -> Result<Rate, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    write(folder.path(), addresses, in_flight).map_err(|error| error.to_string())?;
    rate::of_gateway(folder.path(), time).await
}

fn write(folder: &Path, addresses: &[SocketAddr], in_flight: usize) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("models"))?;
    let put = |name: &str, text: String| std::fs::write(folder.join(name), text);
    put("edgeway.toml", workload::SETTINGS.to_owned())?;
    put("models/probe.json", workload::model(FLOATS.into()))?;
    let mut devices = String::new();
    for (link, address) in addresses.iter().enumerate() {
        let _ = writeln!(
            devices,
            "[link.wire-{link}]\ndriver = \"modbus\"\nendpoint = \"tcp://{address}\"\nin_flight = {in_flight}\n"
        );
    }
    let _ = writeln!(devices, "[template.probe]\nmodel = \"probe\"\npoll = \"10ms\"\n[template.probe.points]");
    for number in 0..FLOATS {
        let _ = writeln!(devices, "p{number} = {{ at = \"holding:{}\", type = \"f32\" }}", 2 * number);
    }
    put("devices.toml", devices)?;
    let mut list = "id,link,template,modbus.unit\n".to_owned();
    let wires = addresses.len() as u64;
    for device in 0..UNITS_LEAST.max(UNITS_PER_WIRE_LEAST * wires) {
        let _ = writeln!(list, "probe-{device},wire-{},probe,{}", device % wires, 1 + device / wires);
    }
    put("devices.csv", list)
}
