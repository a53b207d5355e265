//! SenML packs, resolved: RFC 8428 sections 4 and 6.

use crate::Error;
use edgeway_sdk::{Json, Timestamp};
use std::time::Duration;

/// Times below are relative to now (section 4.5.3).
const RELATIVE_BELOW_S: f64 = 268_435_456.0;
/// The version that we know (section 4.4).
const VERSION: i64 = 10;

/// A record with its base values applied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub(crate) name: String,
    pub(crate) value: Json,
    pub(crate) unit: String,
    /// `None` if it has none: it is of now.
    pub(crate) time: Option<Timestamp>,
}

/// What records inherit.
#[derive(Default)]
struct Base {
    name: String,
    time_s: Option<f64>,
    unit: String,
    value: Option<f64>,
}

/// The records of a pack that have a value, in its order. A record with a sum alone has none.
pub(crate) fn resolve(pack: &Json, received: Timestamp) -> Result<Vec<Record>, Error> {
    let records = pack.as_array().ok_or_else(|| wrong("a pack is a list of records"))?;
    let mut base = Base::default();
    let mut resolved = vec![];
    for record in records {
        if !record.is_object() {
            return Err(wrong("a record is an object"));
        }
        base.take(record)?;
        resolved.extend(base.apply(record, received)?);
    }
    Ok(resolved)
}

/// Its labels in JSON and in CBOR (section 6, table 4).
fn field<'r>(record: &'r Json, name: &str, label: &str) -> Option<&'r Json> {
    record.get(name).or_else(|| record.get(label))
}

fn number(record: &Json, name: &str, label: &str) -> Result<Option<f64>, Error> {
    match field(record, name, label) {
        None => Ok(None),
        Some(value) => value.as_f64().map(Some).ok_or_else(|| wrong(format!("`{name}` is no number"))),
    }
}

fn text(record: &Json, name: &str, label: &str) -> Result<Option<String>, Error> {
    match field(record, name, label) {
        None => Ok(None),
        Some(value) => {
            value.as_str().map(|text| Some(text.to_owned())).ok_or_else(|| wrong(format!("`{name}` is no text")))
        }
    }
}

fn truth(record: &Json) -> Result<Option<Json>, Error> {
    match field(record, "vb", "4") {
        None => Ok(None),
        Some(value) if value.is_boolean() => Ok(Some(value.clone())),
        Some(_) => Err(wrong("`vb` is neither true nor false")),
    }
}

impl Base {
    fn take(&mut self, record: &Json) -> Result<(), Error> {
        if let Some(version) = field(record, "bver", "-1").and_then(Json::as_i64)
            && version > VERSION
        {
            return Err(wrong(format!("its version is {version}, and {VERSION} is the newest that is known")));
        }
        // A field that is not known and ends in `_` must be understood (section 4.4).
        if let Some(name) =
            record.as_object().into_iter().flatten().map(|(name, _)| name).find(|name| name.ends_with('_'))
        {
            return Err(wrong(format!("`{name}` must be understood, and is not known")));
        }
        self.name = text(record, "bn", "-2")?.unwrap_or(std::mem::take(&mut self.name));
        self.time_s = number(record, "bt", "-3")?.or(self.time_s);
        self.unit = text(record, "bu", "-4")?.unwrap_or(std::mem::take(&mut self.unit));
        self.value = number(record, "bv", "-5")?.or(self.value);
        Ok(())
    }

    fn apply(&self, record: &Json, received: Timestamp) -> Result<Option<Record>, Error> {
        let Some(value) = self.value(record)? else { return Ok(None) };
        let name = self.name.clone() + &text(record, "n", "0")?.unwrap_or_default();
        let unit = text(record, "u", "1")?.unwrap_or(self.unit.clone());
        let time_s = match (self.time_s, number(record, "t", "6")?) {
            (Some(base), Some(time)) => Some(base + time),
            (base, time) => base.or(time),
        };
        Ok(Some(Record { name, value, unit, time: time_s.map(|time_s| moment(time_s, received)) }))
    }

