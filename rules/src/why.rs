//! Why a scene did what it did, or did nothing.

use crate::history::{Decision, Outcome, Read, Verdict};
use crate::plan::{Leaf, SceneIx, TriggerIx, Truth, What, zoned};
use crate::scenes::Scenes;
use crate::values::Seen;
use edgeway_sdk::{Json, Timestamp};
use serde::Serialize;
use std::fmt;
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
    /// The last decisions, at most 32, the newest first.
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
    /// When; RFC 3339 in the site's zone.
    pub time: String,
    /// What set the scene off.
    pub cause: String,
    /// The scenes that led here, outermost first.
    pub chain: Vec<Arc<str>>,
    /// `fired`, `declined`, `otherwise`, `cooling`, `running`, `loop`, `missed` or `failed`.
    pub verdict: &'static str,
    /// More on the verdict; may be empty.
    pub detail: String,
    /// In the order of the script.
    pub conditions: Vec<ConditionView>,
    /// What scripts printed.
    pub printed: Vec<String>,
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
        match (&self.plan().trigger(ix).what, state.last) {
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
            time: self.local(decision.time),
            cause: self.cause_text(decision.cause),
            chain: decision.chain.scenes().map(|scene| self.plan().scene(scene).name.clone()).collect(),
            verdict: verdict_word(&decision.verdict),
            detail: self.detail(&decision.verdict),
            conditions: conditions.collect(),
            printed: decision.printed.clone(),
        }
    }

    fn detail(&self, verdict: &Verdict) -> String {
        match verdict {
            Verdict::Fired { restarted: true } => "a run that was still going on ended".into(),
            Verdict::Fired { restarted: false } | Verdict::Declined { .. } => String::new(),
            Verdict::Cooling { until } => format!("cooling down until {}", self.local(*until)),
            Verdict::Running => "its last run is still going on".into(),
            Verdict::Loop => "it would have been its own cause, or the eighth scene in a row".into(),
            Verdict::Missed { was_due } => format!("it was due at {}", self.local(*was_due)),
            Verdict::Failed { step, error } => format!("step {step}: {error}"),
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

    fn view_read(&self, read: &Read, now: Timestamp) -> ReadView {
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
    fn local(&self, time: Timestamp) -> String {
        match zoned(time, &self.plan().zone) {
            Some(time) => time.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string(),
            None => time.to_string(),
        }
    }
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
        Verdict::Fired { .. } => "fired",
        Verdict::Declined { otherwise: true } => "otherwise",
        Verdict::Declined { otherwise: false } => "declined",
        Verdict::Cooling { .. } => "cooling",
        Verdict::Running => "running",
        Verdict::Loop => "loop",
        Verdict::Missed { .. } => "missed",
        Verdict::Failed { .. } => "failed",
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}  ({}:{})", self.scene, self.file, self.line)?;
        if !self.title.is_empty() {
            writeln!(f, "  {}", self.title)?;
        }
        self.triggers.iter().try_for_each(|trigger| trigger.fmt(f))?;
        if self.decisions.is_empty() {
            writeln!(f, "no decision since the scenes were loaded")?;
        }
        self.decisions.iter().try_for_each(|decision| decision.fmt(f))
    }
}

impl fmt::Display for TriggerView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  when {}", self.text)?;
        writeln!(f, "    {}", self.state)?;
        if let Some(due) = &self.due {
            writeln!(f, "    due {}", short(due))?;
        }
        if let Some(fired) = &self.fired {
            writeln!(f, "    went off {}", short(fired))?;
        }
        if self.reads.is_empty() { Ok(()) } else { writeln!(f, "    {}", Reads(&self.reads)) }
    }
}

impl fmt::Display for DecisionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  cause: {}", short(&self.time), self.verdict.to_uppercase(), self.cause)?;
        if !self.chain.is_empty() {
            write!(f, "  after {}", self.chain.join(" > "))?;
        }
        if !self.detail.is_empty() {
            write!(f, "  ({})", self.detail)?;
        }
        writeln!(f)?;
        let width = self.conditions.iter().map(|condition| condition.text.chars().count()).max().unwrap_or(0);
        for condition in &self.conditions {
            write!(f, "    {:7} {:width$}", condition.outcome, condition.text)?;
            if let Some(error) = &condition.error {
                write!(f, "  error: {error}")?;
            }
            if !condition.reads.is_empty() {
                write!(f, "  {}", Reads(&condition.reads))?;
            }
            writeln!(f)?;
        }
        self.printed.iter().try_for_each(|line| writeln!(f, "    printed: {line}"))
    }
}

struct Reads<'a>(&'a [ReadView]);

impl fmt::Display for Reads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "[{}]", shown.join(", "))
    }
}

/// `wt-07.gear_oil_temperature = 76 °C, good, 600 s old`.
impl fmt::Display for ReadView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.shown)?;
        if !self.quality.is_empty() {
            write!(f, " {}", self.quality)?;
        }
        match self.age_seconds {
            Some(age) => write!(f, " {age} s old"),
            None => Ok(()),
        }
    }
}

/// `08-01 12:10:00.000` out of RFC 3339.
fn short(time: &str) -> String {
    match (time.get(5..10), time.get(11..23)) {
        (Some(day), Some(clock)) => format!("{day} {clock}"),
        _ => time.to_owned(),
    }
}
