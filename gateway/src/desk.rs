//! The desk: the one way that commands take, whoever wants them.
//!
//! ```text
//! scene, API, cloud ──> checked against the model ──> journal (accepted) ──> the device's link ──> device
//!                            │ no                                                 │
//!                            └──> refused                 journal (result) <──────┴──> whoever asked
//! ```
//!
//! A command has an id, unique for its device. The same command again gives the same result and is not applied twice, as
//! long as it is among the last [`REMEMBERED`] of this run; the same id with another content is refused. A command is never
//! applied after its deadline.

mod service;

use crate::links::WriteJob;
use crate::spine::{self, MessageJournal};
use edgeway_sdk::{DeviceIx, Timestamp, Value, WriteOp};
use edgeway_site::{PointSite, ServiceWrite};
use edgeway_thing_models::{Action, Binding, Body, Command, CommandRecord, CommandState, Origin, ServiceIx, Things};
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
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
    /// The offset of the record that it was accepted; `None` if it was not, or was accepted before.
    pub(crate) recorded: Option<u64>,
    state: watch::Receiver<CommandState>,
}

impl Ticket {
    /// Waits for the result.
    pub(crate) async fn result(mut self) -> CommandState {
        let ended = self.state.wait_for(|state| *state != CommandState::Accepted).await;
        ended.map_or_else(|_| failed(STOPPING), |state| state.clone())
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
        let checked = match self.check(&id, &request) {
            Ok(checked) => checked,
            Err(reason) => {
                self.refuse(id.clone(), &request, reason, &tell);
                return Ticket { id, recorded: None, state };
            }
        };
        let known = self.remembered.lock().insert((request.device, id.clone()), &checked.command.action, state.clone());
        let recorded = match known {
            Known::New => self.send(checked, request.caused_at, tell),
            Known::Same(state) => return Ticket { id, recorded: None, state },
            Known::Other => {
                let reason = "the id is already that of another command for this device".to_owned();
                self.refuse(id.clone(), &request, reason, &tell);
                None
            }
        };
        Ticket { id, recorded, state }
    }

    /// The command and what has to be written for it.
    fn check(&self, id: &Arc<str>, request: &Request) -> Result<Checked, String> {
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
        let deadline = issued + request.within;
        Ok(Checked { command: Command { id, device, action, origin, issued, deadline }, ops, call })
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

    /// Records a command and hands it to its link. Returns the offset of the record.
    fn send(&self, checked: Checked, caused_at: Option<Timestamp>, tell: watch::Sender<CommandState>) -> Option<u64> {
        let Checked { command, ops, call } = checked;
        let recorded = self.record(command.clone(), CommandState::Accepted);
        let (done, result) = oneshot::channel();
        let started = Arc::new(AtomicBool::new(false));
        let job = WriteJob { command: command.clone(), ops, call, started: started.clone(), done, caused_at };
        let queued = match self.links.get(&command.device) {
            Some(link) => link.try_send(job).map_err(|error| match error {
                TrySendError::Full(_) => "too many commands are waiting for this link",
                TrySendError::Closed(_) => STOPPING,
            }),
            None => Err("the device has no link any more"),
        };
        let (journal, tally) = (self.journal.clone(), self.tally.clone());
        tokio::spawn(async move {
            let state = match queued {
                Ok(()) => result.await.unwrap_or_else(|_| cut_off(&started)),
                Err(reason) => failed(reason),
            };
            count(&tally, &state);
            let record = CommandRecord { command, state: state.clone() };
            spine::publish(&journal, vec![spine::message(Body::Command(record))]);
            tell.send_replace(state);
        });
        recorded
    }

    fn record(&self, command: Command, state: CommandState) -> Option<u64> {
        let message = spine::message(Body::Command(CommandRecord { command, state }));
        spine::publish(&self.journal, vec![message]).map(|end| end - 1)
    }
}

/// A service of the driver's own, and its input.
type Call = (Arc<str>, edgeway_sdk::Json);

/// A command that fits its model, and what has to be written for it.
struct Checked {
    command: Command,
    ops: Vec<WriteOp>,
    call: Option<Call>,
}

const STOPPING: &str = "the gateway is stopping";

/// The state of a command whose link has gone without telling its result.
fn cut_off(started: &AtomicBool) -> CommandState {
    match started.load(Relaxed) {
        true => CommandState::Unconfirmed { reason: "the call was cut off".into() },
        false => failed(STOPPING),
    }
}

fn failed(reason: &str) -> CommandState {
    CommandState::Failed { reason: reason.into() }
}

fn count(tally: &Tally, state: &CommandState) {
    let counter = if matches!(state, CommandState::Applied { .. }) { &tally.ok } else { &tally.failed };
    counter.fetch_add(1, Relaxed);
    metrics::counter!("edgeway_commands_total", "state" => state.as_str()).increment(1);
}

/// A command's id, which only has to be unique for its device.
type Key = (DeviceIx, Arc<str>);

/// The last commands by id.
#[derive(Default)]
struct Remembered {
    commands: HashMap<Key, (Action, watch::Receiver<CommandState>)>,
    order: VecDeque<Key>,
}

/// Whether a command has come before.
enum Known {
    New,
    /// The same command; its result is, or will be, here.
    Same(watch::Receiver<CommandState>),
    /// A command of this id that wants something else.
    Other,
}

impl Remembered {
    fn insert(&mut self, key: Key, wanted: &Action, state: watch::Receiver<CommandState>) -> Known {
        match self.commands.get(&key) {
            Some((known, state)) if known == wanted => return Known::Same(state.clone()),
            Some(_) => return Known::Other,
            None => {}
        }
        if self.order.len() == REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.commands.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.commands.insert(key, (wanted.clone(), state));
        Known::New
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(value: i64) -> Action {
        Action::Set { property: edgeway_thing_models::PropertyIx(0), value: Value::Int(value) }
    }

    #[test]
    fn an_id_stands_for_one_command_of_one_device() {
        let mut remembered = Remembered::default();
        let (_tell, state) = watch::channel(CommandState::Accepted);
        let mut insert =
            |device, wanted: &Action| remembered.insert((DeviceIx(device), "x".into()), wanted, state.clone());
        assert!(matches!(insert(1, &set(1700)), Known::New));
        assert!(matches!(insert(1, &set(1700)), Known::Same(_)));
        assert!(matches!(insert(1, &set(900)), Known::Other));
        assert!(matches!(insert(2, &set(900)), Known::New), "another device has ids of its own");
    }

    #[test]
    fn the_oldest_commands_are_forgotten() {
        let mut remembered = Remembered::default();
        let (_tell, state) = watch::channel(CommandState::Accepted);
        for at in 0..=REMEMBERED {
            remembered.insert((DeviceIx(0), at.to_string().into()), &set(1), state.clone());
        }
        assert_eq!(remembered.commands.len(), REMEMBERED);
        assert!(matches!(remembered.insert((DeviceIx(0), "0".into()), &set(1), state), Known::New));
    }
}
