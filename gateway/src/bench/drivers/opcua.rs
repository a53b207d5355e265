//! OPC UA, beside the bare client of `async-opcua`. The server is asyncua's, which is slower than either: what the processor takes
//! per value says more than the rate.

use super::super::figure::Figure;
use super::super::rate::{Rate, Watch, of_gateway};
use super::peer::Peer;
use super::site::{Site, VALUES};
use super::{Beside, OF_BARE_LEAST};
use opcua::client::{ClientBuilder, DataChangeCallback, IdentityToken, Session};
use opcua::crypto::SecurityPolicy;
use opcua::types::{
    MessageSecurityMode, MonitoredItemCreateRequest, NodeId, ReadValueId, TimestampsToReturn, UserTokenPolicy,
};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

const SERVER: &str = include_str!("opcua_server.py");
/// Devices, each with ten variables.
const DEVICES: u64 = 50;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn measure(python: &Path, time: Duration) -> Result<Vec<Figure>, String> {
    let mut command = Command::new(python);
    command.args(["-c", SERVER, &DEVICES.to_string(), &VALUES.to_string()]);
    let peer = match Peer::of(&mut command).await {
        Ok(peer) => peer,
        Err(reason) => {
            eprintln!("OPC UA is not measured: {reason} (pip install asyncua; --python names one)");
            return Ok(vec![]);
        }
    };
    let mut figures = vec![];
    for (work, way, poll) in [("OPC UA, read", "poll", "10ms"), ("OPC UA, subscribed", "subscribe", "100ms")] {
        let bare = bare(peer.address, way, time).await?;
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        site(peer.address, way, poll, folder.path())?;
        let measured = of_gateway(folder.path(), time).await?;
        let beside = Beside {
            work,
            unit: "values/s",
            bare: "the same with async-opcua alone, values/s",
            values: 1,
            least: OF_BARE_LEAST,
            goal: "at least 0.8 of the bare client",
        };
        figures.extend(beside.figures(&measured, &bare));
    }
    Ok(figures)
}

fn site(address: SocketAddr, way: &str, poll: &str, folder: &Path) -> Result<(), String> {
    let link = format!("[link.wire]\ndriver = \"opcua\"\nendpoint = \"opc.tcp://{address}\"\nwatch = \"{way}\"\n");
    let point = |number| format!("{{ at = \"s={{name}}.p{number}\" }}");
    let address = |device| format!("d{device}");
    let common = "opcua = { namespace = \"urn:bench\" }";
    let (point, address): (&dyn Fn(u64) -> String, &dyn Fn(u64) -> String) = (&point, &address);
    Site { link, common, driver: "opcua", poll, point, key: "name", address, devices: DEVICES }.write(folder)
}

/// Reads or receives values and leaves them as they are.
async fn bare(address: SocketAddr, way: &str, time: Duration) -> Result<Rate, String> {
    // The client makes its folder of certificates, whether it needs any or not.
    let certificates = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut client = ClientBuilder::new()
        .application_name("bench")
        .pki_dir(certificates.path())
        .application_uri("urn:bench")
        .create_sample_keypair(false)
        .trust_server_certs(true)
        .session_retry_limit(0)
        .client()
        .map_err(|errors| errors.join("; "))?;
    let url = format!("opc.tcp://{address}");
    let endpoint =
        (url.as_str(), SecurityPolicy::None.to_str(), MessageSecurityMode::None, UserTokenPolicy::anonymous());
    let (session, events) = client
        .connect_to_matching_endpoint(endpoint, IdentityToken::Anonymous)
        .await
        .map_err(|error| error.to_string())?;
    let running = events.spawn();
    timeout(CONNECT_WITHIN, session.wait_for_connection()).await.map_err(|_| "the server takes no session")?;
    let rate = match way {
        "poll" => read(&session, time).await,
        _ => subscribed(&session, time).await,
    };
    let _ = session.disconnect().await;
    running.abort();
    rate
}

fn node(device: u64, number: u64) -> NodeId {
    NodeId::new(2, format!("d{device}.p{number}"))
}

/// Device after device.
async fn read(session: &Session, time: Duration) -> Result<Rate, String> {
    let nodes = |device| (0..VALUES).map(|number| ReadValueId::new_value(node(device, number))).collect::<Vec<_>>();
    let devices: Vec<Vec<ReadValueId>> = (0..DEVICES).map(nodes).collect();
    let watch = Watch::start();
    let until = Instant::now() + time;
    let mut values = 0;
    for nodes in devices.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let read = session.read(nodes, TimestampsToReturn::Both, 0.0).await.map_err(|status| status.to_string())?;
        values += read.len() as u64;
    }
    Ok(watch.rate(values))
}

async fn subscribed(session: &Session, time: Duration) -> Result<Rate, String> {
    let received = Arc::new(AtomicU64::new(0));
    let count = received.clone();
    let callback = DataChangeCallback::new(move |_, _| _ = count.fetch_add(1, Relaxed));
    let subscription = session
        .create_subscription(Duration::from_millis(100), 30, 10, 0, 0, true, callback)
        .await
        .map_err(|status| status.to_string())?;
    let items = (0..DEVICES).flat_map(|device| (0..VALUES).map(move |number| node(device, number)));
    let items: Vec<MonitoredItemCreateRequest> = items.map(MonitoredItemCreateRequest::from).collect();
    session
        .create_monitored_items(subscription, TimestampsToReturn::Both, items)
        .await
        .map_err(|status| status.to_string())?;
    sleep(Duration::from_secs(1)).await;
    let (watch, before) = (Watch::start(), received.load(Relaxed));
    sleep(time).await;
    Ok(watch.rate(received.load(Relaxed) - before))
}
