//! A model for what a device offers, for a person to edit and keep.

mod data_type;

use crate::parse::{is_reserved, snake_case};
use edgeway_sdk::{Access, Offer};
use serde::Serialize;
use std::collections::HashSet;
use std::fmt::Write;

/// Characters of an identifier.
const IDENTIFIER_MAX: usize = 64;

/// A proposed model.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The model as TSL.
    pub text: String,
    /// The identifier of the property for each offer, at its place; `None` if no property of a model can hold it.
    pub identifiers: Vec<Option<String>>,
}

#[derive(Serialize)]
struct Model<'a> {
    title: &'a str,
    properties: Vec<Property<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Property<'a> {
    identifier: String,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    desc: &'a str,
    access_mode: &'static str,
    required: bool,
    data_type: serde_json::Value,
}

impl Proposal {
    /// Of a device that offers these properties. What has the same name gets a number; what cannot be a name becomes one.
    pub fn new(title: &str, offers: &[&Offer]) -> Proposal {
        let mut taken = HashSet::new();
        let mut identifiers = vec![];
        let mut properties = vec![];
        for offer in offers {
            let Some(data_type) = data_type::of(offer) else {
                identifiers.push(None);
                continue;
            };
            let identifier = identifier(&offer.name, &mut taken);
            identifiers.push(Some(identifier.clone()));
            properties.push(Property {
                identifier,
                name: if offer.name.trim().is_empty() { "Value" } else { &offer.name },
                desc: &offer.description,
                access_mode: match offer.access {
                    Access::Read => "r",
                    Access::ReadWrite => "rw",
                    Access::Write => "w",
                },
                required: false,
                data_type,
            });
        }
        let mut text = serde_json::to_string_pretty(&Model { title, properties }).expect("plain data serialises");
        text.push('\n');
        Proposal { text, identifiers }
    }
}

/// An identifier that is not taken yet.
fn identifier(name: &str, taken: &mut HashSet<String>) -> String {
    let mut base = snake_case(name);
    if !base.starts_with(|c: char| c.is_ascii_lowercase()) {
        base = format!("value_{base}").trim_end_matches('_').to_owned();
    }
    if is_reserved(&base) {
        base.push_str("_value");
    }
    // Room for a number.
    base.truncate(IDENTIFIER_MAX - 5);
    let mut identifier = base.clone();
    let mut number = 1;
    while !taken.insert(identifier.clone()) {
        number += 1;
        identifier.clone_from(&base);
        write!(identifier, "_{number}").expect("a text takes what is written");
    }
    identifier
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataType, Model, Range};
    use edgeway_sdk::Holds;
    use proptest::prelude::*;

    fn model(offers: &[Offer]) -> (Model, Vec<Option<String>>) {
        let proposal = Proposal::new("Found", &offers.iter().collect::<Vec<_>>());
        let model = Model::parse("found", &proposal.text).unwrap_or_else(|problems| panic!("{problems:?}"));
        (model, proposal.identifiers)
    }

    #[test]
    fn a_proposal_is_a_model() {
        let float = Holds::Float { min: None, max: None };
        let offers = [
            Offer::new("ActivePower", Holds::Float { min: Some(0.0), max: Some(2000.0) })
                .unit("kW")
                .access(Access::ReadWrite),
            Offer::new("active power", Holds::Int { min: None, max: None }),
            Offer::new("quality", Holds::Enum { words: vec![(0, "off".into()), (1, "on".into())] }),
            Offer::new(
                "2nd",
                Holds::Array { of: Box::new(Holds::Struct { fields: vec![("x".into(), float.clone())] }) },
            ),
            Offer::new("nothing", Holds::Array { of: Box::new(Holds::Array { of: Box::new(Holds::Bool) }) }),
            Offer::new("温度", Holds::Date),
        ];
        let (model, identifiers) = model(&offers);
        let some = |name: &str| Some(name.to_owned());
        let wanted = [
            some("active_power"),
            some("active_power_2"),
            some("quality_value"),
            some("value_2nd"),
            None,
            some("value"),
        ];
        assert_eq!(identifiers, wanted);
        let (_, power) = model.property("active_power").expect("proposed");
        assert_eq!(power.access, Access::ReadWrite);
        let range = Range { min: Some(0.0), max: Some(2000.0), step: None, unit: Some("kW".into()) };
        assert_eq!(power.data_type, DataType::Double(range));
    }

    /// A value that has more fields than its struct, or fewer, is refused.
    #[test]
    fn a_struct_is_proposed_with_all_of_its_fields_or_not_at_all() {
        let structs = |names: &[&str]| {
            let fields = names.iter().map(|name| ((*name).to_owned(), Holds::Bool)).collect();
            model(&[Offer::new("s", Holds::Struct { fields }), Offer::new("other", Holds::Bool)]).1
        };
        assert_eq!(structs(&["x", "y"])[0], Some("s".to_owned()));
        assert_eq!(structs(&["x", "Y axis"])[0], None);
        assert_eq!(structs(&[])[0], None);
    }

    proptest! {
        #[test]
        fn whatever_a_device_calls_its_properties_they_become_a_model(names in proptest::collection::vec(".{0,80}", 0..8)) {
            let offers: Vec<Offer> = names.iter().map(|name| Offer::new(name, Holds::Bool)).collect();
            let (model, identifiers) = model(&offers);
            for identifier in identifiers {
                prop_assert!(model.property(&identifier.expect("a bool fits")).is_some());
            }
        }
    }
}
