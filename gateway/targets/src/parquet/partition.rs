//! Which partition a row belongs to. Pure.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array, RecordBatch};
use edgeway_formats::Table;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY_MILLIS: i64 = 86_400_000;

/// Rows, one after the other, that go into the same file.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    /// `kind=property/model=wind_turbine/day=2026-11-26`
    pub(super) folder: String,
    /// The id of the first row, in hexadecimal digits.
    pub(super) first_id: String,
    pub(super) rows: RecordBatch,
}

/// The rows of a table by partition. The day is that of the column `time`, in UTC.
///
/// # Errors
/// What the table lacks.
pub(super) fn parts(table: &Table) -> Result<Vec<Part>, String> {
    let batch = &table.batch;
    let column = |name| batch.column_by_name(name).ok_or_else(|| format!("`{}` has no column `{name}`", table.name));
    let time = column("time")?;
    let id = column("id")?;
    let millis = time.as_primitive_opt::<TimestampMillisecondType>().ok_or("`time` is not in milliseconds")?;
    let ids = id.as_fixed_size_binary_opt().ok_or("`id` is not of a fixed size")?;
    if millis.null_count() + ids.null_count() > 0 {
        return Err(format!("`{}` has a row without id or time", table.name));
    }
    let mut parts = vec![];
    for days in millis.values().chunk_by(|a, b| a.div_euclid(DAY_MILLIS) == b.div_euclid(DAY_MILLIS)) {
        let start = parts.iter().map(|part: &Part| part.rows.num_rows()).sum();
        parts.push(Part {
            folder: format!("{}/day={}", folder(&table.name), day(days[0])?),
            first_id: ids.value(start).iter().map(|byte| format!("{byte:02x}")).collect(),
            rows: batch.slice(start, days.len()),
        });
    }
    Ok(parts)
}

/// `property/wind_turbine` is `kind=property/model=wind_turbine`.
fn folder(table: &str) -> String {
    let mut levels = table.split('/').map(safe);
    let kind = levels.next().unwrap_or_default();
    let second = if kind == "stream" { "query" } else { "model" };
    let keys = [second, "event"].into_iter().chain(std::iter::repeat("more"));
    let rest: String = keys.zip(levels).map(|(key, level)| format!("/{key}={level}")).collect();
    format!("kind={kind}{rest}")
}

/// Table names are of such characters; whatever else came here could not be a path.
fn safe(level: &str) -> String {
    level.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '_' }).collect()
}

fn day(millis: i64) -> Result<String, String> {
    let time = Timestamp::from_millisecond(millis).map_err(|_| format!("the time {millis} ms is in no calendar"))?;
    Ok(time.to_zoned(TimeZone::UTC).date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{FixedSizeBinaryArray, TimestampMillisecondArray};
    use std::sync::Arc;

    fn table(millis: Vec<i64>) -> Table {
        let ids = (0..millis.len()).map(|n| (n as u128).to_be_bytes());
        let ids = FixedSizeBinaryArray::try_from_iter(ids).unwrap();
        let times = TimestampMillisecondArray::from(millis).with_timezone("UTC");
        let columns: [(&str, Arc<dyn Array>); 2] = [("id", Arc::new(ids)), ("time", Arc::new(times))];
        Table { name: "event/wind_turbine/overheat".into(), batch: RecordBatch::try_from_iter(columns).unwrap() }
    }

    #[test]
    fn rows_go_to_the_day_of_their_time() {
        let midnight = 1_795_651_200_000; // 2026-11-26
        let parts = parts(&table(vec![midnight - 1, midnight, midnight + 5, midnight - 2])).unwrap();
        let found = parts.iter().map(|part| (part.folder.as_str(), &part.first_id[30..], part.rows.num_rows()));
        let before = "kind=event/model=wind_turbine/event=overheat/day=2026-11-25";
        let after = "kind=event/model=wind_turbine/event=overheat/day=2026-11-26";
        assert_eq!(found.collect::<Vec<_>>(), [(before, "00", 1), (after, "01", 2), (before, "03", 1)]);
    }

    #[test]
    fn no_table_leaves_its_place() {
        assert_eq!(folder("status"), "kind=status");
        assert_eq!(folder("stream/ti_10min"), "kind=stream/query=ti_10min");
        assert_eq!(folder("property/../a b"), "kind=property/model=../event=a_b");
    }

    #[test]
    fn a_time_in_no_calendar_is_refused() {
        assert!(parts(&table(vec![i64::MAX])).is_err());
    }
}
