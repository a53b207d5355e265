//! A driver's process: begins, dials, answers until the gateway has had enough.

mod answer;
mod dial;
mod outbox;

use crate::proto::{Hello, ToDriver, ToGateway, to_driver, to_gateway};
use crate::{API, environment};
use answer::Desk;
use edgeway_sdk::Driver;
use outbox::Outbox;
use std::io::Read;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

/// Messages on their way to the gateway.
const OUT_MAX: usize = 1024;
/// How long the gateway may take to say welcome, and the links to close where nobody says how long.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a driver as a process: with `--manifest` says what it is, without an argument dials the gateway that started it and
/// serves it. See the README of `edgeway-sdk-wire` for the environment that it begins in.
///
/// What goes wrong is one line on stderr, where the gateway finds it.
pub fn serve(driver: impl Driver) -> ExitCode {
    serve_with(driver, std::env::args().skip(1))
}

/// The same in a program that has arguments of its own: these are the driver's.
pub fn serve_with(driver: impl Driver, mut arguments: impl Iterator<Item = String>) -> ExitCode {
    match arguments.next().as_deref() {
        None => run(Arc::new(driver)),
        Some("--manifest") => {
            let manifest = serde_json::to_string_pretty(driver.manifest());
            println!("{}", manifest.expect("a manifest is plain data"));
            ExitCode::SUCCESS
        }
        Some(other) => {
            eprintln!("unknown argument `{other}`: this is a driver, which the gateway starts; try --manifest");
            ExitCode::from(2)
        }
    }
}

fn run(driver: Arc<dyn Driver>) -> ExitCode {
    let runtime = match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no threads can be started: {error}")),
    };
    let ended = runtime.block_on(session(driver));
    // What hangs does not keep the process from ending.
    runtime.shutdown_background();
    ended.map_or_else(|reason| failed(&reason), |()| ExitCode::SUCCESS)
}

fn failed(reason: &str) -> ExitCode {
    eprintln!("{reason}");
    ExitCode::FAILURE
}

/// One session, which is the whole life of the process.
async fn session(driver: Arc<dyn Driver>) -> Result<(), String> {
    let orphaned = orphaned();
    let hello = hello(driver.as_ref())?;
    let mut host = dial::gateway().await?;
    let (out, to_send) = mpsc::channel(OUT_MAX);
    let hello = ToGateway { re: 0, body: Some(to_gateway::Body::Hello(hello)) };
    out.try_send(hello).map_err(|_| "the first message does not fit".to_owned())?;
    let said = host.session(ReceiverStream::new(to_send)).await.map_err(|status| turned_away(&status))?;
    let mut said = said.into_inner();
    let credit = welcome(&mut said).await?;
    let outbox = Arc::new(Outbox::new(out.clone(), credit));
    let desk = Arc::new(Desk::new(driver, out, outbox.clone()));
    let within = tokio::select! {
        within = converse(&mut said, &desk, &outbox) => within,
        _ = orphaned => PATIENCE,
    };
    let _ = timeout(within, desk.close(within)).await;
    Ok(())
}

/// Answers until the stream ends or the gateway says that it is enough; how long closing may take.
async fn converse(said: &mut Streaming<ToDriver>, desk: &Arc<Desk>, outbox: &Outbox) -> Duration {
    while let Some(Ok(ToDriver { id, body })) = said.next().await {
        match body {
            Some(to_driver::Body::Credit(credit)) => outbox.grant(credit.messages),
            Some(to_driver::Body::Shutdown(shutdown)) => return Duration::from_millis(shutdown.within_ms.into()),
            Some(question) => desk.take(id, question),
            // A question from a later version of the contract: saying so is better than silence.
            None => desk.cannot(id),
        }
    }
    PATIENCE
}

fn hello(driver: &dyn Driver) -> Result<Hello, String> {
    let variable =
        |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set: the gateway starts drivers"));
    let epoch = variable(environment::EPOCH)?;
    Ok(Hello {
        manifest: serde_json::to_string(driver.manifest()).map_err(|error| error.to_string())?,
        api_min: API,
        api_max: API,
        token: variable(environment::TOKEN)?,
        epoch: epoch.parse().map_err(|_| format!("{} is no number: `{epoch}`", environment::EPOCH))?,
    })
}

async fn welcome(said: &mut Streaming<ToDriver>) -> Result<u32, String> {
    let first = timeout(PATIENCE, said.next()).await.map_err(|_| "the gateway does not answer".to_owned())?;
    match first {
        Some(Ok(ToDriver { body: Some(to_driver::Body::Welcome(welcome)), .. })) => Ok(welcome.credit),
        Some(Ok(_)) => Err("the gateway did not begin with a welcome".into()),
        Some(Err(status)) => Err(turned_away(&status)),
        None => Err("the gateway has hung up".into()),
    }
}

fn turned_away(status: &tonic::Status) -> String {
    format!("the gateway has turned this driver away: {}", status.message())
}

/// Fires when the gateway is gone: it holds the other end of stdin. Reading needs a thread of its own, which must not keep
/// the process alive.
fn orphaned() -> oneshot::Receiver<()> {
    let (sender, receiver) = oneshot::channel();
    let elsewhere = std::env::var(environment::SOCKET).is_ok_and(|place| dial::is_elsewhere(&place));
    std::thread::spawn(move || {
        if elsewhere {
            // Nobody holds it. The stream tells when the gateway is gone.
            loop {
                std::thread::park();
            }
        }
        let mut bytes = [0; 256];
        while std::io::stdin().read(&mut bytes).is_ok_and(|count| count > 0) {}
        let _ = sender.send(());
    });
    receiver
}

/// The deadline of a question that may take so long from now.
fn due(within_ms: u32) -> edgeway_sdk::Deadline {
    tokio::time::Instant::now() + Duration::from_millis(within_ms.into())
}

/// A fault as an answer.
fn fault(fault: &edgeway_sdk::Fault) -> to_gateway::Body {
    to_gateway::Body::Fault(fault.into())
}
