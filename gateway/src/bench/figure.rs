//! One measured figure, always beside a reference of the same run: machines differ, and the same machine differs by the hour.

use serde::Serialize;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Figure {
    pub(super) bench: &'static str,
    /// What was done, in words.
    pub(super) work: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// What the value is compared with, in words.
    pub(super) reference: &'static str,
    pub(super) reference_value: f64,
    /// value / reference_value
    pub(super) ratio: f64,
    /// In words; `None` for a figure that is only judged at another rate.
    pub(super) goal: Option<&'static str>,
    pub(super) met: Option<bool>,
}

impl Figure {
    pub(super) fn new(work: impl Into<String>, value: f64, unit: &'static str, reference: (&'static str, f64)) -> Self {
        let (reference, reference_value) = reference;
        let ratio = if reference_value == 0.0 { 0.0 } else { value / reference_value };
        Figure {
            bench: "path",
            work: work.into(),
            value,
            unit,
            reference,
            reference_value,
            ratio,
            goal: None,
            met: None,
        }
    }

    /// Of another bench.
    pub(super) fn of(self, bench: &'static str) -> Self {
        Figure { bench, ..self }
    }

    pub(super) fn goal(mut self, goal: &'static str, met: bool) -> Self {
        (self.goal, self.met) = (Some(goal), Some(met));
        self
    }

    pub(super) fn print(&self, json: bool) {
        if json {
            return println!("{}", serde_json::to_string(self).expect("a figure serialises to memory"));
        }
        let verdict = match (self.goal, self.met) {
            (Some(goal), Some(true)) => format!("   met: {goal}"),
            (Some(goal), _) => format!("   MISSED: {goal}"),
            (None, _) => String::new(),
        };
        println!("{:<52} {:>14} {:<14}{verdict}", self.work, short(self.value), self.unit);
        println!(
            "{:<52} {:>14} (ratio {})",
            format!("  against {}", self.reference),
            short(self.reference_value),
            short(self.ratio)
        );
    }
}

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.1 || v == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.2e}"),
    }
}
