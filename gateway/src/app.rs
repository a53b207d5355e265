//! The running gateway: builds the parts of a program, starts them, and drains them.
//!
//! Whatever can be refused is tried before anything is started: the data folder, the ports, the cursors. If one of them
//! fails, nothing runs.

mod control;
mod identity;
mod supervisor;

pub(crate) use identity::{TOKEN_FILE, Token};

use crate::broker::{self, Broker};
use crate::clock::{self, Clocks};
use crate::deadletters::DeadLetters;
use crate::desk::Desk;
use crate::downlink::Downlink;
use crate::links::{LinkStatus, LinkTask, Wiring, WriteJob};
use crate::program::{self, Drivers, Program};
use crate::queries::{self, QueryHost};
use crate::router::{self, Accountant, Route, RouteState, Surroundings};
use crate::scenes::{self, SceneHost};
use crate::spine::{self, MessageJournal, Spine};
use crate::twins::{self, Twins};
use crate::{api, telemetry};
use control::Control;
use edgeway_driver_host::{DriverHost, HostError};
use edgeway_journal::{StateOptions, StateStore};
use edgeway_sdk::{DeviceIx, Driver, Link, Timestamp};
use edgeway_site::{EventSite, Finding, LinkSite, PointSite, RouteSite, Site, TargetKind, TargetSite};
use edgeway_thing_models::{Binding, PointBinding, Things};
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use supervisor::{Restarts, Supervisor};

pub(crate) use supervisor::Part;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tracing::{error, info, warn};

/// Memory for the state store's pages; reads do not need it.
const STATE_CACHE_BYTES: u64 = 2 << 20;
/// How many commands may wait for one link.
const JOBS_MAX: usize = 1024;
/// How long each of the five stages of stopping may take; together with the three stores they stay below 5 s.
const STAGE_WITHIN: Duration = Duration::from_millis(700);
/// How long each of the three stores may take to close.
const CLOSE_WITHIN: Duration = Duration::from_millis(400);

/// Why a gateway could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StartError {
    #[error("the data folder {path} cannot be used: {reason}")]
    Data { path: String, reason: String },
    #[error(transparent)]
    Journal(#[from] edgeway_journal::Error),
    #[error("the API cannot listen on {address}: {source}")]
    Api { address: SocketAddr, source: std::io::Error },
    #[error("{0}")]
    Broker(String),
    #[error("no threads can be started: {0}")]
    Threads(std::io::Error),
    #[error(transparent)]
    Drivers(#[from] HostError),
    #[error("link {link}: {reason}")]
    Link { link: String, reason: String },
    #[error("the site was changed while it was being loaded")]
    Changed(Vec<Finding>),
}

/// What the parts of a running gateway share.
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    /// The site's folder.
    pub(crate) root: PathBuf,
    /// The routes as they were written at the start.
    pub(crate) route_sites: Vec<RouteSite>,
    /// Unique to this gateway and its data folder; part of every message's id.
    pub(crate) gateway: Arc<str>,
    pub(crate) started: Timestamp,
    pub(crate) things: Arc<Things>,
    pub(crate) twins: Arc<Twins>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) scenes: Arc<SceneHost>,
    pub(crate) queries: Arc<QueryHost>,
    pub(crate) journal: MessageJournal,
    pub(crate) links: Vec<NamedLink>,
    pub(crate) drivers: Drivers,
    pub(crate) routes: Vec<NamedRoute>,
    pub(crate) accountant: Arc<Accountant>,
    pub(crate) letters: Arc<DeadLetters>,
    pub(crate) clocks: Arc<Clocks>,
    pub(crate) broker: Option<SocketAddr>,
    pub(crate) metrics: telemetry::Metrics,
    pub(crate) restarts: Restarts,
}

/// A link and what it shows.
pub(crate) struct NamedLink {
    pub(crate) name: Arc<str>,
    pub(crate) driver: String,
    pub(crate) wire: String,
    pub(crate) status: Arc<LinkStatus>,
    pub(crate) link: Arc<dyn Link>,
}

/// A route and what it shows.
pub(crate) struct NamedRoute {
    pub(crate) name: Arc<str>,
    pub(crate) target: TargetSite,
    pub(crate) state: Arc<RouteState>,
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) state: Arc<State>,
    pub(crate) api: SocketAddr,
    /// In the order in which they are stopped.
    stages: [Supervisor; 5],
    /// Drivers that are processes: they outlive the links.
    processes: Option<DriverHost>,
    store: StateStore,
    _control: Control,
}

