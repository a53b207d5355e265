//! Numbers as TSL writes them: `100` or `"100"`.

use super::reader::{Reader, Table, quoted};
use crate::check::whole_number;
use crate::model::Range;
use jsonc_parser::ast::Value as Node;

const RANGE_KEYS: [&str; 7] = ["min", "max", "step", "unit", "unitName", "precise", "defaultValue"];

/// The specs of a number type; none at all is no limits.
pub(super) fn range(reader: &mut Reader<'_>, specs: Option<&Node<'_>>) -> Option<Range> {
    let Some(specs) = specs else { return Some(Range::default()) };
    let table = reader.table(specs, "the specs of a number", &RANGE_KEYS)?;
    let range = Range {
        min: number(reader, &table, "min"),
        max: number(reader, &table, "max"),
        step: number(reader, &table, "step"),
        unit: table.text(reader, "unit").filter(|unit| !unit.is_empty()).map(Into::into),
    };
    if let (Some(min), Some(max), Some(node)) = (range.min, range.max, table.get("min"))
        && min > max
    {
        reader.report(node, format!("`min` is {min}, above `max`, which is {max}"), None);
    }
    if let (Some(step), Some(node)) = (range.step, table.get("step"))
        && step <= 0.0
    {
        reader.report(node, format!("`step` is {step}"), Some("a number above 0".into()));
    }
    Some(range)
}

/// A size or length: a whole number of at least 1 and at most `max`.
pub(super) fn count(reader: &mut Reader<'_>, table: &Table<'_>, key: &str, max: usize) -> Option<usize> {
    let found = number(reader, table, key)?;
    let count =
        whole_number(found).and_then(|count| usize::try_from(count).ok()).filter(|count| (1..=max).contains(count));
    if let (None, Some(node)) = (count, table.get(key)) {
        reader.report(node, format!("`{key}` is {found}"), Some(format!("a whole number from 1 to {max}")));
    }
    count
}

/// A number that may be missing; an empty string is how some exports write that.
fn number(reader: &mut Reader<'_>, table: &Table<'_>, key: &str) -> Option<f64> {
    let node = table.get(key)?;
    let text = match node {
        Node::NumberLit(number) => number.value,
        Node::StringLit(text) if text.value.trim().is_empty() => return None,
        Node::StringLit(text) => text.value.trim(),
        other => {
            reader.wrong(other, &quoted(key), "a number");
            return None;
        }
    };
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    if number.is_none() {
        reader.report(node, format!("`{key}` is \"{text}\", not a number"), None);
    }
    number
}
