//! `condition/timeRange`: from when to when, on which days.
//!
//! It comes in two forms. `beginDate` and `endDate` are times of day. A `cron` has ranges in its minute and hour that
//! belong together: `30-15 8-17 * * *` is from 08:30 to 17:15.

use super::node::Node;
use super::rule::Condition;
use edgeway_sdk::Problem;

/// Minutes.
const DAY: u32 = 24 * 60;

/// From when to when, in minutes since midnight, and on which days.
type Range = (u32, u32, Option<String>);

/// `None` if it is always.
pub(super) fn read(params: &Node<'_>) -> Result<Option<Condition>, Problem> {
    const KEYS: [&str; 7] = ["cron", "cronType", "format", "beginDate", "endDate", "repeat", "timezoneID"];
    let params = params.clone().with_only(&[&KEYS[..], &["appShow"]].concat())?;
    let (from, to, days) = match params.get("cron") {
        Some(cron) => of_cron(&params, &cron)?,
        None => of_times(&params)?,
    };
    match to - from {
        DAY if days.is_none() => Ok(None),
        0 => Err(params.problem("it begins when it ends, so there is nothing between")),
        _ if days.is_some() && to > DAY => {
            let problem = params.problem("a range over midnight belongs to two days, so it cannot be of certain days");
            Err(problem.help("make two scenes of it, before and after midnight"))
        }
        _ => {
            let zone = params.get_text("timezoneID")?.map(str::to_owned);
            Ok(Some(Condition::Between { from: clock(from), to: clock(to), days, zone }))
        }
    }
}

fn of_times(params: &Node<'_>) -> Result<Range, Problem> {
    let days = match params.get("repeat") {
        Some(node) => days_of(node.text()?).ok_or_else(|| no_days(&node))?,
        None => None,
    };
    let (begin, end) = (params.need("beginDate")?, params.need("endDate")?);
    let (from, to) = (time(&begin)?, time(&end)?);
    // A day can end at midnight, and a range can go over it.
    Ok((from, if to == 0 && from == 0 { 0 } else { to + if to < from { DAY } else { 0 } }, days))
}

/// Minutes since midnight. Seconds must be none, or those of a day's last minute.
fn time(node: &Node<'_>) -> Result<u32, Problem> {
    let text = node.text()?;
    let wrong = || {
        let problem = node.problem(format!("{} is not a time of day", super::node::shown(text)));
        problem.help("hours and minutes, \"08:30\"; scenes have no range of dates")
    };
    let parts: Vec<&str> = text.split(':').collect();
    let number = |at: usize| parts.get(at).filter(|part| matches!(part.len(), 1 | 2)).and_then(|p| p.parse().ok());
    match (parts.len(), number(0), number(1), number(2)) {
        (2, Some(hour), Some(minute), None) | (3, Some(hour), Some(minute), Some(0))
            if hour < 24 && minute < 60 || (hour, minute) == (24, 0) =>
        {
            Ok(hour * 60 + minute)
        }
        (3, Some(23), Some(59), Some(59)) => Ok(DAY),
        _ => Err(wrong()),
    }
}

fn of_cron(params: &Node<'_>, cron: &Node<'_>) -> Result<Range, Problem> {
    if let Some(kind) = params.get("cronType").filter(|kind| kind.json != "linux") {
        return Err(kind.problem("only a linux cron is a range of time"));
    }
    let fields: Vec<&str> = cron.text()?.split_whitespace().take(6).collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return Err(cron.problem("a range of time has 5 fields: \"30-15 8-17 * * *\" is from 08:30 to 17:15"));
    };
    if !matches!((day, month), ("*" | "?", "*")) {
        return Err(cron.problem("scenes have no condition on days of the month and months"));
    }
    let days = days_of(weekday).ok_or_else(|| no_days(cron))?;
    let span = span(minute, hour).ok_or_else(|| {
        cron.problem(format!("{} is not one range of the day", super::node::shown(&format!("{minute} {hour}"))))
            .help("\"30-15 8-17 * * *\" is from 08:30 to 17:15")
    })?;
    Ok((span.0, span.1, days))
}

fn span(minute: &str, hour: &str) -> Option<(u32, u32)> {
    if (minute, hour) == ("*", "*") {
        return Some((0, DAY));
    }
    let (first, last) = pair(hour, 23)?;
    let (from, to) = match minute {
        // Every minute, also of the last hour.
        "*" => (first * 60, (last + 1) * 60),
        minute => {
            let (begin, end) = pair(minute, 59)?;
            (first * 60 + begin, last * 60 + end)
        }
    };
    Some((from, if to < from { to + DAY } else { to }))
}

/// `8-17`, or `8` for both.
fn pair(field: &str, max: u32) -> Option<(u32, u32)> {
    let (first, last) = field.split_once('-').unwrap_or((field, field));
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= max);
    Some((number(first)?, number(last)?))
}

