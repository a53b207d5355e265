//! Collects findings while the site is read.

use crate::Finding;
use edgeway_sdk::{Place, Problem};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

/// A file of the site, numbered in the order of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileIx(usize);

/// Where something is written.
#[derive(Debug, Clone)]
pub(crate) struct Mark {
    pub(crate) file: FileIx,
    /// From 1; 0 for the file as a whole.
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) length: usize,
    /// The key in dots.
    pub(crate) key: Arc<str>,
    /// The table it belongs to, in words: `template v112, point wind_speed`. Empty at the top of a file.
    pub(crate) within: Arc<str>,
}

impl Mark {
    /// The whole file.
    pub(crate) fn file(file: FileIx) -> Self {
        Mark { file, line: 0, column: 0, length: 0, key: "".into(), within: "".into() }
    }

    /// `message`, with the table it belongs to.
    pub(crate) fn say(&self, message: impl std::fmt::Display) -> String {
        match &*self.within {
            "" => message.to_string(),
            within => format!("{message} in {within}"),
        }
    }
}

/// Everything found so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: Vec<PathBuf>,
    broken: HashSet<FileIx>,
    told: HashSet<(FileIx, usize, usize, String)>,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn file(&mut self, path: impl Into<PathBuf>) -> FileIx {
        self.files.push(path.into());
        FileIx(self.files.len() - 1)
    }

    /// Adds a problem at a place. A template is checked for each of its devices: what was said of a place is not
    /// said again. A file whose syntax is broken has only that to say.
    pub(crate) fn add(&mut self, mark: &Mark, problem: Problem) {
        if self.broken.contains(&mark.file) {
            return;
        }
        let (line, column) = match problem.place {
            Place::Position { line, column } => (line, column),
            Place::Whole | Place::Key(_) => (mark.line, mark.column),
        };
        if self.told.insert((mark.file, line, column, problem.message.clone())) {
            let key = (!mark.key.is_empty()).then(|| mark.key.to_string());
            let file = self.files[mark.file.0].clone();
            let finding = Finding::of(file, Problem { place: Place::Position { line, column }, ..problem });
            self.findings.push(Finding { length: mark.length, key, ..finding });
        }
    }

    /// Notes that the rest of a file cannot be judged.
    pub(crate) fn give_up(&mut self, file: FileIx) {
        self.broken.insert(file);
    }

    /// Whether names may be missing only because the file that defines them is broken.
    pub(crate) fn gave_up(&self, file: FileIx) -> bool {
        self.broken.contains(&file)
    }

    /// Whether anything found keeps the site from running.
    pub(crate) fn has_errors(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }

    /// `devices.toml:12`
    pub(crate) fn spot(&self, mark: &Mark) -> String {
        format!("{}:{}", self.files[mark.file.0].display(), mark.line)
    }

    pub(crate) fn into_findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        crate::sort(&mut findings);
        findings
    }
}
