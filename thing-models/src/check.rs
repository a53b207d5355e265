//! Holding commands against the model.
//!
//! What a person, a scene or the cloud wants is converted to the model's type, or refused with a sentence that names
//! the value and the limit: `` `power_limit` is 5000 kW, above its maximum of 3000 kW ``.

mod coerce;
mod unfit;

pub(crate) use coerce::whole_number;
pub use unfit::Unfit;

use crate::model::{Field, Model};
use crate::things::{EventIx, PropertyIx, ServiceIx};
use edgeway_sdk::{Value, did_you_mean};
use std::sync::Arc;

/// Values by name: the input of a service, the output of an event.
pub type NamedValues = Vec<(Arc<str>, Value)>;

/// Why a command does not fit its model. Whoever sent it has to change it; sending it again does not help.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// There is no such property, service, input or field.
    #[error("`{owner}` has no {kind} `{name}`{}", in_brackets(help.as_deref()))]
    Unknown {
        /// What was searched: the name of a model, a service or a struct.
        owner: String,
        /// What was searched for: `property`, `service`, `input` or `field`.
        kind: &'static str,
        /// The name that was not found.
        name: String,
        /// What was probably meant.
        help: Option<String>,
    },
    /// The property cannot be set.
    #[error("`{name}` can only be read")]
    ReadOnly {
        /// The property.
        name: String,
    },
    /// The model allows it, but no point of the device takes it.
    #[error("`{name}` is not mapped to a point of `{device}` that can be written")]
    NotMapped {
        /// The property.
        name: String,
        /// The device.
        device: String,
    },
    /// An input of a service or a field of a struct was not given.
    #[error("`{name}` is missing")]
    Missing {
        /// The input or field.
        name: String,
    },
    /// An input of a service or a field of a struct was given more than once.
    #[error("`{name}` is given twice")]
    Repeated {
        /// The input or field.
        name: String,
    },
    /// The value has the wrong type or is outside the model's limits.
    #[error("{} {reason}", subject(name))]
    Unfit {
        /// Which value: `power_limit`, or `position.lat` inside a struct; empty where it has no name.
        name: String,
        /// What is wrong with it.
        reason: Unfit,
    },
}

impl CheckError {
    /// True if the value has the right type and is outside the model's limits.
    pub fn is_out_of_range(&self) -> bool {
        matches!(self, CheckError::Unfit { reason, .. } if reason.is_out_of_range())
    }

    /// The same error seen from outside: `lat` turns into `position.lat`.
    pub(crate) fn inside(mut self, outer: &str) -> Self {
        match &mut self {
            CheckError::Unknown { owner: name, .. }
            | CheckError::ReadOnly { name }
            | CheckError::NotMapped { name, .. }
            | CheckError::Missing { name }
            | CheckError::Repeated { name }
            | CheckError::Unfit { name, .. } => *name = joined(outer, name),
        }
        self
    }
}

fn joined(outer: &str, inner: &str) -> String {
    match inner {
        "" => outer.to_owned(),
        inner if inner.starts_with('[') => format!("{outer}{inner}"),
        inner => format!("{outer}.{inner}"),
    }
}

fn subject(name: &str) -> String {
    if name.is_empty() { "the value".to_owned() } else { format!("`{name}`") }
}

fn in_brackets(help: Option<&str>) -> String {
    help.map(|help| format!(" ({help})")).unwrap_or_default()
}

impl Model {
    /// Checks that a property can be set to a value, and converts the value to the model's type.
    ///
    /// # Errors
    /// If the property is unknown or read-only, or the value does not fit it (see [`DataType::coerce`]).
    ///
    /// [`DataType::coerce`]: crate::DataType::coerce
    pub fn check_set(&self, property: &str, value: &Value) -> Result<(PropertyIx, Value), CheckError> {
        let (ix, found) = self.property(property).ok_or_else(|| {
            unknown(&self.name, "property", property, self.properties.iter().map(|known| &*known.identifier))
        })?;
        if !found.access.writes() {
            return Err(CheckError::ReadOnly { name: property.to_owned() });
        }
        let value = found.data_type.coerce(value).map_err(|error| error.inside(property))?;
        Ok((ix, value))
    }

    /// Checks that a service can be called with an input, and converts the input to the model's types and order.
    ///
    /// # Errors
    /// If the service is unknown, an input is unknown, missing or given twice, or a value does not fit.
    pub fn check_invoke(
        &self,
        service: &str,
        input: &[(Arc<str>, Value)],
    ) -> Result<(ServiceIx, NamedValues), CheckError> {
        let (ix, found) = self.service(service).ok_or_else(|| {
            unknown(&self.name, "service", service, self.services.iter().map(|known| &*known.identifier))
        })?;
        Ok((ix, named_values(service, "input", &found.input, input)?))
    }

