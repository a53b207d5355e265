//! CSV, each row as the table it stands for: a column `modbus.unit` is the key `unit` of the table `modbus`.

use super::{Entry, Item, Node, Table};
use crate::report::{FileIx, Mark, Report};
use crate::variable::{self, Variables};
use ::csv::{ReaderBuilder, StringRecord, Trim};
use edgeway_sdk::Problem;
use std::sync::Arc;

/// Columns that are text, even if they look like numbers.
const TEXTS: [&str; 7] = ["id", "link", "template", "poll", "report", "report_every", "labels"];

/// Reads the rows. Empty cells are left out; rows that begin with `#` are comments.
pub(crate) fn read(file: FileIx, text: &str, variables: Variables<'_>, report: &mut Report) -> Vec<Table> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().trim(Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let columns = match reader.headers() {
        Ok(header) => columns(file, header, text, report),
        Err(error) => return give_up(file, &error, report),
    };
    let mut rows = Rows { file, text, columns, variables, report, tables: vec![] };
    for record in reader.records() {
        match record {
            Ok(record) => rows.push(&record),
            Err(error) => rows.refuse(&error),
        }
    }
    rows.tables
}

/// The names of the columns, in dots.
fn columns(file: FileIx, header: &StringRecord, text: &str, report: &mut Report) -> Vec<Arc<str>> {
    let names: Vec<Arc<str>> = header.iter().map(Arc::from).collect();
    let starts = starts(header, text, b',');
    for (at, name) in names.iter().enumerate() {
        let mark = Mark {
            line: header.position().map_or(1, |p| p.line() as usize),
            column: starts[at],
            length: name.chars().count(),
            key: name.clone(),
            ..Mark::file(file)
        };
        if name.split('.').any(str::is_empty) {
            report.add(&mark, Problem::new(format!("column {} has no name", at + 1)));
        } else if names[..at].contains(name) {
            report.add(&mark, Problem::new(format!("a second column `{name}`")));
        }
    }
    names
}

fn give_up(file: FileIx, error: &::csv::Error, report: &mut Report) -> Vec<Table> {
    report.add(&Mark::file(file), Problem::new(error.to_string()));
    report.give_up(file);
    vec![]
}

struct Rows<'r> {
    file: FileIx,
    text: &'r str,
    columns: Vec<Arc<str>>,
    variables: Variables<'r>,
    report: &'r mut Report,
    tables: Vec<Table>,
}

impl Rows<'_> {
    fn refuse(&mut self, error: &::csv::Error) {
        let line = error.position().map_or(0, |position| position.line() as usize);
        let message = match error.kind() {
            ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("this row has {len} cells, the header has {expected_len}")
            }
            _ => error.to_string(),
        };
        self.report.add(&Mark { line, ..Mark::file(self.file) }, Problem::new(message));
    }

    fn push(&mut self, record: &StringRecord) {
        let line = record.position().map_or(0, |position| position.line() as usize);
        let starts = starts(record, self.text, b',');
        let id = self.columns.iter().position(|name| &**name == "id").and_then(|at| record.get(at)).unwrap_or_default();
        let within: Arc<str> = format!("device {id}").trim_end().into();
        let row = Mark { file: self.file, line, column: 1, length: 0, key: "".into(), within };
        let mut table = Table::empty(row.clone());
        for (at, cell) in record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let column = self.columns[at].clone();
            let mark = Mark { column: starts[at], length: cell.chars().count(), key: column.clone(), ..row.clone() };
            let item = self.item(&column, cell, &mark);
            insert(&mut table, &column, Node::bare(mark, item));
        }
        self.tables.push(table);
    }

    fn item(&mut self, column: &str, cell: &str, mark: &Mark) -> Item {
        let text = match variable::substitute(cell, self.variables) {
            Ok(replaced) => replaced.unwrap_or_else(|| cell.to_owned()),
            Err(message) => {
                self.report.add(mark, Problem::new(message));
                return Item::Reported;
            }
        };
        if TEXTS.contains(&column.split('.').next().unwrap_or(column)) {
            return Item::Text(text.into());
        }
        if let Ok(int) = text.parse() {
            return Item::Int(int);
        }
        match (text.parse::<f64>(), text.as_str()) {
            (Ok(float), _) if float.is_finite() => Item::Float(float),
            (_, "true") => Item::Bool(true),
            (_, "false") => Item::Bool(false),
            _ => Item::Text(text.into()),
        }
    }
}

/// Puts a value at the end of a path in dots. The table's own mark stands for those on the way.
pub(crate) fn insert(table: &mut Table, path: &str, node: Node) {
    let mark = node.mark.clone();
    let Some((head, rest)) = path.split_once('.') else {
        return table.entries.push(Entry { name: path.into(), mark, node });
    };
    if !table.entries.iter().any(|entry| &*entry.name == head) {
        let item = Item::Table(Table::empty(mark.clone()));
        table.entries.push(Entry { name: head.into(), mark: mark.clone(), node: Node::bare(mark, item) });
    }
    let below = table.entries.iter_mut().find(|entry| &*entry.name == head).map(|entry| &mut entry.node.item);
    if let Some(Item::Table(below)) = below {
        insert(below, rest, node);
    }
}

/// The column, in characters from 1, at which each cell begins. Exact for rows on one line.
pub(crate) fn starts(record: &StringRecord, text: &str, separator: u8) -> Vec<usize> {
    let offset = record.position().map_or(0, |position| position.byte() as usize);
    let rest = text.get(offset..).unwrap_or_default();
    let line = rest.trim_start_matches(['\r', '\n']).lines().next().unwrap_or_default();
    let (mut starts, mut quoted, mut fresh) = (Vec::with_capacity(record.len()), false, true);
    for (at, c) in line.chars().enumerate() {
        let ends = c == char::from(separator) && !quoted;
        if fresh && (ends || !c.is_whitespace()) {
            starts.push(at + 1);
            fresh = false;
        }
        quoted ^= c == '"';
        fresh |= ends;
    }
    starts.resize(record.len(), line.chars().count() + 1);
    starts
}
