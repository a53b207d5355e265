//! Taking JSON apart and noting every mistake with its place.

use edgeway_sdk::{Problem, did_you_mean};
use jsonc_parser::ast::{Object, Value as Node};
use jsonc_parser::common::Ranged;
use std::collections::HashSet;

/// Collects the mistakes of a text.
pub(super) struct Reader<'t> {
    lines: Lines<'t>,
    problems: Vec<(usize, Problem)>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Reader { lines: Lines::new(text), problems: vec![] }
    }

    /// What was read, unless there were mistakes.
    pub(super) fn finish<T>(mut self, read: Option<T>) -> Result<T, Vec<Problem>> {
        self.problems.sort_by_key(|(at, _)| *at);
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(self.problems.into_iter().map(|(_, problem)| problem).collect()),
        }
    }

    /// Notes a mistake.
    pub(super) fn report(&mut self, at: &impl Ranged, message: impl Into<String>, help: Option<String>) {
        let start = at.range().start;
        let (line, column) = self.lines.position(start);
        self.problems.push((start, Problem::at(line, column, message).maybe_help(help)));
    }

    /// The line of something, counted from 1.
    pub(super) fn line(&self, at: &impl Ranged) -> usize {
        self.lines.position(at.range().start).0
    }

    /// An object that may have these keys and no others. `what` names it with its article, `a property`.
    pub(super) fn table<'n>(&mut self, node: &'n Node<'n>, what: &'static str, known: &[&str]) -> Option<Table<'n>> {
        let Node::Object(object) = node else {
            self.wrong(node, what, "an object");
            return None;
        };
        let mut seen = HashSet::new();
        for property in &object.properties {
            let key = property.name.as_str();
            if !known.contains(&key) {
                self.report(property, format!("{what} has no key `{key}`"), did_you_mean(key, known.iter().copied()));
            } else if !seen.insert(key) {
                self.report(property, format!("`{key}` is given twice"), None);
            }
        }
        Some(Table { object, what })
    }

    pub(super) fn list<'n>(&mut self, node: &'n Node<'n>, key: &str) -> &'n [Node<'n>] {
        match node {
            Node::Array(array) => &array.elements,
            other => {
                self.wrong(other, &quoted(key), "a list");
                &[]
            }
        }
    }

    pub(super) fn text<'n>(&mut self, node: &'n Node<'n>, key: &str) -> Option<&'n str> {
        match node {
            Node::StringLit(text) => Some(&text.value),
            other => {
                self.wrong(other, &quoted(key), "text");
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn choice<T: Copy>(&mut self, node: &Node<'_>, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(node, key)?;
        let found = choices.iter().find(|(known, _)| *known == word).map(|(_, choice)| *choice);
        if found.is_none() {
            let help = did_you_mean(word, choices.iter().map(|(known, _)| *known));
            self.report(node, format!("`{key}` cannot be \"{word}\""), help);
        }
        found
    }

    /// Notes that something has the wrong JSON type.
    pub(super) fn wrong(&mut self, node: &Node<'_>, what: &str, wanted: &str) {
        self.report(node, format!("{what} is {}, not {wanted}", kind(node)), None);
    }
}

/// An object and what it is.
pub(super) struct Table<'n> {
    object: &'n Object<'n>,
    what: &'static str,
}

impl<'n> Table<'n> {
    /// What a key holds; `null` counts as nothing.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node<'n>> {
        let found = self.object.properties.iter().find(|property| property.name.as_str() == key);
        found.map(|property| &property.value).filter(|node| !matches!(node, Node::NullKeyword(_)))
    }

    /// What must be there; otherwise that is noted.
    pub(super) fn need(&self, reader: &mut Reader<'_>, key: &str) -> Option<&'n Node<'n>> {
        let found = self.get(key);
        if found.is_none() {
            self.missing(reader, key);
        }
        found
    }

    pub(super) fn missing(&self, reader: &mut Reader<'_>, key: &str) {
        reader.report(self.object, format!("{} needs `{key}`", self.what), None);
    }

    /// Text that may be missing.
    pub(super) fn text(&self, reader: &mut Reader<'_>, key: &str) -> Option<String> {
        reader.text(self.get(key)?, key).map(str::to_owned)
    }

    /// Text that must be there.
    pub(super) fn need_text(&self, reader: &mut Reader<'_>, key: &str) -> Option<String> {
        self.need(reader, key).and_then(|node| reader.text(node, key)).map(str::to_owned)
    }

    /// `true` or `false`; false if it is missing.
    pub(super) fn flag(&self, reader: &mut Reader<'_>, key: &str) -> bool {
        match self.get(key) {
            None => false,
            Some(Node::BooleanLit(flag)) => flag.value,
            Some(other) => {
                reader.wrong(other, &quoted(key), "true or false");
                false
            }
        }
    }
}

pub(super) fn quoted(key: &str) -> String {
    format!("`{key}`")
}

fn kind(node: &Node<'_>) -> &'static str {
    match node {
        Node::StringLit(_) => "text",
        Node::NumberLit(_) => "a number",
        Node::BooleanLit(_) => "true or false",
        Node::Object(_) => "an object",
        Node::Array(_) => "a list",
        Node::NullKeyword(_) => "null",
    }
}

/// Where the lines of a text begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Lines { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and column of a byte, both counted from 1; the column in characters.
    pub(super) fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= byte);
        let before = self.text.get(self.starts[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
