//! The cells of a CSV file, as spreadsheets write them: with a byte order mark, `;` or tabs, `sep=`, empty columns and
//! rows at the end.

use crate::report::{FileIx, Mark, Report};
use crate::tree::csv::starts;
use csv::{ReaderBuilder, StringRecord, Trim};
use edgeway_sdk::Problem;
use std::sync::Arc;

/// What may stand between two cells. A comma wins where both are equally frequent.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];

/// All cells that are not empty.
pub(super) struct Grid {
    /// The header.
    pub(super) header: Vec<Cell>,
    pub(super) rows: Vec<Row>,
    /// Whether `0,5` is a number: where cells are not divided by commas.
    pub(super) decimal_comma: bool,
}

pub(super) struct Row {
    pub(super) mark: Mark,
    /// By column.
    pub(super) cells: Vec<(usize, Cell)>,
}

#[derive(Clone)]
pub(super) struct Cell {
    pub(super) text: Arc<str>,
    pub(super) mark: Mark,
}

/// Reads as far as it goes.
pub(super) fn read(file: FileIx, text: &str, report: &mut Report) -> Grid {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (separator, text, lines_before) = separator(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .trim(Trim::All)
        .comment(Some(b'#'))
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut page = Page { file, text, separator, lines_before, columns: vec![] };
    let mut grid = Grid { header: vec![], rows: vec![], decimal_comma: separator != b',' };
    for record in reader.records() {
        match record {
            Ok(record) if record.iter().all(str::is_empty) => {}
            Ok(record) if grid.header.is_empty() => grid.header = page.header(&record),
            Ok(record) => grid.rows.push(page.row(&record, report)),
            Err(error) => report.add(&Mark::file(file), Problem::new(error.to_string())),
        }
    }
    if grid.header.is_empty() {
        report.add(&Mark::file(file), Problem::new("this file is empty").help("its first line names the columns"));
    }
    grid
}

/// What divides the cells; `sep=;` in a line of its own says it, otherwise the header shows it. With the text that is
/// left, and how many lines are not.
fn separator(text: &str) -> (u8, &str, usize) {
    let first = text.lines().next().unwrap_or_default();
    if let Some([said]) = first.trim().strip_prefix("sep=").map(str::as_bytes) {
        return (*said, text.split_once('\n').map_or("", |(_, rest)| rest), 1);
    }
    let is_header = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
    let header = text.lines().find(is_header).unwrap_or_default();
    let outside = header.split('"').step_by(2).flat_map(str::bytes);
    let count = |separator: &u8| outside.clone().filter(|byte| byte == separator).count();
    let best = SEPARATORS.iter().rev().max_by_key(|separator| count(separator));
    (*best.unwrap_or(&SEPARATORS[0]), text, 0)
}

struct Page<'t> {
    file: FileIx,
    text: &'t str,
    separator: u8,
    lines_before: usize,
    /// Their names, and where a cell of each is in words.
    columns: Vec<(Arc<str>, Arc<str>)>,
}

impl Page<'_> {
    fn header(&mut self, record: &StringRecord) -> Vec<Cell> {
        let names = record.iter().map(|name| (Arc::from(name), Arc::from(format!("column {name}"))));
        self.columns = names.collect();
        let starts = starts(record, self.text, self.separator);
        let named = record.iter().enumerate();
        named.map(|(at, name)| Cell { text: name.into(), mark: self.mark(record, starts[at], at, name) }).collect()
    }

    fn row(&self, record: &StringRecord, report: &mut Report) -> Row {
        let starts = starts(record, self.text, self.separator);
        let mut cells = Vec::with_capacity(record.len());
        for (at, text) in record.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let mark = self.mark(record, starts[at], at, text);
            if self.columns.get(at).is_none_or(|(name, _)| name.is_empty()) {
                report.add(&mark, Problem::new(format!("column {} has no name", at + 1)));
            } else {
                cells.push((at, Cell { text: text.into(), mark }));
            }
        }
        Row { mark: Mark { line: self.line(record), column: 1, ..Mark::file(self.file) }, cells }
    }

    fn mark(&self, record: &StringRecord, column: usize, at: usize, text: &str) -> Mark {
        let (key, within) = self.columns.get(at).cloned().unwrap_or_default();
        Mark { file: self.file, line: self.line(record), column, length: text.chars().count(), key, within }
    }

    fn line(&self, record: &StringRecord) -> usize {
        record.position().map_or(0, |position| position.line() as usize) + self.lines_before
    }
}
