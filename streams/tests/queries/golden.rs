//! The suite in `streams/queries/`: a query, the rows that go in, and the rows that must come out.
//!
//! `NAME.sql` holds the query `NAME`, perhaps with others. Its first lines may be comments with options:
//!
//! | option | meaning |
//! | --- | --- |
//! | `--fail=PROBLEM` | loading must fail with exactly these problems |
//! | `--input=OTHER` | the rows are those of `OTHER.jsonl` |
//! | `--also=QUERY` | the rows of this query must be there too |
//!
//! A line of `NAME.jsonl` is a report or an event (`heard` and `ts` in seconds) or lets time pass (`{"advance": 30}`).
//! `NAME.csv` holds the rows; `UPDATE_QUERIES=1` writes them anew, and the difference is read.
//!
//! Each query runs over all rows at once, then in batches of 1, 7 and 8,192, then with its state saved and taken up by
//! another in the middle. All must give the same rows.

use crate::{at, site, things};
use edgeway_sdk::{Quality, Value};
use edgeway_streams::{Queries, Source};
use edgeway_thing_models::{Body, Event, Message, Row, Things};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[test]
fn every_query_gives_its_rows_or_its_problems() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let files = fs::read_dir(&root).expect("queries").map(|entry| entry.expect("entry").path());
    let mut files: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|ext| ext == "sql")).collect();
    files.sort();
    assert!(files.len() > 10, "the queries are there");
    let only = std::env::var("QUERY").ok();
    files.retain(|file| only.as_ref().is_none_or(|only| name(file).contains(only)));
    let failed: Vec<String> = files.iter().filter_map(|file| run(file).err()).collect();
    assert!(failed.is_empty(), "\n{}", failed.join("\n\n"));
}

struct Golden {
    name: String,
    text: String,
    /// Those whose rows are looked at.
    queries: Vec<String>,
    input: Vec<Step>,
}

enum Step {
    Message(f64, Box<Json>),
    Advance(f64),
}

/// How the rows go in.
#[derive(Debug, Clone, Copy)]
struct Way {
    batch: usize,
    /// After how many messages the state is saved and taken up.
    restart: Option<usize>,
}

fn run(file: &Path) -> Result<(), String> {
    let name = name(file);
    let text = fs::read_to_string(file).expect("a file");
    let problems: Vec<String> = options(&text, "fail");
    let source = Source { file: format!("queries/{name}.sql").into(), name: name.as_str().into(), text: text.clone() };
    match Queries::load(&site(), &[source]) {
        Err(found) => {
            let found: Vec<String> = found.iter().map(|problem| problem.problem.to_string()).collect();
            return if found == problems {
                Ok(())
            } else {
                Err(format!("{name}: expected\n  {}\nfound\n  {}", problems.join("\n  "), found.join("\n  ")))
            };
        }
        Ok(_) if !problems.is_empty() => return Err(format!("{name}: loads, but should not")),
        Ok(_) => {}
    }
    let input = options(&text, "input").pop().unwrap_or_else(|| name.clone());
    let mut queries = options(&text, "also");
    queries.push(name.clone());
    let golden = Golden { queries, input: input_of(&file.with_file_name(format!("{input}.jsonl"))), name, text };
    golden.check(file)
}

