//! Why a scene did what it did, or did nothing.

mod not;
mod text;

pub use not::{NeedView, WhyNot};

use crate::facts::Facts;
use crate::history::{Decision, Done, Outcome, Read, StepResult, Verdict};
use crate::plan::{Leaf, SceneIx, TriggerIx, Truth, What, zoned};
use crate::scenes::Scenes;
use crate::values::Seen;
use edgeway_sdk::{Json, Timestamp};
use serde::Serialize;
use std::sync::Arc;

/// Why a scene did what it did, or did nothing. `Display` shows it as text of several lines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The scene.
    pub scene: Arc<str>,
    /// What it does, in words; may be empty.
    pub title: String,
    /// The script.
    pub file: Arc<str>,
    /// The line in the script, from 1.
    pub line: usize,
    /// Each trigger as it stands.
    pub triggers: Vec<TriggerView>,
    /// The last decisions, as many as the site keeps, the newest first.
    pub decisions: Vec<DecisionView>,
}

/// A trigger as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TriggerView {
    /// What it waits for.
    pub text: Arc<str>,
    /// In words: whether it is armed, and why not.
    pub state: String,
    /// Whether the next value, event or moment that fits sets the scene off.
    pub armed: bool,
    /// When it last set the scene off; RFC 3339 in the site's zone.
    pub fired: Option<String>,
    /// When its time comes, for `cron` and a `held` that counts; RFC 3339 in the site's zone.
    pub due: Option<String>,
    /// What it sees now.
    pub reads: Vec<ReadView>,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionView {
    /// Counted over all scenes since the gateway started, from 1.
    pub number: u64,
    /// The scene.
    pub scene: Arc<str>,
    /// When; RFC 3339 in the site's zone.
    pub time: String,
    /// What set the scene off.
    pub cause: String,
    /// The scenes that led here, outermost first.
    pub chain: Vec<Arc<str>>,
    /// `fired`, `shadow`, `queued`, `declined`, `otherwise`, `cooling`, `running`, `off`, `resting`, `loop`, `missed`,
    /// `failed`, `resumed` or `abandoned`.
    pub verdict: &'static str,
    /// More on the verdict; may be empty.
    pub detail: String,
    /// In the order of the script.
    pub conditions: Vec<ConditionView>,
    /// What was done, in order, at most 64 steps.
    pub steps: Vec<StepView>,
    /// What scripts printed.
    pub printed: Vec<String>,
}

/// One step that was done, or could not be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepView {
    /// When; RFC 3339 in the site's zone.
    pub time: String,
    /// `set room-301.curtain = 100 %`.
    pub text: Arc<str>,
    /// The id of its command, as in the journal.
    pub command: Option<Arc<str>>,
    /// `done`, `sent`, `applied`, `failed`, `lost` or `shadow`.
    pub result: &'static str,
    /// Why it failed, or to which scene it lost; may be empty.
    pub detail: String,
}

/// What one condition came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConditionView {
    /// The condition.
    pub text: Arc<str>,
    /// `pass`, `fail`, `unknown` or `skipped`.
    pub outcome: &'static str,
    /// What it found.
    pub reads: Vec<ReadView>,
    /// What went wrong in its script.
    pub error: Option<String>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadView {
    /// `wt-07.state`, or the id of a device for its state.
    pub name: String,
    /// As people read it, with label or unit; `-` if there is none.
    pub shown: String,
    /// In the model's type and unit.
    pub value: Json,
    /// `good`, `stale`, `bad:timeout`, ...; `missing` if it was never reported. Empty for a device's state.
    pub quality: &'static str,
    /// How old the value was then, in seconds.
    pub age_seconds: Option<u64>,
}

impl Scenes {
    pub(crate) fn explain(&self, ix: SceneIx, now: Timestamp) -> Why {
        let scene = self.plan().scene(ix);
        Why {
            scene: scene.name.clone(),
            title: scene.title.clone(),
            file: scene.file.clone(),
            line: scene.line,
            triggers: scene.triggers.clone().map(|at| self.view_trigger(TriggerIx(at), now)).collect(),
            decisions: self.scene_state(ix).history.iter().map(|decision| self.view_decision(ix, decision)).collect(),
        }
    }

    /// The last decisions behind a number, of all scenes or of one, in order, at most `max`: of the last 4,096 those that
    /// their scenes still remember.
    pub fn decisions_after(&self, number: u64, scene: Option<&str>, max: usize) -> Vec<DecisionView> {
        let only = scene.map(|name| self.plan().names.get(name).copied());
        let recent = self.recent().after(number).filter(|(_, scene)| only.is_none_or(|only| only == Some(*scene)));
        let mut found: Vec<_> = recent.collect();
        found.drain(..found.len().saturating_sub(max));
        let views = found.into_iter().filter_map(|(number, scene)| {
            Some(self.view_decision(scene, self.scene_state(scene).history.get(number)?))
        });
        views.collect()
    }

