//! The scenes' task: messages in, commands and notices out.
//!
//! Scenes read the journal's tail as soon as a message is appended; they do not wait for the disk. They act on what happens
//! from now on: what was appended before the gateway started is not made up for.
//!
//! What has to survive a restart is kept in the state store, under `scenes/`: runs as soon as they go to sleep, the rest
//! once a second. The store has it on the disk within 50 ms and a sync.

mod reload;

pub(crate) use reload::{ReloadError, Reloaded};

use crate::desk::{Desk, Request, Wanted};
use crate::spine::{self, MessageJournal};
use edgeway_journal::{Level, StateStore};
use edgeway_rules::{Change, DecisionView, Effect, Restored, RunError, Scenes};
use edgeway_sdk::{Timestamp, Value};
use edgeway_thing_models::{Action, Body, Message, Origin, Row, Things};
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// How many messages are taken in at a time.
const FETCH: usize = 256;
/// The longest sleep: a clock that was set is noticed after this at the latest.
const SLEEP_MOST: Duration = Duration::from_secs(1);
/// How often what has changed is kept.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Where it is in the store.
const PREFIX: &str = "scenes/";

/// The loaded scenes, shared between their task and the API.
pub(crate) struct SceneHost {
    scenes: Mutex<Scenes>,
    things: Arc<Things>,
    desk: Arc<Desk>,
    journal: MessageJournal,
    /// The offset of the next message.
    position: AtomicU64,
    store: StateStore,
    has_started: Mutex<bool>,
    kept: Mutex<Timestamp>,
    reloading: Mutex<()>,
    /// The last decision that is in the journal, if they are to be there.
    recorded: Option<AtomicU64>,
}

impl SceneHost {
    pub(crate) fn new(
        scenes: Scenes,
        things: Arc<Things>,
        desk: Arc<Desk>,
        journal: MessageJournal,
        store: StateStore,
        is_recorded: bool,
    ) -> Self {
        SceneHost {
            position: AtomicU64::new(journal.head()),
            scenes: Mutex::new(scenes),
            things,
            desk,
            journal,
            store,
            has_started: Mutex::new(false),
            kept: Mutex::new(Timestamp::EPOCH),
            reloading: Mutex::new(()),
            recorded: is_recorded.then(AtomicU64::default),
        }
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
    pub(crate) fn run(&self, scene: &str) -> Result<(), RunError> {
        self.start();
        self.act(None, |scenes, now, effects| scenes.run(now, scene, effects))
    }

    /// Switches a scene on or off.
    pub(crate) fn switch(&self, scene: &str, on: bool) -> Result<(), RunError> {
        self.start();
        self.act(None, |scenes, _, _| scenes.switch(scene, on))
    }

    /// Puts a scene into shadow, or takes it out.
    pub(crate) fn set_shadow(&self, scene: &str, on: bool) -> Result<(), RunError> {
        self.start();
        self.act(None, |scenes, _, _| scenes.set_shadow(scene, on))
    }

    /// Takes up what was kept and begins, once: before the first that is asked of the scenes, whoever asks.
    fn start(&self) {
        let mut has_started = self.has_started.lock();
        if std::mem::replace(&mut *has_started, true) {
            return;
        }
        let kept = self.store.scan_prefix(PREFIX.as_bytes()).into_iter().filter_map(|(key, value)| {
            let key = String::from_utf8(key).ok()?;
            Some((key.strip_prefix(PREFIX)?.to_owned(), value.to_vec()))
        });
        let restored = self.act(None, |scenes, now, effects| {
            let restored = scenes.restore(now, kept);
            scenes.start(now, effects);
            restored
        });
        tell(&restored);
    }

    fn handle(&self, message: &Message) {
        self.act(Some(message.time), |scenes, now, effects| scenes.handle(now, message, effects));
    }

    fn advance(&self) {
        self.act(None, |scenes, now, effects| scenes.advance(now, effects));
    }

    /// Lets the scenes do something, and does what they want. The scenes are locked until their commands are on their
    /// way: an answer must not come before its command is known.
    fn act<T>(
        &self,
        caused_at: Option<Timestamp>,
        act: impl FnOnce(&mut Scenes, Timestamp, &mut Vec<Effect>) -> T,
    ) -> T {
        let mut scenes = self.scenes.lock();
        let (now, mut effects) = (Timestamp::now(), vec![]);
        let result = catch_unwind(AssertUnwindSafe(|| act(&mut scenes, now, &mut effects)));
        // What was decided before a panic is done all the same: the trace says that it was.
        if !effects.is_empty() {
            self.carry_out(effects, caused_at);
        }
        let result = result.unwrap_or_else(|panic| resume_unwind(panic));
        self.record(&scenes, now);
        let mut kept = self.kept.lock();
        if scenes.has_urgent_changes() || now.since(*kept) >= KEEP_EVERY || now < *kept {
            *kept = now;
            self.keep(&mut scenes);
        }
        result
    }

    /// Puts new decisions into the journal, if that is wanted.
    fn record(&self, scenes: &Scenes, now: Timestamp) {
        let Some(recorded) = &self.recorded else { return };
        let decisions = scenes.decisions_after(recorded.load(Relaxed), None, usize::MAX);
        let Some(last) = decisions.last() else { return };
        recorded.store(last.number, Relaxed);
        let rows = decisions.iter().map(|decision| spine::message(Body::Row(decision_row(decision, now))));
        spine::publish(&self.journal, rows.collect());
    }

    /// Keeps what has changed, and when the scenes were last known to run.
    fn stop(&self) {
        let last = self.scenes.lock().last_changes(Timestamp::now());
        self.put(last);
    }

    /// Keeps what has changed.
    fn keep(&self, scenes: &mut Scenes) {
        self.put(scenes.changes());
    }

    fn put(&self, changes: Vec<Change>) {
        for change in changes {
            let key = format!("{PREFIX}{}", change.key);
            match change.value {
                Some(value) => self.store.put(key.as_bytes(), value),
                None => self.store.remove(key.as_bytes()),
            }
        }
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

/// The stream of decisions.
const DECISIONS: &str = "scene_decisions";

fn decision_row(decision: &DecisionView, now: Timestamp) -> Row {
    const COLUMNS: [&str; 6] = ["scene", "verdict", "cause", "detail", "chain", "text"];
    let text = |text: &str| Value::Text(text.into());
    let chain = decision.chain.join(" > ");
    let whole = decision.to_string();
    let values = [&decision.scene, decision.verdict, &decision.cause, &decision.detail, &chain, &whole];
    Row {
        query: DECISIONS.into(),
        id: format!("{DECISIONS}/{}/{}", now.as_millis(), decision.number).into(),
        columns: COLUMNS.map(Arc::from).into(),
        values: values.map(text).into(),
        source_time: now,
    }
}

/// Says which runs of before go on, and which do not.
fn tell(restored: &Restored) {
    for scene in &restored.resumed {
        info!(%scene, "A run goes on where it was.");
    }
    for (scene, reason) in &restored.abandoned {
        warn!(%scene, %reason, "A run does not go on.");
    }
}

/// Runs the scenes until told to stop.
pub(crate) async fn run(host: Arc<SceneHost>, stop: CancellationToken) {
    let mut reader = host.journal.reader(host.position(), Level::Appended);
    host.start();
    loop {
        tokio::select! {
            () = stop.cancelled() => return host.stop(),
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
