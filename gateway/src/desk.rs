//! The desk: the one way that commands take, whoever wants them.
//!
//! ```text
//! scene, API, cloud ──> checked against the model ──> journal (accepted) ──> the device's link ──> device
//!                            │ no                                                 │
//!                            └──> refused                 journal (result) <──────┴──> whoever asked
//! ```
//!
//! A command has an id. The same id again gives the same result and is not applied twice, as long as it is among the last
//! [`REMEMBERED`] commands of this run. A command is never applied after its deadline.

mod service;

use crate::links::WriteJob;
use crate::spine::{self, MessageJournal};
use edgeway_sdk::{DeviceIx, Timestamp, Value, WriteOp};
use edgeway_site::{PointSite, ServiceWrite};
use edgeway_thing_models::{Action, Binding, Body, Command, CommandRecord, CommandState, Origin, ServiceIx, Things};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// How many commands' results are remembered by id.
const REMEMBERED: usize = 4096;

/// A command that somebody wants.
pub(crate) struct Request {
    /// Chosen by the sender; made here if there is none.
    pub(crate) id: Option<Arc<str>>,
    pub(crate) device: DeviceIx,
    pub(crate) wanted: Wanted,
    pub(crate) origin: Origin,
    /// How long the command may take before it counts as too late.
    pub(crate) within: Duration,
    /// When the message that caused it came in.
    pub(crate) caused_at: Option<Timestamp>,
}

/// What is wanted, as people say it.
pub(crate) enum Wanted {
    /// Set a property.
    Set { property: Arc<str>, value: Value },
    /// Call a service.
    Invoke { service: Arc<str>, input: Vec<(Arc<str>, Value)> },
}

/// A command that was taken in.
pub(crate) struct Ticket {
    pub(crate) id: Arc<str>,
    state: watch::Receiver<CommandState>,
}

impl Ticket {
    /// Waits for the result.
    pub(crate) async fn result(mut self) -> CommandState {
        let ended = self.state.wait_for(|state| *state != CommandState::Accepted).await;
        ended.map_or_else(|_| failed("the gateway is stopping"), |state| state.clone())
    }
}

/// How commands went.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) ok: AtomicU64,
    pub(crate) failed: AtomicU64,
}

/// What the desk is made from.
pub(crate) struct Desk {
    things: Arc<Things>,
    binding: Arc<Binding>,
    points: Arc<[PointSite]>,
    services: HashMap<(DeviceIx, ServiceIx), Vec<ServiceWrite>>,
    links: HashMap<DeviceIx, mpsc::Sender<WriteJob>>,
    journal: MessageJournal,
    remembered: Mutex<Remembered>,
    next: AtomicU64,
    run: i64,
    tally: Arc<Tally>,
}

impl Desk {
    pub(crate) fn new(
        things: Arc<Things>,
        binding: Arc<Binding>,
        points: Arc<[PointSite]>,
        services: HashMap<(DeviceIx, ServiceIx), Vec<ServiceWrite>>,
        links: HashMap<DeviceIx, mpsc::Sender<WriteJob>>,
        journal: MessageJournal,
    ) -> Self {
        let run = Timestamp::now().as_millis();
        Desk {
            things,
            binding,
            points,
            services,
            links,
            journal,
            remembered: Mutex::default(),
            next: AtomicU64::new(1),
            run,
            tally: Arc::default(),
        }
    }

    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Takes a command in. Never waits: the result comes through the ticket.
    pub(crate) fn submit(&self, request: Request) -> Ticket {
        let id =
            request.id.clone().unwrap_or_else(|| format!("{:x}-{}", self.run, self.next.fetch_add(1, Relaxed)).into());
        let (tell, state) = watch::channel(CommandState::Accepted);
        if let Some(known) = self.remembered.lock().insert(id.clone(), state.clone()) {
            return Ticket { id, state: known };
        }
        match self.check(&id, &request) {
            Ok(job) => self.send(job, request.caused_at, tell),
            Err(reason) => self.refuse(id.clone(), &request, reason, &tell),
        }
        Ticket { id, state }
    }

    /// The command and what has to be written for it.
    fn check(&self, id: &Arc<str>, request: &Request) -> Result<(Command, Vec<WriteOp>, Option<Call>), String> {
        let model = self.things.model_of(request.device);
        let (action, ops, call) = match &request.wanted {
            Wanted::Set { property, value } => {
                let (property, value) = model.check_set(property, value).map_err(|e| e.to_string())?;
                let (point, raw) =
                    self.binding.unbind(&self.things, request.device, property, &value).map_err(|e| e.to_string())?;
                (Action::Set { property, value }, vec![WriteOp { point, value: raw }], None)
            }
            Wanted::Invoke { service, input } => {
                let (service, input) = model.check_invoke(service, input).map_err(|e| e.to_string())?;
                let (ops, call) = self.service(request.device, service, &input)?;
                (Action::Invoke { service, input }, ops, call)
            }
        };
        let issued = Timestamp::now();
        let (id, device, origin) = (id.clone(), request.device, request.origin.clone());
        Ok((Command { id, device, action, origin, issued, deadline: issued + request.within }, ops, call))
    }

