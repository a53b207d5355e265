//! The scenes' task: messages in, commands and notices out.
//!
//! Scenes read the journal's tail as soon as a message is appended; they do not wait for the disk. They act on what happens
//! from now on: what was appended before the gateway started is not made up for.

use crate::desk::{Desk, Request, Wanted};
use crate::spine::{self, MessageJournal};
use edgeway_journal::Level;
use edgeway_rules::{Effect, Scenes};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Action, Body, Message, Origin, Things};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How many messages are taken in at a time.
const FETCH: usize = 256;
/// The longest sleep: a clock that was set is noticed after this at the latest.
const SLEEP_MOST: Duration = Duration::from_secs(1);

/// The loaded scenes, shared between their task and the API.
pub(crate) struct SceneHost {
    scenes: Mutex<Scenes>,
    things: Arc<Things>,
    desk: Arc<Desk>,
    journal: MessageJournal,
    /// The offset of the next message.
    position: AtomicU64,
}

impl SceneHost {
    pub(crate) fn new(scenes: Scenes, things: Arc<Things>, desk: Arc<Desk>, journal: MessageJournal) -> Self {
        let position = AtomicU64::new(journal.head());
        SceneHost { scenes: Mutex::new(scenes), things, desk, journal, position }
    }

    /// How far the scenes have come in the journal.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Relaxed)
    }

    /// Looks at the scenes.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&Scenes) -> T) -> T {
        look(&self.scenes.lock())
    }

    /// Runs a scene because a person asks for it.
    pub(crate) fn run(&self, scene: &str) -> Result<(), edgeway_rules::RunError> {
        let mut effects = vec![];
        self.scenes.lock().run(Timestamp::now(), scene, &mut effects)?;
        self.carry_out(effects, None);
        Ok(())
    }

    fn start(&self) {
        let mut effects = vec![];
        self.scenes.lock().start(Timestamp::now(), &mut effects);
        self.carry_out(effects, None);
    }

    fn handle(&self, message: &Message) {
        let mut effects = vec![];
        self.scenes.lock().handle(Timestamp::now(), message, &mut effects);
        self.carry_out(effects, Some(message.time));
    }

    fn advance(&self) {
        let mut effects = vec![];
        self.scenes.lock().advance(Timestamp::now(), &mut effects);
        self.carry_out(effects, None);
    }

    fn sleep(&self) -> Duration {
        let wake = self.scenes.lock().next_wake();
        wake.map_or(SLEEP_MOST, |wake| wake.since(Timestamp::now()).min(SLEEP_MOST))
    }

    fn carry_out(&self, effects: Vec<Effect>, caused_at: Option<Timestamp>) {
        let mut messages = vec![];
        for effect in effects {
            match effect {
                Effect::Command { id, device, action, within, scene, .. } => {
                    let wanted = self.wanted(device, action);
                    let origin = Origin::Scene { scene };
                    let request = Request { id: Some(id), device, wanted, origin, within, caused_at };
                    // The result comes back through the journal.
                    drop(self.desk.submit(request));
                }
                Effect::Notice(notice) => messages.push(spine::message(Body::Notice(notice))),
                Effect::Event(event) => messages.push(spine::message(Body::Event(event))),
                Effect::Firing(firing) => messages.push(spine::message(Body::Firing(firing))),
            }
        }
        spine::publish(&self.journal, messages);
    }

    fn wanted(&self, device: edgeway_sdk::DeviceIx, action: Action) -> Wanted {
        let model = self.things.model_of(device);
        match action {
            Action::Set { property, value } => {
                Wanted::Set { property: self.things.property(device, property).identifier.clone(), value }
            }
            Action::Invoke { service, input } => {
                Wanted::Invoke { service: model.services[usize::from(service.0)].identifier.clone(), input }
            }
        }
    }
}

/// Runs the scenes until told to stop.
pub(crate) async fn run(host: Arc<SceneHost>, stop: CancellationToken) {
    let mut reader = host.journal.reader(host.position(), Level::Appended);
    host.start();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            fetched = reader.next(FETCH) => match fetched {
                Ok(fetched) => {
                    if let Some(lost) = &fetched.lost {
                        error!(from = lost.from, to = lost.to, "Scenes were too slow and have missed messages.");
                        spine::publish(&host.journal, vec![spine::lost("scenes", lost)]);
                    }
                    for entry in &fetched.entries {
                        // Before it is handled: after a panic the message that caused it is not handled again.
                        host.position.store(entry.offset + 1, Relaxed);
                        host.handle(&entry.item);
                    }
                }
                Err(error) => {
                    warn!(%error, "Scenes cannot follow the journal.");
                    tokio::time::sleep(SLEEP_MOST).await;
                }
            },
            () = tokio::time::sleep(host.sleep()) => host.advance(),
        }
    }
}
