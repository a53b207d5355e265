//! What a query does, in words.

use crate::operator::Held;
use crate::query::{From, Query, Work};
use crate::rows::NEVER;
use crate::source::Source;
use edgeway_sdk::Timestamp;
use std::fmt::Write;

/// A block: what it reads, its steps, and what they hold at the moment.
pub(super) fn block(query: &Query, queries: &[Query], sources: &[Source]) -> String {
    let mut text = format!("{}\n", query.identity.name);
    let mut inputs = query.inputs.iter();
    if let Some(first) = inputs.next() {
        let _ = writeln!(text, "  reads {}", input(&first.from, queries, sources));
    }
    for step in &query.steps {
        let what = match &step.work {
            Work::Do(operator) => operator.describe(),
            Work::Meet(at, join) => {
                let other = query.inputs.get(*at).map(|other| input(&other.from, queries, sources));
                format!("{}: {}", join.describe(), other.unwrap_or_default())
            }
        };
        let _ = writeln!(text, "  {what}{}", holding(step.held()));
    }
    let columns = query.identity.columns.join(", ");
    let end = if query.identity.is_hidden { "hands on" } else { "tells" };
    let _ = writeln!(text, "  {end} {columns}");
    if query.watermark != NEVER {
        let _ = writeln!(text, "  complete up to {}", Timestamp::from_nanos(query.watermark));
    }
    text
}

fn input(from: &From, queries: &[Query], sources: &[Source]) -> String {
    match from {
        From::Query(at) => queries[*at].identity.name.to_string(),
        From::Source(at) => sources[*at].describe(),
    }
}

fn holding(held: Held) -> String {
    if held == Held::default() {
        return String::new();
    }
    format!(" ({} windows, {} groups, {} bytes)", held.windows, held.groups, held.bytes)
}