    /// The number of the last decision.
    pub fn last_decision(&self) -> u64 {
        self.recent().last()
    }

    fn view_trigger(&self, ix: TriggerIx, now: Timestamp) -> TriggerView {
        let trigger = self.plan().trigger(ix);
        let (armed, state) = self.readiness(ix);
        TriggerView {
            text: trigger.text.clone(),
            state: state.into(),
            armed,
            fired: self.trigger_state(ix).fired.map(|time| self.local(time)),
            due: self.due_of(ix).map(|time| self.local(time)),
            reads: self.reads_of(&trigger.what).iter().map(|read| self.view_read(read, now)).collect(),
        }
    }

    /// Whether the trigger can go off, in words.
    fn readiness(&self, ix: TriggerIx) -> (bool, &'static str) {
        let state = self.trigger_state(ix);
        match (&self.plan().trigger(ix).what, self.edge(ix)) {
            (What::Edge(_), Some(false)) => (true, "armed: last known false, fires when it becomes true"),
            (What::Edge(_), Some(true)) => (false, "not armed: already true, must become false first"),
            (What::Edge(_), None) => (false, "not armed: no good value has been seen, the first one only arms it"),
            (What::Level(_), _) => (true, "armed: fires with each report while it is true"),
            (What::Changed(_), _) if state.last_value.is_some() => {
                (true, "armed: fires when a good value differs from the last good one")
            }
            (What::Changed(_), _) => (false, "not armed: no good value has been seen, the first one only arms it"),
            (What::Event(..), _) => (true, "armed: fires with each such event"),
            (What::Row(_), _) => (true, "armed: fires with each such row"),
            (What::Cron(_), _) => (true, "armed: fires when its time comes"),
            (What::Start, _) => (true, "armed: fires when the gateway starts"),
        }
    }

    /// When its time comes, if nothing else changes.
    fn due_of(&self, ix: TriggerIx) -> Option<Timestamp> {
        let what = &self.plan().trigger(ix).what;
        let mut due = self.cron_due(ix);
        what.each_leaf(&mut |leaf| {
            if let Leaf::Held(held) = leaf {
                let at = self.held(held).due().map(|at| self.clock().wall_at(at));
                due = due.into_iter().chain(at).min();
            }
        });
        due
    }

    fn reads_of(&self, what: &What) -> Vec<Read> {
        let mut reads = vec![];
        let mut read = |leaf| match leaf {
            Leaf::Slot(slot) => reads.push(Read::Property(slot, self.values().seen(slot).cloned())),
            Leaf::Device(device) => reads.push(Read::Device(device, self.values().online(device))),
            Leaf::Held(_) | Leaf::Clock | Leaf::Script => {}
        };
        match what.condition() {
            Some(condition) => self.plan().each_source(condition, &mut read),
            None => what.each_leaf(&mut read),
        }
        reads
    }

    fn view_decision(&self, scene: SceneIx, decision: &Decision) -> DecisionView {
        let mut reads = decision.reads.iter();
        let conditions = self.plan().scene(scene).conditions.iter().zip(&decision.outcomes);
        let conditions = conditions.map(|(clause, outcome)| ConditionView {
            text: clause.text.clone(),
            outcome: outcome_word(outcome),
            reads: reads.by_ref().take(outcome.reads).map(|read| self.view_read(read, decision.time)).collect(),
            error: outcome.error.clone(),
        });
        DecisionView {
            number: decision.number,
            scene: self.plan().scene(scene).name.clone(),
            time: self.local(decision.time),
            cause: self.cause_with(decision),
            chain: decision.chain.scenes().map(|scene| self.plan().scene(scene).name.clone()).collect(),
            verdict: verdict_word(&decision.verdict),
            detail: self.detail(&decision.verdict),
            conditions: conditions.collect(),
            steps: decision.steps.iter().map(|done| self.view_step(done)).collect(),
            printed: decision.printed.clone(),
        }
    }

    /// What set it off, with the value, the event's output or the row that came with it.
    fn cause_with(&self, decision: &Decision) -> String {
        let text = self.cause_text(decision.cause);
        let values = decision.facts.as_deref().map(named_values).unwrap_or_default();
        if values.is_empty() { text } else { format!("{text} ({values})") }
    }

