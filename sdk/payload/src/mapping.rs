//! From a document to a value, and from a value to a payload.

mod misfit;

use crate::binary::{Layout, width};
use crate::document::Content;
use crate::meaning::{self, Words};
use crate::place::{Place, Selected};
use crate::senml::Record;
use crate::{Document, Format, Kind, Options, TimeUnit, cbor, time};
use edgeway_sdk::{Access, Json, Problem, Quality, Timestamp, Value};

/// What stands for the value in a `payload`.
const PLACEHOLDER: &str = "{value}";

/// Where a point's value is in a payload, checked and ready to be used often.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    format: Format,
    way: Way,
    /// The path as it was written.
    at: String,
    kind: Kind,
    words: Words,
    time: Option<(Place, TimeUnit)>,
    quality: Option<Place>,
    payload: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Way {
    Tree(Place),
    /// The record of this name.
    Record(String),
    Text,
    Bytes(Layout),
}

/// What a payload says of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The value; `Null` if the quality is bad.
    pub value: Value,
    /// How far it can be trusted.
    pub quality: Quality,
    /// When it was measured, if the payload says so.
    pub time: Option<Timestamp>,
}

impl Mapping {
    /// Checks the mapping keys of a point; `None` if there is a mistake. All mistakes are added to `problems`.
    pub fn new(options: &Options, access: Access, problems: &mut Vec<Problem>) -> Option<Mapping> {
        let before = problems.len();
        check_keys(options, problems);
        let way = way(options, problems);
        let time = path("time", options.time.as_deref(), problems).map(|place| (place, options.time_unit));
        let quality = path("quality", options.quality.as_deref(), problems);
        let mapping = Mapping {
            format: options.format,
            way: way?,
            at: options.at.clone().unwrap_or_default(),
            kind: options.kind,
            words: Words::new(&options.map),
            time,
            quality,
            payload: options.payload.clone(),
        };
        if access.writes() {
            problems.extend(mapping.cannot_write());
        }
        (problems.len() == before).then_some(mapping)
    }

    /// The format that it reads.
    pub fn format(&self) -> Format {
        self.format
    }

    /// What a document says of the point; `None` if nothing. Of several SenML records of the name the newest counts.
    pub fn read(&self, document: &Document) -> Option<Reading> {
        let mut newest: Option<Reading> = None;
        self.read_all(document, |reading| {
            if newest.as_ref().is_none_or(|newest| newest.is_older_than(&reading)) {
                newest = Some(reading);
            }
        });
        newest
    }

    /// Everything that a document says of the point, in its order: SenML packs hold series.
    pub fn read_all(&self, document: &Document, mut each: impl FnMut(Reading)) {
        match (&document.0, &self.way) {
            (Content::Tree { tree, .. }, Way::Tree(place)) => self.of_tree(tree, place).into_iter().for_each(each),
            (Content::Records { records, .. }, Way::Record(name)) => {
                records.iter().filter(|record| record.name == *name).for_each(|record| each(self.of_record(record)));
            }
            (Content::Text(text), Way::Text) => each(self.plain(&meaning::of_text(text))),
            (Content::Binary(bytes), Way::Bytes(layout)) => each(self.of_bytes(layout.read(bytes))),
            // Not the format that it reads: it says nothing.
            _ => {}
        }
    }

    fn of_tree(&self, tree: &Json, place: &Place) -> Option<Reading> {
        let reading = match (place.select(tree), self.kind) {
            (Selected::None, _) => return None,
            (Selected::One(one), Kind::Array) if !one.is_array() => self.plain(&Json::from(vec![one.clone()])),
            (Selected::One(one), _) => self.plain(one),
            (Selected::Several(several), Kind::Array) => self.plain(&several.into_iter().cloned().collect()),
            // Which of them is meant nobody knows.
            (Selected::Several(_), _) => Reading::bad(Quality::BadConfig),
        };
        Some(self.as_told(tree, reading))
    }

    /// With the time and the quality that the payload gives.
    fn as_told(&self, tree: &Json, mut reading: Reading) -> Reading {
        if let Some(place) = &self.quality {
            reading = reading.at_most(match place.select(tree) {
                Selected::One(told) => meaning::quality(told),
                // How good it is nobody knows.
                _ => Quality::Uncertain,
            });
        }
        if let Some((place, unit)) = &self.time {
            reading.time = match place.select(tree) {
                Selected::One(told) => time::read(told, *unit),
                _ => None,
            };
            // Of when it is nobody knows.
            if reading.time.is_none() {
                reading = reading.at_most(Quality::Uncertain);
            }
        }
        reading
    }

