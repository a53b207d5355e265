//! The twins: what each device last reported, and what it was last told to be.
//!
//! A view of the journal. It is kept in the state store so that it is there at once after a restart; values from before
//! the restart are stale until they are read again.

use crate::spine::{self, MessageJournal};
use edgeway_journal::{Level, StateStore};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Action, Body, CommandRecord, CommandState, Message, Observation, Online, PropertyIx, Things,
};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How long messages may gather before they are taken in: to be woken for each of them would cost more than the work.
const GATHER: Duration = Duration::from_millis(20);
/// How often twins are saved whose desired values have changed.
const SAVE_PERIOD: Duration = Duration::from_secs(5);
/// In how many of these periods all changed twins are saved. Reported values come anew with the next poll, so saving them
/// often would only wear the flash.
const SAVE_ALL_EVERY: u32 = 60;
/// How many messages are taken in at a time.
const FETCH: usize = 1024;

/// One device.
#[derive(Debug, Clone)]
pub(crate) struct Twin {
    pub(crate) online: Online,
    /// Why it is not online.
    pub(crate) reason: Arc<str>,
    /// Since when it is as it is.
    pub(crate) since: Option<Timestamp>,
    /// By property.
    pub(crate) reported: BTreeMap<PropertyIx, Reported>,
    /// By property.
    pub(crate) desired: BTreeMap<PropertyIx, Desired>,
    changed: Change,
}

/// What has changed in a twin since it was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Nothing,
    Reported,
    Desired,
}

/// What a property was last seen to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reported {
    pub(crate) value: Value,
    pub(crate) quality: Quality,
    pub(crate) source_time: Timestamp,
    pub(crate) received: Timestamp,
}

/// What a property was last told to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Desired {
    pub(crate) value: Value,
    /// Counts the commands for this property, from 1.
    pub(crate) version: u64,
    /// What became of the command: `accepted`, `applied`, `failed`, ...
    pub(crate) state: String,
    pub(crate) reason: Option<String>,
    /// The command's id.
    pub(crate) command: Arc<str>,
    pub(crate) at: Timestamp,
}

/// All twins.
pub(crate) struct Twins {
    things: Arc<Things>,
    twins: RwLock<Vec<Twin>>,
    /// The offset of the next message.
    position: AtomicU64,
}

impl Twins {
    /// Twins as the state store knows them, empty ones for the rest; they follow the journal from `position` on.
    pub(crate) fn load(things: Arc<Things>, store: &StateStore, position: u64) -> Self {
        let saved = |device| serde_json::from_slice(&store.get(&key(&things, device))?).ok();
        let load = |device| saved(device).map_or_else(Twin::unknown, |saved| thaw(&things, device, saved));
        let twins = things.devices().map(|(device, _)| load(device)).collect();
        Twins { twins: RwLock::new(twins), things, position: AtomicU64::new(position) }
    }

    /// How far the twins have come in the journal.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    /// Looks at one twin without copying it.
    pub(crate) fn with<T>(&self, device: DeviceIx, look: impl FnOnce(&Twin) -> T) -> T {
        look(&self.twins.read()[device.0 as usize])
    }

    fn apply(&self, messages: impl Iterator<Item = Arc<Message>>) {
        let mut twins = self.twins.write();
        for message in messages {
            match &message.body {
                Body::Report(report) => twins[report.device.0 as usize].report(&report.values, message.time),
                Body::Status(status) => {
                    twins[status.device.0 as usize].turn(status.online, &status.reason, message.time)
                }
                Body::Command(record) => twins[record.command.device.0 as usize].command(record),
                _ => {}
            }
        }
    }

    /// Saves the twins in which at least this has changed.
    fn save(&self, store: &StateStore, least: Change) {
        let mut twins = self.twins.write();
        for (at, twin) in twins.iter_mut().enumerate().filter(|(_, twin)| twin.changed >= least) {
            let device = DeviceIx(at as u32);
            let bytes = serde_json::to_vec(&freeze(&self.things, device, twin)).expect("a twin serialises to memory");
            store.put(&key(&self.things, device), bytes);
            twin.changed = Change::Nothing;
        }
    }
}

impl Twin {
    fn unknown() -> Self {
        Twin {
            online: Online::Unknown,
            reason: "".into(),
            since: None,
            reported: BTreeMap::new(),
            desired: BTreeMap::new(),
            changed: Change::Nothing,
        }
    }

    fn report(&mut self, values: &[Observation], received: Timestamp) {
        self.changed = self.changed.max(Change::Reported);
        for Observation { property, value, quality, source_time } in values {
            let reported = Reported { value: value.clone(), quality: *quality, source_time: *source_time, received };
            self.reported.insert(*property, reported);
        }
    }

    fn turn(&mut self, online: Online, reason: &Arc<str>, at: Timestamp) {
        (self.online, self.reason, self.since) = (online, reason.clone(), Some(at));
    }

    fn command(&mut self, record: &CommandRecord) {
        let Action::Set { property, value } = &record.command.action else { return };
        // What was refused was never on its way.
        if matches!(record.state, CommandState::Refused { .. }) {
            return;
        }
        self.changed = Change::Desired;
        let before = self.desired.get(property);
        let version = match before {
            Some(desired) if desired.command == record.command.id => desired.version,
            Some(desired) => desired.version + 1,
            None => 1,
        };
        let desired = Desired {
            value: value.clone(),
            version,
            state: record.state.as_str().to_owned(),
            reason: record.state.reason().map(str::to_owned),
            command: record.command.id.clone(),
            at: record.command.issued,
        };
        self.desired.insert(*property, desired);
    }
}