    /// Checks that an event can carry an output, and converts the output to the model's types and order.
    ///
    /// # Errors
    /// If the event is unknown, an output is unknown, missing or given twice, or a value does not fit.
    pub fn check_event(&self, event: &str, output: &[(Arc<str>, Value)]) -> Result<(EventIx, NamedValues), CheckError> {
        let (ix, found) = self
            .event(event)
            .ok_or_else(|| unknown(&self.name, "event", event, self.events.iter().map(|known| &*known.identifier)))?;
        Ok((ix, named_values(event, "output", &found.output, output)?))
    }
}

/// Brings named values into the model's order and types; all of them must be there, and no others.
fn named_values(
    owner: &str,
    kind: &'static str,
    fields: &[Field],
    given: &[(Arc<str>, Value)],
) -> Result<NamedValues, CheckError> {
    if let Some((name, _)) = given.iter().find(|(name, _)| !fields.iter().any(|field| field.identifier == *name)) {
        return Err(unknown(owner, kind, name, fields.iter().map(|field| &*field.identifier)));
    }
    fields.iter().map(|field| Ok((field.identifier.clone(), only_value(field, given)?))).collect()
}

fn only_value(field: &Field, given: &[(Arc<str>, Value)]) -> Result<Value, CheckError> {
    let name = &field.identifier;
    let mut values = given.iter().filter(|(given, _)| given == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => Err(CheckError::Missing { name: name.to_string() }),
        (Some(value), None) => field.data_type.coerce(value).map_err(|error| error.inside(name)),
        (Some(_), Some(_)) => Err(CheckError::Repeated { name: name.to_string() }),
    }
}

fn unknown<'a>(owner: &str, kind: &'static str, name: &str, known: impl Iterator<Item = &'a str>) -> CheckError {
    CheckError::Unknown { owner: owner.to_owned(), kind, name: name.to_owned(), help: did_you_mean(name, known) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ready_made;

    fn model(name: &str) -> Model {
        ready_made().into_iter().find(|model| &*model.name == name).expect("shipped")
    }

    fn refused(model: &Model, property: &str, value: impl Into<Value>) -> String {
        model.check_set(property, &value.into()).expect_err("refused").to_string()
    }

    #[test]
    fn a_set_is_converted_to_the_models_type() {
        let room = model("hotel-room");
        let set = |property, value| room.check_set(property, &value).expect("fits").1;
        assert_eq!(set("setpoint", Value::Int(21)), Value::Float(21.0));
        assert_eq!(set("light_level", Value::Float(40.0)), Value::Int(40));
        assert_eq!(set("ac_power", Value::Int(1)), Value::Bool(true));
        assert_eq!(set("ac_mode", Value::from("heat")), Value::Int(2));
    }

    #[test]
    fn a_refused_set_says_what_is_wrong_and_what_would_be_right() {
        let turbine = model("wind-turbine");
        let room = model("hotel-room");
        assert_eq!(refused(&turbine, "power_limit", 5000), "`power_limit` is 5000 kW, above its maximum of 3000 kW");
        assert_eq!(refused(&room, "setpoint", 15.5), "`setpoint` is 15.5 °C, below its minimum of 16 °C");
        assert_eq!(refused(&turbine, "wind_speed", 3), "`wind_speed` can only be read");
        assert_eq!(
            refused(&turbine, "power_limt", 3),
            "`wind-turbine` has no property `power_limt` (did you mean `power_limit`?)"
        );
        assert_eq!(refused(&turbine, "power_limit", 2.5), "`power_limit` is 2.5, not a whole number");
        assert_eq!(refused(&room, "ac_power", "on"), "`ac_power` is \"on\", not true or false");
        assert_eq!(
            refused(&room, "ac_mode", 7),
            "`ac_mode` is 7, which is not one of 0 (auto), 1 (cool), 2 (heat), 3 (fan)"
        );
        assert_eq!(
            refused(&room, "ac_mode", "col"),
            "`ac_mode` is \"col\", which is not one of 0 (auto), 1 (cool), 2 (heat), 3 (fan)"
        );
    }

    #[test]
    fn a_service_gets_all_its_inputs_in_the_models_order_and_nothing_else() {
        let turbine = model("wind-turbine");
        let invoke = |service: &str, input: &[(&str, Value)]| {
            let input: Vec<(Arc<str>, Value)> =
                input.iter().map(|(name, value)| ((*name).into(), value.clone())).collect();
            turbine.check_invoke(service, &input).map(|(_, input)| input).map_err(|error| error.to_string())
        };
        assert_eq!(invoke("stop", &[("mode", "emergency".into())]), Ok(vec![("mode".into(), Value::Int(1))]));
        assert_eq!(invoke("stop", &[]), Err("`mode` is missing".into()));
        assert_eq!(
            invoke("stop", &[("modus", 1.into())]),
            Err("`stop` has no input `modus` (did you mean `mode`?)".into())
        );
        assert_eq!(invoke("stop", &[("mode", 0.into()), ("mode", 1.into())]), Err("`mode` is given twice".into()));
        assert_eq!(invoke("sotp", &[]), Err("`wind-turbine` has no service `sotp` (did you mean `stop`?)".into()));
    }
}
