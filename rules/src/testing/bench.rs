//! A site on the bench: scenes, a clock that the test moves, and devices that do as they are told.

use super::Declared;
use crate::plan::{command_text, show};
use crate::scenes::{Change, Effect, SceneCoverage, Scenes};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value, did_you_mean, options::duration};
use edgeway_thing_models::{
    Action, Body, Command, CommandRecord, CommandState, Event, Message, Observation, Online, Origin, Report, Row,
    Status, Things,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Where a test begins, unless it says: 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// What the words of tests work on.
pub(super) struct Bench {
    things: Arc<Things>,
    /// `None` only while they are exchanged.
    scenes: Option<Scenes>,
    now: Timestamp,
    has_started: bool,
    /// What was done and not yet expected.
    done: VecDeque<String>,
    /// Devices that refuse commands, with what they say.
    refusing: BTreeMap<DeviceIx, Arc<str>>,
    kept: BTreeMap<String, Vec<u8>>,
    declared: Vec<Declared>,
    is_running: bool,
    ignores_rest: bool,
}

/// Why a word cannot do what it is asked.
pub(super) type Wrong = String;

impl Bench {
    pub(super) fn new(things: Arc<Things>, scenes: Scenes) -> Self {
        Bench {
            things,
            scenes: Some(scenes),
            now: START,
            has_started: false,
            done: VecDeque::new(),
            refusing: BTreeMap::new(),
            kept: BTreeMap::new(),
            declared: vec![],
            is_running: false,
            ignores_rest: false,
        }
    }

    pub(super) fn declare(&mut self, test: Declared) -> Result<(), Wrong> {
        if self.is_running {
            return Err("a test cannot stand in another one".into());
        }
        self.declared.push(test);
        Ok(())
    }

    pub(super) fn take_declared(&mut self) -> Vec<Declared> {
        std::mem::take(&mut self.declared)
    }

    /// Clears everything for the next test.
    pub(super) fn begin(&mut self) {
        self.scenes = self.scenes.take().map(Scenes::anew);
        (self.now, self.has_started, self.is_running, self.ignores_rest) = (START, false, true, false);
        self.done.clear();
        self.refusing.clear();
        self.kept.clear();
    }

    pub(super) fn coverage(&self) -> Vec<SceneCoverage> {
        self.scenes.as_ref().map(Scenes::coverage).unwrap_or_default()
    }

    /// All that was decided since the test began.
    pub(super) fn trace(&self) -> String {
        let decisions =
            self.scenes.as_ref().map(|scenes| scenes.decisions_after(0, None, usize::MAX)).unwrap_or_default();
        decisions.iter().map(|decision| format!("{}  {decision}", decision.scene)).collect()
    }

    /// Moves the clock to a time; before anything else it is where the test begins.
    pub(super) fn at(&mut self, time: &str) -> Result<(), Wrong> {
        let time = Timestamp::parse(time)
            .ok_or_else(|| format!("`{time}` is not a time: write \"2026-08-01T12:00:00+02:00\""))?;
        if !self.has_started {
            self.now = time;
            return Ok(());
        }
        if time < self.now {
            return Err(format!("`{time}` is over: time goes on in a test"));
        }
        self.advance_to(time);
        Ok(())
    }

    pub(super) fn advance(&mut self, span: &str) -> Result<(), Wrong> {
        let span = duration::parse(span).ok_or_else(|| format!("`{span}` is not a duration: write \"30s\""))?;
        self.advance_to(self.now + span);
        Ok(())
    }

    /// Wakes the scenes whenever they asked for it, as the gateway does.
    fn advance_to(&mut self, end: Timestamp) {
        self.start();
        loop {
            let wake = self.scenes().next_wake().filter(|wake| *wake <= end);
            self.now = wake.map_or(end, |wake| self.now.max(wake));
            let now = self.now;
            self.let_scenes(|scenes, out| scenes.advance(now, out));
            if wake.is_none() {
                return;
            }
        }
    }

    /// A value that was known before the gateway started.
    pub(super) fn given(&mut self, device: &str, property: &str, value: Value) -> Result<(), Wrong> {
        if self.has_started {
            return Err("`given` says how things were before; from here on write `report`".into());
        }
        let message = self.report_of(device, &[(property, value, Quality::Good)])?;
        self.scenes_mut().seed(&message);
        Ok(())
    }

    pub(super) fn report(&mut self, device: &str, values: &[(&str, Value, Quality)]) -> Result<(), Wrong> {
        let message = self.report_of(device, values)?;
        self.tell(message);
        Ok(())
    }

    fn report_of(&self, device: &str, values: &[(&str, Value, Quality)]) -> Result<Message, Wrong> {
        let device = self.device(device)?;
        let observation = |(name, value, quality): &(&str, Value, Quality)| {
            let model = self.things.model_of(device);
            let (property, found) = model.property(name).ok_or_else(|| {
                let known = model.properties.iter().map(|property| &*property.identifier);
                wrong(format!("`{}` has no property `{name}`", model.name), did_you_mean(name, known))
            })?;
            let value = match value {
                Value::Null => Value::Null,
                value => found.data_type.coerce(value).map_err(|error| format!("`{name}`: {error}"))?,
            };
            Ok(Observation { property, value, quality: *quality, source_time: self.now })
        };
        let values = values.iter().map(observation).collect::<Result<Vec<_>, Wrong>>()?;
        Ok(Message { time: self.now, body: Body::Report(Report { device, values }) })
    }

    pub(super) fn happen(&mut self, device: &str, event: &str, output: &[(Arc<str>, Value)]) -> Result<(), Wrong> {
        let device = self.device(device)?;
        let model = self.things.model_of(device);
        let (event, output) = match output {
            // What it carries matters to few tests.
            [] => (model.event(event).map(|(ix, _)| ix), vec![]),
            output => {
                let (ix, output) = model.check_event(event, output).map_err(|error| error.to_string())?;
                (Some(ix), output)
            }
        };
        let event = event.ok_or_else(|| format!("`{}` has no such event", model.name))?;
        let body = Body::Event(Event { device, event, output, source_time: self.now });
        self.tell(Message { time: self.now, body });
        Ok(())
    }

    pub(super) fn row(&mut self, query: &str, columns: Vec<(Arc<str>, Value)>) {
        let (columns, values): (Vec<Arc<str>>, Vec<Value>) = columns.into_iter().unzip();
        let id = format!("{query}/{}", self.now).into();
        let body = Body::Row(Row { query: query.into(), id, columns: columns.into(), values, source_time: self.now });
        self.tell(Message { time: self.now, body });
    }

    pub(super) fn turn(&mut self, device: &str, online: Online) -> Result<(), Wrong> {
        let device = self.device(device)?;
        self.tell(Message { time: self.now, body: Body::Status(Status { device, online, reason: "".into() }) });
        Ok(())
    }

    /// From here on a device refuses commands, or does them again.
    pub(super) fn refuse(&mut self, device: &str, reason: Option<&str>) -> Result<(), Wrong> {
        let device = self.device(device)?;
        match reason {
            Some(reason) => self.refusing.insert(device, reason.into()),
            None => self.refusing.remove(&device),
        };
        Ok(())
    }

    /// Runs a scene by hand: whether it fired.
    pub(super) fn run(&mut self, scene: &str) -> Result<bool, Wrong> {
        self.start();
        let now = self.now;
        match self.let_scenes(|scenes, out| scenes.run(now, scene, out)) {
            Ok(()) => Ok(true),
            Err(crate::RunError::Declined { .. }) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The gateway stops, stays away and starts again with what it has kept.
    pub(super) fn restart(&mut self, away: &str) -> Result<(), Wrong> {
        let away = duration::parse(away).ok_or_else(|| format!("`{away}` is not a duration: write \"20s\""))?;
        self.start();
        let now = self.now;
        let last = self.scenes_mut().last_changes(now);
        self.keep_all(last);
        self.scenes = self.scenes.take().map(Scenes::anew);
        self.refusing.clear();
        (self.now, self.has_started) = (self.now + away, false);
        let (now, kept) = (self.now, self.kept.clone());
        self.let_scenes(|scenes, _| scenes.restore(now, kept));
        self.start();
        Ok(())
    }

    /// The next thing that was done has to be this.
    pub(super) fn expect(&mut self, wanted: &str) -> Result<(), Wrong> {
        self.start();
        match self.done.pop_front() {
            Some(found) if is_same(&found, wanted) => Ok(()),
            Some(found) => Err(format!("expected  {wanted}\nbut got   {found}{}", self.and_then())),
            None => Err(format!("expected  {wanted}\nbut nothing was done")),
        }
    }

    fn and_then(&self) -> String {
        self.done.iter().take(8).map(|done| format!("\nand then  {done}")).collect()
    }

    pub(super) fn expect_nothing(&mut self) -> Result<(), Wrong> {
        self.start();
        match self.done.front() {
            None => Ok(()),
            Some(found) => {
                let found = found.clone();
                self.done.pop_front();
                Err(format!("expected  nothing\nbut got   {found}{}", self.and_then()))
            }
        }
    }

    pub(super) fn ignore_rest(&mut self) {
        self.ignores_rest = true;
        self.done.clear();
    }

    /// What was done and is not expected, at the end of a test.
    pub(super) fn left_over(&mut self) -> Option<String> {
        let first = self.done.pop_front().filter(|_| !self.ignores_rest)?;
        let rest = self.and_then();
        Some(format!(
            "at the end of the test nothing more is expected\nbut got   {first}{rest}\n(expect it, or write `ignore_rest()`)"
        ))
    }

    fn start(&mut self) {
        if !self.has_started {
            self.has_started = true;
            let now = self.now;
            self.let_scenes(|scenes, out| scenes.start(now, out));
        }
    }

    fn tell(&mut self, message: Message) {
        self.start();
        let now = self.now;
        self.let_scenes(|scenes, out| scenes.handle(now, &message, out));
    }

    /// Lets the scenes do something, and the devices answer to what they do.
    fn let_scenes<T>(&mut self, act: impl FnOnce(&mut Scenes, &mut Vec<Effect>) -> T) -> T {
        let mut out = vec![];
        let result = act(self.scenes_mut(), &mut out);
        let mut effects = VecDeque::from(out);
        while let Some(effect) = effects.pop_front() {
            self.done.extend(self.text(&effect));
            for message in self.answers(&effect) {
                let mut out = vec![];
                let now = self.now;
                self.scenes_mut().handle(now, &message, &mut out);
                effects.extend(out);
            }
        }
        self.keep();
        result
    }

    /// What a device says to a command: whether it has done it, and the new value.
    fn answers(&self, effect: &Effect) -> Vec<Message> {
        let message = |body| Message { time: self.now, body };
        let Effect::Command { id, device, action, within, scene, .. } = effect else {
            return match effect {
                Effect::Event(event) => vec![message(Body::Event(event.clone()))],
                _ => vec![],
            };
        };
        let state = match self.refusing.get(device) {
            Some(reason) => CommandState::Failed { reason: reason.clone() },
            None => CommandState::Applied { result: None },
        };
        let applied = matches!(state, CommandState::Applied { .. });
        let command = Command {
            id: id.clone(),
            device: *device,
            action: action.clone(),
            origin: Origin::Scene { scene: scene.clone() },
            issued: self.now,
            deadline: self.now + *within,
        };
        let mut messages = vec![message(Body::Command(CommandRecord { command, state }))];
        if let (true, Action::Set { property, value }) = (applied, action) {
            let (quality, source_time) = (Quality::Good, self.now);
            let values = vec![Observation { property: *property, value: value.clone(), quality, source_time }];
            messages.push(message(Body::Report(Report { device: *device, values })));
        }
        messages
    }

    fn keep(&mut self) {
        let changes = self.scenes_mut().changes();
        self.keep_all(changes);
    }

    fn keep_all(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change.value {
                Some(value) => self.kept.insert(change.key, value),
                None => self.kept.remove(&change.key),
            };
        }
    }

    fn text(&self, effect: &Effect) -> Option<String> {
        match effect {
            Effect::Command { device, action, .. } => Some(command_text(&self.things, *device, action)),
            Effect::Notice(notice) => Some(format!("notify {}: {}", notice.channel, notice.text)),
            Effect::Event(event) => {
                let name = &self.things.model_of(event.device).events[usize::from(event.event.0)].identifier;
                let values: Vec<String> = event.output.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                Some(format!("emit {}.{name}({})", self.things.device(event.device).id, values.join(", ")))
            }
            Effect::Firing(_) => None,
        }
    }

    /// What a property shows, as text, for `shows`.
    pub(super) fn value(&self, device: &str, property: &str) -> Result<String, Wrong> {
        let ix = self.device(device)?;
        let model = self.things.model_of(ix);
        let (property, found) =
            model.property(property).ok_or_else(|| format!("`{}` has no property `{property}`", model.name))?;
        let scenes = self.scenes();
        let value = scenes.values().good(scenes.plan().slots.of(ix, property));
        Ok(value.map_or_else(|| "unknown".into(), |value| show(&found.data_type, value)))
    }

    fn device(&self, id: &str) -> Result<DeviceIx, Wrong> {
        self.things.device_ix(id).ok_or_else(|| {
            let known = self.things.current_devices().map(|(_, device)| &*device.id);
            wrong(format!("no device is called `{id}`"), did_you_mean(id, known))
        })
    }

    fn scenes(&self) -> &Scenes {
        self.scenes.as_ref().expect("scenes are away only while they are exchanged")
    }

    fn scenes_mut(&mut self) -> &mut Scenes {
        self.scenes.as_mut().expect("scenes are away only while they are exchanged")
    }
}

fn wrong(message: String, help: Option<String>) -> Wrong {
    match help {
        Some(help) => format!("{message} ({help})"),
        None => message,
    }
}

/// Whether this is what was meant. A number may be written without its unit, and text without its quotes.
fn is_same(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.replace('"', "");
    if plain(found) == plain(wanted) {
        return true;
    }
    match found.rsplit_once(' ') {
        Some((without_unit, unit)) => found.starts_with("set ") && !unit.is_empty() && without_unit == wanted.trim(),
        None => false,
    }
}