    fn of_record(&self, record: &Record) -> Reading {
        Reading { time: record.time, ..self.plain(&record.value) }
    }

    fn of_bytes(&self, (value, quality): (Value, Quality)) -> Reading {
        if self.words.is_empty() || quality.is_bad() {
            return Reading { value, quality, time: None };
        }
        self.plain(&value.to_json())
    }

    fn plain(&self, json: &Json) -> Reading {
        let (value, quality) = meaning::value(json, self.kind, &self.words);
        Reading { value, quality, time: None }
    }

    /// The payload that sets a value.
    ///
    /// # Errors
    /// Why the value does not fit, for the operator.
    pub fn encode(&self, value: &Value) -> Result<Vec<u8>, String> {
        if let (Way::Bytes(layout), true) = (&self.way, self.words.is_empty()) {
            return layout.write(value);
        }
        let json = self.word(value)?;
        match (&self.way, &self.payload) {
            (Way::Bytes(layout), _) => layout.write(&Value::from_json(&json)),
            (_, Some(payload)) => Ok(payload.replace(PLACEHOLDER, &self.spelt(&json)).into_bytes()),
            (Way::Text, None) => Ok(self.spelt(&json).into_bytes()),
            (Way::Record(name), None) => packed(self.format, &record(name, json)),
            (Way::Tree(place), None) => {
                packed(self.format, &place.holding(json).ok_or("its path leads through a list")?)
            }
        }
    }

    fn word(&self, value: &Value) -> Result<Json, String> {
        if self.words.is_empty() {
            let json = value.to_json();
            return if json.is_null() { Err(format!("{value} is no value to write")) } else { Ok(json) };
        }
        self.words.word(value).ok_or_else(|| format!("{value} stands for no word of `map`"))
    }

    /// Text stands without quotes in text, and with them in JSON.
    fn spelt(&self, json: &Json) -> String {
        match (json, self.format) {
            (Json::String(text), Format::Text) => text.clone(),
            (json, _) => json.to_string(),
        }
    }

