//! `${VAR}` in what people write.

/// What the environment holds under a name.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces `${VAR}` and `${VAR:-default}`; `$$` is a dollar sign. `None` if there is nothing to replace.
///
/// # Errors
/// What is wrong with the first variable that cannot be replaced.
pub(crate) fn substitute(text: &str, variables: Variables<'_>) -> Result<Option<String>, String> {
    if !text.contains('$') {
        return Ok(None);
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = match after.chars().next() {
            Some('{') => {
                let (inner, after) = after[1..].split_once('}').ok_or("`${` without its `}`")?;
                out.push_str(&value(inner, variables)?);
                after
            }
            Some('$') => {
                out.push('$');
                &after[1..]
            }
            _ => {
                out.push('$');
                after
            }
        };
    }
    out.push_str(rest);
    Ok(Some(out))
}

fn value(inner: &str, variables: Variables<'_>) -> Result<String, String> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    if !is_name(name) {
        return Err(format!("`{name}` is not the name of a variable"));
    }
    match (variables(name).filter(|value| !value.is_empty()), default) {
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(format!("the variable `{name}` is not set")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(text: &str) -> Result<Option<String>, String> {
        substitute(text, &|name| (name == "HOST").then(|| "broker".to_owned()))
    }

    #[test]
    fn variables_are_replaced_and_defaults_fill_gaps() {
        assert_eq!(replaced("mqtt://${HOST}:${PORT:-1883}"), Ok(Some("mqtt://broker:1883".into())));
        assert_eq!(replaced("${NONE:-}"), Ok(Some(String::new())));
        assert_eq!(replaced("costs $$5 or $5"), Ok(Some("costs $5 or $5".into())));
        assert_eq!(replaced("plain"), Ok(None));
    }

    #[test]
    fn an_unset_variable_is_an_error() {
        assert_eq!(replaced("${PORT}"), Err("the variable `PORT` is not set".into()));
        assert_eq!(replaced("${HOST"), Err("`${` without its `}`".into()));
        assert_eq!(replaced("${}"), Err("`` is not the name of a variable".into()));
        assert_eq!(replaced("${a b}"), Err("`a b` is not the name of a variable".into()));
    }
}
