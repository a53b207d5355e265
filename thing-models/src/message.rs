//! What flows through the gateway.
//!
//! Reports, which are nearly all of the traffic, carry numbers; the rare kinds carry names. Every message has a
//! subject, made from its kind and names (see [`Message::subject`]).

use crate::things::{EventIx, PropertyIx, ServiceIx, Things};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// When the gateway got it or made it.
    pub time: Timestamp,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body {
    /// `property/<model>/<device>`: values of properties.
    Report(Report),
    /// `event/<model>/<device>/<event>`: something happened in a device.
    Event(Event),
    /// `status/<model>/<device>`: a device came or went.
    Status(Status),
    /// `stream/<query>`: a row that a query made.
    Row(Row),
    /// `scene/<scene>`: a scene ran.
    Firing(Firing),
    /// `command/<model>/<device>`: a command was accepted or has ended.
    Command(CommandRecord),
    /// `notify/<channel>`: a text for people.
    Notice(Notice),
    /// `ledger/<consumer>`: messages that a consumer will never get.
    Ledger(Ledger),
    /// `ledger/<route>`: what has become of a route's messages so far.
    Balance(Balance),
}

/// Values of properties of one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The device.
    pub device: DeviceIx,
    /// What was seen. Not empty; a property at most once.
    pub values: Vec<Observation>,
}

/// One value of one property.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The property.
    pub property: PropertyIx,
    /// Its value in the model's type and unit. A stale value is still here; a bad one is [`Value::Null`].
    pub value: Value,
    /// How far it can be trusted.
    pub quality: Quality,
    /// When the device measured it. A stale value keeps the time of its last good reading.
    pub source_time: Timestamp,
}

/// Something happened in a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The device.
    pub device: DeviceIx,
    /// The event.
    pub event: EventIx,
    /// What it carries, in the order of the model.
    pub output: Vec<(Arc<str>, Value)>,
    /// When it happened.
    pub source_time: Timestamp,
}

/// A device came or went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// The device.
    pub device: DeviceIx,
    /// Its state now.
    pub online: Online,
    /// Why, for people; empty when it came.
    pub reason: Arc<str>,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Online {
    /// Not asked yet.
    Unknown,
    /// It answers.
    Online,
    /// It answers, but some of its points are bad.
    Degraded,
    /// It does not answer.
    Offline,
}

impl Online {
    /// In one word, as messages and the API show it.
    pub fn as_str(self) -> &'static str {
        match self {
            Online::Unknown => "unknown",
            Online::Online => "online",
            Online::Degraded => "degraded",
            Online::Offline => "offline",
        }
    }

    /// True if the device answers.
    pub fn answers(self) -> bool {
        matches!(self, Online::Online | Online::Degraded)
    }
}

/// A row that a query made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The query.
    pub query: Arc<str>,
    /// The same for the same query, key and window, also after a restart: a receiver drops repeats by it.
    pub id: Arc<str>,
    /// Names of the columns.
    pub columns: Arc<[Arc<str>]>,
    /// Their values.
    pub values: Vec<Value>,
    /// The end of the window; the time of the message for a query without one.
    pub source_time: Timestamp,
}

/// A scene ran its actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Firing {
    /// The scene.
    pub scene: Arc<str>,
    /// What set it off, `keycard == true`.
    pub cause: Arc<str>,
    /// The scenes that led here, outermost first.
    pub chain: Vec<Arc<str>>,
}

/// A text for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// Where to, `on-call`.
    pub channel: Arc<str>,
    /// The text.
    pub text: Arc<str>,
    /// The scene that says it.
    pub scene: Arc<str>,
}

/// Messages that a consumer will never get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The route or other consumer that lost them.
    pub consumer: Arc<str>,
    /// Why: `retention`, `damaged`, `refused by target`, ...
    pub reason: Arc<str>,
    /// The first offset lost.
    pub from: u64,
    /// The last offset lost.
    pub to: u64,
    /// How many messages, where it is known; otherwise how many offsets.
    pub count: u64,
}

/// What has become of a route's messages, counted from the route's beginning:
/// taken = delivered + queued + expired + dropped + dead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Balance {
    /// The route.
    pub route: Arc<str>,
    /// All its messages.
    pub total: Account,
    /// The same by device, for devices whose account has changed since the last balance; `-` stands for what is of no
    /// device. A long list comes in several balances.
    pub devices: Vec<(Arc<str>, Account)>,
}

/// What has become of some messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// The route's subjects and conditions took them.
    pub taken: u64,
    /// The target has acknowledged them.
    pub delivered: u64,
    /// They were older than the route's `ttl` when their turn came.
    pub expired: u64,
    /// The journal was full, by the route's `on_full`, or they were damaged on disk.
    pub dropped: u64,
    /// The target refused them for good; they are dead letters.
    pub dead: u64,
}

impl Account {
    /// What still waits.
    pub fn queued(&self) -> u64 {
        self.taken.saturating_sub(self.settled())
    }

    /// What no longer waits, for whatever reason.
    pub fn settled(&self) -> u64 {
        self.delivered + self.expired + self.dropped + self.dead
    }