/// Where to listen instead of where the site says; for the demo and for benches.
#[derive(Default)]
pub(crate) struct Overrides {
    /// Already open listeners are handed over, so that no port is lost between choosing and using it.
    pub(crate) api: Option<TcpListener>,
    pub(crate) broker: Option<Broker>,
}

impl Gateway {
    /// Starts a program.
    pub(crate) async fn start(program: Program, overrides: Overrides) -> Result<Gateway, StartError> {
        let Program { mut site, drivers, .. } = program;
        let metrics = telemetry::Metrics::install();
        let identity = identity::load_or_make(&site.data, &site.name)?;
        let clocks = Clocks::load(&site.data);
        let Spine { journal, things, thinning } =
            spine::open(&site.data.join("journal"), &mut site.things, &site.journal)?;
        let letters = Arc::new(DeadLetters::open(&site.data.join("deadletters"), things.clone())?);
        let store = StateStore::open(
            site.data.join("state"),
            StateOptions { cache_bytes: STATE_CACHE_BYTES, ..StateOptions::default() },
        )?;
        report_recovery(&journal, &store);

        let api_listener = match overrides.api {
            Some(listener) => listener,
            None => listen(site.api).await?,
        };
        let api = api_listener.local_addr().map_err(|source| StartError::Api { address: site.api, source })?;
        let broker = match (overrides.broker, site.broker) {
            (Some(broker), _) => Some(broker),
            (None, Some(address)) => Some(broker::open(address).await.map_err(StartError::Broker)?),
            (None, None) => None,
        };

        let binding = Arc::new(binding(&site));
        let points: Arc<[PointSite]> = std::mem::take(&mut site.points).into();
        let shared = Shared { points: &points, binding: &binding, things: &things, journal: &journal };
        let (links, senders, link_tasks) = wire(std::mem::take(&mut site.links), &site.events, &drivers.all, &shared)?;
        drivers.keep(&site.data);
        let processes = drivers.host(&site.data, site.drivers_listen.as_ref()).await?;
        let desk = Arc::new(Desk::new(
            things.clone(),
            binding,
            points,
            std::mem::take(&mut site.services),
            senders,
            journal.clone(),
        ));
        let (scenes, queries) = compile(&things, &site)?;
        let scenes = Arc::new(SceneHost::new(
            scenes,
            things.clone(),
            desk.clone(),
            journal.clone(),
            store.clone(),
            site.scene_options.journal,
        ));
        let queries = Arc::new(QueryHost::new(queries, journal.clone(), &site.data));
        let twins = Arc::new(Twins::load(things.clone(), &store, journal.head()));
        let around = Surroundings {
            gateway: &identity.gateway,
            site_name: &site.name,
            things: &things,
            queries: &queries.with(|queries| queries.list()),
            journal: &journal,
            store: &store,
            clocks: &clocks,
            letters: &letters,
        };
        let (routes, route_tasks) = routes(&site, &around)?;
        let states: Vec<_> = routes.iter().map(|route| route.state.clone()).collect();
        let accountant = Accountant::new(&site.routes, &states, &around, &thinning);
        let accountant = accountant.map_err(StartError::Changed)?;
        journal.set_keeper(accountant.clone());
        let restarts = Restarts::default();
        let control = Control::start().map_err(StartError::Threads)?;
        let state = Arc::new(State {
            name: site.name.clone(),
            root: site.root.clone(),
            route_sites: site.routes.clone(),
            gateway: identity.gateway,
            started: Timestamp::now(),
            restarts: restarts.clone(),
            broker: broker.as_ref().map(|broker| broker.address),
            metrics,
            things,
            twins,
            desk,
            scenes,
            queries,
            journal,
            links,
            drivers,
            routes,
            accountant: accountant.clone(),
            letters,
            clocks,
        });
        let stages = [
            south(&site, &state, link_tasks, Supervisor::new(control.handle(), &restarts)),
            reactions(&state, Supervisor::new(control.handle(), &restarts)),
            middle(&state, &store, Supervisor::new(&Handle::current(), &restarts)),
            north(&state, route_tasks, accountant, site.ledger_every, Supervisor::new(&Handle::current(), &restarts)),
            surface(&state, broker, api_listener, identity.token, Supervisor::new(&Handle::current(), &restarts)),
        ];
        info!(site = %state.name, %api, devices = state.things.current_devices().count(), "Edgeway is running.");
        Ok(Gateway { state, api, stages, processes, store, _control: control })
    }

