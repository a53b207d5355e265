//! Payloads to values, and whether a signature is right. Pure.

mod signature;

use crate::config::Point;
use edgeway_payload::{Document, Reading};
use edgeway_sdk::{Batch, PointIx, Quality, Timestamp, Value};
use std::sync::Arc;

/// A point's part of a payload.
#[derive(Clone)]
pub(crate) struct Item {
    pub(crate) point: PointIx,
    pub(crate) options: Arc<Point>,
}

/// What was read, to be told again when nothing has changed: value, quality, and the source time that the payload has.
pub(crate) type Kept = (Value, Quality, Option<Timestamp>);

/// The value of every point. A point that the payload says nothing of is bad.
pub(crate) fn read(items: &[Item], document: &Document) -> Vec<Kept> {
    let kept = |reading: Reading| (reading.value, reading.quality, reading.time);
    let absent = (Value::Null, Quality::BadConfig, None);
    items.iter().map(|item| item.options.mapping.read(document).map_or(absent.clone(), kept)).collect()
}

/// Why what was read is bad, where that is a matter of the options.
pub(crate) fn misfits(items: &[Item], readings: &[Kept], document: &Document) -> Vec<(PointIx, String)> {
    let bad = items.iter().zip(readings).filter(|(_, (_, quality, _))| quality.is_bad());
    bad.filter_map(|(item, _)| Some((item.point, item.options.mapping.misfit(document)?))).collect()
}

/// Puts what was read into the batch. What has no time of its own was good when the answer came.
pub(crate) fn push(items: &[Item], readings: impl Iterator<Item = Kept>, received: Timestamp, out: &mut Batch) {
    for (item, (value, quality, time)) in items.iter().zip(readings) {
        out.push(item.point, value, quality, time.unwrap_or(received));
    }
}

/// Puts every reading of the points that the payload speaks of into the batch.
pub(crate) fn push_told<'i>(
    items: impl Iterator<Item = &'i Item>,
    document: &Document,
    received: Timestamp,
    out: &mut Batch,
) {
    for item in items {
        let (mapping, before) = (&item.options.mapping, out.len());
        mapping.read_all(document, |reading| {
            out.push(item.point, reading.value, reading.quality, reading.time.unwrap_or(received));
        });
        mapping.explain(item.point, document, before, out);
    }
}