impl Golden {
    fn check(&self, file: &Path) -> Result<(), String> {
        let whole = csv(&self.rows(Way { batch: usize::MAX, restart: None }));
        let half = self.input.len() / 2;
        let ways =
            [(1, None), (7, None), (8192, None), (usize::MAX, Some(half)), (1, Some(half / 2)), (3, Some(half + 1))];
        for (batch, restart) in ways {
            let way = Way { batch, restart };
            let found = csv(&self.rows(way));
            if found != whole {
                return Err(format!("{}: whole\n{whole}\nbut {way:?}\n{found}", self.name));
            }
        }
        let expected = file.with_extension("csv");
        if std::env::var_os("UPDATE_QUERIES").is_some() {
            fs::write(&expected, &whole).expect("written");
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        if whole == expected { Ok(()) } else { Err(format!("{}: expected\n{expected}\nfound\n{whole}", self.name)) }
    }

    fn load(&self) -> Queries {
        let file = format!("queries/{}.sql", self.name).into();
        let source = Source { file, name: self.name.as_str().into(), text: self.text.clone() };
        Queries::load(&site(), &[source]).expect("it has been loaded before")
    }

    fn rows(&self, way: Way) -> Vec<Row> {
        let (things, mut queries, mut out) = (things(), self.load(), vec![]);
        let mut batch: Vec<(u64, Arc<Message>)> = vec![];
        let mut now = 0.0;
        let flush = |queries: &mut Queries, batch: &mut Vec<(u64, Arc<Message>)>, now: f64, out: &mut Vec<Message>| {
            queries.push(at(now), batch, out);
            batch.clear();
        };
        for (offset, step) in self.input.iter().enumerate() {
            if way.restart == Some(offset) {
                flush(&mut queries, &mut batch, now, &mut out);
                let state = queries.save().expect("every function can say its state");
                queries = self.load();
                let restored = queries.restore(at(now), u64::MAX, &state).expect("a state");
                assert!(restored.anew.is_empty(), "{}: {restored:?}", self.name);
            }
            match step {
                Step::Advance(to) => {
                    flush(&mut queries, &mut batch, now, &mut out);
                    now = *to;
                    queries.advance(at(now), &mut out);
                }
                Step::Message(heard, line) => {
                    now = *heard;
                    batch.push((offset as u64, Arc::new(message(&things, line, *heard))));
                    if batch.len() >= way.batch {
                        flush(&mut queries, &mut batch, now, &mut out);
                    }
                }
            }
        }
        flush(&mut queries, &mut batch, now, &mut out);
        let rows = crate::all_rows(out);
        let of = |name: &String| rows.iter().filter(|row| *name == *row.query).cloned().collect::<Vec<_>>();
        self.queries.iter().rev().flat_map(of).collect()
    }
}

fn name(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}

/// The values of an option in the first lines.
fn options(text: &str, option: &str) -> Vec<String> {
    let comments = text.lines().map_while(|line| line.strip_prefix("-- "));
    comments.filter_map(|line| line.strip_prefix(&format!("--{option}="))).map(str::to_owned).collect()
}

fn input_of(file: &Path) -> Vec<Step> {
    let text = fs::read_to_string(file).unwrap_or_else(|_| panic!("{}", file.display()));
    let step = |line: &str| {
        let line: Json = serde_json::from_str(line).expect("JSON");
        match line["advance"].as_f64() {
            Some(now) => Step::Advance(now),
            None => Step::Message(line["heard"].as_f64().or(line["ts"].as_f64()).expect("a time"), Box::new(line)),
        }
    };
    text.lines().filter(|line| !line.is_empty()).map(step).collect()
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
    let class = value.as_object().and_then(|object| object.iter().next());
    let (quality, value) = match class {
        Some((class, value)) if class == "stale" => (Quality::Stale, value),
        Some((class, value)) if class == "uncertain" => (Quality::Uncertain, value),
        Some((class, value)) if class == "bad" => (Quality::BadTimeout, value),
        _ => (Quality::Good, value),
    };
    (key, Value::from_json(value), quality)
}

fn csv(rows: &[Row]) -> String {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
    let mut query = None;
    for row in rows {
        if query != Some(&row.query) {
            writer.write_record(["id"].into_iter().chain(row.columns.iter().map(|name| &**name))).expect("memory");
            query = Some(&row.query);
        }
        let values = row.values.iter().map(ToString::to_string);
        writer.write_record([row.id.to_string()].into_iter().chain(values)).expect("memory");
    }
    String::from_utf8(writer.into_inner().expect("memory")).expect("text")
}