    /// Stops in the order of the data's way: links first, then what works on messages, then, when everything is durable
    /// and sent as far as that is quick, the rest.
    pub(crate) async fn stop(self) {
        let mut stages = self.stages.into_iter();
        if let Some(south) = stages.next() {
            south.stop(STAGE_WITHIN).await;
        }
        // The journal has what they said; how long they take to exit is nobody else's affair.
        let processes = self.processes.map(|host| tokio::spawn(host.stop()));
        for stage in stages {
            stage.stop(STAGE_WITHIN).await;
        }
        if let Some(processes) = processes {
            let _ = timeout(STAGE_WITHIN, processes).await;
        }
        if timeout(CLOSE_WITHIN, self.state.letters.close()).await.is_err() {
            warn!("The store of dead letters could not be closed in time.");
        }
        match timeout(CLOSE_WITHIN, self.state.journal.clone().close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(%error, "The last messages could not be made durable."),
            Err(_) => error!("The disk takes too long; the last messages may not be durable."),
        }
        match timeout(CLOSE_WITHIN, self.store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                warn!(%error, "Twins and the queries' progress could not be saved; they will be made anew.")
            }
            Err(_) => warn!("Twins and the queries' progress could not be saved in time; they will be made anew."),
        }
    }
}

/// What stops first: the links, and the commands from the cloud.
fn south(site: &Site, state: &Arc<State>, links: Vec<LinkTask>, mut stage: Supervisor) -> Supervisor {
    links.into_iter().for_each(|task| stage.part(task));
    for target in &site.targets {
        let TargetKind::Mqtt(mqtt) = &target.kind else { continue };
        let downlink = Downlink::new(target.name.clone(), (**mqtt).clone(), state.things.clone(), state.desk.clone());
        if let Some(downlink) = downlink {
            stage.part(downlink);
        }
    }
    stage
}

/// What stops second: what reacts to messages at once.
fn reactions(state: &Arc<State>, mut stage: Supervisor) -> Supervisor {
    let host = state.scenes.clone();
    stage.restarting("scenes", move |stop| scenes::run(host.clone(), stop));
    stage
}

/// What stops third: what works on messages by the hundred.
fn middle(state: &Arc<State>, store: &StateStore, mut stage: Supervisor) -> Supervisor {
    let host = state.queries.clone();
    stage.restarting("queries", move |stop| queries::run(host.clone(), stop));
    let (twins, journal, store) = (state.twins.clone(), state.journal.clone(), store.clone());
    stage.restarting("twins", move |stop| twins::follow(twins.clone(), journal.clone(), store.clone(), stop));
    stage
}

/// What stops fourth: the routes, and whoever keeps their books.
fn north(
    state: &Arc<State>,
    routes: Vec<Route>,
    accountant: Arc<Accountant>,
    balance_every: Duration,
    mut stage: Supervisor,
) -> Supervisor {
    let (clocks, journal) = (state.clocks.clone(), state.journal.clone());
    stage.restarting("clock", move |stop| clock::watch(clocks.clone(), journal.clone(), stop));
    stage.restarting("accountant", move |stop| router::account(accountant.clone(), balance_every, stop));
    routes.into_iter().for_each(|route| stage.part(route));
    stage
}

/// What stops last: the API and the broker.
fn surface(
    state: &Arc<State>,
    broker: Option<Broker>,
    api: TcpListener,
    token: Token,
    mut stage: Supervisor,
) -> Supervisor {
    if let Some(broker) = broker {
        stage.once("broker", |stop| broker::run(broker, stop));
    }
    let state = state.clone();
    stage.once("api", |stop| api::serve(api, state, token, stop));
    stage
}

fn report_recovery(journal: &MessageJournal, store: &StateStore) {
    for lost in &journal.recovery().damaged {
        warn!(
            from = lost.from,
            to = lost.to,
            reason = lost.reason.as_str(),
            "The journal is damaged; the rest of it is used."
        );
        spine::publish(journal, vec![spine::lost("journal", lost)]);
    }
    let lost = journal.recovery().cursors_lost;
    if lost > 0 {
        warn!(lost, "Cursors are damaged; their routes begin again at the oldest message.");
    }
    if let Some(reason) = &store.recovery().reason {
        warn!(%reason, "The state store could not be read and was set aside; twins start empty.");
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Api { address, source })
}

