//! Value templates: those that say where a value is become a path, all others are evaluated.

use minijinja::value::Kwargs;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, Value as Jinja, context, filters,
};
use std::sync::Arc;

/// What an evaluation may cost; a value is a matter of some tens.
const FUEL: u64 = 20_000;
const NAME: &str = "value";

/// A template that gives a value out of a payload.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    environment: Arc<Environment<'static>>,
    reads_json: bool,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Template, String> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("is_defined", |value: Jinja| value);
        environment.add_filter("float", float);
        environment.add_filter("int", int);
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| error.to_string())?;
        Ok(Template { environment: Arc::new(environment), reads_json: text.contains("value_json") })
    }

    /// What it makes of a payload; `None` if the payload says nothing of it.
    ///
    /// # Errors
    /// Why nothing can be made of the payload.
    pub(crate) fn render(&self, payload: &[u8]) -> Result<Option<String>, String> {
        let value = std::str::from_utf8(payload).map_err(|error| error.to_string())?;
        let json = serde_json::from_str::<Jinja>(value);
        let unreadable = json.as_ref().err().filter(|_| self.reads_json).map(ToString::to_string);
        let value_json = json.unwrap_or_default();
        let template = self.environment.get_template(NAME).map_err(|error| error.to_string())?;
        let text = template.render(context! { value, value_json }).map_err(|error| error.to_string())?;
        match (text.trim(), unreadable) {
            ("" | "None" | "none", Some(why)) => Err(why),
            // What is not there is no value.
            ("" | "None" | "none", None) => Ok(None),
            (text, _) => Ok(Some(text.to_owned())),
        }
    }
}

/// Jinja's own filter makes 0 of what is not there. Home Assistant's fails, unless it is told what to make of it.
fn float(state: &State, value: &Jinja, default: Option<Jinja>, named: Kwargs) -> Result<Jinja, Error> {
    match is_missing(value) {
        true => instead(default, &named),
        false => filters::float(state, value, default, named),
    }
}

/// The same of whole numbers.
fn int(state: &State, value: &Jinja, default: Option<Jinja>, base: Option<u32>, named: Kwargs) -> Result<Jinja, Error> {
    match is_missing(value) {
        true => instead(default, &named),
        false => filters::int(state, value, default, base, named),
    }
}

fn is_missing(value: &Jinja) -> bool {
    value.is_undefined() || value.is_none()
}

fn instead(default: Option<Jinja>, named: &Kwargs) -> Result<Jinja, Error> {
    let default = default.map_or_else(|| named.get("default"), |default| Ok(Some(default)))?;
    default.ok_or_else(|| Error::new(ErrorKind::UndefinedError, "what is not there is no number"))
}

/// Where a value is, if that is all that a template says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Path {
    /// In a JSON payload; empty for the whole payload as text.
    pub(super) at: String,
    pub(super) is_number: bool,
}

/// The path that a template stands for: `{{ value_json.a['b'][0] | float }}`. `None` if it says more.
pub(super) fn path(template: &str) -> Option<Path> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let mut parts = inner.split('|').map(str::trim);
    let expression = parts.next()?;
    let mut is_number = false;
    for part in parts {
        match filter(part)? {
            // What is rounded for show is kept as it is.
            ("float" | "round", _) => is_number = true,
            ("int", arguments) if !arguments.contains(',') && !arguments.contains("base") => is_number = true,
            ("is_defined", "") => {}
            _ => return None,
        }
    }
    if expression == "value" {
        return Some(Path { at: String::new(), is_number });
    }
    let at = steps(expression.strip_prefix("value_json")?)?;
    (!at.is_empty()).then_some(Path { at, is_number })
}

/// The name of a filter and its arguments; `None` if more is said.
fn filter(text: &str) -> Option<(&str, &str)> {
    let Some((name, rest)) = text.split_once('(') else { return Some((text, "")) };
    let arguments = rest.strip_suffix(')').filter(|arguments| !arguments.contains(['(', ')']))?;
    Some((name.trim(), arguments))
}

