//! The world around the scenes: it lets events happen and time pass, has devices answer, and writes down what is done.

use super::super::site::{NOON, Site, at};
use super::evaluator::{Counts, Reference, SECOND};
use super::events::{Answer, Event, Reply};
use super::script::{Device, Place, SceneSet, device, places_of};
use edgeway_rules::Effect as Wanted;
use edgeway_sdk::{Quality, Value};
use edgeway_thing_models::{Action, CommandState};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// More is not played.
const LINES_MAX: usize = 2_000;

/// What scenes do to the world.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    Command { wish: Wish, scene: &'static str, chain: String, priority: i64, within_s: u64 },
    Notice { scene: &'static str, text: String },
    Event(Device),
    Firing { scene: &'static str, chain: String },
}

#[derive(Debug, Clone)]
pub(super) enum Wish {
    Set(Place, Value),
    Invoke(Device, &'static str),
}

/// Something that evaluates scenes; times are nanoseconds from the start.
pub(super) trait Subject {
    fn next_wake(&self) -> Option<u64>;
    fn advance(&mut self, now: u64);
    fn take(&mut self, now: u64, event: &Event);
    /// The answer to one of its commands, counted from 0.
    fn answer(&mut self, now: u64, command: usize, answer: Answer);
    fn take_effects(&mut self) -> Vec<Effect>;
    fn counts(&self, scene: usize) -> Counts;
}

/// What is still to come to a subject.
#[derive(Debug)]
enum Due {
    Answer(usize, Answer),
    Event(Event),
}

/// The world of one subject.
pub(super) struct World<'a, S> {
    subject: S,
    replies: &'a [Reply],
    now: u64,
    agenda: Vec<(u64, Due)>,
    commands: usize,
    pub(super) log: Vec<String>,
}

/// Lets it all happen and returns what was done, one line for each deed, and what became of each scene.
pub(super) fn play<S: Subject>(
    subject: S,
    scenes: usize,
    events: &[Event],
    replies: &[Reply],
) -> (Vec<String>, Vec<Counts>) {
    let mut world = World { subject, replies, now: 0, agenda: vec![], commands: 0, log: vec![] };
    for event in events {
        match event {
            Event::Pass(seconds) => world.pass(seconds * SECOND),
            event => {
                world.subject.take(world.now, event);
                world.settle();
            }
        }
    }
    world.pass(60 * SECOND);
    let counts = (0..scenes).map(|scene| world.subject.counts(scene)).collect();
    (world.log, counts)
}

impl<S: Subject> World<'_, S> {
    fn pass(&mut self, span: u64) {
        let end = self.now + span;
        loop {
            let next = self.agenda.iter().map(|(at, _)| *at).chain(self.subject.next_wake()).min();
            let Some(next) = next.filter(|next| *next <= end && self.log.len() < LINES_MAX) else { break };
            assert!(next > self.now, "what was due at {} has not been done", self.now);
            self.now = next;
            self.subject.advance(self.now);
            self.settle();
        }
        self.now = end;
        self.subject.advance(end);
        self.settle();
    }

    /// Writes down what was done, and lets come what comes at once of it.
    fn settle(&mut self) {
        // Scenes that answer each other's events multiply without end.
        while self.log.len() < LINES_MAX {
            for effect in self.subject.take_effects() {
                self.happened(effect);
            }
            let due = self.agenda.iter().position(|(at, _)| *at <= self.now);
            match due.map(|at| self.agenda.remove(at).1) {
                Some(Due::Answer(command, answer)) => self.subject.answer(self.now, command, answer),
                Some(Due::Event(event)) => self.subject.take(self.now, &event),
                None => return,
            }
        }
    }

    fn happened(&mut self, effect: Effect) {
        self.log.push(format!("{:>3}.{:09} {effect}", self.now / SECOND, self.now % SECOND));
        match effect {
            Effect::Command { wish, .. } => self.reply(wish),
            Effect::Event(device) => self.agenda.push((self.now, Due::Event(Event::Alarm(device)))),
            Effect::Notice { .. } | Effect::Firing { .. } => {}
        }
    }

    fn reply(&mut self, wish: Wish) {
        let Reply { after_s, answer, reports } = self.replies[self.commands % self.replies.len()].clone();
        if let Some(after_s) = after_s {
            let at = self.now + after_s * SECOND;
            self.agenda.push((at, Due::Answer(self.commands, answer)));
            if let (Wish::Set(place, value), true) = (wish, reports) {
                let report = Event::Report(place.device, vec![(place, value, Quality::Good)]);
                self.agenda.push((at, Due::Event(report)));
            }
        }
        self.commands += 1;
    }
}

impl Subject for Reference {
    fn next_wake(&self) -> Option<u64> {
        Reference::next_wake(self)
    }

    fn advance(&mut self, now: u64) {
        Reference::advance(self, now);
    }

    fn take(&mut self, now: u64, event: &Event) {
        match event {
            Event::Report(device, values) => self.report(now, device, values),
            Event::Turn(device, online) => self.turn(now, device, *online),
            Event::Alarm(device) => self.alarm(now, device),
            Event::Run(scene) => self.run_by_hand(now, scene % self.scenes()),
            Event::Pass(_) => {}
        }
    }

