//! Values as the API shows them.

use edgeway_sdk::{Json, Value};
use edgeway_thing_models::DataType;

/// A value as JSON. A `float` has the digits of its 32-bit number: 7.1 rather than 7.099999904632568.
pub(super) fn shown(data_type: &DataType, value: &Value) -> Json {
    match (data_type, value) {
        (DataType::Float(_), Value::Float(x)) => short(*x),
        (DataType::Array { item, .. }, Value::Array(items)) => items.iter().map(|value| shown(item, value)).collect(),
        (DataType::Struct(fields), Value::Struct(values)) => {
            let field = |name: &str| fields.iter().find(|field| *field.identifier == *name);
            let value = |name: &str, value| {
                field(name).map_or_else(|| Value::to_json(value), |field| shown(&field.data_type, value))
            };
            Json::Object(values.iter().map(|(name, v)| (name.to_string(), value(name, v))).collect())
        }
        _ => value.to_json(),
    }
}

fn short(x: f64) -> Json {
    let narrow = x as f32;
    let digits = (f64::from(narrow) == x).then(|| narrow.to_string().parse::<f64>().ok()).flatten();
    Json::from(digits.unwrap_or(x))
}

/// What people call a value: the word of an enum's number, or of true and false.
pub(super) fn label(data_type: &DataType, value: &Value) -> Option<String> {
    match (data_type, value) {
        (DataType::Enum(names), Value::Int(number)) => names.get(number).cloned(),
        (DataType::Bool { off, on }, Value::Bool(is_on)) => {
            Some(if *is_on { on } else { off }).filter(|word| !word.is_empty()).cloned()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_thing_models::{Field, Range};
    use serde_json::json;

    #[test]
    fn a_32_bit_number_has_its_own_digits_wherever_it_is() {
        let float = || DataType::Float(Range::default());
        let x = || Value::Float(f64::from(7.1_f32));
        assert_eq!(shown(&float(), &x()), json!(7.1));
        assert_eq!(shown(&DataType::Double(Range::default()), &x()), json!(7.099_999_904_632_568));
        let array = DataType::Array { size: 1, item: Box::new(float()) };
        assert_eq!(shown(&array, &Value::Array([x()].into())), json!([7.1]));
        let fields = vec![Field { identifier: "lat".into(), name: String::new(), data_type: float() }];
        let value = Value::Struct([("lat".into(), x()), ("other".into(), Value::Int(1))].into());
        assert_eq!(shown(&DataType::Struct(fields), &value), json!({"lat": 7.1, "other": 1}));
    }

    #[test]
    fn numbers_with_names_have_labels() {
        let state = DataType::Enum([(2, "production".to_owned())].into());
        assert_eq!(label(&state, &Value::Int(2)).as_deref(), Some("production"));
        assert_eq!(label(&state, &Value::Int(9)), None);
        let key_card = DataType::Bool { off: "out".into(), on: "in".into() };
        assert_eq!(label(&key_card, &Value::Bool(true)).as_deref(), Some("in"));
        assert_eq!(label(&DataType::Date, &Value::Int(2)), None);
    }
}
