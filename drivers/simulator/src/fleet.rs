//! A virtual fleet from a thing model alone: devices that do something plausible, as the text of a site's `devices.toml`.
//!
//! A driver does not know what values mean; whoever has the model says here what it is made of. What comes out is plain
//! configuration, to be read, changed and kept: a signal for every property that its name, unit and range make likely, a
//! register for every one that can be set, an event now and then, and an answer to every service.
//!
//! ```
//! use edgeway_driver_simulator::fleet::{Fleet, Kind, Outline, Property, Span, devices_toml};
//! use edgeway_sdk::Access;
//!
//! let span = Span { min: Some(-40.0), max: Some(80.0), step: Some(0.1), unit: Some("°C".into()) };
//! let temperature = Property { name: "temperature".into(), kind: Kind::Float(span), access: Access::Read };
//! let outline = Outline { model: "cold-store".into(), properties: vec![temperature], ..Outline::default() };
//! let text = devices_toml(&outline, &Fleet { count: 3, ..Fleet::of("cold-store") });
//! assert!(text.contains("temperature = { at = \"walk\", min = 18.0, max = 24.0, step = 0.12, resolution = 0.1 }"));
//! assert!(text.contains("id = \"cold-store-03\""));
//! ```

mod likely;
mod text;

use edgeway_sdk::Access;
use likely::{Role, signal};
use text::{Options, key, quoted};

/// What a thing model is made of, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// The model's name in the site.
    pub model: String,
    /// What can be read and set.
    pub properties: Vec<Property>,
    /// What it tells when something happens.
    pub events: Vec<Event>,
    /// What it can be asked to do.
    pub services: Vec<Service>,
}

/// A property.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// Its identifier.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// What can be done with it.
    pub access: Access,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its identifier.
    pub name: String,
    /// What it carries.
    pub output: Vec<(String, Kind)>,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its identifier.
    pub name: String,
    /// What it answers.
    pub output: Vec<(String, Kind)>,
}

/// What values are.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Whole numbers.
    Int(Span),
    /// Numbers.
    Float(Span),
    /// True or false.
    Bool,
    /// One of these numbers.
    Enum(Vec<i64>),
    /// Text of at most so many bytes.
    Text {
        /// In bytes of UTF-8.
        bytes_max: usize,
    },
    /// Milliseconds since 1970.
    Date,
    /// Named fields.
    Struct(Vec<(String, Kind)>),
    /// Several values of one kind.
    Array {
        /// The most there can be.
        items_max: usize,
        /// What each is.
        item: Box<Kind>,
    },
}

/// What is said of a number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Span {
    /// The lowest, inclusive.
    pub min: Option<f64>,
    /// The highest, inclusive.
    pub max: Option<f64>,
    /// The resolution.
    pub step: Option<f64>,
    /// The unit's symbol.
    pub unit: Option<String>,
}

/// How many devices there are and what they are called.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet<'a> {
    /// The name of their link.
    pub link: &'a str,
    /// What ids begin with; a hyphen and a number follow.
    pub prefix: &'a str,
    /// How many.
    pub count: u32,
    /// Another seed, another fleet.
    pub seed: u64,
}

impl<'a> Fleet<'a> {
    /// Twenty devices that are called after something, on a link `fleet`.
    pub fn of(prefix: &'a str) -> Self {
        Fleet { link: "fleet", prefix, count: 20, seed: 1 }
    }
}

/// The text of a `devices.toml`: a link, a template and the devices.
pub fn devices_toml(outline: &Outline, fleet: &Fleet<'_>) -> String {
    let (link, model) = (key(fleet.link), key(&outline.model));
    let head = format!(
        "# {} simulated devices of the model {}. Every value here may be changed.\n\n[link.{link}]\ndriver = \
         \"simulator\"\nseed = {}\n\n[template.{model}]\nmodel = {}\nlink = {}\n",
        fleet.count,
        outline.model,
        fleet.seed,
        quoted(&outline.model),
        quoted(fleet.link),
    );
    let parts = [head, points(outline, &model), events(outline, &model), services(outline, &model)];
    parts.into_iter().chain((1..=fleet.count).map(|number| device(outline, fleet, number))).collect()
}

fn points(outline: &Outline, model: &str) -> String {
    let line = |property: &Property| format!("{} = {}\n", key(&property.name), point(property));
    let lines: String = outline.properties.iter().map(line).collect();
    format!("\n[template.{model}.points]\n{lines}")
}

fn point(property: &Property) -> Options {
    if property.access.writes() {
        likely::register(property)
    } else {
        signal(&property.name, &property.kind, Role::Read)
    }
}

fn events(outline: &Outline, model: &str) -> String {
    let table = |event: &Event| {
        let path = format!("template.{model}.simulator.events.{}", key(&event.name));
        format!("\n[{path}]\nevery = \"10m\"\n{}", outputs(&path, &event.output, Role::OfEvent))
    };
    outline.events.iter().map(table).collect()
}

fn services(outline: &Outline, model: &str) -> String {
    let table = |service: &Service| {
        let path = format!("template.{model}.simulator.services.{}", key(&service.name));
        format!("\n[{path}]\n{}", outputs(&path, &service.output, Role::OfAnswer))
    };
    outline.services.iter().map(table).collect()
}

fn outputs(path: &str, fields: &[(String, Kind)], role: Role) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let line = |(name, kind): &(String, Kind)| format!("{} = {}\n", key(name), signal(name, kind, role));
    format!("\n[{path}.output]\n{}", fields.iter().map(line).collect::<String>())
}

fn device(outline: &Outline, fleet: &Fleet<'_>, number: u32) -> String {
    let digits = fleet.count.to_string().len().max(2);
    let id = quoted(&format!("{}-{number:0digits$}", fleet.prefix));
    format!("\n[[device]]\nid = {id}\ntemplate = {}\n", quoted(&outline.model))
}

#[cfg(test)]
mod tests;
