//! How deep values nest when they are read.

use super::Value;
use serde::de::{Deserialize, Deserializer, Error};
use std::cell::Cell;

thread_local! {
    /// Levels that this thread is reading now.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Reads what an array or a struct holds, unless it nests too deep.
pub(super) fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    let _level = Level::enter().ok_or_else(|| D::Error::custom("values are nested too deep"))?;
    T::deserialize(deserializer)
}

struct Level;

impl Level {
    fn enter() -> Option<Self> {
        DEPTH.with(|depth| {
            (depth.get() < Value::NESTING_MAX).then(|| {
                depth.set(depth.get() + 1);
                Level
            })
        })
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Value {
        (0..levels).fold(Value::Int(1), |value, _| Value::Array([value].into()))
    }

    #[test]
    fn values_nest_up_to_the_limit_and_no_deeper() {
        for (levels, fits) in [(Value::NESTING_MAX, true), (Value::NESTING_MAX + 1, false), (1, true)] {
            let json = serde_json::to_string(&nested(levels)).expect("values serialise");
            assert_eq!(serde_json::from_str::<Value>(&json).is_ok(), fits, "{levels} levels");
        }
    }
}
