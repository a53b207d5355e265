//! A topic as Kafka takes it.

/// Kafka's own limit.
const TOPIC_BYTES_MAX: usize = 249;

/// `/` becomes `.`; what is neither a letter of ASCII, a digit, `.`, `_` nor `-` becomes `_`. Two topics that differ only in
/// such characters share one of Kafka's.
///
/// # Errors
/// What is wrong, if that is no topic either.
pub(super) fn topic(topic: &str) -> Result<String, &'static str> {
    let topic: String = topic.chars().map(letter).collect();
    match topic.as_str() {
        "" => Err("a message needs a topic here"),
        "." | ".." => Err("`.` and `..` cannot be topics"),
        long if long.len() > TOPIC_BYTES_MAX => Err("a topic has at most 249 characters"),
        _ => Ok(topic),
    }
}

fn letter(character: char) -> char {
    match character {
        '/' => '.',
        '.' | '_' | '-' => character,
        other if other.is_ascii_alphanumeric() => other,
        _ => '_',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_become_what_kafka_takes() {
        let cases = [("farm/property/wt-07", "farm.property.wt-07"), ("a b/ü:c", "a_b.__c"), ("A.b_c", "A.b_c")];
        for (given, expected) in cases {
            assert_eq!(topic(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_kafka_never_takes_is_refused() {
        for given in ["", "/", "./", &"x".repeat(250)] {
            assert!(topic(given).is_err(), "{given}");
        }
    }
}
