//! The types of a thing model.
//!
//! The JSON form is Alibaba's TSL (Thing Specification Language); `parse` reads it. Field names here follow TSL's.

use edgeway_sdk::Access;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::things::{EventIx, PropertyIx, ServiceIx};

/// What a kind of device means.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Its name in a site: the file's name without `.json`, in kebab-case, `wind-turbine`.
    pub name: Arc<str>,
    /// What to show people.
    pub title: String,
    /// What can be read and set, in the order of the file; a [`PropertyIx`] is a place in this list.
    pub properties: Vec<Property>,
    /// What it reports when something happens.
    pub events: Vec<EventModel>,
    /// What it can be asked to do.
    pub services: Vec<Service>,
}

/// A property.
#[derive(Debug, Clone, PartialEq)]
pub struct Property {
    /// In snake_case; also the SQL column.
    pub identifier: Arc<str>,
    /// What to show people.
    pub name: String,
    /// Whether it can be read, set or both (`accessMode` `r`, `rw`, `w`).
    pub access: Access,
    /// Whether every device of the model must map it to a point.
    pub required: bool,
    /// Its type.
    pub data_type: DataType,
    /// In words.
    pub description: String,
}

/// A type with its specs.
#[derive(Debug, Clone, PartialEq)]
pub enum DataType {
    /// A whole number.
    Int(Range),
    /// A 32-bit floating-point number.
    Float(Range),
    /// A 64-bit floating-point number.
    Double(Range),
    /// True or false, with what to call them.
    Bool {
        /// The word for false.
        off: String,
        /// The word for true.
        on: String,
    },
    /// One of several named numbers.
    Enum(BTreeMap<i64, String>),
    /// Text of at most `length` bytes.
    Text {
        /// In bytes of UTF-8.
        length: usize,
    },
    /// A time, as milliseconds since 1970 (UTC).
    Date,
    /// Named fields.
    Struct(Vec<Field>),
    /// At most `size` values of one type.
    Array {
        /// The most elements.
        size: usize,
        /// What each is.
        item: Box<DataType>,
    },
}

/// The specs of a number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Range {
    /// The smallest value that makes sense, inclusive.
    pub min: Option<f64>,
    /// The largest value that makes sense, inclusive.
    pub max: Option<f64>,
    /// The resolution.
    pub step: Option<f64>,
    /// The unit's symbol, `m/s`.
    pub unit: Option<Arc<str>>,
}

/// A named part of a struct, or of the input or output of an event or a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// In snake_case.
    pub identifier: Arc<str>,
    /// What to show people.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct EventModel {
    /// In snake_case.
    pub identifier: Arc<str>,
    /// What to show people.
    pub name: String,
    /// How grave it is.
    pub kind: EventKind,
    /// What it carries.
    pub output: Vec<Field>,
}

/// How grave an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// For information.
    Info,
    /// Someone should look.
    Alert,
    /// Something failed.
    Error,
}

/// A service.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// In snake_case.
    pub identifier: Arc<str>,
    /// What to show people.
    pub name: String,
    /// Whether the caller waits for the result.
    pub call_type: CallType,
    /// What it needs.
    pub input: Vec<Field>,
    /// What it answers.
    pub output: Vec<Field>,
}

/// Whether the caller of a service waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallType {
    /// The caller waits for the result.
    Sync,
    /// The caller does not wait.
    Async,
}

impl EventKind {
    /// TSL's word for it: `info`, `alert` or `error`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventKind::Info => "info",
            EventKind::Alert => "alert",
            EventKind::Error => "error",
        }
    }
}

impl Model {
    /// The property of this identifier.
    pub fn property(&self, identifier: &str) -> Option<(PropertyIx, &Property)> {
        let at = self.properties.iter().position(|p| &*p.identifier == identifier)?;
        Some((PropertyIx(at as u16), &self.properties[at]))
    }

    /// The event of this identifier.
    pub fn event(&self, identifier: &str) -> Option<(EventIx, &EventModel)> {
        let at = self.events.iter().position(|e| &*e.identifier == identifier)?;
        Some((EventIx(at as u16), &self.events[at]))
    }

    /// The service of this identifier.
    pub fn service(&self, identifier: &str) -> Option<(ServiceIx, &Service)> {
        let at = self.services.iter().position(|s| &*s.identifier == identifier)?;
        Some((ServiceIx(at as u16), &self.services[at]))
    }
}

impl DataType {
    /// The specs, for the three number types.
    pub fn range(&self) -> Option<&Range> {
        match self {
            DataType::Int(range) | DataType::Float(range) | DataType::Double(range) => Some(range),
            _ => None,
        }
    }

    /// The unit's symbol, for the three number types.
    pub fn unit(&self) -> Option<&Arc<str>> {
        self.range()?.unit.as_ref()
    }

    /// TSL's word for the type.
    pub fn name(&self) -> &'static str {
        match self {
            DataType::Int(_) => "int",
            DataType::Float(_) => "float",
            DataType::Double(_) => "double",
            DataType::Bool { .. } => "bool",
            DataType::Enum(_) => "enum",
            DataType::Text { .. } => "text",
            DataType::Date => "date",
            DataType::Struct(_) => "struct",
            DataType::Array { .. } => "array",
        }
    }
}
