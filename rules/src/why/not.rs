//! Why a scene does not fire now, and what it would take.

use super::ReadView;
use crate::history::{Read, Verdict};
use crate::plan::{Condition, Leaf, Op, Operand, SceneIx, TriggerIx, Truth, What, show, show_rounded};
use crate::scenes::Scenes;
use crate::values::Slot;
use edgeway_sdk::{Timestamp, Value};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a scene does not fire now, and what it would take. `Display` shows it as text of several lines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyNot {
    /// The scene.
    pub scene: Arc<str>,
    /// What keeps it from deciding at all: it is switched off, rests, cools down. Empty if nothing does.
    pub held_back: Vec<String>,
    /// What would set it off; one is enough.
    pub triggers: Vec<NeedView>,
    /// What has to be true then; all of them.
    pub conditions: Vec<NeedView>,
    /// What became of it when it was last set off, if it did not fire.
    pub last: Option<String>,
}

/// A trigger or a condition as it stands now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeedView {
    /// In words.
    pub text: Arc<str>,
    /// `true`, `false` or `unknown`; for triggers that are no conditions `waits`. A check is asked only when its scene is
    /// set off, so it `waits` too.
    pub now: &'static str,
    /// What it would take; empty if nothing.
    pub takes: Vec<String>,
    /// What it sees.
    pub reads: Vec<ReadView>,
}

impl Scenes {
    /// Why a scene does not fire now, and what it would take; `None` if there is no such scene.
    pub fn why_not(&self, scene: &str, now: Timestamp) -> Option<WhyNot> {
        let ix = *self.plan().names.get(scene)?;
        let found = self.plan().scene(ix);
        Some(WhyNot {
            scene: found.name.clone(),
            held_back: self.held_back(ix),
            triggers: found.triggers.clone().map(|at| self.trigger_need(TriggerIx(at), now)).collect(),
            conditions: found.conditions.iter().map(|clause| self.need(&clause.text, &clause.condition, now)).collect(),
            last: self.last_refusal(ix),
        })
    }

    fn held_back(&self, scene: SceneIx) -> Vec<String> {
        self.refusals(scene).iter().map(|verdict| self.detail(verdict)).collect()
    }

    fn last_refusal(&self, scene: SceneIx) -> Option<String> {
        let last = self.scene_state(scene).history.iter().next()?;
        let fired = matches!(last.verdict, Verdict::Fired { .. } | Verdict::Resumed);
        (!fired).then(|| format!("{}: {}", self.local(last.time), self.reason(scene, last)))
    }

    fn trigger_need(&self, ix: TriggerIx, now: Timestamp) -> NeedView {
        let trigger = self.plan().trigger(ix);
        let (armed, state) = self.readiness(ix);
        let mut need = match &trigger.what {
            What::Edge(condition) | What::Level(condition) => self.need(&trigger.text, condition, now),
            what => {
                let reads = self.reads_of(what).iter().map(|read| self.view_read(read, now)).collect();
                NeedView { text: trigger.text.clone(), now: "waits", takes: vec![], reads }
            }
        };
        if let (What::Edge(_), "true") = (&trigger.what, need.now) {
            need.takes.push("it is true already: it has to become false first, and true again".into());
        } else if !armed {
            need.takes.push(state.into());
        }
        need
    }

    fn need(&self, text: &Arc<str>, condition: &Condition, now: Timestamp) -> NeedView {
        let mut reads = vec![];
        self.plan().each_source(condition, &mut |leaf| match leaf {
            Leaf::Slot(slot) => reads.push(Read::Property(slot, self.values().seen(slot).cloned())),
            Leaf::Device(device) => reads.push(Read::Device(device, self.values().online(device))),
            Leaf::Held(_) | Leaf::Clock | Leaf::Script => {}
        });
        let reads = reads.iter().map(|read| self.view_read(read, now)).collect();
        let text = text.clone();
        if condition.has_script() {
            return NeedView { text, now: "waits", takes: vec!["it is asked when the scene is set off".into()], reads };
        }
        let truth = self.truth_now(condition);
        let mut takes = vec![];
        if truth != Truth::True {
            self.what_it_takes(condition, true, &mut takes);
        }
        NeedView { text, now: truth.as_str(), takes, reads }
    }