/// A list of days as `on_days` takes it, `None` inside for all of them; 0 and 7 are both Sunday.
fn days_of(days: &str) -> Option<Option<String>> {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let mut week = [false; 7];
    for part in days.split(',').take(64).map(str::trim) {
        if matches!(part, "*" | "?") {
            return Some(None);
        }
        let (first, last) = pair(part, 7)?;
        (first..=last).for_each(|day| week[(day as usize + 6) % 7] = true);
    }
    if week == [true; 7] {
        return Some(None);
    }
    let named: Vec<&str> = NAMES.into_iter().zip(week).filter(|(_, on)| *on).map(|(name, _)| name).collect();
    let in_a_row = week.iter().collect::<Vec<_>>().windows(2).filter(|pair| pair[0] != pair[1]).count();
    match named[..] {
        [first, _, .., last] if named.len() > 2 && in_a_row <= if week[0] || week[6] { 1 } else { 2 } => {
            Some(Some(format!("{first}-{last}")))
        }
        _ => Some(Some(named.join(", "))),
    }
}

fn no_days(node: &Node<'_>) -> Problem {
    node.problem("these are no days of the week").help("0 to 7, of which 0 and 7 are Sunday: \"1-5\", \"6,7\"")
}

fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::Json;
    use serde_json::json;

    fn between(params: &Json) -> Result<Option<(String, String)>, String> {
        match read(&Node::root(params)) {
            Ok(Some(Condition::Between { from, to, .. })) => Ok(Some((from, to))),
            Ok(None) => Ok(None),
            Ok(Some(other)) => panic!("{other:?} is no range"),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn ranges_of_a_cron_belong_together() {
        for (cron, from, to) in [
            ("0-0 6-22 * * *", "06:00", "22:00"),
            ("30-15 8-17 * * *", "08:30", "17:15"),
            ("00 6-22 * * 1,2,3,4,5,6,7", "06:00", "22:00"),
            ("* 6-21 * * 0-6", "06:00", "22:00"),
            ("10-40 9 ? * ?", "09:10", "09:40"),
            ("0-30 22-6 * * *", "22:00", "06:30"),
        ] {
            assert_eq!(between(&json!({ "cron": cron })), Ok(Some((from.into(), to.into()))), "{cron}");
        }
        assert_eq!(between(&json!({ "cron": "* * * * *", "cronType": "linux" })), Ok(None));
        assert_eq!(between(&json!({ "cron": "* 0-23 * * *" })), Ok(None));
    }

    #[test]
    fn times_of_day() {
        let range = |begin: &str, end: &str| between(&json!({ "format": "HH:mm", "beginDate": begin, "endDate": end }));
        assert_eq!(range("8:30", "23:00"), Ok(Some(("08:30".into(), "23:00".into()))));
        assert_eq!(range("22:00", "06:00:00"), Ok(Some(("22:00".into(), "06:00".into()))));
        assert_eq!(range("18:00", "24:00"), Ok(Some(("18:00".into(), "00:00".into()))));
        assert_eq!(range("00:00", "23:59:59"), Ok(None));
        for wrong in ["8", "25:00", "08:60", "2026-08-01 08:00", "08:00:30", "24:01", "-1:00"] {
            assert!(range(wrong, "23:00").unwrap_err().contains("is not a time of day"), "{wrong}");
        }
    }

    #[test]
    fn days_of_the_week() {
        for (days, expected) in [
            ("1-5", "mon-fri"),
            ("1,2,3", "mon-wed"),
            ("2-6", "tue-sat"),
            ("6,7", "sat, sun"),
            ("0,6", "sat, sun"),
            ("1,3,5", "mon, wed, fri"),
            ("1-3,5", "mon, tue, wed, fri"),
            ("5-7", "fri-sun"),
        ] {
            assert_eq!(days_of(days), Some(Some(expected.into())), "{days}");
        }
        assert_eq!(days_of("0-6"), Some(None));
        assert_eq!((days_of("8"), days_of("x")), (None, None));
    }

    #[test]
    fn what_a_scene_cannot_say_is_refused() {
        let refused = |params: Json, start: &str| {
            let error = between(&params).unwrap_err();
            assert!(error.starts_with(start), "{error}");
        };
        refused(json!({ "cron": "0-0 22-6 * * 1-5" }), "a range over midnight belongs to two days");
        refused(
            json!({ "beginDate": "08:00", "endDate": "18:00", "repeat": "8" }),
            "`repeat`: these are no days of the week",
        );
        refused(json!({ "cron": "0-0 8-18 1 * *" }), "`cron`: scenes have no condition on days of the month");
        refused(json!({ "cron": "*/5 8-18 * * *" }), "`cron`: `*/5 8-18` is not one range of the day");
        refused(json!({ "cron": "0 8,9 * * *" }), "`cron`: `0 8,9` is not one range of the day");
        refused(json!({ "cron": "0-0 8 * * *" }), "it begins when it ends");
        refused(json!({ "beginDate": "08:00", "endDate": "08:00" }), "it begins when it ends");
        refused(json!({ "cron": "0 0 8-18 * * ?" }), "`cron`: a range of time has 5 fields");
        refused(json!({}), "`beginDate` is missing");
    }
}
