//! Texts with places for values: `{"level": {level}}`. Pure.

/// A text with places for values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Place(String),
}

impl Template {
    /// Reads a template. Braces around anything but a name are text, so that JSON needs no escapes.
    pub(crate) fn parse(text: &str) -> Template {
        let (mut parts, mut plain, mut rest) = (vec![], String::new(), text);
        while let Some(at) = rest.find('{') {
            plain += &rest[..at];
            match name(&rest[at + 1..]) {
                Some(name) => {
                    parts.extend([Part::Text(std::mem::take(&mut plain)), Part::Place(name.to_owned())]);
                    rest = &rest[at + name.len() + 2..];
                }
                None => {
                    plain.push('{');
                    rest = &rest[at + 1..];
                }
            }
        }
        parts.push(Part::Text(plain + rest));
        Template { parts }
    }

    /// The text with every place filled.
    ///
    /// # Errors
    /// That of the first place that there is nothing for.
    pub(crate) fn fill<E>(&self, value: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
        let fill = |part: &Part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Place(name) => value(name),
        };
        self.parts.iter().map(fill).collect()
    }
}

/// The name that a text begins with, if a brace ends it.
fn name(text: &str) -> Option<&str> {
    let (name, _) = text.split_once('}')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filled(text: &str) -> Result<String, String> {
        Template::parse(text).fill(|name| if name == "gone" { Err(name.to_owned()) } else { Ok(name.to_uppercase()) })
    }

    #[test]
    fn places_are_filled_and_other_braces_are_text() {
        assert_eq!(filled(r#"{"a": {a}, "b": [{b},{}]}"#).as_deref(), Ok(r#"{"a": A, "b": [B,{}]}"#));
        assert_eq!(filled("{{a}}{").as_deref(), Ok("{A}{"));
        assert_eq!(filled("").as_deref(), Ok(""));
        assert_eq!(filled("{x y}é{a").as_deref(), Ok("{x y}é{a"));
    }

    proptest! {
        #[test]
        fn a_template_filled_with_its_own_places_is_what_was_written(text in "[{}a-c\"é ]{0,40}") {
            let filled = Template::parse(&text).fill(|name| Ok::<_, ()>(format!("{{{name}}}")));
            prop_assert_eq!(filled, Ok(text));
        }
    }

    #[test]
    fn a_place_without_a_value_is_named() {
        assert_eq!(filled("/a/{gone}"), Err("gone".into()));
    }
}
