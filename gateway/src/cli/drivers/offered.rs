//! What a point offers, in a few words for a person.

use edgeway_sdk::{Access, Holds, Offer};

/// Words of an enumeration and fields of a structure that are named; the others are counted.
const NAMED_MAX: usize = 5;

/// `Boiler.Temperature: number in °C, read only, that of the water`
pub(super) fn line(offer: &Offer) -> String {
    let Offer { name, description, holds, unit, access } = offer;
    let unit = if unit.is_empty() { String::new() } else { format!(" in {unit}") };
    let access = match access {
        Access::Read => "read only",
        Access::ReadWrite => "read and written",
        Access::Write => "written only",
    };
    // Many devices describe a point by its name.
    let description = if name.ends_with(description.as_str()) { String::new() } else { format!(", {description}") };
    format!("{name}: {}{unit}, {access}{description}", words(holds))
}

fn words(holds: &Holds) -> String {
    match holds {
        Holds::Bool => "true or false".into(),
        Holds::Int { min, max } => format!("whole number{}", within(min.as_ref(), max.as_ref())),
        Holds::Float { min, max } => format!("number{}", within(min.as_ref(), max.as_ref())),
        Holds::Text => "text".into(),
        Holds::Date => "time".into(),
        Holds::Enum { words } => {
            let words = words.iter().map(|(number, word)| format!("{number} {word}"));
            format!("one of {}", some(words.collect()))
        }
        Holds::Array { of } => format!("list, each {}", words(of)),
        Holds::Struct { fields } => {
            format!("structure of {}", some(fields.iter().map(|(name, _)| name.clone()).collect()))
        }
    }
}

fn within<T: std::fmt::Display>(min: Option<&T>, max: Option<&T>) -> String {
    match (min, max) {
        (None, None) => String::new(),
        (Some(min), None) => format!(" from {min}"),
        (None, Some(max)) => format!(" up to {max}"),
        (Some(min), Some(max)) => format!(" from {min} to {max}"),
    }
}

fn some(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("({}{more})", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_is_a_line_that_a_person_can_read() {
        let any = Holds::Float { min: None, max: None };
        let power = Offer::new("WTG01.Power", any.clone()).unit("kW").access(Access::Read).described("what it gives");
        assert_eq!(line(&power), "WTG01.Power: number in kW, read only, what it gives");
        let name = Offer::new("WTG01.Name", Holds::Text).access(Access::ReadWrite);
        assert_eq!(line(&name), "WTG01.Name: text, read and written");
        assert_eq!(line(&name.described("Name")), "WTG01.Name: text, read and written");
        for (holds, is) in [
            (Holds::Int { min: Some(0), max: Some(255) }, "whole number from 0 to 255"),
            (Holds::Int { min: Some(0), max: None }, "whole number from 0"),
            (Holds::Enum { words: vec![(0, "off".into()), (1, "on".into())] }, "one of (0 off, 1 on)"),
            (
                Holds::Enum { words: (0..7).map(|n| (n, "w".to_owned())).collect() },
                "one of (0 w, 1 w, 2 w, 3 w, 4 w and 2 more)",
            ),
            (Holds::Array { of: Box::new(Holds::Bool) }, "list, each true or false"),
            (Holds::Struct { fields: vec![("x".into(), any)] }, "structure of (x)"),
        ] {
            assert_eq!(words(&holds), is);
        }
    }
}
