//! The order in which people count: `wt-2` before `wt-10`.

use std::cmp::Ordering;

/// Compares texts, runs of digits by their value.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) {
        let order = match (digits(left), digits(right)) {
            ("", _) | (_, "") => x.cmp(&y),
            (m, n) => value(m).cmp(&value(n)),
        };
        if order != Ordering::Equal {
            return order;
        }
        left = &left[digits(left).len().max(x.len_utf8())..];
        right = &right[digits(right).len().max(y.len_utf8())..];
    }
    // What differs in leading zeros alone is still not the same.
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// The digits that a text begins with.
fn digits(text: &str) -> &str {
    &text[..text.bytes().take_while(u8::is_ascii_digit).count()]
}

/// Numbers of any length in their order: the longer one is larger.
fn value(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_compared_as_numbers() {
        let mut ids = ["wt-10", "wt-2", "wt-02", "a", "wt", "wt-2b", "9", "10", "wt-99999999999999999999"];
        ids.sort_by(|a, b| compare(a, b));
        assert_eq!(ids, ["9", "10", "a", "wt", "wt-02", "wt-2", "wt-2b", "wt-10", "wt-99999999999999999999"]);
    }
}
