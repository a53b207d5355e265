//! Rhai's errors in our words.

use super::draft::Mistake;
use super::words;
use edgeway_sdk::did_you_mean;
use rhai::{EvalAltResult, ParseErrorType, Position};
use std::any::Any;

const TOO_LONG: &str =
    "20,000 operations or 5 ms for a closure, 200,000 operations or 500 ms for a script while it loads";

/// Words of Rhai that scripts do not have.
pub(super) const REMOVED: [&str; 5] = ["eval", "import", "export", "curry", "this"];

/// An error of a script with its place.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(super) at: Position,
    pub(super) mistake: Mistake,
    pub(crate) kind: Kind,
}

/// What an error says about its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something was missing or wrong this time.
    Plain,
    /// It took more than scripts may: time, operations, depth or size.
    Limit,
    /// It met a bug of ours.
    Panic,
}

impl Found {
    /// Whether the script was ended by [`stop`](super::host::stop), with nothing more to say.
    pub(super) fn is_stop(&self) -> bool {
        self.mistake.message == super::host::STOPPED
    }

    pub(crate) fn problem(self) -> edgeway_sdk::Problem {
        self.mistake.at(self.at)
    }

    pub(crate) fn line(&self) -> Option<usize> {
        self.at.line()
    }

    /// What is wrong, without the place.
    pub(crate) fn message(&self) -> String {
        self.mistake.in_one_line()
    }

    /// `no value (line 4, column 7)`.
    pub(crate) fn in_one_line(&self) -> String {
        let text = self.mistake.in_one_line();
        match (self.at.line(), self.at.position()) {
            (Some(line), Some(column)) => format!("{text}, line {line}, column {column}"),
            (Some(line), None) => format!("{text}, line {line}"),
            (None, _) => text,
        }
    }
}

/// Says what went wrong, at the innermost place that is known.
pub(crate) fn describe(error: &EvalAltResult) -> Found {
    if let EvalAltResult::ErrorInFunctionCall(_, _, inner, at) = error {
        let inner = describe(inner);
        return Found { at: inner.at.or_else(*at), ..inner };
    }
    Found { at: error.position(), mistake: mistake(error), kind: kind(error) }
}

fn kind(error: &EvalAltResult) -> Kind {
    match error {
        EvalAltResult::ErrorTerminated(..)
        | EvalAltResult::ErrorTooManyOperations(_)
        | EvalAltResult::ErrorTooManyVariables(_)
        | EvalAltResult::ErrorStackOverflow(_)
        | EvalAltResult::ErrorDataTooLarge(..) => Kind::Limit,
        _ => Kind::Plain,
    }
}

/// What a panic says.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Found {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let mistake = Mistake::new(format!("the script met a bug of the gateway: {}", text.unwrap_or("no reason given")));
    Found { at: Position::NONE, mistake: mistake.help("please report it with the script"), kind: Kind::Panic }
}

/// A script that is not even compiled.
pub(super) fn too_long(bytes: usize) -> Found {
    let mistake = Mistake::new(format!("the script is too long: {} KiB", bytes.div_ceil(1024)));
    Found { at: Position::NONE, mistake: mistake.help("256 KiB; split it into several"), kind: Kind::Limit }
}

fn mistake(error: &EvalAltResult) -> Mistake {
    match error {
        EvalAltResult::ErrorRuntime(text, _) => Mistake::new(text.to_string()),
        EvalAltResult::ErrorParsing(error, _) => syntax(error),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => unknown_function(signature),
        EvalAltResult::ErrorVariableNotFound(name, _) => Mistake::new(format!("no variable is called `{name}`")),
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) if wanted == "bool" => not_a_bool(found),
        EvalAltResult::ErrorMismatchDataType(wanted, ..) if wanted == "Fn" => {
            Mistake::new("`call` is a word of the language, for closures")
                .help("for a service write `invoke(device, service)`")
        }
        EvalAltResult::ErrorTerminated(..) | EvalAltResult::ErrorTooManyOperations(_) => {
            Mistake::new("the script ran too long").help(TOO_LONG)
        }
        EvalAltResult::ErrorStackOverflow(_) => Mistake::new("functions call each other too deeply").help("24 levels"),
        EvalAltResult::ErrorDataTooLarge(what, _) => Mistake::new(format!("too large: {}", sentence(what)))
            .help("text 16 KiB, array 4,096 items, map 1,024 entries, in each other 32 levels and 8,192 items"),
        EvalAltResult::ErrorTooManyVariables(_) => Mistake::new("too many variables").help("256"),
        EvalAltResult::ErrorAssignmentToConstant(name, _) => fixed(name),
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => fixed(name),
        other => Mistake::new(sentence(&other.to_string())),
    }
}

