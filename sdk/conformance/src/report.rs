//! What came of a run.

use crate::Options;
use edgeway_sdk::Manifest;
use serde::Serialize;
use std::fmt;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The driver's name.
    pub driver: String,
    /// The driver's version.
    pub version: String,
    /// What to give to repeat the run.
    pub seed: u64,
    /// Whether it was the long form.
    pub long: bool,
    /// Every part, in the order in which they ran.
    pub parts: Vec<PartReport>,
    /// How many parts were passed, of those that apply.
    pub score: Score,
}

/// How many parts were passed, of those that apply to this driver and this subject. Shown as `12 of 12`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Score {
    /// How many were passed.
    pub passed: usize,
    /// How many apply.
    pub of: usize,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.passed, self.of)
    }
}

/// What came of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PartReport {
    /// Its name: `late answer`.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// Why it does not apply, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How much was looked at.
    pub checks: u64,
    /// What was found: each with what was expected and what came.
    pub findings: Vec<String>,
}

/// How a part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing was found.
    Passed,
    /// There are findings.
    Failed,
    /// The driver or the subject has nothing that this part could look at.
    NotApplicable,
}

impl Report {
    pub(crate) fn new(manifest: &Manifest, options: Options, parts: Vec<PartReport>) -> Self {
        let count = |outcome| parts.iter().filter(|part| part.outcome == outcome).count();
        let (passed, failed) = (count(Outcome::Passed), count(Outcome::Failed));
        Report {
            driver: manifest.name.clone(),
            version: manifest.version.clone(),
            seed: options.seed,
            long: options.long,
            parts,
            score: Score { passed, of: passed + failed },
        }
    }

    /// True if nothing was found in any part.
    pub fn is_clean(&self) -> bool {
        self.score.passed == self.score.of
    }

    /// The names of the parts that have findings.
    pub fn failed(&self) -> Vec<&'static str> {
        self.parts.iter().filter(|part| part.outcome == Outcome::Failed).map(|part| part.name).collect()
    }
}

/// For a terminal: a line for each part, its findings below it, and the score.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "driver {} {}", self.driver, self.version)?;
        for part in &self.parts {
            writeln!(f, "{part}")?;
        }
        let form = if self.long { ", long form" } else { "" };
        write!(f, "score {}, seed {}{form}", self.score, self.seed)
    }
}

/// One line, and one more for each finding.
impl fmt::Display for PartReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:<16} ", self.name)?;
        match self.outcome {
            Outcome::Passed => write!(f, "passed  {} checks", self.checks)?,
            Outcome::Failed => write!(f, "FAILED  {} checks", self.checks)?,
            Outcome::NotApplicable => write!(f, "-       does not apply: {}", self.why.as_deref().unwrap_or_default())?,
        }
        self.findings.iter().try_for_each(|finding| write!(f, "\n    - {finding}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, outcome: Outcome, why: Option<&str>, findings: &[&str]) -> PartReport {
        let findings = findings.iter().map(|&text| text.to_owned()).collect();
        PartReport { name, outcome, why: why.map(str::to_owned), checks: 12, findings }
    }

    fn report() -> Report {
        let parts = vec![
            part("schema", Outcome::Passed, None, &[]),
            part("late answer", Outcome::Failed, None, &["m.power: expected 3405, came 12"]),
            part("watch", Outcome::NotApplicable, Some("the driver does not watch"), &[]),
        ];
        Report::new(&Manifest::new("acme", "0.1.0", ""), Options::short(17), parts)
    }

    #[test]
    fn a_terminal_gets_a_line_for_each_part_and_the_findings_below() {
        let expected = "driver acme 0.1.0\n  \
            schema           passed  12 checks\n  \
            late answer      FAILED  12 checks\n    \
            - m.power: expected 3405, came 12\n  \
            watch            -       does not apply: the driver does not watch\n\
            score 1 of 2, seed 17";
        assert_eq!(report().to_string(), expected);
    }

    #[test]
    fn json_has_the_same() {
        let json = serde_json::to_value(report()).expect("plain data");
        assert_eq!(json["parts"][2]["outcome"], "not-applicable");
        assert_eq!(json["parts"][2]["why"], "the driver does not watch");
        assert_eq!(json["score"], serde_json::json!({"passed": 1, "of": 2}));
        assert_eq!(report().failed(), ["late answer"]);
        assert!(!report().is_clean());
    }
}
