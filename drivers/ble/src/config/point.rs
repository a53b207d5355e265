//! A point's options.

use super::Place;
use edgeway_payload::{Format, Kind, Mapping, Order};
use edgeway_sdk::{Access, Json, Problem, options};
use std::collections::BTreeMap;

/// A point's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) place: Place,
    /// Of bytes: what they hold.
    pub(crate) mapping: Option<Mapping>,
    pub(crate) watch: Watch,
    /// `None`: as the characteristic says.
    pub(crate) write_with: Option<WriteWith>,
}

/// How a value that is read by connecting gets here.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Watch {
    /// It is read at its period
    #[default]
    Poll,
    /// The device tells when it changes; it is kept connected for that
    Notify,
}

/// Whether a write is acknowledged.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WriteWith {
    /// The device says that it has the value
    Response,
    /// Nobody knows whether it came
    NoResponse,
}

/// A point's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "BLE point")]
pub(crate) struct Written {
    /// In advertisements `rssi`, `tx_power`, `bthome:temperature`, `ruuvi:humidity`, `ibeacon:major`, `eddystone:url`, or bytes, `manufacturer:0x0499` and `service:181a`; by connecting `gatt:180f/2a19`. With `#2` for the second of the same name
    at: String,
    /// Bytes: what they hold. Default: bytes
    #[serde(rename = "type", default)]
    kind: Option<Kind>,
    /// Bytes: their order. Default: little, as everywhere in Bluetooth
    order: Option<Order>,
    /// Bytes: the first of the value, from 0
    byte: Option<u32>,
    /// Bytes: with the type bit, which one, 0 being the least significant
    #[schemars(range(min = 0, max = 7))]
    bit: Option<u8>,
    /// Bytes: how many, of the types string and bytes. Default: to the end
    length: Option<u32>,
    /// Bytes: the device's numbers and texts, and what they stand for, `{ 0 = "closed", 1 = "open" }`
    #[serde(default)]
    map: BTreeMap<String, Json>,
    /// GATT: read at the point's period, or told by the device
    watch: Option<Watch>,
    /// GATT: whether a write is acknowledged. Default: if the characteristic offers it
    write_with: Option<WriteWith>,
}

impl Point {
    /// Reads a point's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json, access: Access) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let place = Place::parse(&written.at).map_err(|problem| problems.push(problem)).ok();
        if let Some(place) = place {
            problems.extend(access_problem(place, access));
            problems.extend(written.misplaced(place));
        }
        let mapping = place.filter(|place| place.holds_bytes()).and_then(|_| written.mapping(access, &mut problems));
        match place {
            Some(place) if problems.is_empty() => {
                Ok(Point { place, mapping, watch: written.watch.unwrap_or_default(), write_with: written.write_with })
            }
            _ => Err(problems),
        }
    }
}

fn access_problem(place: Place, access: Access) -> Option<Problem> {
    let problem =
        || Problem::key("at", "an advertisement cannot be written").help("`gatt:...`, or make the point read-only");
    (access.writes() && !matches!(place, Place::Gatt(_))).then(problem)
}

impl Written {
    /// Keys that do not go with the place.
    fn misplaced(&self, place: Place) -> Vec<Problem> {
        let of_bytes = [
            ("type", self.kind.is_some()),
            ("order", self.order.is_some()),
            ("byte", self.byte.is_some()),
            ("bit", self.bit.is_some()),
            ("length", self.length.is_some()),
            ("map", !self.map.is_empty()),
        ];
        let of_gatt = [("watch", self.watch.is_some()), ("write_with", self.write_with.is_some())];
        let bytes = of_bytes
            .into_iter()
            .filter(|_| !place.holds_bytes())
            .map(|key| (key, "`manufacturer:`, `service:` and `gatt:`"));
        let gatt = of_gatt.into_iter().filter(|_| !matches!(place, Place::Gatt(_))).map(|key| (key, "`gatt:`"));
        let given = bytes.chain(gatt).filter(|((_, is_given), _)| *is_given);
        given.map(|((key, _), with)| Problem::key(key, format!("`{key}` goes with {with} alone"))).collect()
    }

