//! Cron patterns of the platform as five fields.

use crate::plan::Schedule;

/// Linux: minute, hour, day of month, month, day of week. It only has to be proved.
pub(super) fn linux(pattern: &str) -> Result<String, String> {
    let fields: Vec<&str> = pattern.split_whitespace().take(8).collect();
    match fields.len() {
        5 => proved(&fields),
        6 | 7 => Err("a linux cron has 5 fields, this looks like `quartz_cron`".to_owned()),
        count => Err(format!("a linux cron has 5 fields, this has {count}")),
    }
}

/// Quartz has seconds before them and perhaps a year behind, and its week begins with 1 on Sunday.
pub(super) fn quartz(pattern: &str) -> Result<String, String> {
    let fields: Vec<&str> = pattern.split_whitespace().take(8).collect();
    let (seconds, minute, hour, day, month, weekday, year) = match fields[..] {
        [seconds, minute, hour, day, month, weekday] => (seconds, minute, hour, day, month, weekday, "*"),
        [seconds, minute, hour, day, month, weekday, year] => (seconds, minute, hour, day, month, weekday, year),
        _ => return Err(format!("a quartz cron has 6 or 7 fields, this has {}", fields.len())),
    };
    if !matches!(seconds, "0" | "00") {
        return Err(format!("it runs at second `{seconds}`, and a scene's clock counts minutes: write 0"));
    }
    if year != "*" {
        return Err(format!("it runs in the year `{year}` only, and a scene's clock has no years"));
    }
    if !any(day) && !any(weekday) {
        return Err("it has a day of the month and a day of the week, and Quartz needs `?` for one".to_owned());
    }
    let fields = [
        from_start(minute, 0, 59),
        from_start(hour, 0, 23),
        from_start(day, 1, 31),
        from_start(month, 1, 12),
        week(weekday)?,
    ];
    proved(&fields.iter().map(String::as_str).collect::<Vec<_>>())
}

fn any(field: &str) -> bool {
    matches!(field, "*" | "?")
}

fn proved(fields: &[&str]) -> Result<String, String> {
    let pattern = fields.join(" ");
    match Schedule::parse(&pattern) {
        Ok(_) => Ok(pattern),
        Err(reason) => Err(format!("`{}` is not a cron pattern: {reason}", super::node::cut(&pattern))),
    }
}

/// `?` is `*`, and `5/10` is every ten from five on: cron knows that as `5-59/10`.
fn from_start(field: &str, first: u32, last: u32) -> String {
    let part = |part: &str| match part.split_once('/') {
        None if part == "?" => "*".to_owned(),
        Some((start, step)) if start.parse() == Ok(first) => format!("*/{step}"),
        Some((start, step)) if start.parse::<u32>().is_ok() => format!("{start}-{last}/{step}"),
        _ => part.to_owned(),
    };
    field.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// Days of the week, where Quartz counts from 1, Sunday.
fn week(field: &str) -> Result<String, String> {
    if any(field) {
        return Ok("*".to_owned());
    }
    field.split(',').map(days).collect::<Result<Vec<_>, _>>().map(|days| days.join(","))
}

fn days(part: &str) -> Result<String, String> {
    let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
    let days = match (range.split_once('-'), step) {
        (Some((from, to)), _) => format!("{}-{}", day(from)?, day(to)?),
        (None, Some(_)) if range != "*" => format!("{}-6", day(range)?),
        (None, _) => day(range)?,
    };
    Ok(step.map_or(days.clone(), |step| format!("{days}/{step}")))
}

/// `2` is Monday, `6L` the last Friday of the month and `6#3` the third one.
fn day(text: &str) -> Result<String, String> {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let (number, rest) = (&text[..text.len() - digits.len()], digits);
    if number.is_empty() {
        return Ok(text.to_owned());
    }
    match number.parse::<u8>() {
        Ok(number @ 1..=7) => Ok(format!("{}{rest}", number - 1)),
        _ => Err(format!("`{number}` is no day of the week: Quartz counts from 1, Sunday, to 7")),
    }
}

#[cfg(test)]
mod tests {
    use super::{linux, quartz};

    #[test]
    fn quartz_fits_into_five_fields_when_it_runs_at_full_minutes_of_any_year() {
        for (pattern, expected) in [
            ("0 0 7 * * ?", "0 7 * * *"),
            ("0 30 7 ? * 2-6", "30 7 * * 1-5"),
            ("00 30 7 ? * 1,7 *", "30 7 * * 0,6"),
            ("0 0/15 * * * ?", "*/15 * * * *"),
            ("0 5/10 8-18 * * ?", "5-59/10 8-18 * * *"),
            ("0 0 0 1/2 * ?", "0 0 */2 * *"),
            ("0 0 7 ? * MON-FRI", "0 7 * * MON-FRI"),
            ("0 0 7 ? * 6#3", "0 7 * * 5#3"),
            ("0 0 7 ? * 6L", "0 7 * * 5L"),
            ("0 0 7 L * ?", "0 7 L * *"),
        ] {
            assert_eq!(quartz(pattern).as_deref(), Ok(expected), "{pattern}");
        }
    }

    #[test]
    fn what_does_not_fit_says_why() {
        for (pattern, reason) in [
            ("30 0 7 * * ?", "it runs at second `30`, and a scene's clock counts minutes: write 0"),
            ("0 0 7 * * ? 2027", "it runs in the year `2027` only, and a scene's clock has no years"),
            ("0 0 7 1 * 2", "it has a day of the month and a day of the week, and Quartz needs `?` for one"),
            ("0 0 7 ? * 8", "`8` is no day of the week: Quartz counts from 1, Sunday, to 7"),
            ("0 7 * * *", "a quartz cron has 6 or 7 fields, this has 5"),
            ("", "a quartz cron has 6 or 7 fields, this has 0"),
        ] {
            assert_eq!(quartz(pattern), Err(reason.to_owned()), "{pattern}");
        }
        assert_eq!(linux("0 0 7 * * ?").unwrap_err(), "a linux cron has 5 fields, this looks like `quartz_cron`");
        assert_eq!(linux("7 *").unwrap_err(), "a linux cron has 5 fields, this has 2");
        assert!(linux("61 * * * *").unwrap_err().starts_with("`61 * * * *` is not a cron pattern: "));
        assert!(quartz("0 0 22-2 * * ?").unwrap_err().starts_with("`0 22-2 * * *` is not a cron pattern: "));
    }

    #[test]
    fn blanks_do_not_matter() {
        assert_eq!(linux("  0  7 * *\t1-5 ").as_deref(), Ok("0 7 * * 1-5"));
    }
}
