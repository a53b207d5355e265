//! Names as PostgreSQL takes them.

/// PostgreSQL cuts off what is longer, without a word.
const NAME_BYTES_MAX: usize = 63;
/// `_` and 8 digits.
const SUFFIX_BYTES: usize = 9;

/// The name of a table: `property/wind_turbine` with the prefix `farm_` is `farm_property_wind_turbine`.
pub(super) fn table(prefix: &str, name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    fitting(&format!("{prefix}{}", name.chars().map(letter).collect::<String>()))
}

/// A name that is too long keeps its beginning, and gets a hash of all of it, so that two long names stay two.
pub(super) fn fitting(name: &str) -> String {
    if name.len() <= NAME_BYTES_MAX {
        return name.to_owned();
    }
    let mut end = NAME_BYTES_MAX - SUFFIX_BYTES;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}_{:08x}", &name[..end], hash(name))
}

/// In quotes, so that it is taken as it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Names in quotes, with commas between them.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// FNV-1a: the same in every build.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_in_snake_case() {
        let cases = [
            (("", "property/wind_turbine"), "property_wind_turbine"),
            (("farm_", "event/Wind-Turbine/over heat"), "farm_event_wind_turbine_over_heat"),
        ];
        for ((prefix, name), expected) in cases {
            assert_eq!(table(prefix, name), expected);
        }
    }

    #[test]
    fn long_names_fit_and_stay_different() {
        let [a, b] = ["a", "b"].map(|end| table("", &format!("property/{}{end}", "x".repeat(80))));
        assert!(a.len() <= NAME_BYTES_MAX && a.starts_with("property_xxx") && a != b, "{a} {b}");
        assert!(fitting(&"ä".repeat(60)).len() <= NAME_BYTES_MAX);
    }

    #[test]
    fn quotes_in_names_end_no_name() {
        assert_eq!(quoted("a\"; drop"), "\"a\"\"; drop\"");
    }
}