    /// What this account has beyond another one, column by column; 0 where the other one has more.
    pub fn beyond(&self, other: &Account) -> Account {
        Account {
            taken: self.taken.saturating_sub(other.taken),
            delivered: self.delivered.saturating_sub(other.delivered),
            expired: self.expired.saturating_sub(other.expired),
            dropped: self.dropped.saturating_sub(other.dropped),
            dead: self.dead.saturating_sub(other.dead),
        }
    }
}

impl std::ops::AddAssign for Account {
    fn add_assign(&mut self, other: Account) {
        self.taken += other.taken;
        self.delivered += other.delivered;
        self.expired += other.expired;
        self.dropped += other.dropped;
        self.dead += other.dead;
    }
}

/// A property set or a service call on its way to a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Unique in this gateway; chosen by the sender or made when it is accepted.
    pub id: Arc<str>,
    /// The device.
    pub device: DeviceIx,
    /// What to do.
    pub action: Action,
    /// Who wants it.
    pub origin: Origin,
    /// When it was accepted.
    pub issued: Timestamp,
    /// It is never applied after this time.
    pub deadline: Timestamp,
}

/// What a command does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Sets a property.
    Set {
        /// The property.
        property: PropertyIx,
        /// In the model's type and unit.
        value: Value,
    },
    /// Calls a service.
    Invoke {
        /// The service.
        service: ServiceIx,
        /// Its input by name.
        input: Vec<(Arc<str>, Value)>,
    },
}

/// Who wants a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Origin {
    /// A scene.
    Scene {
        /// Which.
        scene: Arc<str>,
    },
    /// The API, and so the CLI.
    Api,
    /// The cloud.
    Cloud {
        /// Through which connection.
        target: Arc<str>,
    },
}

/// `api`, `scene/<scene>` or `cloud/<target>`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Api => f.write_str("api"),
            Origin::Scene { scene } => write!(f, "scene/{scene}"),
            Origin::Cloud { target } => write!(f, "cloud/{target}"),
        }
    }
}

/// A command as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// The command.
    pub command: Command,
    /// What became of it so far.
    pub state: CommandState,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CommandState {
    /// Checked against the model; on its way.
    Accepted,
    /// Done.
    Applied {
        /// The value read back, in the model's type and unit, or a service's output; `None` where the protocol
        /// confirms no value.
        result: Option<Value>,
    },
    /// Refused before anything was sent: unknown, read-only, out of range, device locked.
    Refused {
        /// Why.
        reason: Arc<str>,
    },
    /// The device refused it, or shows another value than was written.
    Failed {
        /// Why.
        reason: Arc<str>,
    },
    /// Sent, but the device's answer was lost: it may or may not have been applied.
    Unconfirmed {
        /// Why.
        reason: Arc<str>,
    },
    /// Its deadline passed before it could be sent. It was not applied and never will be.
    Expired,
}

impl CommandState {
    /// In one word, as messages and the API show it.
    pub fn as_str(&self) -> &'static str {
        match self {
            CommandState::Accepted => "accepted",
            CommandState::Applied { .. } => "applied",
            CommandState::Refused { .. } => "refused",
            CommandState::Failed { .. } => "failed",
            CommandState::Unconfirmed { .. } => "unconfirmed",
            CommandState::Expired => "expired",
        }
    }

    /// Why it was not applied.
    pub fn reason(&self) -> Option<&str> {
        match self {
            CommandState::Refused { reason }
            | CommandState::Failed { reason }
            | CommandState::Unconfirmed { reason } => Some(reason),
            CommandState::Expired => Some("the deadline passed before it could be sent"),
            CommandState::Accepted | CommandState::Applied { .. } => None,
        }
    }
}

impl Message {
    /// The message's address: the kind, then the names, with slashes between. Routes and subscriptions match it.
    pub fn subject(&self, things: &Things) -> String {
        self.address(things).to_string()
    }

    /// The same, to be written somewhere without a string in between.
    pub(crate) fn address<'a>(&'a self, things: &'a Things) -> Address<'a> {
        Address { body: &self.body, things }
    }
}

/// A subject that is written when it is needed.
pub(crate) struct Address<'a> {
    body: &'a Body,
    things: &'a Things,
}

impl Address<'_> {
    fn of_device(&self, f: &mut fmt::Formatter<'_>, kind: &str, device: DeviceIx) -> fmt::Result {
        let device = self.things.device(device);
        for part in [kind, "/", &self.things.model(device.model).name, "/", &device.id] {
            f.write_str(part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.body {
            Body::Report(report) => self.of_device(f, "property", report.device),
            Body::Event(event) => {
                let model = self.things.model_of(event.device);
                self.of_device(f, "event", event.device)?;
                write!(f, "/{}", model.events[usize::from(event.event.0)].identifier)
            }
            Body::Status(status) => self.of_device(f, "status", status.device),
            Body::Command(record) => self.of_device(f, "command", record.command.device),
            Body::Row(row) => write!(f, "stream/{}", row.query),
            Body::Firing(firing) => write!(f, "scene/{}", firing.scene),
            Body::Notice(notice) => write!(f, "notify/{}", notice.channel),
            Body::Ledger(ledger) => write!(f, "ledger/{}", ledger.consumer),
            Body::Balance(balance) => write!(f, "ledger/{}", balance.route),
        }
    }
}
