//! Why a document has no good value for a point, in words for the operator.

use super::{Mapping, Way};
use crate::document::Content;
use crate::place::Selected;
use crate::{Document, Kind, meaning};
use edgeway_sdk::{Batch, Json, PointIx, Quality};

/// The most characters of a payload that are shown.
const SHOWN_MAX: usize = 40;

impl Mapping {
    /// Says in a batch why what the document says of the point is bad: if it is, and if that is a matter of the mapping. `before` is
    /// how many values were in the batch before those of the document, if there are any.
    pub fn explain(&self, point: PointIx, document: &Document, before: usize, out: &mut Batch) {
        if out.qualities[before..].last().is_some_and(|quality| quality.is_bad()) {
            out.reasons.extend(self.misfit(document).map(|misfit| (point, misfit)));
        }
    }

    /// What in a document does not fit the mapping; `None` if it fits: then the device itself says that it has no good value.
    pub fn misfit(&self, document: &Document) -> Option<String> {
        let at = &self.at;
        match (&document.0, &self.way) {
            (Content::Tree { tree, .. }, Way::Tree(place)) => match place.select(tree) {
                Selected::None => Some(format!("the payload has nothing at `{at}`")),
                Selected::Several(_) if self.kind != Kind::Array => {
                    Some(format!("`{at}` leads to several values of the payload"))
                }
                Selected::One(one) if self.kind != Kind::Array => self.misfit_of(one),
                Selected::One(_) | Selected::Several(_) => None,
            },
            (Content::Records { records, .. }, Way::Record(name)) => {
                match records.iter().rfind(|record| record.name == *name) {
                    None => Some(format!("the payload has no record `{name}`")),
                    Some(record) => self.misfit_of(&record.value),
                }
            }
            (Content::Text(text), Way::Text) => self.misfit_of(&meaning::of_text(text)),
            (Content::Binary(bytes), Way::Bytes(layout)) => match layout.read(bytes) {
                (_, Quality::Bad) => Some(format!("the payload ends after {} bytes, before the value", bytes.len())),
                (value, quality) if !quality.is_bad() => self.misfit_of(&value.to_json()),
                _ => None,
            },
            _ => Some(format!("the payload is of another format than {:?}", self.format).to_lowercase()),
        }
    }

    fn misfit_of(&self, json: &Json) -> Option<String> {
        if meaning::value(json, self.kind, &self.words).1 != Quality::BadOutOfRange {
            return None;
        }
        let shown = shown(json);
        match self.kind {
            _ if !self.words.is_empty() => Some(format!("{shown} is none of the words in `map`")),
            Kind::Number => Some(format!("{shown} is no number")),
            Kind::Bool => Some(format!("{shown} is neither true nor false")),
            _ => None,
        }
    }
}

fn shown(json: &Json) -> String {
    let text = json.to_string();
    let mut shown: String = text.chars().take(SHOWN_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{shown}`")
}