fn fixed(name: &str) -> Mistake {
    let text = format!("`{name}` would change a constant, or a variable that a closure has captured");
    Mistake::new(text).help("copy it first: `let copy = variable;`")
}

fn syntax(error: &ParseErrorType) -> Mistake {
    let text = sentence(&error.to_string());
    match error {
        ParseErrorType::VariableUndefined(name) => Mistake::new(format!("no variable is called `{name}`")),
        _ => match REMOVED.into_iter().find(|word| text.contains(&format!("'{word}'"))) {
            Some(word) => Mistake::new(format!("`{word}` does not exist here")),
            None => Mistake::new(text),
        },
    }
}

fn unknown_function(signature: &str) -> Mistake {
    let name = signature.split([' ', '(']).next().unwrap_or(signature);
    let found = words_for_types(signature.strip_prefix(name).unwrap_or_default().trim());
    if let Some(usage) = words::usage(name) {
        return Mistake::new(format!("`{name}` does not take {found}")).help(format!("write `{usage}`"));
    }
    let is_operator = !name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if is_operator {
        return Mistake::new(format!("`{name}` does not work between {found}"));
    }
    Mistake::new(format!("no function is called `{name}` that takes {found}"))
        .maybe_help(did_you_mean(name, words::names()).filter(|help| help.starts_with("did you")))
}

fn not_a_bool(found: &str) -> Mistake {
    let found = words_for_types(found);
    let mistake = Mistake::new(format!("a {found} is neither true nor false while the script loads"));
    match found.as_str() {
        "condition" | "property" => {
            mistake.help("join conditions with `all([..])`, `any([..])`, `&` or `|`, not with `&&`, `||` or `if`")
        }
        _ => mistake,
    }
}

/// Rhai's names of types in the words of a scene's author.
fn words_for_types(text: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        ("&str | ImmutableString | String", "text"),
        ("i64", "whole number"),
        ("f64", "number"),
        ("Fn", "closure"),
        ("edgeway_rules::load::words::PropertyWord", "property"),
        ("edgeway_rules::load::words::ConditionWord", "condition"),
        ("edgeway_rules::load::words::TriggerWord", "trigger"),
        ("edgeway_rules::load::words::StepWord", "step"),
        ("edgeway_rules::load::words::SceneWord", "scene"),
    ];
    WORDS.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// Without the position, which is shown elsewhere, without the capital and the full stop.
fn sentence(text: &str) -> String {
    let text = text.split(" (line ").next().unwrap_or(text).trim_end_matches('.');
    let text = text.strip_prefix("Syntax error: ").unwrap_or(text);
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_of(error: EvalAltResult) -> Kind {
        let called = EvalAltResult::ErrorInFunctionCall("f".into(), String::new(), error.into(), Position::NONE);
        describe(&called).kind
    }

    #[test]
    fn limits_are_told_apart_from_what_went_wrong_this_time() {
        let at = Position::NONE;
        assert_eq!(kind_of(EvalAltResult::ErrorTerminated(rhai::Dynamic::UNIT, at)), Kind::Limit);
        assert_eq!(kind_of(EvalAltResult::ErrorStackOverflow(at)), Kind::Limit);
        assert_eq!(kind_of(EvalAltResult::ErrorDataTooLarge("Length of string".into(), at)), Kind::Limit);
        assert_eq!(kind_of(EvalAltResult::ErrorRuntime("no value".into(), at)), Kind::Plain);
        let panic: Box<dyn Any + Send> = Box::new("index out of bounds");
        let found = panicked(&*panic);
        assert_eq!(found.kind, Kind::Panic);
        assert!(found.in_one_line().starts_with("the script met a bug of the gateway: index out of bounds"));
    }
}