    /// A service that the site maps to writes is made of them; any other is the driver's own.
    fn service(
        &self,
        device: DeviceIx,
        service: ServiceIx,
        input: &[(Arc<str>, Value)],
    ) -> Result<(Vec<WriteOp>, Option<Call>), String> {
        let Some(writes) = self.services.get(&(device, service)) else {
            let name = self.things.model_of(device).services[usize::from(service.0)].identifier.clone();
            let input = input.iter().map(|(name, value)| (name.to_string(), value.to_json())).collect();
            return Ok((vec![], Some((name, edgeway_sdk::Json::Object(input)))));
        };
        Ok((service::writes(writes, input, &self.points)?, None))
    }

    fn refuse(&self, id: Arc<str>, request: &Request, reason: String, tell: &watch::Sender<CommandState>) {
        self.tally.failed.fetch_add(1, Relaxed);
        metrics::counter!("edgeway_commands_total", "state" => "refused").increment(1);
        let state = CommandState::Refused { reason: reason.into() };
        if let Some(command) = self.as_asked(id, request) {
            self.record(command, state.clone());
        }
        tell.send_replace(state);
    }

    /// A refused command for the journal, as far as it can be put in the model's terms.
    fn as_asked(&self, id: Arc<str>, request: &Request) -> Option<Command> {
        let model = self.things.model_of(request.device);
        let action = match &request.wanted {
            Wanted::Set { property, value } => {
                Action::Set { property: model.property(property)?.0, value: value.clone() }
            }
            Wanted::Invoke { service, input } => {
                Action::Invoke { service: model.service(service)?.0, input: input.clone() }
            }
        };
        let issued = Timestamp::now();
        let (device, origin) = (request.device, request.origin.clone());
        Some(Command { id, device, action, origin, issued, deadline: issued + request.within })
    }

    fn send(
        &self,
        (command, ops, call): (Command, Vec<WriteOp>, Option<Call>),
        caused_at: Option<Timestamp>,
        tell: watch::Sender<CommandState>,
    ) {
        self.record(command.clone(), CommandState::Accepted);
        let (done, result) = oneshot::channel();
        let job = WriteJob { command: command.clone(), ops, call, done, caused_at };
        let queued = match self.links.get(&command.device) {
            Some(link) => link.try_send(job).map_err(|_| "too many commands are waiting for this link"),
            None => Err("the device has no link any more"),
        };
        let (journal, tally) = (self.journal.clone(), self.tally.clone());
        tokio::spawn(async move {
            let state = match queued {
                Ok(()) => result.await.unwrap_or_else(|_| failed("the gateway is stopping")),
                Err(reason) => failed(reason),
            };
            count(&tally, &state);
            spine::publish(
                &journal,
                vec![spine::message(Body::Command(CommandRecord { command, state: state.clone() }))],
            );
            tell.send_replace(state);
        });
    }

    fn record(&self, command: Command, state: CommandState) {
        spine::publish(&self.journal, vec![spine::message(Body::Command(CommandRecord { command, state }))]);
    }
}

type Call = (Arc<str>, edgeway_sdk::Json);

fn failed(reason: &str) -> CommandState {
    CommandState::Failed { reason: reason.into() }
}

fn count(tally: &Tally, state: &CommandState) {
    let counter = if matches!(state, CommandState::Applied { .. }) { &tally.ok } else { &tally.failed };
    counter.fetch_add(1, Relaxed);
    metrics::counter!("edgeway_commands_total", "state" => state.as_str()).increment(1);
}

/// The last commands by id.
#[derive(Default)]
struct Remembered {
    states: HashMap<Arc<str>, watch::Receiver<CommandState>>,
    order: VecDeque<Arc<str>>,
}

impl Remembered {
    /// Remembers a command; gives the one that already has this id, if there is one.
    fn insert(&mut self, id: Arc<str>, state: watch::Receiver<CommandState>) -> Option<watch::Receiver<CommandState>> {
        if let Some(known) = self.states.get(&id) {
            return Some(known.clone());
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.states.remove(&oldest);
        }
        self.order.push_back(id.clone());
        self.states.insert(id, state);
        None
    }
}
