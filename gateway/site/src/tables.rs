//! `tables/*.csv`: rows that queries can join, such as what type plates say. The first line names the columns.

use crate::folder::Folder;
use crate::report::{Mark, Report};
use csv::{ReaderBuilder, Trim};
use edgeway_sdk::Problem;
use std::path::PathBuf;
use std::sync::Arc;

/// A CSV file. What its cells mean is up to those who read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFile {
    /// Relative to the site's folder.
    pub path: PathBuf,
    /// The file's name without `.csv`.
    pub name: Arc<str>,
    /// The first line.
    pub columns: Vec<String>,
    /// The others, each as long as the first.
    pub rows: Vec<Vec<String>>,
}

/// Reads all tables.
pub(crate) fn read(folder: &Folder, report: &mut Report) -> Vec<TableFile> {
    let mut tables = vec![];
    for (file, source) in folder.sources("tables", "csv", report) {
        match parse(&source.text) {
            Ok((columns, rows)) => tables.push(TableFile { path: source.path, name: source.name, columns, rows }),
            Err(problem) => report.add(&Mark::file(file), problem),
        }
    }
    tables
}

type Cells = (Vec<String>, Vec<Vec<String>>);

fn parse(text: &str) -> Result<Cells, Problem> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let cells = |record: csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let columns = reader.headers().map(|headers| cells(headers.clone())).map_err(|error| problem(&error))?;
    if let Some(at) = columns.iter().position(String::is_empty) {
        return Err(Problem::at(1, 1, format!("column {} has no name", at + 1)).help("name it in the first line"));
    }
    if let Some(twice) = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name)) {
        return Err(Problem::at(1, 1, format!("the column `{}` is there twice", twice.1)));
    }
    let rows = reader.records().map(|record| record.map(cells).map_err(|error| problem(&error)));
    Ok((columns, rows.collect::<Result<_, _>>()?))
}

fn problem(error: &csv::Error) -> Problem {
    let line = error.position().map_or(1, |position| position.line() as usize);
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} cells, and the first line {expected_len}")
        }
        _ => "this is not CSV".to_owned(),
    };
    Problem::at(line, 1, what).help("cells are separated by commas; one with a comma stands in quotes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_columns() {
        let (columns, rows) = parse("device, rated_kw\nwt-01,2000\nwt-02,\n").expect("a table");
        assert_eq!(
            (columns, rows.len(), rows[1][1].as_str()),
            (vec!["device".to_owned(), "rated_kw".to_owned()], 2, "")
        );
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let problem = |text| parse(text).expect_err("not a table").to_string();
        assert!(problem("a,b\n1,2\n1,2,3\n").starts_with("3:1: this row has 3 cells, and the first line 2"));
        assert!(problem("a,a\n1,2\n").starts_with("1:1: the column `a` is there twice"));
        assert!(problem("a,\n1,2\n").starts_with("1:1: column 2 has no name"));
    }
}