    fn mapping(&self, access: Access, problems: &mut Vec<Problem>) -> Option<Mapping> {
        let byte = self.byte.unwrap_or(0);
        let options = edgeway_payload::Options {
            at: Some(self.bit.map_or_else(|| byte.to_string(), |bit| format!("{byte}.{bit}"))),
            format: Format::Binary,
            kind: self.kind.unwrap_or(Kind::Bytes),
            order: Some(self.order.unwrap_or(Order::Little)),
            length: self.length,
            map: self.map.clone(),
            ..edgeway_payload::Options::default()
        };
        let mut found = self.bit_problem().into_iter().collect();
        let mapping = Mapping::new(&options, access, &mut found);
        // The place among bytes is written otherwise here, and told of above.
        let told_here = self.bit_problem().is_some();
        problems.extend(found.into_iter().filter_map(|problem| renamed(problem, told_here)));
        mapping
    }

    fn bit_problem(&self) -> Option<Problem> {
        match (self.kind, self.bit) {
            (Some(Kind::Bit), None) => Some(Problem::key("bit", "the type bit needs to know which").help("0 to 7")),
            (Some(Kind::Bit), Some(0..=7)) | (_, None) => None,
            (Some(Kind::Bit), Some(bit)) => Some(Problem::key("bit", format!("{bit} is out of range")).help("0 to 7")),
            (_, Some(_)) => Some(Problem::key("bit", "`bit` goes with `type = \"bit\"` alone")),
        }
    }
}

/// `at` in a mapping is `byte` and `bit` here.
fn renamed(problem: Problem, told_here: bool) -> Option<Problem> {
    if problem.place != edgeway_sdk::Place::Key("at".into()) {
        return Some(problem);
    }
    let renamed = Problem::key("byte", "only a value that is the whole characteristic can be written");
    (!told_here).then(|| renamed.help("leave `byte` out, or make the point read-only"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json, access: Access) -> Vec<String> {
        Point::parse(&options, access).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn points() {
        for options in [
            json!({ "at": "rssi" }),
            json!({ "at": "bthome:window" }),
            json!({ "at": "service:181a", "type": "i16", "byte": 6, "order": "big" }),
            json!({ "at": "manufacturer:0x0499", "type": "bit", "byte": 2, "bit": 7 }),
            json!({ "at": "gatt:181a/2a6e", "type": "i16", "watch": "notify" }),
            json!({ "at": "gatt:ffe0/ffe1", "type": "u8", "map": { "0": "off", "1": "on" } }),
        ] {
            assert!(Point::parse(&options, Access::Read).is_ok(), "{options}");
        }
    }

    #[test]
    fn mistakes_name_the_key_and_what_would_be_right() {
        let (read, write) = (Access::Read, Access::ReadWrite);
        for (options, access, expected) in [
            (
                json!({ "at": "rssi" }),
                write,
                "`at`: an advertisement cannot be written (`gatt:...`, or make the point read-only)",
            ),
            (
                json!({ "at": "rssi", "type": "u8" }),
                read,
                "`type`: `type` goes with `manufacturer:`, `service:` and `gatt:` alone",
            ),
            (json!({ "at": "service:181a", "watch": "poll" }), read, "`watch`: `watch` goes with `gatt:` alone"),
            (json!({ "at": "service:181a", "type": "bit" }), read, "`bit`: the type bit needs to know which (0 to 7)"),
            (
                json!({ "at": "service:181a", "type": "u8", "bit": 1 }),
                read,
                "`bit`: `bit` goes with `type = \"bit\"` alone",
            ),
            (json!({ "at": "service:181a", "type": "bit", "bit": 8 }), read, "`bit`: 8 is out of range (0 to 7)"),
            (
                json!({ "at": "service:181a", "type": "u8", "length": 2 }),
                read,
                "`length`: `length` goes with the types string and bytes alone",
            ),
            (
                json!({ "at": "service:181a", "type": "number" }),
                read,
                "`type`: a binary payload needs a type (as in `type = \"u16\"`)",
            ),
            (
                json!({ "at": "gatt:180f/2a19", "type": "u8", "byte": 1 }),
                write,
                "`byte`: only a value that is the whole characteristic can be written (leave `byte` out, or make the point read-only)",
            ),
        ] {
            assert_eq!(problems(options, access), [expected]);
        }
    }

    #[test]
    fn every_mistake_of_a_point_is_told_at_once() {
        let found = problems(json!({ "at": "rssi", "type": "u8", "length": 1, "watch": "notify" }), Access::ReadWrite);
        assert_eq!(
            found.iter().filter_map(|text| text.split('`').nth(1)).collect::<Vec<_>>(),
            ["at", "type", "length", "watch"]
        );
    }
}