    fn answer(&mut self, now: u64, command: usize, answer: Answer) {
        Reference::answer(self, now, command, answer);
    }

    fn take_effects(&mut self) -> Vec<Effect> {
        Reference::take_effects(self)
    }

    fn counts(&self, scene: usize) -> Counts {
        Reference::counts(self, scene)
    }
}

/// The engine, in its test site.
pub(super) struct Engine {
    site: Site,
    names: Vec<&'static str>,
    commands: Vec<(Arc<str>, Wanted)>,
}

impl Engine {
    pub(super) fn new(set: &SceneSet) -> Self {
        let mut site = Site::starting_at(NOON, &set.to_string());
        site.answer = None;
        Engine { site, names: set.scenes.iter().map(|scene| scene.name).collect(), commands: vec![] }
    }

    fn turn_clock(&mut self, now: u64) {
        self.site.now = at(NOON) + Duration::from_nanos(now);
    }

    fn effect(&mut self, wanted: Wanted) -> Effect {
        match &wanted {
            Wanted::Command { id, device, action, within, scene, chain, priority } => {
                self.commands.push((id.clone(), wanted.clone()));
                Effect::Command {
                    wish: self.wish(self.id(*device), action),
                    scene: self.name(scene),
                    chain: chain.join(" > "),
                    priority: *priority,
                    within_s: within.as_secs(),
                }
            }
            Wanted::Notice(notice) => Effect::Notice { scene: self.name(&notice.scene), text: notice.text.to_string() },
            Wanted::Event(event) => Effect::Event(self.id(event.device)),
            Wanted::Firing(firing) => {
                Effect::Firing { scene: self.name(&firing.scene), chain: firing.chain.join(" > ") }
            }
        }
    }

    fn id(&self, ix: edgeway_sdk::DeviceIx) -> Device {
        device(&self.site.things.device(ix).id)
    }

    fn name(&self, name: &str) -> &'static str {
        self.names.iter().find(|known| **known == name).expect("a scene of the set")
    }

    fn wish(&self, device: Device, action: &Action) -> Wish {
        let model = self.site.things.model_of(self.site.device(device));
        match action {
            Action::Set { property, value } => {
                let name = &*model.properties[usize::from(property.0)].identifier;
                let place = places_of(device).into_iter().find(|place| place.property == name);
                Wish::Set(place.expect("a property that takes part"), value.clone())
            }
            Action::Invoke { service, .. } => {
                let name = &*model.services[usize::from(service.0)].identifier;
                Wish::Invoke(device, ["start", "reset"].into_iter().find(|known| *known == name).expect("a service"))
            }
        }
    }
}

impl Subject for Engine {
    fn next_wake(&self) -> Option<u64> {
        let wake = self.site.scenes.next_wake()?;
        u64::try_from(wake.since(at(NOON)).as_nanos()).ok()
    }

    fn advance(&mut self, now: u64) {
        self.turn_clock(now);
        self.site.scenes.advance(self.site.now, &mut self.site.effects);
    }

    fn take(&mut self, now: u64, event: &Event) {
        self.turn_clock(now);
        match event {
            Event::Report(device, values) => {
                let values: Vec<_> =
                    values.iter().map(|(place, value, quality)| (place.property, value.clone(), *quality)).collect();
                self.site.observe(device, &values);
            }
            Event::Turn(device, online) => self.site.turn(device, *online),
            Event::Alarm(device) => self.site.happen(device, "alarm"),
            Event::Run(scene) => {
                self.site.run(self.names[scene % self.names.len()]);
            }
            Event::Pass(_) => {}
        }
    }

    fn answer(&mut self, now: u64, command: usize, answer: Answer) {
        self.turn_clock(now);
        let reason: Arc<str> = "so".into();
        let state = match answer {
            Answer::Applied => CommandState::Applied { result: None },
            Answer::Failed => CommandState::Failed { reason },
            Answer::Refused => CommandState::Refused { reason },
            Answer::Unconfirmed => CommandState::Unconfirmed { reason },
            Answer::Expired => CommandState::Expired,
        };
        let (id, wanted) = self.commands[command].clone();
        self.site.answer_with(&wanted, &id, state);
    }

    fn take_effects(&mut self) -> Vec<Effect> {
        let wanted = std::mem::take(&mut self.site.effects);
        wanted.into_iter().map(|wanted| self.effect(wanted)).collect()
    }

    fn counts(&self, scene: usize) -> Counts {
        let list = self.site.scenes.list();
        let info = list.iter().find(|info| &*info.name == self.names[scene]).expect("a scene of the set");
        Counts { fired: info.fired, declined: info.declined, errors: info.errors }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::Command { wish, scene, chain, priority, within_s } => {
                write!(f, "{scene} ({priority}, after [{chain}]): {wish} within {within_s} s")
            }
            Effect::Notice { scene, text } => write!(f, "{scene}: notify {text}"),
            Effect::Event(device) => write!(f, "{device}.alarm happens"),
            Effect::Firing { scene, chain } => write!(f, "{scene} fires, after [{chain}]"),
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wish::Set(place, value) => write!(f, "{}.{} = {value}", place.device, place.property),
            Wish::Invoke(device, service) => write!(f, "{device}.{service}()"),
        }
    }
}
