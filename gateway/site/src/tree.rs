//! Tables as written, whatever the format: every key and every value knows its place.

pub(crate) mod csv;
pub(crate) mod toml;

use crate::report::Mark;
use edgeway_sdk::Json;
use std::sync::Arc;

/// A table, its entries in the order of the file.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Where it begins.
    pub(crate) mark: Mark,
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    /// Where the key is.
    pub(crate) mark: Mark,
    pub(crate) node: Node,
}

/// A value and where it is.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) mark: Mark,
    pub(crate) item: Item,
    /// Line and column where a text begins within its quotes; of any other value, where it is.
    pub(crate) inside: (usize, usize),
}

impl Node {
    /// A value without quotes.
    pub(crate) fn bare(mark: Mark, item: Item) -> Self {
        Node { inside: (mark.line, mark.column), mark, item }
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Text(Arc<str>),
    Int(i64),
    Float(f64),
    Bool(bool),
    List(Vec<Node>),
    Table(Table),
    /// A date or a time, which no key of a site takes.
    Time,
    /// A value that cannot be used, which has been reported.
    Reported,
}

impl Table {
    pub(crate) fn empty(mark: Mark) -> Self {
        Table { mark, entries: vec![] }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name)
    }

    /// The entries that are tables, by name.
    pub(crate) fn tables(&self) -> impl Iterator<Item = (&Entry, &Table)> {
        self.entries.iter().filter_map(|entry| entry.node.item.table().map(|table| (entry, table)))
    }

    /// This table with what `above` says instead or in addition, key by key.
    pub(crate) fn overlaid(&self, above: &Table) -> Table {
        let mut entries = self.entries.clone();
        for entry in &above.entries {
            match entries.iter_mut().find(|below| below.name == entry.name) {
                Some(below) => *below = entry.clone(),
                None => entries.push(entry.clone()),
            }
        }
        Table { mark: above.mark.clone(), entries }
    }

    pub(crate) fn to_json(&self) -> Json {
        self.entries
            .iter()
            .map(|entry| (entry.name.to_string(), entry.node.item.to_json()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// The deepest entry on a path of serde's form, `pool.ports[2].name`.
    pub(crate) fn locate(&self, path: &str) -> Option<&Entry> {
        let (head, rest) = path.split_once('.').unwrap_or((path, ""));
        let name = head.split('[').next().unwrap_or(head);
        let entry = self.get(name)?;
        entry.node.item.table().and_then(|table| table.locate(rest)).or(Some(entry))
    }
}

impl Item {
    pub(crate) fn table(&self) -> Option<&Table> {
        match self {
            Item::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&Arc<str>> {
        match self {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Item::Int(int) => Some(*int as f64),
            Item::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// The value with its kind, for messages: ``text `abc` ``.
    pub(crate) fn describe(&self) -> String {
        match self {
            Item::Text(text) => format!("the text `{text}`"),
            Item::Int(int) => format!("the number `{int}`"),
            Item::Float(float) => format!("the number `{float}`"),
            Item::Bool(bool) => format!("`{bool}`"),
            Item::List(_) => "a list".into(),
            Item::Table(_) => "a table".into(),
            Item::Time => "a date or time".into(),
            Item::Reported => "a value that cannot be used".into(),
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        match self {
            Item::Text(text) => Json::from(&**text),
            Item::Int(int) => Json::from(*int),
            Item::Float(float) => Json::from(*float),
            Item::Bool(bool) => Json::from(*bool),
            Item::List(nodes) => nodes.iter().map(|node| node.item.to_json()).collect(),
            Item::Table(table) => table.to_json(),
            Item::Time | Item::Reported => Json::Null,
        }
    }
}

/// Turns offsets into lines and columns.
pub(crate) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Lines { text, starts }
    }

    /// Line and column, both from 1, of an offset in bytes.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset.min(self.text.len()));
        let line = self.starts.partition_point(|start| *start <= offset);
        let column = self.text[self.starts[line - 1]..offset].chars().count() + 1;
        (line, column)
    }

    /// What stands in a span.
    pub(crate) fn written(&self, span: std::ops::Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// How many characters of one line a span covers.
    pub(crate) fn length(&self, span: std::ops::Range<usize>) -> usize {
        self.written(span).lines().next().map_or(0, |line| line.chars().count())
    }
}
