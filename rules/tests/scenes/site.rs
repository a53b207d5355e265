//! A site of eight turbines, a mast and two rooms, with a clock that the test moves.

use edgeway_rules::{Effect, FileProblem, Options, Scenes, Script};
use edgeway_sdk::{DeviceIx, Problem, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Action, Body, Command, CommandRecord, CommandState, Device, Event, Message, Model, Observation, Online, Origin,
    Report, Row, Status, Things, ready_made,
};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Site {
    pub(crate) scenes: Scenes,
    pub(crate) warnings: Vec<FileProblem>,
    pub(crate) now: Timestamp,
    pub(crate) effects: Vec<Effect>,
    /// What devices say to commands; `None`: they do not answer.
    pub(crate) answer: Option<CommandState>,
    /// How many of the effects have been answered.
    answered: usize,
    pub(crate) things: Arc<Things>,
}

pub(crate) const NOON: &str = "2026-08-01T12:00:00+02:00";

pub(crate) fn things() -> Arc<Things> {
    Arc::new(usual())
}

/// The same with what `sites/hotel` has beside its rooms, and their models, which are the site's own.
pub(crate) fn things_of_hotel() -> Arc<Things> {
    let mut things = usual();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../sites/hotel/models");
    for (id, model) in [
        ("balcony-301", "contact-sensor"),
        ("cellar-door", "contact-sensor"),
        ("thermostat-lobby", "thermostat"),
        ("beacon-cellar", "climate-beacon"),
    ] {
        if things.model_ix(model).is_none() {
            let text = std::fs::read_to_string(format!("{folder}/{model}.json")).expect("a model of the site");
            things.add_model(Arc::new(Model::parse(model, &text).expect("a right model")));
        }
        add(&mut things, id, model, "0");
    }
    Arc::new(things)
}

fn usual() -> Things {
    let mut things = Things::default();
    for model in ready_made() {
        things.add_model(Arc::new(model));
    }
    for number in 1..=8 {
        add(&mut things, &format!("wt-{number:02}"), "wind-turbine", if number <= 4 { "a" } else { "b" });
    }
    add(&mut things, "mast-01", "met-mast", "a");
    add(&mut things, "room-301", "hotel-room", "3");
    add(&mut things, "room-302", "hotel-room", "3");
    things
}

fn add(things: &mut Things, id: &str, model: &str, row: &str) {
    let model = things.model_ix(model).expect("a ready-made model");
    let labels = BTreeMap::from([("row".to_owned(), row.to_owned())]);
    things.add_device(Device { id: id.into(), model, labels }).expect("a new id");
}

pub(crate) fn load(text: &str) -> Result<(Scenes, Vec<FileProblem>), Vec<FileProblem>> {
    load_all(&[("a.rhai", text)])
}

pub(crate) fn load_all(scripts: &[(&str, &str)]) -> Result<(Scenes, Vec<FileProblem>), Vec<FileProblem>> {
    let scripts: Vec<Script> =
        scripts.iter().map(|(file, text)| Script { file: (*file).into(), text: (*text).to_owned() }).collect();
    Scenes::load(things(), &scripts, options())
}

pub(crate) fn options() -> Options {
    let zone = TimeZone::get("Europe/Berlin").expect("a known zone");
    let columns = ["device", "high", "n"].map(Arc::from).to_vec();
    let queries = Some(BTreeMap::from([("ti".into(), columns)]));
    Options { zone, position: Some((52.52, 13.40)), queries, ..Options::default() }
}

/// All problems, one line each.
pub(crate) fn problems(text: &str) -> Vec<String> {
    let found = match load(text) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    found.into_iter().map(|found| one_line(&found.problem)).collect()
}

fn one_line(problem: &Problem) -> String {
    match problem.severity {
        edgeway_sdk::Severity::Error => problem.to_string(),
        edgeway_sdk::Severity::Warning => format!("warning {problem}"),
    }
}

/// A site with scenes that are loaded already.
pub(crate) fn site_of(scenes: Scenes, now: Timestamp) -> Site {
    let answer = Some(CommandState::Applied { result: None });
    Site { scenes, warnings: vec![], now, effects: vec![], answer, answered: 0, things: things() }
}

impl Site {
    /// Starts at noon in summer, in Berlin.
    pub(crate) fn new(text: &str) -> Self {
        Site::starting_at(NOON, text)
    }

    pub(crate) fn starting_at(time: &str, text: &str) -> Self {
        let mut site = Site::unstarted(time, text);
        site.scenes.start(site.now, &mut site.effects);
        site
    }

    pub(crate) fn unstarted(time: &str, text: &str) -> Self {
        let (scenes, warnings) = match load(text) {
            Ok(loaded) => loaded,
            Err(problems) => panic!("{}", problems.iter().map(|p| format!("{p}\n")).collect::<String>()),
        };
        let answer = Some(CommandState::Applied { result: None });
        Site { scenes, warnings, now: at(time), effects: vec![], answer, answered: 0, things: things() }
    }

    pub(crate) fn handle(&mut self, message: &Message) {
        self.scenes.handle(self.now, message, &mut self.effects);
        self.settle();
    }

    pub(crate) fn run(&mut self, scene: &str) -> bool {
        let ran = self.scenes.run(self.now, scene, &mut self.effects).is_ok();
        self.settle();
        ran
    }

    /// Lets devices answer.
    pub(crate) fn settle(&mut self) {
        while let Some(effect) = self.effects.get(self.answered).cloned() {
            self.answered += 1;
            if let (Some(state), Effect::Command { id, .. }) = (self.answer.clone(), &effect) {
                self.answer_with(&effect, id, state);
            }
        }
    }

