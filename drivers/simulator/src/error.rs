//! What can be wrong with a value for a simulated thing.

/// Why a property was not set. All of these are mistakes of the caller; asking again does not help.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing in this world has that unit id.
    #[error("there is no unit {0}")]
    UnknownUnit(u8),
    /// The thing has no such property.
    #[error("a {kind} has no property `{property}`")]
    UnknownProperty {
        /// What the thing is.
        kind: crate::Kind,
        /// The name asked for.
        property: String,
    },
    /// The property can only be read.
    #[error("`{0}` cannot be set")]
    ReadOnly(&'static str),
    /// The number is outside the property's range.
    #[error("`{property}` takes {min} to {max}, not {found}")]
    OutOfRange {
        /// The property.
        property: &'static str,
        /// The smallest number it takes.
        min: f64,
        /// The largest number it takes.
        max: f64,
        /// What was given.
        found: f64,
    },
    /// The property takes whole numbers only.
    #[error("`{property}` takes a whole number, not {found}")]
    NotWhole {
        /// The property.
        property: &'static str,
        /// What was given.
        found: f64,
    },
    /// The value is text, or something else that is no number.
    #[error("`{property}` takes a number, not `{found}`")]
    NotANumber {
        /// The property.
        property: &'static str,
        /// What was given.
        found: String,
    },
}
