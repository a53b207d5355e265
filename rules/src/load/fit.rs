//! Whether what a script writes fits the model.

use super::draft::Mistake;
use crate::plan::Op;
use edgeway_sdk::Value;
use edgeway_thing_models::{CheckError, DataType};

impl From<CheckError> for Mistake {
    fn from(error: CheckError) -> Self {
        match error {
            CheckError::Unknown { owner, kind, name, help } => {
                Mistake::new(format!("`{owner}` has no {kind} `{name}`")).maybe_help(help)
            }
            other => Mistake::new(other.to_string()),
        }
    }
}

/// The value that a property of this type is compared with.
pub(super) fn comparand(name: &str, data_type: &DataType, op: Op, value: &Value) -> Result<Value, Mistake> {
    match data_type {
        DataType::Struct(_) | DataType::Array { .. } => {
            let mistake = Mistake::new(format!("`{name}` is {}, which cannot be compared", article(data_type.name())));
            Err(mistake.help("look into it with `check(\"why\", || ..)`"))
        }
        data_type if op.orders() && !has_order(data_type) => {
            let symbol = op.symbol();
            Err(Mistake::new(format!("`{symbol}` needs a number, `{name}` is {}", article(data_type.name()))))
        }
        // Between two whole numbers there is room for a limit.
        DataType::Int(range) if op.orders() => coerce(name, &DataType::Double(range.clone()), value),
        data_type => coerce(name, data_type, value),
    }
}

fn coerce(name: &str, data_type: &DataType, value: &Value) -> Result<Value, Mistake> {
    data_type.coerce(value).map_err(|error| match error {
        CheckError::Unfit { reason, .. } => {
            Mistake::new(format!("`{name}` compared with what it can never be: the value {reason}"))
        }
        other => Mistake::from(other),
    })
}

/// Whether two properties can be compared with each other.
pub(super) fn comparable(left: &DataType, right: &DataType, op: Op) -> Result<(), Mistake> {
    let fits = match (left, right) {
        (DataType::Enum(left), DataType::Enum(right)) => left == right && !op.orders(),
        (DataType::Bool { .. }, DataType::Bool { .. }) | (DataType::Text { .. }, DataType::Text { .. }) => !op.orders(),
        (DataType::Date, DataType::Date) => true,
        (left, right) => left.range().is_some() && right.range().is_some(),
    };
    if fits {
        return same_unit(left, right, op);
    }
    let (left, right) = (article(left.name()), article(right.name()));
    Err(Mistake::new(format!("`{}` does not work between {left} and {right}", op.symbol())))
}

/// Numbers of different units say nothing about each other. One without a unit may be in any.
fn same_unit(left: &DataType, right: &DataType, op: Op) -> Result<(), Mistake> {
    let unit = |data_type: &DataType| data_type.unit().filter(|unit| !unit.is_empty()).cloned();
    match (unit(left), unit(right)) {
        (Some(left), Some(right)) if left != right => {
            let mistake = Mistake::new(format!("`{}` compares {left} with {right}", op.symbol()));
            Err(mistake.help("convert one of them: `check(\"why\", || value(a, p) * 1000 > value(b, q))`"))
        }
        _ => Ok(()),
    }
}

fn has_order(data_type: &DataType) -> bool {
    data_type.range().is_some() || matches!(data_type, DataType::Date)
}

fn article(name: &str) -> String {
    let vowel = name.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {name}", if vowel { "an" } else { "a" })
}
