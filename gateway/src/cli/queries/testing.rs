//! The tests of queries: rows in, rows out, in virtual time.
//!
//! `tests/NAME.jsonl` in a site's folder holds messages, `tests/NAME.csv` the rows that the query NAME must make of them. What
//! stands behind a dot in NAME tells several tests of one query apart.
//!
//! A line is a report, an event, or lets time pass:
//!
//! ```json
//! {"ts": "2026-03-29T00:59:00Z", "device": "wt-01", "wind_speed": 7.5, "active_power": null}
//! {"ts": 12.5, "heard": 14, "device": "wt-01", "event": "alarm", "code": 3}
//! {"advance": 60}
//! ```
//!
//! Times are as in RFC 3339, or seconds behind 2026-01-01T00:00:00Z. `heard` is when the gateway got it, `ts` unless given. A
//! property that is `null` is bad.

use super::answer::Answer;
use super::sql::rows_of;
use super::{Failure, told};
use crate::cli::arguments::Rows;
use crate::cli::testing::Tested;
use crate::program;
use edgeway_sdk::{Quality, Timestamp, Value};
use edgeway_site::Site;
use edgeway_thing_models::{Body, Event, Message, Observation, Report, Things};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// 2026-01-01T00:00:00Z.
const START: Timestamp = Timestamp::from_secs(1_767_225_600);

/// Runs the tests in whose name `only` stands.
pub(in crate::cli) fn run(site: &Site, update: bool, only: Option<&str>) -> Result<Vec<Tested>, Failure> {
    let Ok(found) = fs::read_dir(site.root.join("tests")) else { return Ok(vec![]) };
    let mut files: Vec<PathBuf> = found
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.extension().is_some_and(|extension| extension == "jsonl"))
        .filter(|file| only.is_none_or(|only| stem(file).contains(only)))
        .collect();
    files.sort();
    files.iter().map(|file| Ok(tested(site, file, test(site, file, update)?))).collect()
}

fn tested(site: &Site, file: &Path, verdict: Verdict) -> Tested {
    let place = file.strip_prefix(&site.root).unwrap_or(file).display().to_string();
    let (note, failed) = match verdict {
        Verdict::Same(rows) => (format!("{rows} rows"), None),
        Verdict::Written(rows) => (format!("{rows} rows written"), None),
        Verdict::Differs(lines) => (String::new(), Some(lines.join("\n"))),
    };
    Tested { suite: "queries", name: stem(file), place, note, failed }
}

enum Verdict {
    Same(usize),
    Written(usize),
    /// Lines that are missing, with `-`, and that are too many, with `+`.
    Differs(Vec<String>),
}

fn test(site: &Site, file: &Path, update: bool) -> Result<Verdict, Failure> {
    let query = stem(file).split('.').next().unwrap_or_default().to_owned();
    let found = rows(site, &query, file)?;
    let expected_file = file.with_extension("csv");
    if update {
        fs::write(&expected_file, &found).map_err(|error| format!("{}: {error}", expected_file.display()))?;
        return Ok(Verdict::Written(found.lines().count().saturating_sub(1)));
    }
    let expected = fs::read_to_string(&expected_file)
        .map_err(|error| format!("{}: {error} (edgeway test --update writes it)", expected_file.display()))?;
    if found == expected.replace("\r\n", "\n") {
        return Ok(Verdict::Same(found.lines().count().saturating_sub(1)));
    }
    let missing = expected.lines().filter(|line| !found.lines().any(|other| other == *line));
    let extra = found.lines().filter(|line| !expected.lines().any(|other| other == *line));
    let mut lines: Vec<String> = missing.map(|line| format!("- {line}")).collect();
    lines.extend(extra.map(|line| format!("+ {line}")));
    if lines.is_empty() {
        lines.push("the rows are in another order".to_owned());
    }
    Ok(Verdict::Differs(lines))
}

