//! What a device offers as a `dataType`, as far as a model can say it.

use crate::parse::is_snake_case;
use edgeway_sdk::{Holds, Offer};
use serde_json::{Map, Value as Json, json};

/// Of a list whose length nobody tells.
const ARRAY_SIZE: &str = "512";

/// `None` if no property can hold it.
pub(super) fn of(offer: &Offer) -> Option<Json> {
    nested(&offer.holds, &offer.unit, true)
}

/// `outer`: lists and structs are allowed, which are not within structs.
fn nested(holds: &Holds, unit: &str, outer: bool) -> Option<Json> {
    Some(match holds {
        Holds::Bool => json!({ "type": "bool", "specs": { "0": "false", "1": "true" } }),
        Holds::Int { min, max } => numbers("int", min.map(|n| n.to_string()), max.map(|n| n.to_string()), unit),
        Holds::Float { min, max } => numbers("double", limit(*min), limit(*max), unit),
        Holds::Text => json!({ "type": "text", "specs": { "length": "1024" } }),
        Holds::Date => json!({ "type": "date" }),
        Holds::Enum { words } if !words.is_empty() => {
            let words: Map<_, _> =
                words.iter().map(|(number, word)| (number.to_string(), Json::from(word.as_str()))).collect();
            json!({ "type": "enum", "specs": words })
        }
        Holds::Array { of } if outer && !matches!(**of, Holds::Array { .. }) => {
            json!({ "type": "array", "specs": { "size": ARRAY_SIZE, "item": nested(of, unit, true)? } })
        }
        Holds::Struct { fields } if outer => json!({ "type": "struct", "specs": list(fields)? }),
        _ => return None,
    })
}

fn limit(number: Option<f64>) -> Option<String> {
    number.filter(|number| number.is_finite()).map(|number| number.to_string())
}

fn numbers(kind: &str, min: Option<String>, max: Option<String>, unit: &str) -> Json {
    let mut specs = Map::new();
    let unit = (!unit.is_empty()).then(|| unit.to_owned());
    for (name, said) in [("min", min), ("max", max), ("unit", unit)] {
        specs.extend(said.map(|said| (name.to_owned(), Json::from(said))));
    }
    if specs.is_empty() { json!({ "type": kind }) } else { json!({ "type": kind, "specs": specs }) }
}

/// Fields keep their names, by which the values have them. A value has all fields of its struct and no others, so one that
/// cannot be a field of a model keeps its struct from being a property.
fn list(fields: &[(String, Holds)]) -> Option<Json> {
    let field = |(name, holds): &(String, Holds)| {
        let data_type = nested(holds, "", false)?;
        is_snake_case(name).then(|| json!({ "identifier": name, "name": name, "dataType": data_type }))
    };
    let fields: Option<Vec<Json>> = fields.iter().map(field).collect();
    fields.filter(|fields| !fields.is_empty()).map(Json::from)
}
