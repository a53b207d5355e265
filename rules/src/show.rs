//! A scene as it was understood: what its script declared, in words.

use crate::plan::{Doing, Mode, OnUpdate, Program, RATE, Rate, Scene, TriggerIx};
use crate::scenes::Scenes;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// A scene as it was understood. `Display` shows it as text of several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub scene: Arc<str>,
    /// What it does, in words; may be empty.
    pub title: String,
    /// The script.
    pub file: Arc<str>,
    /// The line in the script, from 1.
    pub line: usize,
    /// What sets it off: any of these.
    pub when: Vec<Arc<str>>,
    /// What has to be true: all of these.
    pub only_if: Vec<Arc<str>>,
    /// What it does then, a line each, inner steps indented.
    pub then: Vec<String>,
    /// What it does when some condition was not true.
    pub otherwise: Vec<String>,
    /// Mode, cooldown, priority and the like, as far as they are set.
    pub manner: Vec<String>,
}

impl Scenes {
    /// A scene as it was understood; `None` if there is no such scene.
    pub fn show(&self, scene: &str) -> Option<Shown> {
        let plan = self.plan();
        let scene = plan.scene(*plan.names.get(scene)?);
        Some(Shown {
            scene: scene.name.clone(),
            title: scene.title.clone(),
            file: scene.file.clone(),
            line: scene.line,
            when: scene.triggers.clone().map(|at| plan.trigger(TriggerIx(at)).text.clone()).collect(),
            only_if: scene.conditions.iter().map(|clause| clause.text.clone()).collect(),
            then: lines(&scene.then),
            otherwise: lines(&scene.otherwise),
            manner: manner(scene),
        })
    }
}

fn manner(scene: &Scene) -> Vec<String> {
    let mode = match scene.mode {
        Mode::Single => None,
        Mode::Restart => Some("set off while it runs: begins again"),
        Mode::Queue => Some("set off while it runs: waits for its turn"),
        Mode::Parallel => Some("set off while it runs: runs again beside it"),
    };
    let per_device = scene.per_device.then(|| "for each device by itself".to_owned());
    let cooldown = (!scene.cooldown.is_zero()).then(|| format!("cools down for {:?}", scene.cooldown));
    let priority = (scene.priority != 0).then(|| format!("priority {}", scene.priority));
    let resume = scene.resume_within.map(|within| format!("goes on after a restart if less than {within:?} late"));
    let update = (scene.on_update == OnUpdate::Restart).then(|| "begins again when its script has changed".to_owned());
    let Rate { count, per } = scene.at_most;
    let rate = (scene.at_most != RATE).then(|| format!("rests after {count} times in {per:?}"));
    let allows =
        (!scene.allows.is_empty()).then(|| format!("findings that are meant: {:?}", scene.allows).to_lowercase());
    let shadow = scene.shadow.then(|| "in shadow: sends nothing".to_owned());
    let said = [mode.map(str::to_owned), per_device, cooldown, priority, resume, update, rate, allows, shadow];
    said.into_iter().flatten().collect()
}

/// The steps as lines, those of blocks indented.
fn lines(program: &Program) -> Vec<String> {
    let mut lines = vec![];
    let mut ends: Vec<u32> = vec![];
    let mut branches: Vec<(u32, usize)> = vec![];
    for (at, step) in (0u32..).zip(&program.steps) {
        ends.retain(|end| at < *end);
        if let Some((_, number)) = branches.iter().find(|(start, _)| *start == at) {
            lines.push(format!("{}branch {number}", "  ".repeat(ends.len().saturating_sub(1))));
        }
        if !matches!(step.doing, Doing::Jump(_) | Doing::Again { .. } | Doing::End | Doing::Commit) {
            lines.push(format!("{}{}", "  ".repeat(ends.len()), step.text));
        }
        ends.extend(end_of(program, at));
        if let Doing::Fork { branches: starts, .. } = &step.doing {
            branches.extend(starts.iter().copied().zip(1..));
            // One level for the branch, one more for what is in it.
            ends.extend(end_of(program, at));
        }
        if let Doing::Jump(to) = step.doing {
            lines.push(format!("{}otherwise", "  ".repeat(ends.len().saturating_sub(1))));
            ends.push(to);
        }
    }
    lines
}

/// Where the block ends that a step begins.
fn end_of(program: &Program, at: u32) -> Option<u32> {
    let behind = || program.steps.iter().enumerate().skip(at as usize + 1);
    match &program.steps[at as usize].doing {
        Doing::If { otherwise, .. } => Some(*otherwise),
        Doing::Fork { end, .. } => Some(*end),
        Doing::Repeat { .. } => behind()
            .find(|(_, step)| matches!(step.doing, Doing::Again { start } if start == at))
            .map(|(end, _)| end as u32),
        Doing::Begin => behind().find(|(_, step)| matches!(step.doing, Doing::Commit)).map(|(end, _)| end as u32),
        _ => None,
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ({}:{})", self.scene, self.file, self.line)?;
        if !self.title.is_empty() {
            writeln!(f, "  {}", self.title)?;
        }
        let texts = |texts: &[Arc<str>]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        write_list(f, "when", &texts(&self.when))?;
        write_list(f, "only if", &texts(&self.only_if))?;
        write_list(f, "then", &self.then)?;
        write_list(f, "otherwise", &self.otherwise)?;
        write_list(f, "manner", &self.manner)
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, word: &str, lines: &[String]) -> fmt::Result {
    for (at, line) in lines.iter().enumerate() {
        writeln!(f, "  {:9} {line}", if at == 0 { word } else { "" })?;
    }
    Ok(())
}