/// `.a['b'][0]` as a path.
fn steps(mut rest: &str) -> Option<String> {
    let mut path = String::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
            (name.get(..end)?, name.get(end..)?)
        } else {
            let (inner, after) = rest.strip_prefix('[')?.split_once(']')?;
            if let Ok(index) = inner.trim().parse::<u32>() {
                let root = if path.is_empty() { "$" } else { "" };
                path = format!("{path}{root}[{index}]");
                rest = after;
                continue;
            }
            let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
            (inner.strip_prefix(quote)?.strip_suffix(quote)?, after)
        };
        if step.is_empty() {
            return None;
        }
        path = crate::zigbee2mqtt::below(&path, step);
        rest = after;
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_where_a_value_is_becomes_a_path() {
        for (template, at, is_number) in [
            ("{{ value_json.temperature }}", "temperature", false),
            ("{{value_json.a.b}}", "a.b", false),
            ("{{ value_json['a b'].c[0] }}", "$['a b'].c[0]", false),
            ("{{ value_json[\"ENERGY\"].Power | float(0) | round(1) }}", "ENERGY.Power", true),
            ("{{ value_json[0] }}", "$[0]", false),
            ("{{ value_json.x | is_defined }}", "x", false),
            ("{{ value | int }}", "", true),
        ] {
            assert_eq!(path(template), Some(Path { at: at.into(), is_number }), "{template}");
        }
        for more in [
            "{{ value_json.x / 10 }}",
            "{% if value %}1{% endif %}",
            "{{ value_json.x | lower }}",
            "x",
            "{{ value_json. }}",
            "{{ value_json.x | int(base=16) }}",
            "{{ value_json.x | int(0, 16) }}",
            "{{ value_json.x | float(0) * (2) }}",
        ] {
            assert_eq!(path(more), None, "{more}");
        }
    }

    fn rendered(template: &str, payload: &str) -> Result<Option<String>, String> {
        Template::parse(template).expect("right").render(payload.as_bytes())
    }

    #[test]
    fn what_says_more_is_evaluated() {
        for (template, payload, text) in [
            ("{{ value_json.x / 10 }}", r#"{"x": 215}"#, "21.5"),
            ("{{ (value | float * 2) | round(1) }}", "1.26", "2.5"),
            ("{{ 'ON' if value_json.s == 1 else 'OFF' }}", r#"{"s": 1}"#, "ON"),
            ("{{ value_json.x | int(base=16) }}", r#"{"x": "ff"}"#, "255"),
            ("{{ value_json.x | float(7) / 2 }}", "{}", "3.5"),
            ("{{ value_json.x | int(default=7) }}", r#"{"x": null}"#, "7"),
            ("{% if value_json is defined %}{{ value_json.x }}{% else %}{{ value }}{% endif %}", "on", "on"),
        ] {
            assert_eq!(rendered(template, payload), Ok(Some(text.into())), "{template}");
        }
        assert!(Template::parse("{{ value").is_err());
    }

    #[test]
    fn what_is_not_there_is_no_value() {
        for template in ["{{ value_json.a.b.c }}", "{{ value_json.x if value_json.x is defined }}"] {
            assert_eq!(rendered(template, "{}"), Ok(None), "{template}");
        }
    }

    #[test]
    fn what_cannot_be_made_is_an_error_and_never_a_zero() {
        for (template, payload) in [
            ("{{ (value_json.t | float) / 10 }}", "{}"),
            ("{{ (value_json.t | int) / 10 }}", r#"{"t": null}"#),
            ("{{ value | float / 10 }}", "warm"),
            ("{{ value_json.t / 10 }}", "{}"),
            ("{{ value_json.x }}", "no JSON"),
            ("{{ value | no_such_filter }}", "1"),
            ("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "1"),
        ] {
            assert!(rendered(template, payload).is_err(), "{template}");
        }
        assert!(Template::parse("{{ value }}").expect("right").render(b"\xff").is_err());
    }
}