    fn view_step(&self, done: &Done) -> StepView {
        let (result, detail) = match &done.result {
            StepResult::Done => ("done", String::new()),
            StepResult::Sent => ("sent", String::new()),
            StepResult::Applied => ("applied", String::new()),
            StepResult::Failed(reason) => ("failed", reason.to_string()),
            StepResult::LostTo(scene) => ("lost", format!("scene {} comes first", self.plan().scene(*scene).name)),
            StepResult::Shadow => ("shadow", "not sent".into()),
        };
        let (time, text, command) = (self.local(done.time), done.text.clone(), done.command.clone());
        StepView { time, text, command, result, detail }
    }

    fn detail(&self, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Fired { restarted: true, .. } => "a run that was still going on ended".into(),
            Verdict::Fired { queued: true, .. } => "it waits for a run that is still going on".into(),
            Verdict::Fired { shadow: true, .. } => "nothing is sent".into(),
            Verdict::Fired { .. } | Verdict::Declined { .. } | Verdict::Resumed => String::new(),
            Verdict::Off { reason } => reason.to_string(),
            Verdict::Resting { until } => format!("it fired too often and rests until {}", self.local(*until)),
            Verdict::Abandoned { reason } => format!("it does not go on: {reason}"),
            Verdict::Cooling { until } => format!("cooling down until {}", self.local(*until)),
            Verdict::Running => "its last run is still going on, or as many as may be".into(),
            Verdict::Loop => "it would have been its own cause, or the ninth scene in a row".into(),
            Verdict::Missed { was_due } => format!("it was due at {}", self.local(*was_due)),
            Verdict::Failed { step, error } => format!("{step}: {error}"),
        }
    }

    /// The first reason why a scene did not fire.
    pub(crate) fn reason(&self, scene: SceneIx, decision: &Decision) -> String {
        let failed = decision.outcomes.iter().position(|outcome| outcome.truth != Some(Truth::True));
        match failed {
            Some(at) => {
                format!("{}: {}", outcome_phrase(&decision.outcomes[at]), self.plan().scene(scene).conditions[at].text)
            }
            None => self.detail(&decision.verdict),
        }
    }

    pub(crate) fn view_read(&self, read: &Read, now: Timestamp) -> ReadView {
        match read {
            Read::Property(slot, Some(seen)) => {
                self.view_seen(self.plan().slot_name(*slot), self.plan().show(*slot, seen), seen, now)
            }
            Read::Property(slot, None) => ReadView {
                name: self.plan().slot_name(*slot),
                shown: "-".into(),
                value: Json::Null,
                quality: "missing",
                age_seconds: None,
            },
            Read::Device(device, online) => ReadView {
                name: self.plan().things.device(*device).id.to_string(),
                shown: online.as_str().into(),
                value: Json::from(online.as_str()),
                quality: "",
                age_seconds: None,
            },
        }
    }

    fn view_seen(&self, name: String, shown: String, seen: &Seen, now: Timestamp) -> ReadView {
        let age_seconds = Some(now.since(seen.source_time).as_secs());
        ReadView { name, shown, value: seen.value.to_json(), quality: seen.quality.as_str(), age_seconds }
    }

    /// RFC 3339 with the site's offset and milliseconds.
    pub(crate) fn local(&self, time: Timestamp) -> String {
        match zoned(time, &self.plan().locale.zone) {
            Some(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            None => time.to_string(),
        }
    }
}

/// `code = 3, high = true`. A property's value stands beside its condition already.
fn named_values(facts: &Facts) -> String {
    let values: Vec<String> = facts.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    if facts.kind == crate::facts::Kind::Property { String::new() } else { values.join(", ") }
}

fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome.truth {
        Some(Truth::True) => "pass",
        Some(Truth::False) => "fail",
        Some(Truth::Unknown) => "unknown",
        None => "skipped",
    }
}

fn outcome_phrase(outcome: &Outcome) -> &'static str {
    match outcome.truth {
        Some(Truth::Unknown) => "unknown",
        _ => "not true",
    }
}

fn verdict_word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Fired { shadow: true, .. } => "shadow",
        Verdict::Fired { queued: true, .. } => "queued",
        Verdict::Fired { .. } => "fired",
        Verdict::Off { .. } => "off",
        Verdict::Resting { .. } => "resting",
        Verdict::Resumed => "resumed",
        Verdict::Abandoned { .. } => "abandoned",
        Verdict::Declined { otherwise: true } => "otherwise",
        Verdict::Declined { otherwise: false } => "declined",
        Verdict::Cooling { .. } => "cooling",
        Verdict::Running => "running",
        Verdict::Loop => "loop",
        Verdict::Missed { .. } => "missed",
        Verdict::Failed { .. } => "failed",
    }
}
