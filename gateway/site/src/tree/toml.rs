//! TOML, read on after mistakes.

use super::{Entry, Item, Lines, Node, Table};
use crate::folder;
use crate::report::{FileIx, Mark, Report};
use crate::variable::{self, Variables};
use edgeway_sdk::{Place, Problem};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeArray, DeFloat, DeInteger, DeTable, DeValue};

/// Keys that hold secrets, wherever they are.
const SECRETS: [&str; 5] = ["password", "token", "secret", "shared_access_key", "device_secret"];
/// Tables of secrets: any of their values may come from a file.
const TABLE_OF_SECRETS: &str = "headers";
/// Parts of names in such a table that are secrets for sure.
const TELLING: [&str; 6] = ["authorization", "cookie", "key", "password", "secret", "token"];

/// Reads a file as far as it goes. After a mistake in the syntax the file has nothing else to say.
pub(crate) fn read(file: FileIx, text: &str, variables: Variables<'_>, report: &mut Report) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { file, lines: Lines::of(text), variables, report };
    for error in &errors {
        let mark = reader.mark(error.span().unwrap_or_default(), &Scope::top(), None);
        reader.report.add(&mark, Problem::new(error.message().replace('\n', ", ")));
    }
    if !errors.is_empty() {
        reader.report.give_up(file);
    }
    reader.table(table.get_ref(), Mark::file(file), &Scope::top())
}

/// Where the reader is, as a path and in words.
#[derive(Clone)]
struct Scope {
    key: String,
    words: String,
    /// The word for each child, if this is a group: `point` in `points`.
    each: Option<&'static str>,
}

impl Scope {
    fn top() -> Self {
        Scope { key: String::new(), words: String::new(), each: None }
    }

    fn key(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) }
    }

    /// The scope of what a key holds.
    fn child(&self, name: &str) -> Scope {
        let own = match (self.each, group(name)) {
            (Some(word), _) => format!("{word} {name}"),
            (None, Some(word)) => return Scope { key: self.key(name), words: self.words.clone(), each: Some(word) },
            (None, None) => name.to_owned(),
        };
        let words = if self.words.is_empty() { own } else { format!("{}, {own}", self.words) };
        Scope { key: self.key(name), words, each: None }
    }

    /// What to call an element of a list: its own name, if it has one.
    fn label(&self, value: &DeValue<'_>, at: usize) -> String {
        let name = |key| value.as_table()?.get(key)?.get_ref().as_str();
        let number = || if self.each.is_some() { format!("{}", at + 1) } else { format!("item {}", at + 1) };
        name("id").or_else(|| name("name")).map_or_else(number, str::to_owned)
    }
}

/// Tables whose keys are names, with the word for one of them.
fn group(key: &str) -> Option<&'static str> {
    Some(match key {
        "link" => "link",
        "template" => "template",
        "device" => "device",
        "target" => "target",
        "route" => "route",
        "points" => "point",
        "services" => "service",
        "events" => "event",
        _ => return None,
    })
}

/// Whether a key of this name holds a secret, wherever it is.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
}

/// What to do about a secret that is written in clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clear {
    Warn,
    Accept,
}

/// Whether a key holds a secret, and how sure that is.
fn secrecy(name: &str, scope: &Scope) -> Option<Clear> {
    let lower = name.to_lowercase();
    let in_table = scope.key.rsplit('.').next() == Some(TABLE_OF_SECRETS);
    match in_table {
        _ if is_secret(name) => Some(Clear::Warn),
        true if TELLING.iter().any(|part| lower.contains(part)) => Some(Clear::Warn),
        true => Some(Clear::Accept),
        false => None,
    }
}

struct Reader<'r> {
    file: FileIx,
    lines: Lines<'r>,
    variables: Variables<'r>,
    report: &'r mut Report,
}

