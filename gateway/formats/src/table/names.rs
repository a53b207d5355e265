//! Names that SQL takes without quotes.

use std::collections::HashSet;

/// PostgreSQL cuts longer names, and two cut names may be the same.
const BYTES_MAX: usize = 63;

/// The names of a table's columns so far.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A name like the wanted one that is not taken yet.
    pub(super) fn give(&mut self, wanted: &str, suffix: &str) -> String {
        let wanted = snake_case(wanted);
        let numbers = std::iter::once(String::new()).chain((2..).map(|number: u64| format!("_{number}")));
        let mut names = numbers.map(|number| joined(&wanted, &format!("{suffix}{number}")));
        let name = names.find(|name| !self.0.contains(name)).expect("there is always a next number");
        self.0.insert(name.clone());
        name
    }
}

/// The name cut so that the suffix has room.
fn joined(name: &str, suffix: &str) -> String {
    let mut end = name.len().min(BYTES_MAX - suffix.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &name[..end])
}

/// `wind-turbine` and `Wind turbine` as `wind_turbine`. Letters of all scripts stay.
pub(super) fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len());
    for c in name.chars() {
        if c.is_alphanumeric() {
            snake.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
        } else if !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
    }
    snake.truncate(snake.trim_end_matches('_').len());
    match snake.chars().next() {
        None => "column".into(),
        Some(first) if first.is_numeric() => format!("_{snake}"),
        Some(_) => snake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_snake_case() {
        let cases = [
            ("wind-turbine", "wind_turbine"),
            ("AVG(power)", "avg_power"),
            ("10min", "_10min"),
            ("温度", "温度"),
            ("a__b", "a_b"),
            ("--", "column"),
            ("", "column"),
        ];
        for (name, expected) in cases {
            assert_eq!(snake_case(name), expected, "{name}");
        }
    }

    #[test]
    fn a_taken_name_gets_a_number_and_a_long_one_is_cut() {
        let mut names = Names::default();
        let given = ["id", "id", "id"].map(|name| names.give(name, ""));
        assert_eq!(given, ["id", "id_2", "id_3"]);
        let long = "é".repeat(40);
        let given = [names.give(&long, "_quality"), names.give(&long, "_quality")];
        assert_eq!(given[0], format!("{}_quality", "é".repeat(27)));
        assert_eq!(given[1], format!("{}_quality_2", "é".repeat(26)));
    }
}
