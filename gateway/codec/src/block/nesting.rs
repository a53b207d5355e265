//! Values that nest too deep to be read back. No model and no query makes them; if one ever comes, only what is below the
//! limit is lost, not the frame.

use edgeway_sdk::Value;
use edgeway_thing_models::{Action, Body, CommandState};
use std::borrow::Cow;

/// The value with nothing but null below [`Value::NESTING_MAX`] levels.
pub(super) fn of_value(value: &Value) -> Cow<'_, Value> {
    if fits(value, Value::NESTING_MAX) { Cow::Borrowed(value) } else { Cow::Owned(cut(value, Value::NESTING_MAX)) }
}

/// The same for all values of a message's body.
pub(super) fn of_body(body: &Body) -> Cow<'_, Body> {
    if values(body).iter().all(|value| fits(value, Value::NESTING_MAX)) {
        return Cow::Borrowed(body);
    }
    let mut body = body.clone();
    for value in values_mut(&mut body) {
        *value = cut(value, Value::NESTING_MAX);
    }
    Cow::Owned(body)
}

fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Struct(fields) => levels > 0 && fields.iter().all(|(_, field)| fits(field, levels - 1)),
        _ => true,
    }
}

fn cut(value: &Value, levels: usize) -> Value {
    match value {
        Value::Array(_) | Value::Struct(_) if levels == 0 => Value::Null,
        Value::Array(items) => Value::Array(items.iter().map(|item| cut(item, levels - 1)).collect()),
        Value::Struct(fields) => {
            Value::Struct(fields.iter().map(|(name, field)| (name.clone(), cut(field, levels - 1))).collect())
        }
        other => other.clone(),
    }
}

fn values(body: &Body) -> Vec<&Value> {
    match body {
        Body::Event(event) => event.output.iter().map(|(_, value)| value).collect(),
        Body::Row(row) => row.values.iter().collect(),
        Body::Command(record) => {
            let result = match &record.state {
                CommandState::Applied { result } => result.as_ref(),
                _ => None,
            };
            let action = match &record.command.action {
                Action::Set { value, .. } => vec![value],
                Action::Invoke { input, .. } => input.iter().map(|(_, value)| value).collect(),
            };
            action.into_iter().chain(result).collect()
        }
        Body::Report(_) | Body::Status(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {
            vec![]
        }
    }
}

fn values_mut(body: &mut Body) -> Vec<&mut Value> {
    match body {
        Body::Event(event) => event.output.iter_mut().map(|(_, value)| value).collect(),
        Body::Row(row) => row.values.iter_mut().collect(),
        Body::Command(record) => {
            let result = match &mut record.state {
                CommandState::Applied { result } => result.as_mut(),
                _ => None,
            };
            let action = match &mut record.command.action {
                Action::Set { value, .. } => vec![value],
                Action::Invoke { input, .. } => input.iter_mut().map(|(_, value)| value).collect(),
            };
            action.into_iter().chain(result).collect()
        }
        Body::Report(_) | Body::Status(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {
            vec![]
        }
    }
}
