//! CBOR as JSON, so that paths and mappings are the same for both.

use crate::Error;
use ciborium::Value as Cbor;
use edgeway_sdk::{Json, Value};
use serde_json::Number;

/// What is deeper is refused before it is built.
const RECURSION_MAX: usize = 2 * Value::NESTING_MAX;

/// Decodes one item. Bytes become hexadecimal text, numbers that are keys become text, tags are passed over.
pub(crate) fn parse(payload: &[u8]) -> Result<Json, Error> {
    let mut rest = payload;
    let item: Cbor =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, RECURSION_MAX).map_err(|error| match error {
            ciborium::de::Error::RecursionLimitExceeded => Error::TooDeep,
            other => Error::unreadable("CBOR", other),
        })?;
    if !rest.is_empty() {
        return Err(Error::unreadable("CBOR", format!("{} bytes follow its only item", rest.len())));
    }
    json(item)
}

fn json(item: Cbor) -> Result<Json, Error> {
    Ok(match item {
        Cbor::Bool(value) => Json::Bool(value),
        Cbor::Integer(value) => whole(value.into()),
        // What JSON cannot say, NaN and infinities, is no value.
        Cbor::Float(value) => Number::from_f64(value).map_or(Json::Null, Json::Number),
        Cbor::Text(text) => Json::String(text),
        Cbor::Bytes(bytes) => Value::Bytes(bytes.into()).to_json(),
        Cbor::Tag(_, item) => json(*item)?,
        Cbor::Array(items) => Json::Array(items.into_iter().map(json).collect::<Result<_, _>>()?),
        Cbor::Map(entries) => Json::Object(
            entries.into_iter().map(|(key, value)| Ok((name(key)?, json(value)?))).collect::<Result<_, Error>>()?,
        ),
        _ => Json::Null,
    })
}

fn whole(value: i128) -> Json {
    match (i64::try_from(value), u64::try_from(value)) {
        (Ok(value), _) => Json::from(value),
        (_, Ok(value)) => Json::from(value),
        _ => Json::Null,
    }
}

fn name(key: Cbor) -> Result<String, Error> {
    match key {
        Cbor::Text(text) => Ok(text),
        Cbor::Integer(number) => Ok(i128::from(number).to_string()),
        other => {
            Err(Error::unreadable("CBOR that can be mapped", format!("a key is neither text nor a number: {other:?}")))
        }
    }
}

/// For payloads that set values.
pub(crate) fn bytes(json: &Json) -> Result<Vec<u8>, String> {
    let mut bytes = vec![];
    ciborium::into_writer(json, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The same for a SenML pack, whose names are numbers in CBOR (RFC 8428 section 6).
pub(crate) fn senml(pack: &Json) -> Result<Vec<u8>, String> {
    let label = |name: &str| match name {
        "n" => 0,
        "v" => 2,
        "vs" => 3,
        _ => 4,
    };
    let record = |record: &Json| {
        let fields = record.as_object().into_iter().flatten();
        let field = |(name, value): (&String, &Json)| Ok((Cbor::from(label(name)), Cbor::serialized(value)?));
        fields.map(field).collect::<Result<_, ciborium::value::Error>>().map(Cbor::Map)
    };
    let records = pack.as_array().into_iter().flatten().map(record).collect::<Result<_, _>>();
    let mut bytes = vec![];
    let pack = Cbor::Array(records.map_err(|error| error.to_string())?);
    ciborium::into_writer(&pack, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_cbor_has_beyond_json_has_a_form_in_it() {
        // {"b": h'0aff', 1: -2, "t": 1(5), "f": NaN}
        let payload = b"\xa4\x61b\x42\x0a\xff\x01\x21\x61t\xc1\x05\x61f\xf9\x7e\x00";
        assert_eq!(parse(payload), Ok(json!({ "b": "0aff", "1": -2, "t": 5, "f": null })));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let json = json!({ "setpoint": 21.5, "on": true });
        assert_eq!(parse(&bytes(&json).expect("plain values")), Ok(json));
    }

    #[test]
    fn deep_items_are_refused() {
        let deep = [vec![0x81; 100_000], vec![1]].concat();
        assert_eq!(parse(&deep), Err(Error::TooDeep));
    }
}
