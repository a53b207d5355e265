//! Payloads as text that a person can compare.

use crate::wire;
use arrow_array::{Array, ArrayRef, FixedSizeBinaryArray, RecordBatch};
use arrow_ipc::reader::StreamReader;
use edgeway_formats::{Content, Payload};
use std::fmt::Write;

/// A payload: topic, media type, which messages, what is said.
pub(crate) fn printed(payload: &Payload) -> String {
    let topic = payload.topic.as_deref().unwrap_or("of the route");
    let (media_type, said) = match &payload.content {
        Content::Bytes(bytes, media_type) => (*media_type, said(bytes, media_type)),
        Content::Table(table) => ("a table", format!("{}\n{}", table.name, batch(&table.batch))),
    };
    format!("-- topic: {topic}; type: {media_type}; messages: {:?}\n{}\n", payload.items, said.trim_end())
}

fn said(bytes: &[u8], media_type: &str) -> String {
    match media_type {
        "application/x-protobuf" => wire::dump(bytes),
        "application/vnd.apache.arrow.stream" => stream(bytes),
        _ => String::from_utf8(bytes.to_vec()).expect("text"),
    }
}

/// A message of a session: topic and payload.
pub(crate) fn said_at(topic: &str, bytes: &[u8]) -> String {
    format!("-- topic: {topic}\n{}\n", wire::dump(bytes).trim_end())
}

fn stream(bytes: &[u8]) -> String {
    let batches = StreamReader::try_new(bytes, None).expect("an Arrow stream");
    batches.map(|found| batch(&found.expect("a batch"))).collect()
}

/// A column a line: name, type, metadata, values.
pub(crate) fn batch(batch: &RecordBatch) -> String {
    let mut text = format!("{:?}\n", batch.schema_ref().metadata());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let nullable = if field.is_nullable() { "?" } else { "" };
        let mut metadata: Vec<_> = field.metadata().iter().map(|(key, value)| format!("{key}={value}")).collect();
        metadata.sort();
        let metadata = metadata.join(" ");
        let _ = writeln!(text, "{} {}{nullable} {{{metadata}}} {}", field.name(), field.data_type(), values(column));
    }
    text
}

fn values(column: &ArrayRef) -> String {
    if let Some(ids) = column.as_any().downcast_ref::<FixedSizeBinaryArray>() {
        let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        return ids.iter().flatten().map(|id| hex(id) + ",").collect();
    }
    // Arrow shows times in one of two ways: other packages of the same build may have switched its time zones on.
    let shown = format!("{column:?}").replace(" (Unknown Time Zone 'UTC')", "Z").replace("+00:00", "Z");
    let lines: Vec<&str> = shown.lines().skip(2).map(str::trim).collect();
    lines.concat().trim_end_matches(']').to_owned()
}