/// Follows the journal and keeps the twins, until told to stop.
pub(crate) async fn follow(twins: Arc<Twins>, journal: MessageJournal, store: StateStore, stop: CancellationToken) {
    let mut reader = journal.reader(twins.position(), Level::Appended);
    let mut save = interval(SAVE_PERIOD);
    let mut until_all = SAVE_ALL_EVERY;
    save.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = save.tick() => {
                until_all = until_all.checked_sub(1).unwrap_or(SAVE_ALL_EVERY);
                twins.save(&store, if until_all == 0 { Change::Reported } else { Change::Desired });
            }
            fetched = reader.next(FETCH) => match fetched {
                Ok(fetched) => {
                    twins.position.store(reader.position(), Relaxed);
                    if let Some(lost) = &fetched.lost {
                        error!(from = lost.from, to = lost.to, "Twins were too slow and have missed messages.");
                        spine::publish(&journal, vec![spine::lost("twins", lost)]);
                    }
                    let gathered = fetched.entries.len();
                    twins.apply(fetched.entries.into_iter().map(|entry| entry.item));
                    if gathered < FETCH {
                        sleep(GATHER).await;
                    }
                }
                Err(error) => {
                    warn!(%error, "Twins cannot follow the journal.");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            },
        }
    }
    // What the links said last, when they stopped.
    while let Ok(Some(fetched)) = reader.try_next(FETCH) {
        twins.apply(fetched.entries.into_iter().map(|entry| entry.item));
    }
    twins.save(&store, Change::Reported);
}

/// A twin in the state store, version 1: by names, so that it survives a change of the site.
#[derive(Serialize, Deserialize)]
struct Saved {
    reported: BTreeMap<String, Reported>,
    desired: BTreeMap<String, Desired>,
}

fn key(things: &Things, device: DeviceIx) -> Vec<u8> {
    format!("twin/1/{}", things.device(device).id).into_bytes()
}

fn freeze(things: &Things, device: DeviceIx, twin: &Twin) -> Saved {
    let name = |property: &PropertyIx| things.property(device, *property).identifier.to_string();
    Saved {
        reported: twin.reported.iter().map(|(property, reported)| (name(property), reported.clone())).collect(),
        desired: twin.desired.iter().map(|(property, desired)| (name(property), desired.clone())).collect(),
    }
}

fn thaw(things: &Things, device: DeviceIx, saved: Saved) -> Twin {
    let model = things.model_of(device);
    let old = |mut reported: Reported| {
        if !reported.quality.is_bad() {
            reported.quality = Quality::Stale;
        }
        reported
    };
    let reported = saved.reported.into_iter().filter_map(|(name, r)| Some((model.property(&name)?.0, old(r))));
    let desired = saved.desired.into_iter().filter_map(|(name, d)| Some((model.property(&name)?.0, d)));
    Twin { reported: reported.collect(), desired: desired.collect(), ..Twin::unknown() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::{Command, Device, Origin, ready_made};

    fn things() -> Things {
        let mut things = Things::default();
        let model = ready_made().into_iter().find(|m| &*m.name == "wind-turbine").expect("shipped");
        let model = things.add_model(model.into());
        things.add_device(Device { id: "wt".into(), model, labels: Default::default() });
        things
    }

    fn record(id: &str, state: CommandState) -> CommandRecord {
        let command = Command {
            id: id.into(),
            device: DeviceIx(0),
            action: Action::Set { property: PropertyIx(2), value: Value::Int(7) },
            origin: Origin::Api,
            issued: Timestamp::from_secs(5),
            deadline: Timestamp::from_secs(6),
        };
        CommandRecord { command, state }
    }

    #[test]
    fn a_desired_value_has_a_version_and_a_state() {
        let mut twin = Twin::unknown();
        twin.command(&record("a", CommandState::Accepted));
        twin.command(&record("a", CommandState::Applied { result: None }));
        let desired = &twin.desired[&PropertyIx(2)];
        assert_eq!((desired.version, desired.state.as_str()), (1, "applied"));
        twin.command(&record("c", CommandState::Refused { reason: "no".into() }));
        twin.command(&record("b", CommandState::Expired));
        let desired = &twin.desired[&PropertyIx(2)];
        assert_eq!((desired.version, desired.state.as_str()), (2, "expired"));
    }

    #[test]
    fn values_from_before_a_restart_are_stale_and_keep_their_time() {
        let things = things();
        let mut twin = Twin::unknown();
        let measured = Timestamp::from_secs(100);
        let value = Observation {
            property: PropertyIx(0),
            value: Value::Float(1.5),
            quality: Quality::Good,
            source_time: measured,
        };
        twin.report(&[value], Timestamp::from_secs(101));
        let thawed = thaw(&things, DeviceIx(0), freeze(&things, DeviceIx(0), &twin));
        let reported = &thawed.reported[&PropertyIx(0)];
        assert_eq!((reported.quality, reported.source_time), (Quality::Stale, measured));
        assert_eq!(reported.value, Value::Float(1.5));
    }
}
