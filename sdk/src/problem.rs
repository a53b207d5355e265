//! A mistake in what a person wrote, told so that it can be mended.

use std::fmt;

/// One mistake: where, what was found, what would be right.
///
/// Parsers collect problems and go on, so that all of them are shown at once. The gateway adds the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text or the table.
    pub place: Place,
    /// What was found. One sentence, lowercase, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// Whether the site can run all the same.
    pub severity: Severity,
}

/// Where a [`Problem`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The text as a whole.
    Whole,
    /// A key below the table that was checked, `modbus.unit`; empty means the table itself.
    Key(String),
    /// Line and column, both counted from 1.
    Position {
        /// The line.
        line: usize,
        /// The column, in characters.
        column: usize,
    },
}

/// Whether a site with this problem can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It runs, but probably not as meant.
    Warning,
    /// It does not run.
    Error,
}

impl Problem {
    /// An error about the text as a whole.
    pub fn new(message: impl Into<String>) -> Self {
        Problem { place: Place::Whole, message: message.into(), help: None, severity: Severity::Error }
    }

    /// An error at a key.
    pub fn key(key: impl Into<String>, message: impl Into<String>) -> Self {
        Problem { place: Place::Key(key.into()), ..Problem::new(message) }
    }

    /// An error at a line and a column.
    pub fn at(line: usize, column: usize, message: impl Into<String>) -> Self {
        Problem { place: Place::Position { line, column }, ..Problem::new(message) }
    }

    /// The same with advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with advice, if there is any.
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    /// The same as a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Whole => {}
            Place::Key(key) if key.is_empty() => {}
            Place::Key(key) => write!(f, "`{key}`: ")?,
            Place::Position { line, column } => write!(f, "{line}:{column}: ")?,
        }
        f.write_str(&self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// ``did you mean `x`?`` for the nearest of `known`; if none is near, the list of all when it is short.
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|name| (strsim::jaro_winkler(&found.to_lowercase(), &name.to_lowercase()), *name))
        .filter(|(score, _)| *score > 0.78)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, name)) => Some(format!("did you mean `{name}`?")),
        None if known.is_empty() || known.len() > 20 => None,
        None => Some(format!("one of {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_name_is_offered_and_a_far_one_lists_all() {
        assert_eq!(
            did_you_mean("activ_power", ["wind_speed", "active_power"]).as_deref(),
            Some("did you mean `active_power`?")
        );
        assert_eq!(did_you_mean("zzz", ["a", "b"]).as_deref(), Some("one of `a`, `b`"));
        assert_eq!(did_you_mean("zzz", []), None);
    }

    #[test]
    fn a_problem_reads_as_one_line() {
        let problem = Problem::key("unit", "300 is not a unit id").help("1 to 247");
        assert_eq!(problem.to_string(), "`unit`: 300 is not a unit id (1 to 247)");
    }
}
