//! A trace as text of several lines.

use super::{ConditionView, DecisionView, ReadView, StepView, TriggerView, Why};
use std::fmt;

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
        self.conditions.iter().try_for_each(|condition| write_condition(f, condition, width))?;
        self.steps.iter().try_for_each(|step| step.fmt(f))?;
        self.printed.iter().try_for_each(|line| writeln!(f, "    printed: {line}"))
    }
}

fn write_condition(f: &mut fmt::Formatter<'_>, condition: &ConditionView, width: usize) -> fmt::Result {
    write!(f, "    {:7} {:width$}", condition.outcome, condition.text)?;
    if let Some(error) = &condition.error {
        write!(f, "  error: {error}")?;
    }
    if !condition.reads.is_empty() {
        write!(f, "  {}", Reads(&condition.reads))?;
    }
    writeln!(f)
}

impl fmt::Display for StepView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "    {:7} {}", self.result, self.text)?;
        if let Some(command) = &self.command {
            write!(f, "  (command {command})")?;
        }
        if self.detail.is_empty() { writeln!(f) } else { writeln!(f, "  {}", self.detail) }
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