fn binding(site: &Site) -> Binding {
    let point = |point: &PointSite| {
        let (device, property, writes) = (point.device, point.property?, point.access.writes());
        Some(PointBinding { device, property, scale: point.scale, offset: point.offset, writes })
    };
    Binding::new(site.points.iter().map(point).collect())
}

type Senders = HashMap<DeviceIx, mpsc::Sender<WriteJob>>;

/// What all links share.
struct Shared<'a> {
    points: &'a Arc<[PointSite]>,
    binding: &'a Arc<Binding>,
    things: &'a Arc<Things>,
    journal: &'a MessageJournal,
}

/// Makes the links and their tasks, which do not run yet.
fn wire(
    sites: Vec<LinkSite>,
    events: &[EventSite],
    drivers: &[Arc<dyn Driver>],
    shared: &Shared<'_>,
) -> Result<(Vec<NamedLink>, Senders, Vec<LinkTask>), StartError> {
    let (mut links, mut senders, mut tasks) = (vec![], Senders::new(), vec![]);
    for site in sites {
        let driver = &drivers[site.driver];
        let status = Arc::new(LinkStatus::default());
        let (sender, jobs) = mpsc::channel(JOBS_MAX);
        senders.extend(site.devices.iter().map(|device| (device.ix, sender.clone())));
        let (name, wire) = (site.name.clone(), site.key.clone());
        let link = open_link(&**driver, &site)?;
        let watches = driver.manifest().can.watch;
        let driver = driver.manifest().name.clone();
        links.push(NamedLink { name, driver, wire, status: status.clone(), link: link.clone() });
        let devices: HashSet<DeviceIx> = site.devices.iter().map(|device| device.ix).collect();
        tasks.push(LinkTask::new(Wiring {
            link,
            watches,
            events: events.iter().filter(|event| devices.contains(&event.device)).cloned().collect(),
            site,
            points: shared.points.clone(),
            binding: shared.binding.clone(),
            things: shared.things.clone(),
            journal: shared.journal.clone(),
            status,
            jobs,
        }));
    }
    Ok((links, senders, tasks))
}

fn open_link(driver: &dyn Driver, site: &LinkSite) -> Result<Arc<dyn Link>, StartError> {
    let refused =
        |fault: edgeway_sdk::Fault| StartError::Link { link: site.name.to_string(), reason: fault.to_string() };
    driver.open(site.options.clone()).map_err(refused)
}

/// Removes the cursors of routes that the site no longer has: their places are few.
fn forget_cursors(site: &Site, journal: &MessageJournal) -> Result<(), edgeway_journal::Error> {
    for cursor in journal.cursors() {
        let gone = cursor
            .name()
            .strip_prefix(router::CURSOR)
            .is_some_and(|name| !site.routes.iter().any(|route| &*route.name == name));
        if gone {
            info!(cursor = cursor.name(), "The cursor of a route that is no more is removed.");
            journal.remove_cursor(cursor.name())?;
        }
    }
    Ok(())
}

/// Makes the routes and their tasks, which do not run yet.
fn routes(site: &Site, around: &Surroundings<'_>) -> Result<(Vec<NamedRoute>, Vec<Route>), StartError> {
    forget_cursors(site, around.journal)?;
    let (mut routes, mut tasks) = (vec![], vec![]);
    for route_site in &site.routes {
        let target = &site.targets[route_site.target];
        let route = Route::new(route_site, target, around).map_err(StartError::Changed)??;
        let state = route.state();
        routes.push(NamedRoute { name: route_site.name.clone(), target: target.clone(), state });
        tasks.push(route);
    }
    Ok((routes, tasks))
}

/// Compiles scenes and queries again, now with the devices that only old messages know.
fn compile(things: &Arc<Things>, site: &Site) -> Result<(edgeway_rules::Scenes, edgeway_streams::Queries), StartError> {
    let queries = program::compile_queries(things, site).map_err(StartError::Changed)?;
    let (scenes, _) = program::compile_scenes(things, site, Some(&queries.list())).map_err(StartError::Changed)?;
    Ok((scenes, queries))
}
