//! A template: the text that a Jinja template makes of each message.
//!
//! `message` is the message in its JSON form. Nothing is escaped; `tojson` makes JSON of a value, and `unix_ms` makes
//! milliseconds since 1970 of a time. A name that is not
//! there is an error, so that a slip of the pen does not send empty fields for years; `is defined` and `default` are for
//! what only some messages have.

use crate::{Content, Format, Item, Payload, Unfit};
use edgeway_thing_models::Things;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Steps of one rendering, and 64 bytes of memory each: a template can neither hang nor fill the memory.
const FUEL: u64 = 100_000;
/// The name by which the template goes in its environment.
const NAME: &str = "template";

/// See the file's head.
pub(crate) struct Template {
    things: Arc<Things>,
    environment: Result<Environment<'static>, String>,
    content_type: &'static str,
}

impl Template {
    /// A template with mistakes makes every message unfit; [`check_template`] is for finding them earlier.
    pub(crate) fn new(things: Arc<Things>, text: &str, content_type: &str) -> Self {
        Template { things, environment: environment(text), content_type: interned(content_type) }
    }

    fn render(&self, item: &Item) -> Result<String, String> {
        let environment = self.environment.as_ref().map_err(String::clone)?;
        // By way of JSON text: a 32-bit number keeps its own digits, 7.1 rather than 7.099999904632568.
        let json = serde_json::to_vec(&item.rendered(&self.things)).map_err(|error| error.to_string())?;
        let message: Value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
        let template = environment.get_template(NAME).map_err(|error| mistake(&error))?;
        template.render(context! { message }).map_err(|error| mistake(&error))
    }
}

impl Format for Template {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        let mut text = String::new();
        for (at, item) in items.iter().enumerate() {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text += &self.render(item).map_err(|reason| Unfit::new(at, reason))?;
        }
        let content = Content::Bytes(text.into(), self.content_type);
        Ok(vec![Payload { topic: None, content, items: 0..items.len() }])
    }
}

/// Says what is wrong with the text of a template: `line 2: syntax error: unexpected end of block`.
///
/// # Errors
/// If it is no Jinja template, or names a filter or test that there is not. What depends on the message shows up only
/// when a message is rendered.
pub fn check_template(text: &str) -> Result<(), String> {
    environment(text).map(drop)
}

fn environment(text: &str) -> Result<Environment<'static>, String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("unix_ms", unix_ms);
    environment.add_template_owned(NAME, text.to_owned()).map_err(|error| mistake(&error))?;
    Ok(environment)
}

/// Milliseconds since 1970 of a time as messages show it.
fn unix_ms(time: &str) -> Result<i64, Error> {
    let time: jiff::Timestamp =
        time.parse().map_err(|_| Error::new(ErrorKind::InvalidOperation, format!("`{time}` is not a time")))?;
    Ok(time.as_millisecond())
}

fn mistake(error: &Error) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    match error.line() {
        Some(line) if line > 0 => format!("line {line}: {}{detail}", error.kind()),
        _ => format!("{}{detail}", error.kind()),
    }
}

/// The same text for as long as the program runs. Sites have a handful of media types.
fn interned(text: &str) -> &'static str {
    static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.get(text) {
        return found;
    }
    let text: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(text);
    text
}