    /// What it would take for a condition to be `wanted`.
    fn what_it_takes(&self, condition: &Condition, wanted: bool, takes: &mut Vec<String>) {
        if self.truth_now(condition) == Truth::from(Some(wanted)) {
            return;
        }
        match condition {
            // All parts have to be so, or one of them is enough.
            Condition::All(parts) if wanted => parts.iter().for_each(|part| self.what_it_takes(part, true, takes)),
            Condition::Any(parts) if !wanted => parts.iter().for_each(|part| self.what_it_takes(part, false, takes)),
            Condition::All(parts) | Condition::Any(parts) => {
                let mut ways = vec![];
                for part in parts {
                    let mut way = vec![];
                    self.what_it_takes(part, wanted, &mut way);
                    ways.push(way.join(", and "));
                }
                takes.push(ways.join("; or "));
            }
            Condition::Not(inner) => self.what_it_takes(inner, !wanted, takes),
            Condition::OrUnknown(inner) => self.what_it_takes(inner, wanted, takes),
            Condition::Compare { left, op, right } => takes.push(self.comparison_takes(*left, *op, right, wanted)),
            Condition::Fresh { slot, within } => takes.push(self.fresh_takes(*slot, *within, wanted)),
            Condition::Stale(slot) => {
                takes.push(format!("{} has to {} stale", self.plan().slot_name(*slot), be(wanted)))
            }
            Condition::Between { from, to } => {
                let word = if wanted { "inside" } else { "outside" };
                takes.push(format!("the time has to be {word} {from} to {to}"));
            }
            Condition::Days(days) => {
                let wanted = if wanted { *days } else { !days };
                let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].into_iter().enumerate();
                let names: Vec<&str> = names.filter(|(at, _)| wanted & 1 << at != 0).map(|(_, name)| name).collect();
                takes.push(format!("it has to be {}", names.join(", ")));
            }
            Condition::Online(device) => {
                let id = &self.plan().things.device(*device).id;
                takes.push(format!("{id} has to {}", if wanted { "answer" } else { "stop answering" }));
            }
            Condition::Held(held) => self.held_takes(*held, wanted, takes),
            Condition::Check(_) => takes.push("its script has to answer true".into()),
        }
    }

    fn comparison_takes(&self, left: Slot, op: Op, right: &Operand, wanted: bool) -> String {
        let name = self.plan().slot_name(left);
        let op = if wanted { op } else { op.opposite() };
        let wish = match right {
            Operand::Value(value) => show(self.plan().data_type(left), value),
            Operand::Property(slot) => self.plan().slot_name(*slot),
        };
        let other = match right {
            Operand::Value(_) => None,
            Operand::Property(slot) => self.unusable(*slot),
        };
        if let Some(reason) = self.unusable(left).or(other) {
            return format!("{reason}; a good value {} {wish} is needed", op.symbol());
        }
        let missing = self.distance(left, right).map(|missing| format!(", {missing} away")).unwrap_or_default();
        format!("{name} has to be {} {wish}{missing}", op.symbol())
    }

    /// Why a property has no value that counts.
    fn unusable(&self, slot: Slot) -> Option<String> {
        let name = self.plan().slot_name(slot);
        match self.values().seen(slot) {
            None => Some(format!("{name} has not been reported yet")),
            Some(seen) if seen.good().is_none() => Some(format!("{name} is {}", seen.quality.as_str())),
            Some(_) => None,
        }
    }

    /// How far a number is from the other one.
    fn distance(&self, left: Slot, right: &Operand) -> Option<String> {
        let number = |value: &Value| value.as_f64();
        let now = self.values().good(left).and_then(number)?;
        let then = match right {
            Operand::Value(value) => number(value)?,
            Operand::Property(slot) => self.values().good(*slot).and_then(number)?,
        };
        let data_type = self.plan().data_type(left);
        data_type.range()?;
        let missing = (now - then).abs();
        (missing > 0.0).then(|| show_rounded(data_type, &Value::Float(missing)))
    }

    fn fresh_takes(&self, slot: Slot, within: Duration, wanted: bool) -> String {
        let name = self.plan().slot_name(slot);
        match wanted {
            true => format!("{name} has to be read again: a good value not older than {} s", within.as_secs_f64()),
            false => format!("{name} has to be silent for {} s", within.as_secs_f64()),
        }
    }

    fn held_takes(&self, held: crate::plan::HeldIx, wanted: bool, takes: &mut Vec<String>) {
        let plan = &self.plan().helds[held.0 as usize];
        if !wanted {
            return self.what_it_takes(&plan.inner, false, takes);
        }
        let state = self.held(held);
        let counted = state.counted(self.clock().steady());
        match self.truth_now(&plan.inner) {
            Truth::True => {
                let left = state.dwell().saturating_sub(counted);
                takes.push(format!("it has to stay true for {:.0} s more", left.as_secs_f64().ceil()));
            }
            truth => {
                self.what_it_takes(&plan.inner, true, takes);
                let left = if truth == Truth::Unknown { state.dwell().saturating_sub(counted) } else { state.dwell() };
                takes.push(format!("and stay so for {:.0} s", left.as_secs_f64().ceil()));
            }
        }
    }
}

fn be(wanted: bool) -> &'static str {
    if wanted { "be" } else { "be no longer" }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.scene)?;
        self.held_back.iter().try_for_each(|reason| writeln!(f, "  held back: {reason}"))?;
        if self.triggers.is_empty() {
            writeln!(f, "  nothing sets it off but another scene or a person")?;
        }
        self.triggers.iter().try_for_each(|need| write_need(f, "when", need))?;
        self.conditions.iter().try_for_each(|need| write_need(f, "only if", need))?;
        match &self.last {
            Some(last) => writeln!(f, "  last set off {last}"),
            None => Ok(()),
        }
    }
}

fn write_need(f: &mut fmt::Formatter<'_>, word: &str, need: &NeedView) -> fmt::Result {
    writeln!(f, "  {word:7} {:7} {}", need.now, need.text)?;
    if !need.reads.is_empty() {
        let reads: Vec<String> = need.reads.iter().map(ToString::to_string).collect();
        writeln!(f, "                  [{}]", reads.join(", "))?;
    }
    need.takes.iter().try_for_each(|takes| writeln!(f, "                  it would take: {takes}"))
}