    pub(crate) fn answer_with(&mut self, command: &Effect, id: &Arc<str>, state: CommandState) {
        let Effect::Command { device, action, scene, within, .. } = command else { panic!("{command:?}") };
        let command = Command {
            id: id.clone(),
            device: *device,
            action: action.clone(),
            origin: Origin::Scene { scene: scene.clone() },
            issued: self.now,
            deadline: self.now + *within,
        };
        let body = Body::Command(CommandRecord { command, state });
        self.scenes.handle(self.now, &Message { time: self.now, body }, &mut self.effects);
    }

    pub(crate) fn device(&self, id: &str) -> DeviceIx {
        self.things.device_ix(id).expect("a device of the site")
    }

    pub(crate) fn report(&mut self, device: &str, property: &str, value: impl Into<Value>) {
        self.observe(device, &[(property, value.into(), Quality::Good)]);
    }

    pub(crate) fn report_quality(&mut self, device: &str, property: &str, value: impl Into<Value>, quality: Quality) {
        self.observe(device, &[(property, value.into(), quality)]);
    }

    pub(crate) fn observe(&mut self, device: &str, values: &[(&str, Value, Quality)]) {
        let message = self.message(device, values);
        self.handle(&message);
    }

    pub(crate) fn seed(&mut self, device: &str, property: &str, value: impl Into<Value>) {
        let message = self.message(device, &[(property, value.into(), Quality::Good)]);
        self.scenes.seed(&message);
    }

    pub(crate) fn message(&self, device: &str, values: &[(&str, Value, Quality)]) -> Message {
        let ix = self.device(device);
        let model = self.things.model_of(ix);
        let observation = |(name, value, quality): &(&str, Value, Quality)| Observation {
            property: model.property(name).expect("a property of the model").0,
            value: value.clone(),
            quality: *quality,
            source_time: self.now,
        };
        let values = values.iter().map(observation).collect();
        Message { time: self.now, body: Body::Report(Report { device: ix, values }) }
    }

    pub(crate) fn turn(&mut self, device: &str, online: Online) {
        let body = Body::Status(Status { device: self.device(device), online, reason: "".into() });
        self.handle(&Message { time: self.now, body });
    }

    pub(crate) fn happen(&mut self, device: &str, event: &str) {
        let ix = self.device(device);
        let event = self.things.model_of(ix).event(event).expect("an event of the model").0;
        let body = Body::Event(Event { device: ix, event, output: vec![], source_time: self.now });
        self.handle(&Message { time: self.now, body });
    }

    /// A row of a query comes.
    pub(crate) fn tell(&mut self, query: &str, columns: &[(&str, Value)]) {
        let body = Body::Row(Row {
            query: query.into(),
            id: format!("{query}/1").into(),
            columns: columns.iter().map(|(name, _)| Arc::from(*name)).collect(),
            values: columns.iter().map(|(_, value)| value.clone()).collect(),
            source_time: self.now,
        });
        self.handle(&Message { time: self.now, body });
    }

    /// Lets time pass as the gateway does: it wakes the scenes whenever they asked for it.
    pub(crate) fn advance(&mut self, span: &str) {
        let end = self.now + edgeway_sdk::options::duration::parse(span).expect("a duration");
        while let Some(wake) = self.scenes.next_wake().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            self.scenes.advance(self.now, &mut self.effects);
            self.settle();
        }
        self.jump(end);
    }

    /// Moves the clock without asking when the scenes wanted to be woken.
    pub(crate) fn jump(&mut self, to: Timestamp) {
        self.now = to;
        self.scenes.advance(to, &mut self.effects);
        self.settle();
    }

    pub(crate) fn back(&mut self, span: Duration) {
        self.jump(self.now - span);
    }

    /// What was done since the last time, firings left out.
    pub(crate) fn done(&mut self) -> Vec<String> {
        self.settle();
        self.answered = 0;
        let effects = std::mem::take(&mut self.effects);
        effects.iter().filter_map(|effect| self.text(effect)).collect()
    }

    fn text(&self, effect: &Effect) -> Option<String> {
        match effect {
            Effect::Notice(notice) => Some(format!("{}: {}", notice.channel, notice.text)),
            Effect::Command { device, action, .. } => Some(self.action(*device, action)),
            Effect::Event(event) => {
                let model = self.things.model_of(event.device);
                let name = &model.events[usize::from(event.event.0)].identifier;
                Some(format!("{}.{name} happens", self.things.device(event.device).id))
            }
            Effect::Firing(_) => None,
        }
    }

    fn action(&self, device: DeviceIx, action: &Action) -> String {
        let (id, model) = (&self.things.device(device).id, self.things.model_of(device));
        match action {
            Action::Set { property, value } => {
                format!("{id}.{} = {value}", model.properties[usize::from(property.0)].identifier)
            }
            Action::Invoke { service, input } => {
                let input: Vec<String> = input.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                format!("{id}.{}({})", model.services[usize::from(service.0)].identifier, input.join(", "))
            }
        }
    }

    pub(crate) fn fired(&self) -> Vec<String> {
        let firings = self.effects.iter().filter_map(|effect| match effect {
            Effect::Firing(firing) => Some(firing.scene.to_string()),
            _ => None,
        });
        firings.collect()
    }

    /// The trace, for a look when a test fails and for tests of the trace itself.
    pub(crate) fn why(&self, scene: &str) -> String {
        self.scenes.why(scene, self.now).expect("a scene of the site").to_string()
    }

    pub(crate) fn verdicts(&self, scene: &str) -> Vec<&'static str> {
        let why = self.scenes.why(scene, self.now).expect("a scene of the site");
        why.decisions.iter().map(|decision| decision.verdict).collect()
    }
}

pub(crate) fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).expect("RFC 3339")
}
