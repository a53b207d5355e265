//! The other side: devices of one protocol in a process of their own, which ends with this one.

#[cfg(feature = "ble")]
use super::ble;
use super::site::payload;
use crate::broker;
use crate::cli::BenchedDriver;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use coap_lite::{ContentFormat, MessageClass, MessageType, Packet, ResponseType};
use rumqttc_v5::{AsyncClient, MqttOptions, PublishOptions, QoS};
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Devices that publish.
pub(super) const TOPICS: u64 = 100;
pub(super) const STARTS_WITHIN: Duration = Duration::from_secs(10);
const MOSQUITTO: [&str; 2] = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto"];

/// The process with the devices, which ends when this is dropped.
pub(super) struct Peer<A = SocketAddr> {
    pub(super) address: A,
    _process: Child,
}

impl<A: FromStr> Peer<A> {
    pub(super) async fn start(driver: &str) -> Result<Peer<A>, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["bench", "drivers", "--serve", driver]);
        Peer::of(&mut command).await
    }

    /// Any program that prints the address where it listens.
    pub(super) async fn of(command: &mut Command) -> Result<Peer<A>, String> {
        // Not killed: it ends when its standard input does, and then ends what it has started itself.
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(|error| format!("the devices cannot be started: {error}"))?;
        let stdout = process.stdout.take().ok_or("the devices have no output")?;
        let line = timeout(STARTS_WITHIN, BufReader::new(stdout).lines().next_line()).await;
        let line = line.ok().and_then(Result::ok).flatten().ok_or("the devices did not start")?;
        let address = line.parse().map_err(|_| format!("the devices say `{line}`"))?;
        Ok(Peer { address, _process: process })
    }
}

/// What the process does: says where it listens, and serves until its standard input ends.
pub(super) async fn serve(driver: BenchedDriver) -> Result<(), String> {
    // What is started here ends with the process, mosquitto and the bus with the handle.
    let _running = match driver {
        BenchedDriver::Mqtt => flood().await?,
        BenchedDriver::Http => answer_http().await.map(|()| None)?,
        BenchedDriver::Coap => answer_coap().await.map(|()| None)?,
        #[cfg(feature = "ble")]
        BenchedDriver::Ble => ble::bluez::serve().await.map(Some)?,
        #[cfg(not(feature = "ble"))]
        BenchedDriver::Ble => return Err("BLE is left out of this build".into()),
        BenchedDriver::Opcua => return Err("the devices of OPC UA are served by Python".into()),
    };
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    let _ = ended.await;
    Ok(())
}

async fn answer_http() -> Result<(), String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    println!("{}", listener.local_addr().map_err(|error| error.to_string())?);
    let body = Bytes::from(payload());
    let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], body.clone()));
    let router = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}

async fn answer_coap() -> Result<(), String> {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    println!("{}", socket.local_addr().map_err(|error| error.to_string())?);
    let body = payload().into_bytes();
    tokio::spawn(async move {
        let mut bytes = vec![0; 2048];
        while let Ok((count, from)) = socket.recv_from(&mut bytes).await {
            if let Some(answer) = coap_answer(&bytes[..count], &body) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    Ok(())
}

/// The same content for every question; a ping is reset.
fn coap_answer(question: &[u8], body: &[u8]) -> Option<Vec<u8>> {
    let question = Packet::from_bytes(question).ok()?;
    let mut answer = Packet::new();
    answer.header.message_id = question.header.message_id;
    match question.header.code {
        MessageClass::Empty => answer.header.set_type(MessageType::Reset),
        MessageClass::Request(_) => {
            answer.header.set_type(MessageType::Acknowledgement);
            answer.header.code = MessageClass::Response(ResponseType::Content);
            answer.set_token(question.get_token().to_vec());
            answer.set_content_format(ContentFormat::ApplicationJSON);
            answer.payload = body.to_vec();
        }
        _ => return None,
    }
    answer.to_bytes().ok()
}

/// A broker, and devices that publish to it as fast as it takes their messages.
async fn flood() -> Result<Option<Child>, String> {
    let (address, process) = match MOSQUITTO.iter().map(Path::new).find(|path| path.exists()) {
        Some(program) => mosquitto(program).await.map(|(address, process)| (address, Some(process)))?,
        None => {
            let broker = broker::open(([127, 0, 0, 1], 0).into()).await?;
            let address = broker.address;
            tokio::spawn(broker::run(broker, CancellationToken::new()));
            (address, None)
        }
    };
    println!("{address}");
    tokio::spawn(publish(address));
    Ok(process)
}

async fn mosquitto(program: &Path) -> Result<(SocketAddr, Child), String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    drop(listener);
    let mut command = Command::new(program);
    command.args(["-p", &address.port().to_string()]).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let process = command.spawn().map_err(|error| error.to_string())?;
    let until = Instant::now() + STARTS_WITHIN;
    while TcpStream::connect(address).await.is_err() {
        if Instant::now() > until {
            return Err("mosquitto did not start".into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok((address, process))
}

async fn publish(broker: SocketAddr) {
    let options = MqttOptions::new("bench-devices", (broker.ip().to_string(), broker.port()));
    let (client, mut events) = AsyncClient::builder(options).capacity(1024).build();
    tokio::spawn(async move {
        let payload = Bytes::from(payload());
        for device in (0..TOPICS).cycle() {
            let sent =
                client.publish(format!("bench/{device}"), payload.clone(), PublishOptions::new(QoS::AtMostOnce)).await;
            if sent.is_err() {
                return;
            }
        }
    });
    while events.poll().await.is_ok() {}
}
