//! What was found on a network, and what it means as far as it says itself.

use crate::{Access, Json};
use serde::{Deserialize, Serialize};

/// Something found: a device on a network, or a point of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Discovered {
    /// What to put into a device's table that is named after the driver, or into a point, to use it.
    pub options: Json,
    /// What it says of itself.
    pub identity: Vec<(String, String)>,
    /// Of a point: what a property of a model for it would look like.
    pub offer: Option<Offer>,
}

impl Discovered {
    /// Found at these options; nothing more is known.
    pub fn new(options: Json) -> Self {
        Discovered { options, identity: vec![], offer: None }
    }

    /// The same with something that it says of itself.
    pub fn said(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.identity.push((name.into(), text.into()));
        self
    }

    /// The same with what it means.
    pub fn offering(mut self, offer: Offer) -> Self {
        self.offer = Some(offer);
        self
    }
}

/// A property that a device offers, from which `edgeway driver browse --propose` makes one of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// What the device calls it. The gateway makes an identifier of it.
    pub name: String,
    /// What it is, in a sentence; empty if nobody says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it holds.
    pub holds: Holds,
    /// Its unit, as the protocol writes it; empty if it has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unit: String,
    /// Whether it is read, written or both.
    pub access: Access,
}

/// What a property that is offered holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Holds {
    /// True or false.
    Bool,
    /// A whole number, perhaps within limits.
    Int {
        /// The least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<i64>,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<i64>,
    },
    /// A number with a fraction, perhaps within limits.
    Float {
        /// The least.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Text.
    Text,
    /// A point in time.
    Date,
    /// One of several words, each with the number that the driver gives for it.
    Enum {
        /// Numbers and words.
        words: Vec<(i64, String)>,
    },
    /// Values of one kind, in order.
    Array {
        /// What each of them is.
        of: Box<Holds>,
    },
    /// Named fields.
    Struct {
        /// Them, in order.
        fields: Vec<(String, Holds)>,
    },
}

impl Offer {
    /// A property that is read.
    pub fn new(name: impl Into<String>, holds: Holds) -> Self {
        Offer { name: name.into(), description: String::new(), holds, unit: String::new(), access: Access::Read }
    }

    /// The same with another access.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The same with a unit.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// The same with a description.
    pub fn described(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}

impl Holds {
    /// What a JSON value holds, taken as an example; `None` for `null`, an empty list and an empty object, which show nothing.
    /// A list is what its first entry is.
    pub fn example(json: &Json) -> Option<Holds> {
        match json {
            Json::Null => None,
            Json::Bool(_) => Some(Holds::Bool),
            // A reading of 21 may be one of 21.5 the next time.
            Json::Number(_) => Some(Holds::Float { min: None, max: None }),
            Json::String(_) => Some(Holds::Text),
            Json::Array(items) => items.first().and_then(Holds::example).map(|of| Holds::Array { of: Box::new(of) }),
            Json::Object(fields) => {
                let fields: Vec<_> =
                    fields.iter().filter_map(|(name, value)| Some((name.clone(), Holds::example(value)?))).collect();
                (!fields.is_empty()).then_some(Holds::Struct { fields })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_example_shows_what_it_holds() {
        let fields = vec![("on".into(), Holds::Bool), ("level".into(), Holds::Float { min: None, max: None })];
        let example = json!([{ "on": true, "level": 3, "nothing": null }]);
        // The order of a JSON object's fields is that of their names.
        let fields = fields.into_iter().rev().collect();
        assert_eq!(Holds::example(&example), Some(Holds::Array { of: Box::new(Holds::Struct { fields }) }));
        assert_eq!(Holds::example(&json!({})), None);
    }

    #[test]
    fn an_offer_survives_json() {
        let offer = Offer::new("power", Holds::Int { min: Some(0), max: None }).unit("W").access(Access::ReadWrite);
        let json = serde_json::to_value(&offer).expect("offers serialise");
        assert_eq!(json["holds"], json!({ "kind": "int", "min": 0 }));
        assert_eq!(serde_json::from_value::<Offer>(json).expect("and back"), offer);
    }
}