    /// Why no payload can be made for it.
    fn cannot_write(&self) -> Option<Problem> {
        match &self.way {
            Way::Tree(place) if self.payload.is_none() && place.holding(Json::Null).is_none() => {
                let problem = Problem::key("at", "a value cannot be written through a list or a query");
                Some(problem.help(r#"say what is sent: `payload = '{ "setpoint": {value} }'`"#))
            }
            Way::Bytes(layout) if layout.offset > 0 || layout.kind == Kind::Bit => {
                Some(Problem::key("at", "only a value that is the whole payload can be written").help("`at = \"0\"`"))
            }
            _ => None,
        }
    }
}

impl Reading {
    /// Whether the other is at least as new. What has no time is of now.
    pub fn is_older_than(&self, other: &Reading) -> bool {
        other.time.is_none() || self.time.is_some_and(|time| Some(time) <= other.time)
    }

    fn bad(quality: Quality) -> Self {
        Reading { value: Value::Null, quality, time: None }
    }

    /// The same, if it can be trusted no more than so.
    fn at_most(self, quality: Quality) -> Self {
        if quality <= self.quality {
            return self;
        }
        let value = if quality.is_bad() { Value::Null } else { self.value };
        Reading { value, quality, time: self.time }
    }
}

/// Keys that do not go with the format.
fn check_keys(options: &Options, problems: &mut Vec<Problem>) {
    let format = options.format;
    let is_tree = matches!(format, Format::Json | Format::Cbor);
    let mut only = |key: &str, given: bool, goes: bool, with: &str| {
        if given && !goes {
            problems.push(Problem::key(key, format!("`{key}` goes with {with} alone")));
        }
    };
    only("order", options.order.is_some(), format == Format::Binary, "`format = \"binary\"`");
    only("length", options.length.is_some(), format == Format::Binary, "`format = \"binary\"`");
    only("time", options.time.is_some(), is_tree, "JSON and CBOR");
    only("quality", options.quality.is_some(), is_tree, "JSON and CBOR");
    only("time_unit", options.time_unit != TimeUnit::default(), options.time.is_some(), "`time`");
    only(
        "payload",
        options.payload.is_some(),
        matches!(format, Format::Json | Format::SenmlJson | Format::Text),
        "JSON and text",
    );
    if options.payload.as_ref().is_some_and(|payload| !payload.contains(PLACEHOLDER)) {
        problems.push(Problem::key("payload", format!("the payload has no place for the value: `{PLACEHOLDER}`")));
    }
    if let Some((word, value)) = options.map.iter().find(|(_, value)| !is_scalar(value)) {
        problems.push(Problem::key(format!("map.{word}"), format!("{value} is no bool, number or text")));
    }
}

fn is_scalar(json: &Json) -> bool {
    json.is_boolean() || json.is_number() || json.is_string()
}

fn way(options: &Options, problems: &mut Vec<Problem>) -> Option<Way> {
    let at = options.at.as_deref();
    if options.kind.is_binary() && options.format != Format::Binary {
        let problem =
            Problem::key("type", format!("{:?} is a type of binary payloads alone", options.kind).to_lowercase());
        problems.push(problem.help("auto, number, bool, text or array; or `format = \"binary\"`"));
    }
    match options.format {
        Format::Json | Format::Cbor => match at {
            None => Some(Way::Tree(Place::WHOLE)),
            at => path("at", at, problems).map(Way::Tree),
        },
        Format::SenmlJson | Format::SenmlCbor => Some(Way::Record(at.unwrap_or_default().to_owned())),
        Format::Text => {
            if at.is_some() {
                problems.push(
                    Problem::key("at", "a text has no parts").help("leave `at` out, or say which `format` it is"),
                );
            }
            Some(Way::Text)
        }
        Format::Binary => layout(options, problems).map(Way::Bytes),
    }
}

fn path(key: &str, text: Option<&str>, problems: &mut Vec<Problem>) -> Option<Place> {
    match Place::parse(text?) {
        Ok(place) => Some(place),
        Err(reason) => {
            problems.push(Problem::key(key, reason).help("as in `state.temperature`, `$.list[0].v`; RFC 9535"));
            None
        }
    }
}

fn layout(options: &Options, problems: &mut Vec<Problem>) -> Option<Layout> {
    let before = problems.len();
    let kind = options.kind;
    if !kind.is_binary() {
        problems.push(Problem::key("type", "a binary payload needs a type").help("as in `type = \"u16\"`"));
    }
    if options.length.is_some() && width(kind).is_some() {
        problems.push(Problem::key("length", "`length` goes with the types string and bytes alone"));
    }
    if options.length == Some(0) {
        problems.push(Problem::key("length", "nothing is 0 bytes long"));
    }
    let at = options.at.as_deref().unwrap_or("0");
    let (byte, bit) = at.split_once('.').map_or((at, None), |(byte, bit)| (byte, Some(bit)));
    let offset = byte.parse().ok().filter(|offset| *offset < crate::PAYLOAD_BYTES_MAX);
    let number = bit.map_or(Some(0), |bit| bit.parse().ok().filter(|bit| *bit < 8));
    if offset.is_none() || number.is_none() || bit.is_some() != (kind == Kind::Bit) {
        let wanted =
            if kind == Kind::Bit { "a byte and a bit of it, as in `4.3`" } else { "the first byte, as in `4`" };
        problems.push(Problem::key("at", format!("`{at}` is no place of this type in bytes")).help(wanted));
    }
    let length = options.length.map(|length| length as usize);
    let order = options.order.unwrap_or_default();
    (problems.len() == before).then(|| Layout {
        offset: offset.unwrap_or(0),
        bit: number.unwrap_or(0),
        kind,
        order,
        length,
    })
}

fn record(name: &str, value: Json) -> Json {
    let label = match value {
        Json::Bool(_) => "vb",
        Json::String(_) => "vs",
        _ => "v",
    };
    Json::from(vec![Json::from_iter([("n".to_owned(), Json::from(name)), (label.to_owned(), value)])])
}

fn packed(format: Format, json: &Json) -> Result<Vec<u8>, String> {
    match format {
        Format::Cbor => cbor::bytes(json),
        Format::SenmlCbor => cbor::senml(json),
        _ => Ok(json.to_string().into_bytes()),
    }
}

#[cfg(test)]
mod tests;
