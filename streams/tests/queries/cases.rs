//! Folders under `tests/cases`: queries, messages and the rows that come out, or the errors.
//!
//! `query.sql` is the query that is looked at; other `.sql` files are loaded with it. Its first lines may be
//! `-- error: ...`; then loading must fail with exactly these problems. A line of `input.jsonl` is a report or an event
//! (`heard` and `ts` in seconds) or lets time pass (`{"advance": 30}`). `UPDATE_CASES=1` writes `expected.csv` anew.

use crate::{at, things};
use edgeway_sdk::{Quality, Value};
use edgeway_streams::{Queries, Source};
use edgeway_thing_models::{Body, Event, Message, Row, Things};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn every_case_gives_its_rows_or_its_errors() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root).expect("cases").map(|entry| entry.expect("entry").path()).collect();
    folders.sort();
    assert!(folders.len() > 10, "the cases are there");
    let failed: Vec<String> = folders.iter().filter_map(|folder| run(folder).err()).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n\n"));
}

fn run(folder: &Path) -> Result<(), String> {
    let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let things = things();
    let loaded = Queries::load(things.clone(), &sources(folder));
    let text = fs::read_to_string(folder.join("query.sql")).expect("query.sql");
    let errors: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("-- error: ")).collect();
    match loaded {
        Err(problems) => {
            let found: Vec<String> = problems.iter().map(|problem| problem.problem.to_string()).collect();
            if found == errors { Ok(()) } else { Err(format!("{name}: expected {errors:#?}\n  found {found:#?}")) }
        }
        Ok(_) if !errors.is_empty() => Err(format!("{name}: loads, but should not")),
        Ok(mut queries) => compare(folder, &name, &csv(&rows(folder, &things, &mut queries))),
    }
}

fn sources(folder: &Path) -> Vec<Source> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    let source = |file: PathBuf| {
        let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
        Source { file: format!("{name}.sql").into(), name: name.into(), text: fs::read_to_string(&file).expect("text") }
    };
    files.into_iter().map(source).collect()
}

fn rows(folder: &Path, things: &Things, queries: &mut Queries) -> Vec<Row> {
    let input = fs::read_to_string(folder.join("input.jsonl")).expect("input.jsonl");
    let mut out = vec![];
    for (offset, line) in input.lines().filter(|line| !line.is_empty()).enumerate() {
        let line: Json = serde_json::from_str(line).expect("JSON");
        match line["advance"].as_f64() {
            Some(now) => queries.advance(at(now), &mut out),
            None => {
                let heard = line["heard"].as_f64().or(line["ts"].as_f64()).expect("a time");
                queries.push(at(heard), &[(offset as u64, Arc::new(message(things, &line, heard)))], &mut out);
            }
        }
    }
    crate::rows(out).into_iter().filter(|row| &*row.query == "query").collect()
}

fn message(things: &Things, line: &Json, heard: f64) -> Message {
    let device = line["device"].as_str().expect("a device");
    let ts = at(line["ts"].as_f64().expect("a time"));
    let values = line.as_object().expect("an object").iter();
    let values = values.filter(|(key, _)| !["device", "ts", "heard", "event"].contains(&key.as_str()));
    match line["event"].as_str() {
        None => {
            let values: Vec<_> =
                values.map(|(key, value)| observed(key, value)).map(|(k, v, q)| (k, v, q, ts)).collect();
            crate::report(things, device, at(heard), &values)
        }
        Some(name) => {
            let device = crate::device_ix(device);
            let event = things.model_of(device).event(name).expect("an event").0;
            let output = values.map(|(key, value)| (key.as_str().into(), Value::from_json(value))).collect();
            Message { time: at(heard), body: Body::Event(Event { device, event, output, source_time: ts }) }
        }
    }
}

/// A value, or `{"stale": value}`, `{"uncertain": value}`, `{"bad": null}`.
fn observed<'a>(key: &'a str, value: &Json) -> (&'a str, Value, Quality) {
    let Some((class, value)) = value.as_object().and_then(|object| object.iter().next()) else {
        return (key, Value::from_json(value), Quality::Good);
    };
    let quality = match class.as_str() {
        "stale" => Quality::Stale,
        "uncertain" => Quality::Uncertain,
        "bad" => Quality::BadTimeout,
        other => panic!("`{other}` is not a quality"),
    };
    (key, Value::from_json(value), quality)
}

fn csv(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(vec![]);
    if let Some(first) = rows.first() {
        writer.write_record(["id"].into_iter().chain(first.columns.iter().map(|name| &**name))).expect("memory");
    }
    for row in rows {
        let values = row.values.iter().map(ToString::to_string);
        writer.write_record([row.id.to_string()].into_iter().chain(values)).expect("memory");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("text")
}

fn compare(folder: &Path, name: &str, found: &str) -> Result<(), String> {
    let file = folder.join("expected.csv");
    if std::env::var_os("UPDATE_CASES").is_some() {
        fs::write(&file, found).expect("written");
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if found == expected { Ok(()) } else { Err(format!("{name}: expected\n{expected}\nfound\n{found}")) }
}
