//! `edgeway query replay`: a new version of a query over recorded messages, beside the one in force.

use super::answer::Answer;
use super::recorded::Recorded;
use super::sql::rows_of;
use super::{Failure, load, source_of, told, with};
use crate::cli::arguments::{ReplayOptions, Rows};
use crate::cli::exit;
use crate::client::table::{self, Cell, Colours, Tone};
use crate::program;
use edgeway_streams::{Queries, QueryInfo};
use edgeway_thing_models::{Message, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) fn run(options: &ReplayOptions) -> Result<u8, Failure> {
    let site = load(&options.recorded.site)?;
    let mut recorded = Recorded::open(&options.recorded, &site)?;
    let new = source_of(&options.file)?;
    let name = new.name.clone();
    let after = with(&site, &recorded.things, new).map_err(|findings| told(&findings))?;
    let before = program::compile_queries(&recorded.things, &site).map_err(|findings| told(&findings))?;
    let (mut before, mut after) = (Version::new(before, &name), Version::new(after, &name));
    let mut messages = 0;
    while let Some(entries) = recorded.next()? {
        messages += entries.len();
        before.push(&entries);
        after.push(&entries);
    }
    show(options, messages, &before, &after)
}

/// One of the two versions, and what it has made.
struct Version {
    queries: Queries,
    name: Arc<str>,
    info: Option<QueryInfo>,
    rows: BTreeMap<Arc<str>, Row>,
}

impl Version {
    fn new(queries: Queries, name: &Arc<str>) -> Version {
        let info = queries.list().into_iter().find(|info| info.name == *name);
        Version { queries, name: name.clone(), info, rows: BTreeMap::new() }
    }

    fn push(&mut self, entries: &[(u64, Arc<Message>)]) {
        let Some((_, last)) = entries.last() else { return };
        let mut out = vec![];
        self.queries.push(last.time, entries, &mut out);
        self.rows.extend(rows_of(&self.name, out).into_iter().map(|row| (row.id.clone(), row)));
    }
}

fn show(options: &ReplayOptions, messages: usize, before: &Version, after: &Version) -> Result<u8, Failure> {
    let Some(info) = &after.info else { return Err(format!("the file does not define the query {}", after.name)) };
    let answer = Answer { columns: info.columns.to_vec(), times: info.times.to_vec(), form: Rows::Table };
    let ids: std::collections::BTreeSet<&Arc<str>> = before.rows.keys().chain(after.rows.keys()).collect();
    let (mut same, mut lines) = (0, vec![]);
    for id in ids {
        match (before.rows.get(id), after.rows.get(id)) {
            (Some(old), Some(new)) if old.columns == new.columns && old.values == new.values => same += 1,
            (old, new) => {
                lines.extend(old.map(|row| line("-", row, before, Tone::Bad)));
                lines.extend(new.map(|row| line("+", row, after, Tone::Good)));
            }
        }
    }
    let differ = lines.len();
    let shown = lines.iter().take(options.count);
    let titles: Vec<&str> = ["", "id"].into_iter().chain(answer.columns.iter().map(|column| &**column)).collect();
    if differ > 0 {
        print!("{}", table::layout(&titles, &shown.cloned().collect::<Vec<_>>(), Colours::of_stdout()));
    }
    let left = differ.saturating_sub(options.count);
    let more = if left > 0 { format!(", {left} lines not shown") } else { String::new() };
    println!(
        "{messages} messages: {} rows before, {} after; {same} are the same, {differ} lines differ{more}",
        before.rows.len(),
        after.rows.len(),
    );
    Ok(exit::OK)
}

fn line(sign: &str, row: &Row, version: &Version, tone: Tone) -> Vec<Cell> {
    let times = version.info.as_ref().map(|info| info.times.to_vec()).unwrap_or_default();
    let answer = Answer { columns: row.columns.to_vec(), times, form: Rows::Table };
    let values = row.values.iter().enumerate().map(|(at, value)| Cell::text(answer.text(at, value)).tone(tone));
    [Cell::text(sign).tone(tone), Cell::text(&*row.id)].into_iter().chain(values).collect()
}
