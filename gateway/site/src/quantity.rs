//! Durations, sizes and names as people write them.

use std::time::Duration;

/// Writes a size as it would be written in a file, in the largest unit that leaves a whole number.
pub(crate) fn show_bytes(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match UNITS.iter().find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// Writes a duration as it would be written in a file, in the largest unit that leaves a whole number.
pub(crate) fn show(duration: Duration) -> String {
    const UNITS: [(&str, u128); 4] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let millis = duration.as_millis();
    match UNITS.iter().find(|(_, unit)| millis > 0 && millis.is_multiple_of(*unit)) {
        Some((name, unit)) => format!("{}{name}", millis / unit),
        None if millis == 0 => "0s".into(),
        None => format!("{millis}ms"),
    }
}

/// What may be a part of a subject, a metric's label and a file's name: at most 64 letters, digits, `-`, `_` and `.`,
/// beginning with a letter or a digit.
pub fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// What a site may be called: it becomes part of topics and client ids.
pub(crate) fn is_site_name(text: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::options::duration::parse as duration;

    #[test]
    fn durations_know_days() {
        assert_eq!(duration("7d"), Some(Duration::from_secs(7 * 86_400)));
        assert_eq!(duration("1m 30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("0s"), Some(Duration::ZERO));
        for wrong in ["", "7", "-1s", "1 parsec", "1mo", "99999999999999d"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations_are_shown_as_they_are_written() {
        for text in ["0s", "1500ms", "90s", "5m", "36h", "7d"] {
            assert_eq!(duration(text).map(show).as_deref(), Some(text));
        }
    }

    #[test]
    fn sizes_are_shown_as_they_are_written() {
        for text in ["0B", "1025B", "64KiB", "1536MiB", "2GiB"] {
            assert_eq!(edgeway_sdk::options::bytes(text).map(show_bytes).as_deref(), Some(text));
        }
    }

    #[test]
    fn names_fit_into_a_subject() {
        assert!(is_name("wt-07") && is_name("7") && is_name("a.b_c"));
        for wrong in ["", "a/b", "+", "#", "-a", "ä", "a b", &"x".repeat(65)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
