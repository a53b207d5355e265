//! Numbers from values, where that loses nothing.

use edgeway_sdk::Value;

/// The value as a floating-point number. Whole numbers beyond 2^53 may have none.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(x) => Some(*x),
        Value::Int(i) => Some(*i as f64).filter(|x| *x as i128 == i128::from(*i)),
        _ => None,
    }
}

/// The value as a whole number.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(i) => Some(*i),
        Value::Float(x) => Some(*x as i64).filter(|i| *i as f64 == *x && *i != i64::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_lose_nothing_change_their_kind() {
        assert_eq!(number(&Value::Int(1 << 53)), Some(9_007_199_254_740_992.0));
        assert_eq!(number(&Value::Int((1 << 53) + 1)), None);
        assert_eq!(number(&Value::Int(i64::MAX)), None);
        assert_eq!(whole(&Value::Float(-3.0)), Some(-3));
        for x in [0.5, f64::NAN, f64::INFINITY, 9.3e18] {
            assert_eq!(whole(&Value::Float(x)), None, "{x}");
        }
        assert_eq!((number(&Value::Bool(true)), whole(&"1".into())), (None, None));
    }
}