    fn value(&self, record: &Json) -> Result<Option<Json>, Error> {
        let plain = number(record, "v", "2")?;
        match (plain, self.value) {
            (Some(value), Some(base)) => return Ok(Some(Json::from(base + value))),
            (Some(_), None) => return Ok(field(record, "v", "2").cloned()),
            _ => {}
        }
        // A record has one of them (section 4.2).
        let text = text(record, "vs", "3")?.or(text(record, "vd", "8")?).map(Json::from);
        Ok(text.or(truth(record)?))
    }
}

fn moment(time_s: f64, received: Timestamp) -> Timestamp {
    // Saturates: an absurd time gives an absurd time.
    let distance = Duration::try_from_secs_f64(time_s.abs()).unwrap_or(Duration::MAX);
    let from = if time_s < RELATIVE_BELOW_S { received } else { Timestamp::EPOCH };
    if time_s < 0.0 { from - distance } else { from + distance }
}

fn wrong(reason: impl ToString) -> Error {
    Error::unreadable("SenML", reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn base_values_are_applied_from_where_they_stand_on() {
        let pack = json!([
            { "bn": "urn:dev:ow:10e2073a01080063:", "bt": 1.276020076e9, "bu": "A", "bver": 5, "n": "voltage", "u": "V", "v": 120.1 },
            { "n": "current", "t": -5, "v": 1.2 },
            { "n": "current", "v": 1.7 },
            { "bn": "urn:x:", "n": "open", "vb": true }
        ]);
        let records = resolve(&pack, at(2_000_000_000)).expect("a pack");
        let last = |record: &Record| record.name.rsplit(':').next().unwrap_or_default().to_owned();
        let short: Vec<_> = records.iter().map(|r| (last(r), r.unit.as_str(), r.time)).collect();
        let time = |after: i64| Some(at(1_276_020_076 + after));
        assert_eq!(
            short,
            [
                ("voltage".into(), "V", time(0)),
                ("current".into(), "A", time(-5)),
                ("current".into(), "A", time(0)),
                ("open".into(), "A", time(0))
            ]
        );
        assert_eq!(records[3].name, "urn:x:open");
    }

    #[test]
    fn small_times_count_from_now_and_no_time_is_now() {
        let pack = json!([{ "n": "a", "v": 1, "t": -60 }, { "n": "b", "v": 1 }]);
        let times: Vec<_> = resolve(&pack, at(1000)).expect("a pack").iter().map(|record| record.time).collect();
        assert_eq!(times, [Some(at(940)), None]);
    }

    #[test]
    fn the_labels_of_cbor_are_understood() {
        let pack = json!([{ "-2": "dev:", "0": "temp", "1": "Cel", "2": 23.1 }]);
        let record = &resolve(&pack, at(0)).expect("a pack")[0];
        assert_eq!((record.name.as_str(), record.unit.as_str(), &record.value), ("dev:temp", "Cel", &json!(23.1)));
    }

    #[test]
    fn a_base_value_is_added() {
        let pack = json!([{ "bv": 20.0, "n": "t", "v": 1.5 }]);
        assert_eq!(resolve(&pack, at(0)).expect("a pack")[0].value, json!(21.5));
    }

    #[test]
    fn what_is_no_pack_says_why() {
        for (pack, why) in [
            (json!({}), "list of records"),
            (json!([1]), "record is an object"),
            (json!([{ "n": 1, "v": 1 }]), "`n` is no text"),
            (json!([{ "n": "a", "v": "1" }]), "`v` is no number"),
            (json!([{ "n": "a", "vs": {} }]), "`vs` is no text"),
            (json!([{ "n": "a", "vb": 1 }]), "`vb` is neither"),
            (json!([{ "bver": 11, "n": "a", "v": 1 }]), "version is 11"),
            (json!([{ "n": "a", "v": 1, "new_": 1 }]), "`new_` must be understood"),
        ] {
            let error = resolve(&pack, at(0)).expect_err("no pack").to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn absurd_times_saturate() {
        for time in [1e300, -1e300] {
            let _ = resolve(&json!([{ "n": "a", "v": 1, "t": time }]), at(0)).expect("a pack");
        }
    }
}
