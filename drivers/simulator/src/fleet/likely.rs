//! What a value is likely to do, by its name, its unit and its range.

use super::text::Options;
use super::{Kind, Property, Span};
use crate::build::hash;
use edgeway_sdk::Json;

/// What a signal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A property that is read.
    Read,
    /// A part of an event: something has happened.
    OfEvent,
    /// A part of an answer: it went well.
    OfAnswer,
}

type Words = &'static [&'static str];

/// Where numbers usually are, by a word of their names and, unless any will do, their units.
const BANDS: [(Words, Words, (f64, f64)); 16] = [
    (&["oil", "gear", "motor", "bearing", "winding"], &["°C"], (45.0, 65.0)),
    (&["ambient", "outdoor", "outside"], &["°C"], (8.0, 18.0)),
    (&["temperature", "temp"], &["°C"], (18.0, 24.0)),
    (&["humidity"], &[], (40.0, 60.0)),
    (&["factor"], &[], (0.9, 0.99)),
    (&["voltage"], &["V"], (226.0, 234.0)),
    (&["frequency"], &["Hz"], (49.95, 50.05)),
    (&["pressure"], &["hPa", "mbar"], (1005.0, 1020.0)),
    (&["pressure"], &["bar"], (3.0, 5.0)),
    (&["wind"], &["m/s"], (4.0, 12.0)),
    (&["direction"], &["°"], (200.0, 290.0)),
    (&["co2"], &["ppm"], (450.0, 900.0)),
    (&["level", "soc", "battery"], &["%"], (40.0, 80.0)),
    (&["illuminance"], &["lx", "lux"], (200.0, 600.0)),
    (&["rssi", "signal"], &["dBm"], (-85.0, -60.0)),
    (&["setpoint", "target"], &["°C"], (20.0, 22.0)),
];

/// Words of what only grows.
const GROWING: [&str; 9] = ["total", "energy", "count", "counter", "import", "export", "volume", "runtime", "odometer"];
/// How much it grows in a second, by its unit; in no unit, it is counted.
const GROWTH: [(&str, f64); 8] = [
    ("Wh", 5.0),
    ("kWh", 0.005),
    ("MWh", 0.000_5),
    ("m³", 0.001),
    ("L", 0.1),
    ("h", 1.0 / 3600.0),
    ("s", 1.0),
    ("km", 0.01),
];
const COUNTS_PER_S: f64 = 0.02;
/// Words of what is mostly all right.
const TROUBLE: [&str; 9] = ["alarm", "fault", "error", "warning", "leak", "smoke", "fire", "open", "tamper"];
/// Words of what changes quickly; everything else wanders.
const RESTLESS: [&str; 8] = ["power", "current", "speed", "flow", "load", "rpm", "torque", "vibration"];

/// The signal of a value that cannot be set.
pub(super) fn signal(name: &str, kind: &Kind, role: Role) -> Options {
    match (kind, role) {
        (Kind::Int(span), _) if is_code(name) => code(span, role),
        (Kind::Int(span), _) if is_growing(name, span) => growing(span, whole_step(span)),
        (Kind::Float(span), _) if is_growing(name, span) => growing(span, resolution(span)),
        (Kind::Int(span), _) => moving(name, span, whole_step(span)),
        (Kind::Float(span), _) => moving(name, span, resolution(span)),
        (Kind::Bool, Role::Read) if has(name, &TROUBLE) => states(&[false.into(), true.into()], &["9m", "1m"]),
        (Kind::Bool, Role::Read) => states(&[false.into(), true.into()], &["5m", "5m"]),
        (Kind::Enum(numbers), Role::Read | Role::OfEvent) if numbers.len() > 1 => {
            let numbers: Vec<Json> = numbers.iter().map(|number| (*number).into()).collect();
            Options::at("states").with("values", numbers).with("each", "2m")
        }
        (Kind::Date, _) => Options::at("formula").with("formula", "floor(unix) * 1000"),
        (kind, _) => Options::at("constant").with("value", typical(name, kind)),
    }
}

/// The register of a property that can be set, with something sensible in it.
pub(super) fn register(property: &Property) -> Options {
    let value = match &property.kind {
        Kind::Bool => false.into(),
        kind => typical(&property.name, kind),
    };
    Options::at("register").with("value", value).with("name", property.name.as_str())
}

