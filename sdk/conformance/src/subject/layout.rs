//! The layout of `conformance.toml`, with the place of everything that can be wrong.

use super::{Of, Order, Subject, Transport, check};
use edgeway_sdk::{Json, Problem, options};
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) version: Spanned<u32>,
    #[serde(deserialize_with = "timeout")]
    pub(super) timeout: Spanned<Duration>,
    pub(super) peer: Option<Spanned<WrittenPeer>>,
    #[serde(default = "nothing")]
    pub(super) link: Spanned<Json>,
    #[serde(default)]
    pub(super) device: Vec<WrittenDevice>,
    #[serde(default)]
    pub(super) point: Vec<WrittenPoint>,
    #[serde(default)]
    pub(super) refused: Vec<WrittenRefused>,
    #[serde(default)]
    pub(super) invalid: Vec<WrittenInvalid>,
    pub(super) chaos: Option<Spanned<WrittenChaos>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPeer {
    pub(super) command: Option<Vec<String>>,
    pub(super) address: Option<String>,
    #[serde(default)]
    pub(super) transport: Transport,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenDevice {
    pub(super) id: Spanned<String>,
    #[serde(default = "no_options")]
    pub(super) options: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenPoint {
    pub(super) id: Spanned<String>,
    pub(super) device: Spanned<String>,
    #[serde(default = "no_options")]
    pub(super) options: Json,
    #[serde(default)]
    pub(super) access: WrittenAccess,
    pub(super) value: Option<Spanned<Json>>,
    pub(super) write: Option<Spanned<Json>>,
    pub(super) reads_back: Option<Spanned<Json>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenRefused {
    pub(super) id: Spanned<String>,
    pub(super) device: Spanned<String>,
    #[serde(default = "no_options")]
    pub(super) options: Json,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenInvalid {
    pub(super) of: Of,
    pub(super) options: Json,
    #[serde(default)]
    pub(super) access: WrittenAccess,
    pub(super) key: String,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WrittenAccess {
    #[default]
    Read,
    ReadWrite,
    Write,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenChaos {
    #[serde(default)]
    pub(super) frame: WrittenFrame,
    pub(super) length: Option<WrittenLength>,
    pub(super) end: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) answer_per_question: bool,
    #[serde(default)]
    pub(super) garbage: bool,
    pub(super) id: Option<Spanned<[usize; 2]>>,
    pub(super) unit: Option<Spanned<[usize; 2]>>,
    pub(super) function: Option<Spanned<[usize; 2]>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WrittenFrame {
    #[default]
    Piece,
    Line,
    End,
    Length,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenLength {
    pub(super) at: Spanned<[usize; 2]>,
    #[serde(default)]
    pub(super) plus: usize,
    #[serde(default)]
    pub(super) order: Order,
}

fn nothing() -> Spanned<Json> {
    Spanned::new(0..0, no_options())
}

fn no_options() -> Json {
    Json::Object(serde_json::Map::default())
}

fn timeout<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Spanned<Duration>, D::Error> {
    let text = Spanned::<String>::deserialize(deserializer)?;
    let span = text.span();
    let timeout = options::duration::parse(text.get_ref()).ok_or_else(|| {
        serde::de::Error::custom(format!("`{}` is not a duration; write \"200ms\" or \"1s\"", text.get_ref()))
    })?;
    Ok(Spanned::new(span, timeout))
}

/// Reads a subject.
///
/// # Errors
/// What is no TOML or has another layout, alone; or else all that makes no sense.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Subject, Vec<Problem>> {
    let lines = Lines(text);
    let written: Written = toml::from_str(text)
        .map_err(|error| vec![lines.problem(error.span().unwrap_or_default(), error.message().to_owned())])?;
    check::subject(written, folder, &lines)
}

/// Finds the line of a place in the text.
pub(super) struct Lines<'t>(&'t str);

impl Lines<'_> {
    pub(super) fn problem(&self, span: Range<usize>, message: impl Into<String>) -> Problem {
        let before = &self.0[..self.0.floor_char_boundary(span.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::at(line, column, message)
    }
}
