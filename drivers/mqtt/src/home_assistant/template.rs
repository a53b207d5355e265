//! Value templates: those that say where a value is become a path, all others are evaluated.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value as Jinja, context};
use std::sync::Arc;

/// What an evaluation may cost; a value is a matter of some tens.
const FUEL: u64 = 20_000;
const NAME: &str = "value";

/// A template that gives a value out of a payload.
#[derive(Debug, Clone)]
pub(crate) struct Template(Arc<Environment<'static>>);

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
        environment.add_template_owned(NAME, text.to_owned()).map_err(|error| error.to_string())?;
        Ok(Template(Arc::new(environment)))
    }

    /// What it makes of a payload; `None` if nothing.
    pub(crate) fn render(&self, payload: &[u8]) -> Option<String> {
        let value = std::str::from_utf8(payload).ok()?;
        let value_json: Jinja = serde_json::from_str(value).unwrap_or_default();
        let template = self.0.get_template(NAME).ok()?;
        let text = template.render(context! { value, value_json }).ok()?;
        let text = text.trim();
        // What is not there is no value.
        (!text.is_empty() && text != "None" && text != "none").then(|| text.to_owned())
    }
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
    for filter in parts {
        let name = filter.split('(').next()?.trim();
        match name {
            // What is rounded for show is kept as it is.
            "float" | "int" | "round" => is_number = true,
            "is_defined" => {}
            _ => return None,
        }
    }
    if expression == "value" {
        return Some(Path { at: String::new(), is_number });
    }
    let at = steps(expression.strip_prefix("value_json")?)?;
    (!at.is_empty()).then_some(Path { at, is_number })
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
        ] {
            assert_eq!(path(more), None, "{more}");
        }
    }

    #[test]
    fn what_says_more_is_evaluated() {
        let value =
            |template: &str, payload: &str| Template::parse(template).expect("right").render(payload.as_bytes());
        assert_eq!(value("{{ value_json.x / 10 }}", r#"{"x": 215}"#).as_deref(), Some("21.5"));
        assert_eq!(value("{{ (value | float * 2) | round(1) }}", "1.26").as_deref(), Some("2.5"));
        assert_eq!(value("{{ 'ON' if value_json.s == 1 else 'OFF' }}", r#"{"s": 1}"#).as_deref(), Some("ON"));
        assert_eq!(value("{{ value_json.a.b.c }}", "{}"), None, "what is not there is no value");
        assert_eq!(value("{{ value_json.x }}", "no JSON"), None);
        assert_eq!(value("{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}", "1"), None);
        assert!(Template::parse("{{ value").is_err());
    }
}
