//! CSV: a header, then rows. A payload holds one kind of message, since each has its own columns.
//!
//! A report is one row for each value; every other message is one row.

mod rows;

use crate::runs::runs;
use crate::{Content, Format, Item, Payload, Unfit};
use edgeway_thing_models::{Body, Things};
use rows::Rows;
use std::mem::{Discriminant, discriminant};
use std::ops::Range;
use std::sync::Arc;

const MEDIA_TYPE: &str = "text/csv";

/// See the file's head.
pub(crate) struct Csv {
    things: Arc<Things>,
}

impl Csv {
    pub(crate) fn new(things: Arc<Things>) -> Self {
        Csv { things }
    }

    fn payload(&self, items: &[Item], run: Range<usize>) -> Result<Payload, Unfit> {
        let mut rows = Rows::new(&self.things);
        for at in run.clone() {
            if at == run.start {
                rows.header(&items[at]);
            }
            rows.message(&items[at]);
        }
        let bytes = rows.finish().map_err(|error| Unfit::new(run.start, format!("it cannot be CSV: {error}")))?;
        Ok(Payload { topic: None, content: Content::Bytes(bytes.into(), MEDIA_TYPE), items: run })
    }
}

impl Format for Csv {
    fn encode(&mut self, items: &[Item]) -> Result<Vec<Payload>, Unfit> {
        runs(items, shape).into_iter().map(|run| self.payload(items, run)).collect()
    }
}

/// What decides on the columns.
#[derive(PartialEq)]
enum Shape<'a> {
    Kind(Discriminant<Body>),
    Query(&'a str, &'a [Arc<str>]),
    Selected(&'a [Arc<str>]),
}

fn shape(item: &Item) -> Shape<'_> {
    match (&item.selected, &item.message.body) {
        (Some(selected), _) => Shape::Selected(&selected.columns),
        (None, Body::Row(row)) => Shape::Query(&row.query, &row.columns),
        (None, body) => Shape::Kind(discriminant(body)),
    }
}
