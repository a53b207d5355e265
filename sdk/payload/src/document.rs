//! A payload, decoded once.

use crate::senml::{self, Record};
use crate::{Format, cbor};
use edgeway_sdk::{Json, Timestamp, Value};

/// The longest payload that is decoded, in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 4 << 20;

/// A decoded payload, out of which many mappings may read.
#[derive(Debug, Clone, PartialEq)]
pub struct Document(pub(crate) Content);

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    /// Of JSON and CBOR.
    Tree {
        tree: Json,
        format: Format,
    },
    /// Of SenML, with everything resolved.
    Records {
        records: Vec<Record>,
        format: Format,
    },
    Text(String),
    Binary(Vec<u8>),
}

/// Why a payload cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is too long.
    #[error("the payload has {0} bytes, and {PAYLOAD_BYTES_MAX} is the most")]
    TooLong(usize),
    /// It nests too deep.
    #[error("the payload nests deeper than {} levels", Value::NESTING_MAX)]
    TooDeep,
    /// It is something else.
    #[error("the payload is not {format}: {reason}")]
    Unreadable {
        /// What it should have been.
        format: &'static str,
        /// Why it is not.
        reason: String,
    },
}

impl Document {
    /// Decodes a payload. `received` is what relative times of SenML count from.
    ///
    /// # Errors
    /// An [`Error`], for the operator.
    pub fn parse(format: Format, payload: &[u8], received: Timestamp) -> Result<Document, Error> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Error::TooLong(payload.len()));
        }
        let content = match format {
            Format::Json => Content::Tree { tree: json(payload)?, format },
            Format::Cbor => Content::Tree { tree: cbor::parse(payload)?, format },
            Format::SenmlJson => Content::Records { records: senml::resolve(&json(payload)?, received)?, format },
            Format::SenmlCbor => {
                Content::Records { records: senml::resolve(&cbor::parse(payload)?, received)?, format }
            }
            Format::Text => Content::Text(text(payload)?.to_owned()),
            Format::Binary => Content::Binary(payload.to_vec()),
        };
        match &content {
            Content::Tree { tree, .. } if !fits(tree, Value::NESTING_MAX) => Err(Error::TooDeep),
            _ => Ok(Document(content)),
        }
    }
}

impl Error {
    pub(crate) fn unreadable(format: &'static str, reason: impl ToString) -> Error {
        Error::Unreadable { format, reason: reason.to_string() }
    }
}

fn json(payload: &[u8]) -> Result<Json, Error> {
    serde_json::from_slice(payload).map_err(|error| match error.to_string() {
        deep if deep.starts_with("recursion limit") => Error::TooDeep,
        reason => Error::unreadable("JSON", reason),
    })
}

fn text(payload: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(payload).map_err(|error| Error::unreadable("UTF-8 text", error))
}

/// Whether values nest in no more than so many levels of lists and objects.
fn fits(tree: &Json, levels: usize) -> bool {
    match tree {
        Json::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Json::Object(fields) => levels > 0 && fields.values().all(|field| fits(field, levels - 1)),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(format: Format, payload: &[u8]) -> Result<Document, Error> {
        Document::parse(format, payload, Timestamp::EPOCH)
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(Format::Json, nested(32).as_bytes()).is_ok());
        for levels in [33, 127, 128, 100_000] {
            assert_eq!(parse(Format::Json, nested(levels).as_bytes()), Err(Error::TooDeep), "{levels} levels");
        }
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let long = vec![b' '; PAYLOAD_BYTES_MAX + 1];
        assert_eq!(parse(Format::Json, &long), Err(Error::TooLong(PAYLOAD_BYTES_MAX + 1)));
    }

    #[test]
    fn what_is_something_else_says_why() {
        let error = parse(Format::Json, b"{\"a\": nul}").expect_err("no JSON").to_string();
        assert!(error.starts_with("the payload is not JSON: expected ident at line 1"), "{error}");
        assert!(parse(Format::Text, b"\xff\xfe").is_err());
        assert!(parse(Format::Cbor, b"\x83\x01").is_err(), "cut off");
        assert!(parse(Format::Cbor, b"\x01\x01").is_err(), "more than one");
        assert!(parse(Format::Json, b"1 1").is_err());
    }
}
