//! A place in the JSON that knows its path.

use super::literal::is_deceptive;
use edgeway_sdk::{Json, Problem, did_you_mean};

/// Of a text in a message.
const SHOWN_CHARS_MAX: usize = 60;
/// Of a path in a message.
const PATH_CHARS_MAX: usize = 160;

/// A value and where it is, `trigger.items[1].params`.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    path: String,
    pub(super) json: &'a Json,
}

impl<'a> Node<'a> {
    pub(super) fn root(json: &'a Json) -> Self {
        Node { path: String::new(), json }
    }

    /// What is under a key. Null and an empty text are nothing: forms send them for fields left blank.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        let json = self.json.get(key).filter(|json| !json.is_null() && json.as_str() != Some(""))?;
        let dot = if self.path.is_empty() { "" } else { "." };
        Some(Node { path: format!("{}{dot}{key}", self.path), json })
    }

    pub(super) fn need(&self, key: &str) -> Result<Node<'a>, Problem> {
        self.get(key).ok_or_else(|| self.problem(format!("`{key}` is missing")))
    }

    pub(super) fn need_text(&self, key: &str) -> Result<&'a str, Problem> {
        self.need(key)?.text()
    }

    pub(super) fn get_text(&self, key: &str) -> Result<Option<&'a str>, Problem> {
        self.get(key).map(|node| node.text()).transpose()
    }

    pub(super) fn text(&self) -> Result<&'a str, Problem> {
        self.json.as_str().ok_or_else(|| self.not("text"))
    }

    pub(super) fn list(&self) -> Result<Vec<Node<'a>>, Problem> {
        let items = self.json.as_array().ok_or_else(|| self.not("a list"))?;
        let item = |(at, json)| Node { path: format!("{}[{at}]", self.path), json };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The same, if it is an object with no other keys than these. What is not understood is never left out.
    pub(super) fn with_only(self, keys: &[&str]) -> Result<Self, Problem> {
        let object = self.json.as_object().ok_or_else(|| self.not("an object"))?;
        match object.keys().find(|key| !keys.contains(&key.as_str())) {
            None => Ok(self),
            Some(key) => Err(self
                .problem(format!("{} is not understood", shown(key)))
                .maybe_help(did_you_mean(&cut(key), keys.iter().copied()))),
        }
    }

    /// The entries of an object.
    pub(super) fn entries(&self) -> Result<Vec<(&'a str, Node<'a>)>, Problem> {
        let object = self.json.as_object().ok_or_else(|| self.not("an object"))?;
        let entry = |(key, json): (&'a String, _)| (key.as_str(), Node { path: format!("{}.{key}", self.path), json });
        Ok(object.iter().map(entry).collect())
    }

    pub(super) fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::key(cut_at(&self.path, PATH_CHARS_MAX), message)
    }

    /// A name that none of `known` is.
    pub(super) fn unknown<'k>(&self, what: &str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Problem {
        self.problem(format!("{what} {}", shown(name))).maybe_help(did_you_mean(&cut(name), known))
    }

    fn not(&self, wanted: &str) -> Problem {
        let found = match self.json {
            Json::Null => "null",
            Json::Bool(_) => "true or false",
            Json::Number(_) => "a number",
            Json::String(_) => "text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        };
        self.problem(format!("{wanted} is needed here, this is {found}"))
    }
}

/// A text from the JSON as a message quotes it.
pub(super) fn shown(text: &str) -> String {
    let visible = |c: char| if is_deceptive(c) { c.escape_default().to_string() } else { c.to_string() };
    format!("`{}`", cut(text).chars().map(visible).collect::<String>())
}

/// The first characters; nobody reads a message of a megabyte.
pub(super) fn cut(text: &str) -> String {
    cut_at(text, SHOWN_CHARS_MAX)
}

fn cut_at(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}..", &text[..end]),
    }
}