/// A value that is often met.
fn typical(name: &str, kind: &Kind) -> Json {
    match kind {
        Kind::Int(span) => {
            let (low, high) = band(name, span, whole_step(span));
            let step = whole_step(span);
            let middle = (low + (high - low) / 2.0) / step;
            ((middle.round() * step) as i64).into()
        }
        Kind::Float(span) => {
            let (low, high) = band(name, span, resolution(span));
            neat(low + (high - low) / 2.0, resolution(span)).into()
        }
        Kind::Bool => true.into(),
        Kind::Enum(numbers) => numbers.first().copied().unwrap_or_default().into(),
        Kind::Text { bytes_max } => {
            let text = format!("simulated {}", name.replace('_', " "));
            let end = (0..=text.len().min(*bytes_max)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            text[..end].into()
        }
        Kind::Date => 1_700_000_000_000_i64.into(),
        Kind::Struct(fields) => fields.iter().map(|(name, kind)| (name.clone(), typical(name, kind))).collect(),
        Kind::Array { items_max, item } => (0..(*items_max).min(3)).map(|_| typical(name, item)).collect(),
    }
}

/// A number of an alarm: mostly none; where something has happened, always one.
fn code(span: &Span, role: Role) -> Options {
    let low = span.min.unwrap_or(0.0);
    let high = span.max.unwrap_or(low + 3.0);
    let codes: Vec<Json> = [1.0, 2.0, 3.0].map(|step| ((low + step).min(high) as i64).into()).to_vec();
    match role {
        Role::OfAnswer => Options::at("constant").with("value", low as i64),
        Role::OfEvent => Options::at("states").with("values", codes).with("each", "7m"),
        Role::Read => {
            let none = Json::from(low as i64);
            states(&[none.clone(), codes[0].clone(), none, codes[1].clone()], &["8m", "30s", "13m", "1m"])
        }
    }
}

fn growing(span: &Span, resolution: f64) -> Options {
    let unit = span.unit.as_deref().unwrap_or_default();
    let rate = GROWTH.iter().find(|(known, _)| *known == unit).map_or(COUNTS_PER_S, |(_, rate)| *rate);
    let low = span.min.unwrap_or(0.0).max(0.0);
    let base = match span.max {
        Some(max) => neat(low + (max - low) / 10.0, resolution),
        None => low + 1000.0,
    };
    let growing = Options::at("total").with("base", base).with("rate", rate).with("resolution", resolution);
    // The last value before it begins again is to be within the range, also when it is rounded.
    let wrap = span.max.map(|max| max - resolution).filter(|wrap| *wrap > base);
    match wrap {
        Some(wrap) => growing.with("wrap", wrap),
        None => growing,
    }
}

/// A number that goes up and down.
fn moving(name: &str, span: &Span, resolution: f64) -> Options {
    let (low, high) = band(name, span, resolution);
    let width = high - low;
    if has(name, &RESTLESS) {
        // Between 4 and 12 minutes, and not the same for what has different names.
        let cycle = format!("{}s", 240 + hash(name) % 480);
        return Options::at("sine")
            .with("cycle", cycle)
            .with("base", neat(low + width / 2.0, width / 1000.0))
            .with("amplitude", neat(width * 0.4, width / 1000.0))
            .with("jitter", neat(width * 0.05, width / 1000.0))
            .with("resolution", resolution);
    }
    Options::at("walk")
        .with("min", low)
        .with("max", high)
        .with("step", neat(width / 50.0, width / 1000.0))
        .with("resolution", resolution)
}

/// Where the numbers are: as usual, as far as the range allows; otherwise in the middle half of the range.
fn band(name: &str, span: &Span, resolution: f64) -> (f64, f64) {
    let (low, high) = match (span.min, span.max) {
        (Some(low), Some(high)) => (low, high),
        (Some(low), None) => (low, low.max(0.0) + 100.0),
        (None, Some(high)) => (high.min(0.0) - 100.0, high),
        (None, None) => (f64::MIN, f64::MAX),
    };
    let inside =
        |(from, to): (f64, f64)| low + resolution <= from && to <= high - resolution && to - from >= resolution;
    if let Some(usual) = usual(name, span).filter(|usual| inside(*usual)) {
        return usual;
    }
    if (low, high) == (f64::MIN, f64::MAX) {
        return (0.0, 100.0);
    }
    // What can be negative as well is rarely so.
    let low = if low < 0.0 && high > 0.0 { 0.0 } else { low };
    let quarter = (high - low) / 4.0;
    match (neat(low + quarter, resolution), neat(high - quarter, resolution)) {
        (from, to) if from < to => (from, to),
        // Too narrow for its resolution.
        _ => (low, high),
    }
}

fn usual(name: &str, span: &Span) -> Option<(f64, f64)> {
    let unit = span.unit.as_deref().unwrap_or_default();
    let fits = |words: &[&str], units: &[&str]| has(name, words) && (units.is_empty() || units.contains(&unit));
    BANDS.iter().find(|(words, units, _)| fits(words, units)).map(|(.., band)| *band)
}

fn is_growing(name: &str, span: &Span) -> bool {
    let unit = span.unit.as_deref().unwrap_or_default();
    has(name, &GROWING) || ["Wh", "kWh", "MWh"].contains(&unit)
}

fn is_code(name: &str) -> bool {
    has(name, &["code", "alarm", "fault", "error", "warning"])
}

/// Whether one of the words is a part of the name.
fn has(name: &str, words: &[&str]) -> bool {
    name.to_lowercase().split(['_', '-', '.']).any(|part| words.contains(&part))
}

fn states(values: &[Json], lasts: &[&str]) -> Options {
    Options::at("states").with("values", values).with("lasts", lasts)
}

/// The resolution of a number: what the model says, otherwise two digits.
fn resolution(span: &Span) -> f64 {
    span.step.filter(|step| *step > 0.0 && step.is_finite()).unwrap_or(0.01)
}

fn whole_step(span: &Span) -> f64 {
    resolution(span).round().max(1.0)
}

/// A multiple of a step, without the noise of reckoning in doubles.
fn neat(number: f64, step: f64) -> f64 {
    let digits = (-step.log10()).ceil().clamp(0.0, 9.0) as i32;
    let scale = 10_f64.powi(digits);
    ((number / step).round() * step * scale).round() / scale
}
