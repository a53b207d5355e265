//! `edgeway demo`: a wind farm and a hotel floor on one gateway, with nothing else installed.
//!
//! The two example sites of this repository are merged into one, and served by simulated devices that speak real Modbus TCP
//! on loopback. The gateway is the same as in `edgeway run`. An embedded broker plays the cloud, and a client of it
//! counts what arrives.

mod cloud;
mod devices;
mod recent;
mod screen;
mod site;
mod summary;
mod view;

use crate::app::{Gateway, Overrides, StartError, State};
use crate::broker::{self, Broker};
use crate::cli::{DemoOptions, exit, told_to_stop};
use crate::{program, telemetry};
use cloud::Cloud;
use recent::Recent;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use summary::Summary;
use tokio::net::TcpListener;
use tokio::time::{Instant, interval, sleep_until};
use tokio_util::sync::CancellationToken;

/// Ports that are tried first, so that what the demo shows can be typed from memory.
const API_PORT: u16 = 8080;
const BROKER_PORT: u16 = 1883;
/// How often the screen is drawn.
const SCREEN_PERIOD: Duration = Duration::from_millis(250);
/// How often a plain line is printed.
const LINE_PERIOD: Duration = Duration::from_secs(2);

pub(crate) async fn run(options: DemoOptions) -> u8 {
    match Demo::start(&options).await {
        Ok(demo) => demo.show(&options).await,
        Err(error) => {
            eprintln!("error: {error}");
            exit::FINDINGS
        }
    }
}

/// Everything that runs in a demo.
struct Demo {
    gateway: Gateway,
    cloud: Cloud,
    recent: Arc<Recent>,
    stop: CancellationToken,
    /// Holds the site and its data; gone with the demo.
    folder: tempfile::TempDir,
    started: Instant,
}

impl Demo {
    async fn start(options: &DemoOptions) -> Result<Demo, String> {
        let stop = CancellationToken::new();
        let wires =
            devices::serve(options.seed, &stop).await.map_err(|error| format!("the simulated devices: {error}"))?;
        let broker = open_broker().await?;
        let folder = tempfile::Builder::new().prefix("edgeway-demo-").tempdir().map_err(|error| error.to_string())?;
        let api = open_api().await?;
        let address = api.local_addr().map_err(|error| error.to_string())?;
        site::write(folder.path(), &wires, address, broker.address).map_err(|error| error.to_string())?;
        let program = program::load(folder.path()).map_err(|findings| program::listed(&findings))?;
        let overrides = Overrides { api: Some(api), broker: Some(broker) };
        if !full_screen(options) {
            telemetry::init_logging();
        }
        let gateway = Gateway::start(program, overrides).await.map_err(|error| match error {
            StartError::Changed(findings) => program::listed(&findings),
            other => other.to_string(),
        })?;
        let broker = gateway.state.broker.ok_or("the broker did not start")?;
        let cloud = Cloud::watch(broker, &stop).await?;
        let recent = Recent::follow(&gateway.state, &stop);
        Ok(Demo { gateway, cloud, recent, stop, folder, started: Instant::now() })
    }

    /// Shows what happens until the time is over or the user has seen enough, then sums up.
    async fn show(self, options: &DemoOptions) -> u8 {
        let until = options.time.map(|time| self.started + time);
        let ended = async {
            match until {
                Some(until) => tokio::select! { () = sleep_until(until) => {}, () = told_to_stop() => {} },
                None => told_to_stop().await,
            }
        };
        match full_screen(options) {
            true => self.draw(ended).await,
            false => self.tell(ended).await,
        }
        self.finish(options).await
    }

    async fn draw(&self, ended: impl Future<Output = ()>) {
        let mut screen = match screen::Screen::open() {
            Ok(screen) => screen,
            Err(error) => {
                eprintln!("the terminal cannot be drawn on ({error}); plain lines instead");
                return self.tell(ended).await;
            }
        };
        let mut tick = interval(SCREEN_PERIOD);
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => return,
                _ = tick.tick() => screen.draw(&view::View::of(self)),
            }
        }
    }

    async fn tell(&self, ended: impl Future<Output = ()>) {
        println!("{}", view::where_to_look(self));
        let mut tick = interval(LINE_PERIOD);
        tick.tick().await;
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = &mut ended => return,
                _ = tick.tick() => println!("{}", view::line(self)),
            }
        }
    }

    async fn finish(self, options: &DemoOptions) -> u8 {
        let seconds = self.started.elapsed().as_secs_f64();
        let state = self.gateway.state.clone();
        self.gateway.stop().await;
        let summary = Summary::of(&state, &self.cloud, seconds);
        self.stop.cancel();
        drop(self.folder);
        println!("{}", summary.text());
        let missing = summary.missing();
        for part in &missing {
            println!("did not do its work: {part}");
        }
        if options.json {
            println!("{}", serde_json::to_string(&summary).expect("a summary serialises to memory"));
        }
        if missing.is_empty() { exit::OK } else { exit::FINDINGS }
    }

    fn state(&self) -> &State {
        &self.gateway.state
    }
}

fn full_screen(options: &DemoOptions) -> bool {
    !options.plain && !options.json && std::io::stdout().is_terminal()
}

async fn open_broker() -> Result<Broker, String> {
    match broker::open(([127, 0, 0, 1], BROKER_PORT).into()).await {
        Ok(broker) => Ok(broker),
        Err(_) => broker::open(([127, 0, 0, 1], 0).into()).await,
    }
}

async fn open_api() -> Result<TcpListener, String> {
    match TcpListener::bind(("127.0.0.1", API_PORT)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string()),
    }
}
