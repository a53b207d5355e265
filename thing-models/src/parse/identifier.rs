//! Identifiers: they become columns of SQL tables and names in scripts.

use super::reader::{Reader, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// Columns that every table has already.
const RESERVED: [&str; 5] = ["device", "ts", "quality", "window_start", "window_end"];
/// Characters.
const LENGTH_MAX: usize = 64;

/// The identifiers of one list so far, with the lines that they are on.
#[derive(Default)]
pub(super) struct Taken(HashMap<Arc<str>, usize>);

/// Which identifiers are allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Allowed {
    /// All in snake_case.
    All,
    /// Without those that are columns of every table.
    Columns,
}

/// The `identifier` of an item; mistakes are noted, and a duplicate does not count.
pub(super) fn read(
    reader: &mut Reader<'_>,
    table: &Table<'_>,
    taken: &mut Taken,
    allowed: Allowed,
) -> Option<Arc<str>> {
    let node = table.need(reader, "identifier")?;
    let name = reader.text(node, "identifier")?;
    if let Some(help) = mistake(name) {
        reader.report(node, format!("`{name}` cannot be an identifier"), Some(help));
        return None;
    }
    if allowed == Allowed::Columns && is_reserved(name) {
        let help = format!("another name: every table has a column `{name}` already");
        reader.report(node, format!("`{name}` is reserved"), Some(help));
        return None;
    }
    let (name, line): (Arc<str>, usize) = (name.into(), reader.line(node));
    if let Some(first) = taken.0.get(&name) {
        reader.report(node, format!("`{name}` is defined twice"), Some(format!("the first one is on line {first}")));
        return None;
    }
    taken.0.insert(name.clone(), line);
    Some(name)
}

/// Whether every table has a column of this name already.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// What would be right, if the name is not.
fn mistake(name: &str) -> Option<String> {
    if is_snake_case(name) {
        return (name.len() > LENGTH_MAX).then(|| format!("at most {LENGTH_MAX} characters"));
    }
    let snake = snake_case(name);
    let advice = "lowercase letters, digits and `_`, beginning with a letter";
    Some(if is_snake_case(&snake) { format!("write `{snake}`") } else { advice.to_owned() })
}

/// Lowercase letters, digits and `_`, beginning with a letter.
pub(crate) fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// `LightSwitch`, `light-switch` and `light switch` as `light_switch`.
pub(crate) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut word_before = false;
    for c in name.chars() {
        if (c.is_ascii_uppercase() && word_before)
            || (!c.is_ascii_alphanumeric() && !snake.is_empty() && !snake.ends_with('_'))
        {
            snake.push('_');
        }
        if c.is_ascii_alphanumeric() {
            snake.push(c.to_ascii_lowercase());
        }
        word_before = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    snake.truncate(snake.trim_end_matches('_').len());
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snake_case_of_a_name_is_offered() {
        for name in ["LightSwitch", "light-switch", "light switch", "lightSwitch", "_light__switch_"] {
            assert_eq!(mistake(name).as_deref(), Some("write `light_switch`"), "{name}");
        }
        assert_eq!(mistake("PM25").as_deref(), Some("write `pm25`"));
        assert_eq!(mistake("light_switch_2"), None);
        for name in ["", "2nd", "温度", "___"] {
            assert!(mistake(name).expect("refused").contains("beginning with a letter"), "{name}");
        }
        assert_eq!(mistake(&"a".repeat(65)).as_deref(), Some("at most 64 characters"));
    }
}
