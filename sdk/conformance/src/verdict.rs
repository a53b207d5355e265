//! What one part has looked at, and what it has found.

use std::collections::HashMap;

/// So many findings of a part are told one by one.
const TOLD_MAX: usize = 8;

/// What one part has looked at, and what it has found. The same finding is told once, with how often it was made.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    checks: u64,
    found: Vec<String>,
    times: HashMap<String, u64>,
}

impl Verdict {
    /// Looks at something; `finding` says what is wrong with it.
    pub(crate) fn check(&mut self, right: bool, finding: impl FnOnce() -> String) {
        self.checks += 1;
        if !right {
            self.finding(finding());
        }
    }

    /// Something is wrong.
    pub(crate) fn finding(&mut self, text: impl Into<String>) {
        let text = text.into();
        let times = self.times.entry(text.clone()).or_default();
        *times += 1;
        if *times == 1 {
            self.found.push(text);
        }
    }

    /// How much was looked at, and what was found.
    pub(crate) fn conclude(self) -> (u64, Vec<String>) {
        let more = self.found.len().saturating_sub(TOLD_MAX);
        let told = self.found.into_iter().take(TOLD_MAX).map(|text| match self.times[&text] {
            1 => text,
            times => format!("{text} ({times} times)"),
        });
        let rest = (more > 0).then(|| format!("and {more} more"));
        (self.checks, told.chain(rest).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_again_is_told_once_and_a_flood_is_cut() {
        let mut verdict = Verdict::default();
        verdict.check(true, || unreachable!());
        for at in 0..12 {
            verdict.check(false, || format!("finding {}", at.max(2)));
        }
        let (checks, findings) = verdict.conclude();
        assert_eq!(checks, 13);
        assert_eq!(findings[0], "finding 2 (3 times)");
        assert_eq!((findings.len(), findings[8].as_str()), (9, "and 2 more"));
    }
}
