//! What is wrong with a site, and where.

use crate::Site;
use edgeway_sdk::{Place, Problem, Severity};
use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in a file of the site.
///
/// `Display` gives the plain form, one line and perhaps a second one with advice:
///
/// ```text
/// devices.toml:14:7: error: unknown key `tpye` in template v112, point wind_speed
///   help: did you mean `type`?
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the site.
    pub file: PathBuf,
    /// The line, from 1; 0 if the file as a whole is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 if the line or the file as a whole is meant.
    pub column: usize,
    /// How many characters are meant; 0 if unknown.
    pub length: usize,
    /// The key in dots, `template.v112.points.wind_speed.scale`; the column's name in a CSV file.
    pub key: Option<String>,
    /// What was found. Lowercase, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Whether the site can run all the same.
    pub severity: Severity,
}

impl Finding {
    /// A problem that a scene, a query or a model has, told as a finding in that file.
    pub fn of(file: impl Into<PathBuf>, problem: Problem) -> Self {
        let (line, column) = match problem.place {
            Place::Position { line, column } => (line, column),
            Place::Whole | Place::Key(_) => (0, 0),
        };
        let key = match problem.place {
            Place::Key(key) if !key.is_empty() => Some(key),
            _ => None,
        };
        let Problem { message, help, severity, .. } = Problem { place: Place::Whole, ..problem };
        Finding { file: file.into(), line, column, length: 0, key, message, help, severity }
    }

    /// True if the site cannot run with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn order(&self) -> (&Path, usize, usize, std::cmp::Reverse<Severity>, &str) {
        (&self.file, self.line, self.column, std::cmp::Reverse(self.severity), &self.message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        for number in [self.line, self.column].into_iter().filter(|number| *number > 0) {
            write!(f, "{number}:")?;
        }
        let severity = if self.is_error() { "error" } else { "warning" };
        write!(f, " {severity}: ")?;
        match &self.key {
            Some(key) if self.line == 0 => write!(f, "`{key}`: {}", self.message)?,
            _ => f.write_str(&self.message)?,
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// Sorts by file, line and column.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| a.order().cmp(&b.order()));
}

/// All findings in their plain form, each ended by a line feed.
pub fn render(findings: &[Finding]) -> String {
    findings.iter().map(|finding| format!("{finding}\n")).collect()
}

/// A site that cannot run. `Display` renders the findings.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", render(.findings))]
pub struct Failed {
    /// Everything found, warnings too, sorted by file and line. At least one error.
    pub findings: Vec<Finding>,
    /// What could be read, for checking scenes and queries all the same. Not fit to run: what was wrong is missing or
    /// has its default. `None` if there is no folder to read.
    pub partial: Option<Box<Site>>,
}