/// What the query makes of a file, as CSV.
fn rows(site: &Site, query: &str, file: &Path) -> Result<String, Failure> {
    let things = Arc::new(site.things.clone());
    let mut queries = program::compile_queries(&things, site).map_err(|findings| told(&findings))?;
    let info = queries.list().into_iter().find(|info| &*info.name == query);
    let info = info.ok_or_else(|| format!("{}: the site has no query {query}", file.display()))?;
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut out = vec![];
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = |problem: String| format!("{}:{}: {problem}", file.display(), number + 1);
        match step(&things, line).map_err(place)? {
            Step::Advance(now) => queries.advance(now, &mut out),
            Step::Message(message) => {
                let now = message.time;
                queries.push(now, &[(number as u64, Arc::new(message))], &mut out);
            }
        }
    }
    let answer = Answer { columns: info.columns.to_vec(), times: info.times.to_vec(), form: Rows::Csv };
    answer.csv_text(&rows_of(query, out))
}

enum Step {
    Message(Message),
    Advance(Timestamp),
}

fn step(things: &Things, line: &str) -> Result<Step, String> {
    let Ok(Json::Object(line)) = serde_json::from_str(line) else { return Err("this is not a JSON object".to_owned()) };
    if let Some(to) = line.get("advance") {
        return Ok(Step::Advance(time(to)?));
    }
    let ts = time(line.get("ts").ok_or("a row has a `ts`")?)?;
    let heard = line.get("heard").map_or(Ok(ts), time)?;
    let device = line.get("device").and_then(Json::as_str).ok_or("a row has a `device`")?;
    let device = things.device_ix(device).ok_or_else(|| format!("the site has no device {device}"))?;
    let model = things.model_of(device);
    let values = line.iter().filter(|(key, _)| !["ts", "heard", "device", "event"].contains(&key.as_str()));
    let body = match line.get("event").and_then(Json::as_str) {
        Some(name) => {
            let (event, _) = model.event(name).ok_or_else(|| format!("{} has no event {name}", model.name))?;
            let output = values.map(|(key, value)| (key.as_str().into(), Value::from_json(value))).collect();
            Body::Event(Event { device, event, output, source_time: ts })
        }
        None => {
            let observation = |(key, value): (&String, &Json)| observation(model, key, value, ts);
            Body::Report(Report { device, values: values.map(observation).collect::<Result<_, _>>()? })
        }
    };
    Ok(Step::Message(Message { time: heard, body }))
}

fn observation(
    model: &edgeway_thing_models::Model,
    name: &str,
    value: &Json,
    source_time: Timestamp,
) -> Result<Observation, String> {
    let (property, _) = model.property(name).ok_or_else(|| format!("{} has no property {name}", model.name))?;
    let quality = if value.is_null() { Quality::BadTimeout } else { Quality::Good };
    Ok(Observation { property, value: Value::from_json(value), quality, source_time })
}

fn time(json: &Json) -> Result<Timestamp, String> {
    let found = match json {
        Json::Number(seconds) => seconds
            .as_f64()
            .map(|seconds| Timestamp::from_nanos(START.as_nanos().saturating_add((seconds * 1e9).round() as i64))),
        Json::String(text) => Timestamp::parse(text),
        _ => None,
    };
    found.ok_or_else(|| format!("`{json}` is not a time: write 12.5 or \"2026-01-01T00:00:12.5Z\""))
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_wrong_says_why() {
        let things = Things::default();
        let wrong = |line: &str| step(&things, line).err().unwrap_or_default();
        assert_eq!(wrong("7"), "this is not a JSON object");
        assert_eq!(wrong(r#"{"device": "x"}"#), "a row has a `ts`");
        assert_eq!(
            wrong(r#"{"ts": "noon", "device": "x"}"#),
            "`\"noon\"` is not a time: write 12.5 or \"2026-01-01T00:00:12.5Z\""
        );
        assert_eq!(wrong(r#"{"ts": 1, "device": "x"}"#), "the site has no device x");
    }
}
