//! The other side: devices, a proxy that delays, a broker. In a process of its own, which ends with this one.

use crate::broker;
use std::future::{Ready, ready};
use std::io::Read;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_modbus::server::{Service, tcp::Server};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};
use tokio_util::sync::CancellationToken;

/// Each way through the proxy.
const DELAY: Duration = Duration::from_millis(5);
/// The most links of any figure.
pub(super) const LINKS_MAX: usize = 100;
const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// The process with the devices.
pub(super) struct Peer {
    /// Modbus TCP: any unit, any register. As many addresses as there may be links, each of which wants a wire of its own.
    pub(super) devices: Vec<SocketAddr>,
    /// The same behind a proxy: 10 ms there and back.
    pub(super) away: SocketAddr,
    /// An MQTT broker.
    pub(super) broker: SocketAddr,
    _process: Child,
}

impl Peer {
    pub(super) async fn start() -> Result<Peer, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.args(["bench", "modbus", "--serve"]).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().map_err(|error| format!("the devices cannot be started: {error}"))?;
        let stdout = process.stdout.take().ok_or("the devices have no output")?;
        let line = timeout(STARTS_WITHIN, BufReader::new(stdout).lines().next_line()).await;
        let line = line.ok().and_then(Result::ok).flatten().ok_or("the devices did not start")?;
        let addresses: Vec<SocketAddr> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
        let [away, broker, devices @ ..] = addresses.as_slice() else {
            return Err(format!("the devices say `{line}`"));
        };
        Ok(Peer { devices: devices.to_vec(), away: *away, broker: *broker, _process: process })
    }
}

/// What the process does: says where it listens, and serves until its standard input ends.
pub(super) async fn serve() -> Result<(), String> {
    let listen = async || TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string());
    let address = |listener: &TcpListener| listener.local_addr().map_err(|error| error.to_string());
    let away = listen().await?;
    let broker = broker::open(([127, 0, 0, 1], 0).into()).await?;
    let mut addresses = vec![address(&away)?, broker.address];
    for _ in 0..LINKS_MAX {
        let devices = listen().await?;
        addresses.push(address(&devices)?);
        tokio::spawn(answer(devices));
    }
    println!("{}", addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(" "));
    tokio::spawn(broker::run(broker, CancellationToken::new()));
    tokio::spawn(delay(away, addresses[2]));
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
    let _ = ended.await;
    Ok(())
}

async fn answer(listener: TcpListener) {
    let on_connected = |stream: TcpStream, _| {
        let _ = stream.set_nodelay(true);
        ready(Ok(Some((Registers, stream))))
    };
    let _ = Server::new(listener).serve(&on_connected, |_| {}).await;
}

/// Two registers are a float: the first turns between -10 and 10 in 4 s, the others are their address.
struct Registers;

impl Service for Registers {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(match request.request {
            Request::ReadHoldingRegisters(at, count) => {
                Ok(Response::ReadHoldingRegisters((at..at.saturating_add(count)).map(register).collect()))
            }
            Request::WriteMultipleRegisters(at, words) => {
                Ok(Response::WriteMultipleRegisters(at, words.len().try_into().unwrap_or_default()))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

fn register(address: u16) -> u16 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let value = match address / 2 {
        0 => (START.elapsed().as_secs_f32() * std::f32::consts::TAU / 4.0).sin() * 10.0,
        number => f32::from(number),
    };
    let bits = value.to_bits();
    if address.is_multiple_of(2) { (bits >> 16) as u16 } else { bits as u16 }
}

/// Passes on what comes, later.
async fn delay(listener: TcpListener, to: SocketAddr) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(to).await else { continue };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (client, server) = (client.into_split(), server.into_split());
        tokio::spawn(pass(client.0, server.1));
        tokio::spawn(pass(server.0, client.1));
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    tokio::spawn(async move {
        let mut bytes = vec![0; 16 << 10];
        while let Ok(count) = from.read(&mut bytes).await {
            if count == 0 || sender.send((Instant::now() + DELAY, bytes[..count].to_vec())).await.is_err() {
                return;
            }
        }
    });
    while let Some((at, bytes)) = receiver.recv().await {
        sleep_until(at).await;
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