impl Reader<'_> {
    fn mark(&self, span: Range<usize>, scope: &Scope, name: Option<&str>) -> Mark {
        let (line, column) = self.lines.position(span.start);
        let key: Arc<str> = name.map_or_else(|| scope.key.clone(), |name| scope.key(name)).into();
        Mark {
            file: self.file,
            line,
            column,
            length: self.lines.length(span),
            key,
            within: scope.words.as_str().into(),
        }
    }

    /// Where a text begins within its quotes. A line feed right after `"""` is not part of it.
    fn inside(&self, span: Range<usize>, mark: &Mark) -> (usize, usize) {
        let written = self.lines.written(span);
        let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| written.starts_with(quotes)).unwrap_or("");
        let first = &written[quotes.len()..];
        if quotes.len() == 3 && (first.starts_with('\n') || first.starts_with("\r\n")) {
            return (mark.line + 1, 1);
        }
        (mark.line, mark.column + quotes.len())
    }

    fn table(&mut self, table: &DeTable<'_>, mark: Mark, scope: &Scope) -> Table {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let entries =
            entries.into_iter().map(|(key, value)| self.entry(key.get_ref(), key.span(), value, scope)).collect();
        Table { mark, entries }
    }

    fn entry(&mut self, name: &str, span: Range<usize>, value: &Spanned<DeValue<'_>>, scope: &Scope) -> Entry {
        let mark = self.mark(span, scope, Some(name));
        let at = match value.get_ref() {
            // The place of a table is its name; its value begins somewhere in a header.
            DeValue::Table(_) => mark.clone(),
            _ => self.mark(value.span(), scope, Some(name)),
        };
        let mut item = self.item(value.get_ref(), at.clone(), &scope.child(name));
        if let Some(clear) = secrecy(name, scope)
            && let (Item::Text(read), DeValue::String(written)) = (&item, value.get_ref())
        {
            item = self.secret(name, clear, written, read, &at);
        }
        let inside = self.inside(value.span(), &at);
        Entry { name: name.into(), mark, node: Node { mark: at, item, inside } }
    }

    fn item(&mut self, value: &DeValue<'_>, mark: Mark, scope: &Scope) -> Item {
        match value {
            DeValue::String(text) => self.text(text, &mark),
            DeValue::Integer(int) => self.int(int, &mark),
            DeValue::Float(float) => self.float(float, &mark),
            DeValue::Boolean(bool) => Item::Bool(*bool),
            DeValue::Datetime(_) => Item::Time,
            DeValue::Array(array) => Item::List(self.list(array, scope)),
            DeValue::Table(table) => {
                let mark = Mark { within: scope.words.as_str().into(), ..mark };
                Item::Table(self.table(table, mark, scope))
            }
        }
    }

    fn list(&mut self, array: &DeArray<'_>, scope: &Scope) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(array.len());
        for (at, value) in array.iter().enumerate() {
            let scope = scope.child(&scope.label(value.get_ref(), at));
            let mark = self.mark(value.span(), &scope, None);
            let item = self.item(value.get_ref(), mark.clone(), &scope);
            nodes.push(Node::bare(mark, item));
        }
        nodes
    }

    fn text(&mut self, text: &str, mark: &Mark) -> Item {
        match variable::substitute(text, self.variables) {
            Ok(replaced) => Item::Text(replaced.as_deref().unwrap_or(text).into()),
            Err(message) => {
                let help = "write `${NAME:-default}` for a default, `$$` for a dollar sign";
                self.report.add(mark, Problem::new(message).help(help));
                Item::Reported
            }
        }
    }

    /// A secret may stand in a file of its own; in this one it should not.
    fn secret(&mut self, name: &str, clear: Clear, written: &str, read: &Arc<str>, mark: &Mark) -> Item {
        if let Some(path) = read.strip_prefix("file://") {
            return match folder::read_secret(Path::new(path)) {
                Ok(text) => Item::Text(text.into()),
                Err(problem) => {
                    self.report.add(mark, Problem { place: Place::Whole, ..problem });
                    Item::Reported
                }
            };
        }
        if clear == Clear::Warn && **read == *written && !read.is_empty() {
            let problem = Problem::new(mark.say(format!("`{name}` is written in clear"))).warning();
            let help = "write \"${NAME}\" or \"file:///path\" and keep the secret out of the site";
            self.report.add(mark, problem.help(help));
        }
        Item::Text(read.clone())
    }

    fn int(&mut self, int: &DeInteger<'_>, mark: &Mark) -> Item {
        i64::from_str_radix(int.as_str(), int.radix()).map_or_else(|_| self.too_large(mark, int), Item::Int)
    }

    fn float(&mut self, float: &DeFloat<'_>, mark: &Mark) -> Item {
        let number = float.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
        number.map_or_else(|| self.too_large(mark, &float.as_str()), Item::Float)
    }

    fn too_large(&mut self, mark: &Mark, number: &dyn std::fmt::Display) -> Item {
        self.report.add(mark, Problem::new(mark.say(format!("`{number}` is not a number that can be used here"))));
        Item::Reported
    }
}
