//! A topic as a subject of NATS.

use std::fmt::Write;

/// `/` becomes `.`. What a subject cannot hold becomes `%` and two hexadecimal digits for each byte of it: `.`, `*`, `>`,
/// `%`, white space, control characters, and a `$` at the very start, which names the server's own subjects. An empty level
/// becomes `%`. So two topics never share a subject.
pub(super) fn subject(topic: &str) -> String {
    let mut subject = String::with_capacity(topic.len() + 8);
    for (at, level) in topic.split('/').enumerate() {
        if at > 0 {
            subject.push('.');
        }
        if level.is_empty() {
            subject.push('%');
        }
        for character in level.chars() {
            let foreign = is_foreign(character) || (character == '$' && subject.is_empty());
            if foreign { escape(character, &mut subject) } else { subject.push(character) }
        }
    }
    subject
}

fn is_foreign(character: char) -> bool {
    matches!(character, '.' | '*' | '>' | '%') || character.is_whitespace() || character.is_control()
}

fn escape(character: char, subject: &mut String) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a string cannot fail.
        let _ = write!(subject, "%{byte:02X}");
    }
}

/// Whether a stream's subject, with its wildcards, takes a message's.
pub(super) fn takes(pattern: &str, subject: &str) -> bool {
    let mut levels = subject.split('.');
    for wanted in pattern.split('.') {
        match (wanted, levels.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_become_tokens_and_what_has_a_meaning_is_escaped() {
        let cases = [
            ("farm/property/wt-07", "farm.property.wt-07"),
            ("a b/*/>/c.d/100%", "a%20b.%2A.%3E.c%2Ed.100%25"),
            ("$JS/$x", "%24JS.$x"),
            ("/a//b/", "%.a.%.b.%"),
            ("", "%"),
            ("größe/\u{2003}", "größe.%E2%80%83"),
        ];
        for (topic, expected) in cases {
            assert_eq!(subject(topic), expected, "{topic}");
        }
    }

    #[test]
    fn patterns_take_what_the_server_says_they_take() {
        let cases = [
            ("farm.>", "farm.property.wt-07", true),
            ("farm.>", "farm", false),
            ("farm.*.wt-07", "farm.property.wt-07", true),
            ("farm.*", "farm.property.wt-07", false),
            ("farm.property.wt-07", "farm.property.wt-07", true),
            ("farm.property.wt-07", "farm.property", false),
            (">", "a", true),
        ];
        for (pattern, subject, expected) in cases {
            assert_eq!(takes(pattern, subject), expected, "{pattern} {subject}");
        }
    }
}
