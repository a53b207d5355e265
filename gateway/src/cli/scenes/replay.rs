//! `edgeway scene replay`: a new version of a script over recorded messages, beside the one in force. Nothing is sent.

use super::{compiled, load, script_of, with};
use crate::cli::arguments::SceneReplayOptions;
use crate::cli::exit;
use crate::cli::queries::recorded::Recorded;
use crate::cli::queries::{Failure, told};
use crate::client::table::{self, Cell, Colours, Tone};
use edgeway_rules::{Effect, Scenes};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Body, Command, CommandRecord, CommandState, Message, Origin, Things};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Something that a version would have sent: when, which scene, what.
type Deed = (Timestamp, Arc<str>, String);

pub(super) fn run(options: &SceneReplayOptions) -> Result<u8, Failure> {
    let site = load(&options.recorded.site)?;
    let mut recorded = Recorded::open(&options.recorded, &site)?;
    let things = recorded.things.clone();
    let new = script_of(&options.file)?;
    let (after, _) = with(&site, &things, new).map_err(|findings| told(&findings))?;
    let before = if options.compare { Some(compiled(&site, &things)?) } else { None };
    let mut after = Version::new(after, things.clone());
    let mut before = before.map(|scenes| Version::new(scenes, things));
    let mut messages = 0;
    while let Some(entries) = recorded.next()? {
        messages += entries.len();
        for (_, message) in &entries {
            after.handle(message);
            if let Some(before) = &mut before {
                before.handle(message);
            }
        }
    }
    match before {
        Some(before) => show_differences(options, messages, &before, &after),
        None => show(options, messages, &after),
    }
    Ok(exit::OK)
}

/// One version, and what it would have sent.
struct Version {
    scenes: Scenes,
    things: Arc<Things>,
    now: Option<Timestamp>,
    deeds: BTreeMap<Deed, usize>,
}

impl Version {
    fn new(scenes: Scenes, things: Arc<Things>) -> Self {
        Version { scenes, things, now: None, deeds: BTreeMap::new() }
    }

    /// Lets time pass up to a message, and takes it. Commands of before are in the journal too; the answers that count are
    /// those to the commands of this version, each of which is done at once.
    fn handle(&mut self, message: &Message) {
        if matches!(message.body, Body::Command(_) | Body::Firing(_) | Body::Notice(_)) {
            return;
        }
        let end = message.time;
        if self.now.is_none() {
            self.let_scenes(end, |scenes, out| scenes.start(end, out));
        }
        while let Some(wake) = self.scenes.next_wake().filter(|wake| *wake <= end) {
            let now = self.now.map_or(wake, |now| now.max(wake));
            self.let_scenes(now, |scenes, out| scenes.advance(now, out));
        }
        self.let_scenes(end, |scenes, out| scenes.handle(end, message, out));
    }

    fn let_scenes(&mut self, now: Timestamp, act: impl FnOnce(&mut Scenes, &mut Vec<Effect>)) {
        self.now = Some(now);
        let mut out = vec![];
        act(&mut self.scenes, &mut out);
        let mut effects = VecDeque::from(out);
        while let Some(effect) = effects.pop_front() {
            let mut out = vec![];
            if let Some(answer) = answer(&effect, now) {
                self.scenes.handle(now, &answer, &mut out);
            }
            effects.extend(out);
            if let Some((scene, text)) = self.said(&effect) {
                *self.deeds.entry((now, scene, text)).or_default() += 1;
            }
        }
    }

    fn said(&self, effect: &Effect) -> Option<(Arc<str>, String)> {
        match effect {
            Effect::Command { device, action, scene, .. } => {
                Some((scene.clone(), edgeway_rules::command_text(&self.things, *device, action)))
            }
            Effect::Notice(notice) => {
                Some((notice.scene.clone(), format!("notify {}: {}", notice.channel, notice.text)))
            }
            Effect::Event(_) | Effect::Firing(_) => None,
        }
    }
}

fn answer(effect: &Effect, now: Timestamp) -> Option<Message> {
    let Effect::Command { id, device, action, within, scene, .. } = effect else { return None };
    let command = Command {
        id: id.clone(),
        device: *device,
        action: action.clone(),
        origin: Origin::Scene { scene: scene.clone() },
        issued: now,
        deadline: now + *within,
    };
    let state = CommandState::Applied { result: None };
    Some(Message { time: now, body: Body::Command(CommandRecord { command, state }) })
}

fn show(options: &SceneReplayOptions, messages: usize, version: &Version) {
    let count: usize = version.deeds.values().sum();
    let lines = version.deeds.iter().flat_map(|(deed, times)| std::iter::repeat_n(deed, *times));
    let lines: Vec<Vec<Cell>> = lines.take(options.count).map(|deed| line(None, deed, Tone::Plain)).collect();
    if !lines.is_empty() {
        print!("{}", table::layout(&["time", "scene", "would have been sent"], &lines, Colours::of_stdout()));
    }
    println!("{messages} messages: {count} commands and notices{}", left_out(count, options.count));
}

fn show_differences(options: &SceneReplayOptions, messages: usize, before: &Version, after: &Version) {
    let deeds: std::collections::BTreeSet<&Deed> = before.deeds.keys().chain(after.deeds.keys()).collect();
    let (mut same, mut lines) = (0, vec![]);
    for deed in deeds {
        let times = |version: &Version| version.deeds.get(deed).copied().unwrap_or_default();
        let (old, new) = (times(before), times(after));
        same += old.min(new);
        lines.extend((new..old).map(|_| line(Some("-"), deed, Tone::Bad)));
        lines.extend((old..new).map(|_| line(Some("+"), deed, Tone::Good)));
    }
    let differ = lines.len();
    lines.truncate(options.count);
    if !lines.is_empty() {
        print!("{}", table::layout(&["", "time", "scene", "would have been sent"], &lines, Colours::of_stdout()));
    }
    let count = |version: &Version| version.deeds.values().sum::<usize>();
    println!(
        "{messages} messages: {} commands and notices before, {} after; {same} are the same, {differ} lines differ{}",
        count(before),
        count(after),
        left_out(differ, options.count),
    );
}

fn left_out(lines: usize, shown: usize) -> String {
    match lines.saturating_sub(shown) {
        0 => String::new(),
        left => format!(", {left} lines not shown"),
    }
}

fn line(sign: Option<&str>, (time, scene, text): &Deed, tone: Tone) -> Vec<Cell> {
    let sign = sign.map(|sign| Cell::text(sign).tone(tone));
    let cells = [Cell::text(time.to_string()), Cell::text(&**scene), Cell::text(text)].map(|cell| cell.tone(tone));
    sign.into_iter().chain(cells).collect()
}
