//! Subject filters with MQTT wildcards.

use std::fmt;

/// Which subjects: levels with slashes between, `+` for any one level, `#` at the end for any number of levels,
/// also none. `property/wind-turbine/+`, `event/#`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Filter(String);

/// A filter that breaks MQTT's rules (MQTT 5.0, section 4.7).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// It is empty.
    #[error("a subject filter cannot be empty")]
    Empty,
    /// `#` somewhere else than alone in the last level.
    #[error("`#` must be alone in the last level of a subject filter")]
    Hash,
    /// `+` together with something else in a level.
    #[error("`+` must be alone in its level of a subject filter")]
    Plus,
}

impl Filter {
    /// Checks a filter.
    ///
    /// # Errors
    /// If it breaks MQTT's rules.
    pub fn new(text: &str) -> Result<Self, FilterError> {
        if text.is_empty() {
            return Err(FilterError::Empty);
        }
        let levels: Vec<&str> = text.split('/').collect();
        for (at, level) in levels.iter().enumerate() {
            if level.contains('#') && (*level != "#" || at + 1 != levels.len()) {
                return Err(FilterError::Hash);
            }
            if level.contains('+') && *level != "+" {
                return Err(FilterError::Plus);
            }
        }
        Ok(Filter(text.to_owned()))
    }

    /// Whether a subject matches.
    pub fn matches(&self, subject: &str) -> bool {
        let mut levels = subject.split('/');
        for wanted in self.0.split('/') {
            match (wanted, levels.next()) {
                ("#", _) => return true,
                ("+", Some(_)) => {}
                (wanted, Some(level)) if wanted == level => {}
                _ => return false,
            }
        }
        levels.next().is_none()
    }

    /// The text of the filter.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_mqtt() {
        let cases = [
            ("property/wt/+", "property/wt/wt-07", true),
            ("property/wt/+", "property/wt", false),
            ("property/wt/+", "property/wt/a/b", false),
            ("event/#", "event/wt/wt-07/overheat", true),
            ("event/#", "event", true),
            ("#", "scene/x", true),
            ("scene/x", "scene/x", true),
            ("scene/x", "scene/x/y", false),
            ("+/wt/#", "status/wt/a", true),
        ];
        for (filter, subject, expected) in cases {
            assert_eq!(Filter::new(filter).expect("valid").matches(subject), expected, "{filter} against {subject}");
        }
    }

    #[test]
    fn misplaced_wildcards_are_refused() {
        assert_eq!(Filter::new(""), Err(FilterError::Empty));
        assert_eq!(Filter::new("a/#/b"), Err(FilterError::Hash));
        assert_eq!(Filter::new("a/b#"), Err(FilterError::Hash));
        assert_eq!(Filter::new("a/b+/c"), Err(FilterError::Plus));
    }
}
