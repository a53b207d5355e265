//! Whether a server knows index ranges. One that does not gives all of an array, which passes for the entries that were asked
//! for where it is as short as these.

use super::{Failure, Live};
use edgeway_sdk::Deadline;
use opcua::types::{DataValue, NodeId, NumericRange, ReadValueId, StatusCode, Variant};
use parking_lot::Mutex;
use std::collections::HashMap;

/// An entry that no array has, and whose number every server can read.
const BEYOND: u32 = 1_000_000_000;

/// Nodes whose ranges the server has shown to know, or not to know.
#[derive(Default)]
pub(crate) struct Ranges(Mutex<HashMap<NodeId, bool>>);

impl Ranges {
    /// Makes values bad that are not the entries that were asked for. Every node is asked once for an entry far beyond its end:
    /// a server that gives one gives it for any range.
    pub(crate) async fn check(
        &self,
        live: &Live,
        asked: &[ReadValueId],
        values: &mut [DataValue],
        by: Deadline,
    ) -> Result<(), Failure> {
        self.learn(live, self.unknown(asked, values), by).await?;
        let known = self.0.lock();
        for (asked, value) in asked.iter().zip(values).filter(|(asked, _)| asked.index_range.has_range()) {
            if known.get(&asked.node_id) == Some(&false) {
                value.status = Some(StatusCode::BadNotSupported);
            }
        }
        Ok(())
    }

    /// What has given a value of a range, and was not put to the test yet.
    fn unknown(&self, asked: &[ReadValueId], values: &[DataValue]) -> Vec<ReadValueId> {
        let known = self.0.lock();
        let is_unknown = |(asked, value): &(&ReadValueId, &DataValue)| {
            asked.index_range.has_range() && !value.status().is_bad() && !known.contains_key(&asked.node_id)
        };
        asked.iter().zip(values).filter(is_unknown).map(|(asked, _)| asked.clone()).collect()
    }

    async fn learn(&self, live: &Live, unknown: Vec<ReadValueId>, by: Deadline) -> Result<(), Failure> {
        if unknown.is_empty() {
            return Ok(());
        }
        let beyond = |asked: &ReadValueId| ReadValueId { index_range: beyond(&asked.index_range), ..asked.clone() };
        let values = live.read(unknown.iter().map(beyond).collect(), by).await?;
        let shown = unknown.into_iter().zip(values).map(|(asked, value)| (asked.node_id, !holds_any(&value)));
        self.0.lock().extend(shown);
        Ok(())
    }
}

/// A range of as many dimensions, beyond the end of all of them.
fn beyond(range: &NumericRange) -> NumericRange {
    match range {
        NumericRange::MultipleRanges(ranges) => {
            NumericRange::MultipleRanges(vec![NumericRange::Index(BEYOND); ranges.len()])
        }
        _ => NumericRange::Index(BEYOND),
    }
}

fn holds_any(value: &DataValue) -> bool {
    match &value.value {
        _ if value.status().is_bad() => false,
        None | Some(Variant::Empty) => false,
        Some(Variant::Array(array)) => !array.values.is_empty(),
        Some(Variant::String(text)) => !text.as_ref().is_empty(),
        Some(Variant::ByteString(bytes)) => !bytes.as_ref().is_empty(),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_gives_what_is_not_there_knows_no_ranges() {
        let bad = DataValue { status: Some(StatusCode::BadIndexRangeNoData), ..DataValue::default() };
        for (value, is_any) in [
            (bad, false),
            (DataValue::default(), false),
            (DataValue::value_only(Variant::from(Vec::<i32>::new())), false),
            (DataValue::value_only(Variant::from("")), false),
            (DataValue::value_only(Variant::from(vec![1_i32])), true),
            (DataValue::value_only(Variant::from("text")), true),
        ] {
            assert_eq!(holds_any(&value), is_any, "{value:?}");
        }
    }

    #[test]
    fn beyond_the_end_is_beyond_all_dimensions() {
        let text = |range: &str| beyond(&range.parse().expect("a range")).to_string();
        assert_eq!((text("2"), text("0:3")), ("1000000000".into(), "1000000000".into()));
        assert_eq!(text("0:1,2"), "1000000000,1000000000");
    }
}
