//! Taking keys out of a table. What nobody took is unknown.

use crate::quantity;
use crate::report::{Mark, Report};
use crate::tree::{Entry, Item, Table};
use edgeway_sdk::{Problem, did_you_mean};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// A table that is being read.
pub(crate) struct Section<'t> {
    table: &'t Table,
    asked: Vec<&'t str>,
}

/// A value and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) mark: Mark,
}

/// A text in another language.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) text: Arc<str>,
    /// Where its first character is.
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// Where the value is.
    pub(crate) mark: Mark,
}

impl<'t> Section<'t> {
    pub(crate) fn of(table: &'t Table) -> Self {
        Section { table, asked: vec![] }
    }

    pub(crate) fn mark(&self) -> &'t Mark {
        &self.table.mark
    }

    pub(crate) fn entry(&mut self, key: &'t str) -> Option<&'t Entry> {
        #[cfg(test)]
        asked::note(self.table, key);
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        self.table.get(key)
    }

    /// Notes that keys are known where nothing can be said of them.
    pub(crate) fn know(&mut self, keys: &[&'t str]) {
        self.asked.extend(keys);
    }

    pub(crate) fn text(&mut self, key: &'t str, report: &mut Report) -> Option<Found<Arc<str>>> {
        self.read(key, "a text", report, |item| item.text().cloned())
    }

    /// A text that must be there.
    pub(crate) fn required(&mut self, key: &'t str, report: &mut Report) -> Option<Found<Arc<str>>> {
        if self.entry(key).is_none() {
            self.miss(key, report);
        }
        self.text(key, report)
    }

    pub(crate) fn bool(&mut self, key: &'t str, report: &mut Report) -> Option<Found<bool>> {
        self.read(key, "`true` or `false`", report, |item| match item {
            Item::Bool(bool) => Some(*bool),
            _ => None,
        })
    }

    pub(crate) fn number(&mut self, key: &'t str, report: &mut Report) -> Option<Found<f64>> {
        self.read(key, "a number", report, Item::number)
    }

    pub(crate) fn int(&mut self, key: &'t str, range: RangeInclusive<i64>, report: &mut Report) -> Option<Found<i64>> {
        let what = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(key, &what, report, |item| match item {
            Item::Int(int) if range.contains(int) => Some(*int),
            _ => None,
        })
    }

    pub(crate) fn duration(
        &mut self,
        key: &'t str,
        range: RangeInclusive<Duration>,
        report: &mut Report,
    ) -> Option<Found<Duration>> {
        let what =
            format!("a duration from \"{}\" to \"{}\"", quantity::show(*range.start()), quantity::show(*range.end()));
        self.read(key, &what, report, |item| {
            item.text()
                .and_then(|text| edgeway_sdk::options::duration::parse(text))
                .filter(|found| range.contains(found))
        })
    }

    /// A number of bytes; a range that ends with the largest number has no end.
    pub(crate) fn bytes(
        &mut self,
        key: &'t str,
        range: RangeInclusive<u64>,
        report: &mut Report,
    ) -> Option<Found<u64>> {
        let (least, most) = (quantity::show_bytes(*range.start()), quantity::show_bytes(*range.end()));
        let what = match *range.end() {
            u64::MAX => format!("a size such as \"64MiB\", at least \"{least}\""),
            _ => format!("a size from \"{least}\" to \"{most}\""),
        };
        self.read(key, &what, report, |item| {
            item.text().and_then(|text| edgeway_sdk::options::bytes(text)).filter(|found| range.contains(found))
        })
    }

    /// A number of a range, such as a share.
    pub(crate) fn number_within(
        &mut self,
        key: &'t str,
        range: RangeInclusive<f64>,
        report: &mut Report,
    ) -> Option<Found<f64>> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        self.read(key, &what, report, |item| item.number().filter(|number| range.contains(number)))
    }

    /// A text in another language, with the place where it begins within its quotes.
    pub(crate) fn source(&mut self, key: &'t str, report: &mut Report) -> Option<Source> {
        let found = self.text(key, report)?;
        let (line, column) = self.table.get(key)?.node.inside;
        Some(Source { text: found.value, line, column, mark: found.mark })
    }

    /// Refuses a key that has no meaning here. Says whether it was there.
    pub(crate) fn forbid(&mut self, key: &'t str, why: &str, help: &str, report: &mut Report) -> bool {
        let Some(entry) = self.entry(key) else { return false };
        report.add(&entry.mark, Problem::new(entry.mark.say(why)).help(help));
        true
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        key: &'t str,
        choices: &[(&str, T)],
        report: &mut Report,
    ) -> Option<Found<T>> {
        let found = self.text(key, report)?;
        let choice = choices.iter().find(|(word, _)| *word == &*found.value).map(|(_, choice)| *choice);
        if choice.is_none() {
            let words = choices.iter().map(|(word, _)| *word);
            let problem = Problem::new(found.mark.say(format!("`{key}` cannot be `{}`", found.value)));
            report.add(&found.mark, problem.maybe_help(did_you_mean(&found.value, words)));
        }
        choice.map(|value| Found { value, mark: found.mark })
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, key: &'t str, report: &mut Report) -> Option<Vec<Found<Arc<str>>>> {
        let all = |item: &Item| match item {
            Item::List(nodes) => nodes
                .iter()
                .map(|node| Some(Found { value: node.item.text()?.clone(), mark: node.mark.clone() }))
                .collect(),
            _ => None,
        };
        self.read(key, "a list of texts", report, all).map(|found| found.value)
    }

    /// A list of texts that must be there and not be empty.
    pub(crate) fn some_texts(
        &mut self,
        key: &'t str,
        example: &str,
        report: &mut Report,
    ) -> Option<Vec<Found<Arc<str>>>> {
        let Some(entry) = self.entry(key) else {
            let problem = Problem::new(self.mark().say(format!("`{key}` is missing")));
            report.add(self.mark(), problem.help(format!("{key} = {example}")));
            return None;
        };
        let found = self.texts(key, report)?;
        if found.is_empty() {
            let problem = Problem::new(entry.mark.say(format!("`{key}` is empty")));
            report.add(&entry.node.mark, problem.help(format!("{key} = {example}")));
            return None;
        }
        Some(found)
    }

    /// A table; reported if it is something else.
    pub(crate) fn table(&mut self, key: &'t str, report: &mut Report) -> Option<&'t Table> {
        let entry = self.entry(key)?;
        let table = entry.node.item.table();
        if table.is_none() {
            refuse(entry, "a table", report);
        }
        table
    }

    /// A table of tables, `[link.farm]`: the entries.
    pub(crate) fn group(&mut self, key: &'t str, report: &mut Report) -> Vec<(&'t Entry, &'t Table)> {
        self.table(key, report).map(|group| tables_of(group, report)).unwrap_or_default()
    }

    /// A list of tables, `[[device]]`.
    pub(crate) fn list(&mut self, key: &'t str, report: &mut Report) -> Vec<&'t Table> {
        let Some(entry) = self.entry(key) else { return vec![] };
        let tables = match &entry.node.item {
            Item::List(nodes) => nodes.iter().map(|node| node.item.table()).collect(),
            _ => None,
        };
        if tables.is_none() {
            refuse(entry, &format!("a list of tables, [[{key}]]"), report);
        }
        tables.unwrap_or_default()
    }

    /// Reports that a key is missing.
    fn miss(&self, key: &str, report: &mut Report) {
        let mark = self.mark();
        report.add(mark, Problem::new(mark.say(format!("`{key}` is missing"))));
    }

    /// What nobody asked for, as a table of its own.
    pub(crate) fn rest(&self) -> Table {
        let asked = |entry: &&Entry| !self.asked.contains(&&*entry.name);
        Table { mark: self.table.mark.clone(), entries: self.table.entries.iter().filter(asked).cloned().collect() }
    }

    /// The keys asked for so far.
    pub(crate) fn asked(&self) -> &[&'t str] {
        &self.asked
    }

    /// Reports what nobody asked for. `also` are further keys that would have been right.
    pub(crate) fn finish(self, also: &[&str], report: &mut Report) {
        for entry in self.rest().entries {
            let known = self.asked.iter().copied().chain(also.iter().copied());
            let problem = Problem::new(entry.mark.say(format!("unknown key `{}`", entry.name)));
            report.add(&entry.mark, problem.maybe_help(did_you_mean(&entry.name, known)));
        }
    }

    fn read<T>(
        &mut self,
        key: &'t str,
        what: &str,
        report: &mut Report,
        read: impl Fn(&Item) -> Option<T>,
    ) -> Option<Found<T>> {
        let entry = self.entry(key)?;
        let value = read(&entry.node.item);
        if value.is_none() {
            refuse(entry, what, report);
        }
        value.map(|value| Found { value, mark: entry.node.mark.clone() })
    }
}

/// The entries of a group that are tables; the others are reported.
pub(crate) fn tables_of<'t>(group: &'t Table, report: &mut Report) -> Vec<(&'t Entry, &'t Table)> {
    for entry in group.entries.iter().filter(|entry| entry.node.item.table().is_none()) {
        refuse(entry, "a table", report);
    }
    group.tables().collect()
}

/// Reports a value of the wrong kind.
pub(crate) fn refuse(entry: &Entry, what: &str, report: &mut Report) {
    if matches!(entry.node.item, Item::Reported) {
        return;
    }
    let message = format!("`{}` must be {what}, found {}", entry.name, entry.node.item.describe());
    report.add(&entry.node.mark, Problem::new(entry.mark.say(message)));
}

/// Which keys readers have asked for, so that a test can tell whether they are described.
#[cfg(test)]
pub(crate) mod asked {
    use crate::tree::Table;
    use std::cell::RefCell;

    thread_local! {
        static ASKED: RefCell<Vec<(String, String)>> = const { RefCell::new(vec![]) };
    }

    /// Notes a key and the path of its table. Tables that no TOML file has, such as rows, have no path.
    pub(super) fn note(table: &Table, key: &str) {
        if table.mark.line == 0 || !table.mark.key.is_empty() {
            ASKED.with_borrow_mut(|asked| asked.push((table.mark.key.to_string(), key.to_owned())));
        }
    }

    /// What was asked for on this thread while `work` ran.
    pub(crate) fn during<T>(work: impl FnOnce() -> T) -> Vec<(String, String)> {
        ASKED.take();
        work();
        ASKED.take()
    }
}
