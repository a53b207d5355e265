//! Topics, filters, and topics that are written with their device's.

/// The longest that a packet can say, in bytes.
const BYTES_MAX: usize = 65_535;
/// What stands for the device's topic.
pub(crate) const DEVICE: &str = "{topic}";

/// Why a message cannot have this topic.
pub(crate) fn topic_problem(topic: &str) -> Option<String> {
    if topic.contains(['+', '#']) {
        return Some(format!("`{topic}` has a wildcard, which only a filter may have"));
    }
    text_problem(topic)
}

/// Why nobody can subscribe to this filter.
pub(crate) fn filter_problem(filter: &str) -> Option<String> {
    let levels: Vec<&str> = filter.split('/').collect();
    let is_alone = |level: &&str| level.len() == 1 || !level.contains(['+', '#']);
    if !levels.iter().all(is_alone) {
        return Some(format!("in `{filter}` a wildcard shares its level with something else"));
    }
    if levels.iter().rev().skip(1).any(|level| *level == "#") {
        return Some(format!("in `{filter}` something follows `#`"));
    }
    text_problem(filter)
}

fn text_problem(text: &str) -> Option<String> {
    match text {
        "" => Some("a topic is not empty".into()),
        text if text.contains('\0') => Some(format!("`{}` has a NUL, which no topic may have", text.escape_debug())),
        text if text.len() > BYTES_MAX => Some(format!("a topic has at most {BYTES_MAX} bytes")),
        _ => None,
    }
}

/// Whether messages of this topic come to whoever has subscribed to this filter (MQTT 5, section 4.7).
pub(crate) fn covers(filter: &str, topic: &str) -> bool {
    // Topics of the broker's own are not meant by a wildcard.
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut levels, mut wanted) = (topic.split('/'), filter.split('/'));
    loop {
        match (wanted.next(), levels.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

/// A topic in which `{topic}` stands for that of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern(String);

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Why it can never be a topic.
    pub(crate) fn parse(text: &str) -> Result<Pattern, String> {
        let rest = text.replace(DEVICE, "t");
        match topic_problem(&rest) {
            Some(problem) => Err(problem),
            None if rest.contains(['{', '}']) => Err(format!("in `{text}` only `{DEVICE}` stands for something")),
            None => Ok(Pattern(text.to_owned())),
        }
    }

    /// The topic of a point of a device with this topic.
    ///
    /// # Errors
    /// If the device has none, and it is needed.
    pub(crate) fn of(&self, device: Option<&str>) -> Result<String, String> {
        match device {
            Some(device) => Ok(self.0.replace(DEVICE, device)),
            None if self.0.contains(DEVICE) => {
                Err(format!("`{}` needs the `topic` of the device, which has none", self.0))
            }
            None => Ok(self.0.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_cover_what_the_standard_says() {
        for (filter, topic, is_covered) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a/", true),
            ("a/+", "a", false),
            ("a/+/c", "a/b/c", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("#", "a/b", true),
            ("+/b", "a/b", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("a", "A", false),
        ] {
            assert_eq!(covers(filter, topic), is_covered, "{filter} {topic}");
        }
    }

    #[test]
    fn what_cannot_be_subscribed_to_is_told() {
        for right in ["a", "/", "+", "#", "a/+/b/#", "ü/b c", "$share/x"] {
            assert_eq!(filter_problem(right), None, "{right}");
        }
        for wrong in ["", "a+", "a/#/b", "#/", "a/b#", "a\0"] {
            assert!(filter_problem(wrong).is_some(), "{wrong:?}");
        }
        assert_eq!(topic_problem("a\0").expect("wrong"), "`a\\0` has a NUL, which no topic may have");
        assert!(topic_problem(&"x".repeat(BYTES_MAX + 1)).is_some());
    }

    #[test]
    fn a_pattern_holds_the_topic_of_its_device() {
        let pattern = Pattern::parse("{topic}/set").expect("right");
        assert_eq!(pattern.of(Some("zigbee2mqtt/door")).as_deref(), Ok("zigbee2mqtt/door/set"));
        assert_eq!(
            pattern.of(None).expect_err("none"),
            "`{topic}/set` needs the `topic` of the device, which has none"
        );
        assert_eq!(Pattern::parse("whole/topic").expect("right").of(None).as_deref(), Ok("whole/topic"));
        for wrong in ["{name}/set", "a/+", "", "{topic"] {
            assert!(Pattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
