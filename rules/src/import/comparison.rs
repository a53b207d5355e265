//! `propertyName`, `compareType` and `compareValue`.

use super::node::Node;
use super::places;
use super::rule::{Comparison, Condition, Who};
use crate::plan::Op;
use edgeway_sdk::{Json, Problem, Value};
use edgeway_thing_models::{CheckError, DataType, Property, Things};

const OPERATORS: [(&str, Op); 6] = [
    (">", Op::Greater),
    (">=", Op::GreaterOrEqual),
    ("==", Op::Equal),
    ("!=", Op::NotEqual),
    ("<", Op::Less),
    ("<=", Op::LessOrEqual),
];
/// Of an `in`.
const CHOICES_MAX: usize = 32;

/// Reads a comparison; `in` becomes any of several.
pub(super) fn read(params: &Node<'_>, who: Who, things: &Things) -> Result<Condition, Problem> {
    let property = places::property(&params.need("propertyName")?, who, things)?;
    let (compare, value) = (params.need("compareType")?, params.need("compareValue")?);
    let of = |op: Op, value: &Node<'_>| -> Result<Condition, Problem> {
        let model = who.model(things);
        let value = comparand(&model.properties[usize::from(property.0)], op, value)?;
        Ok(Condition::Compare(Comparison { who, property, op, value }))
    };
    let symbol = compare.text()?;
    if symbol == "in" {
        let choices = value.list()?;
        return match &choices[..] {
            [] => Err(value.problem("the list is empty, so nothing is in it")),
            [only] => of(Op::Equal, only),
            _ if choices.len() > CHOICES_MAX => {
                Err(value.problem(format!("{} are too many: at most {CHOICES_MAX}", choices.len())))
            }
            _ => choices.iter().map(|choice| of(Op::Equal, choice)).collect::<Result<_, _>>().map(Condition::Any),
        };
    }
    match OPERATORS.iter().find(|(known, _)| *known == symbol) {
        Some((_, op)) => of(*op, &value),
        None => {
            let known = OPERATORS.iter().map(|(symbol, _)| *symbol).chain(["in"]);
            Err(compare.unknown("there is no comparison", symbol, known))
        }
    }
}

fn comparand(property: &Property, op: Op, value: &Node<'_>) -> Result<Value, Problem> {
    let (name, data_type) = (&property.identifier, &property.data_type);
    let wanted = match data_type {
        DataType::Struct(_) | DataType::Array { .. } => {
            return Err(value.problem(format!("`{name}` is of type {}, which cannot be compared", data_type.name())));
        }
        // Between two whole numbers there is room for a limit.
        DataType::Int(range) if op.orders() => &DataType::Double(range.clone()),
        DataType::Float(_) | DataType::Double(_) | DataType::Date => data_type,
        _ if op.orders() => {
            let symbol = op.symbol();
            return Err(value.problem(format!("`{symbol}` needs a number, `{name}` is of type {}", data_type.name())));
        }
        _ => data_type,
    };
    wanted.coerce(&plain(wanted, value.json)).map_err(|error| match error {
        CheckError::Unfit { reason, .. } => {
            value.problem(format!("`{name}` compared with what it can never be: the value {reason}"))
        }
        other => value.problem(other.to_string()),
    })
}

/// A value of the JSON. Consoles put numbers into quotes; where the model has a number they come out again.
pub(super) fn plain(wanted: &DataType, json: &Json) -> Value {
    let value = Value::from_json(json);
    let Value::Text(text) = &value else { return value };
    let parsed = match wanted {
        DataType::Int(_) | DataType::Float(_) | DataType::Double(_) | DataType::Enum(_) | DataType::Bool { .. } => {
            serde_json::from_str::<Json>(text.trim()).ok()
        }
        _ => None,
    };
    match parsed {
        Some(json @ (Json::Number(_) | Json::Bool(_))) => Value::from_json(&json),
        _ => value,
    }
}
