//! Times in payloads.

use crate::TimeUnit;
use edgeway_sdk::{Json, Timestamp};

/// The point in time that is written there; `None` if it cannot be read.
pub(crate) fn read(json: &Json, unit: TimeUnit) -> Option<Timestamp> {
    let nanos_each: i64 = match unit {
        TimeUnit::Rfc3339 => return json.as_str().and_then(Timestamp::parse),
        TimeUnit::S => 1_000_000_000,
        TimeUnit::Ms => 1_000_000,
        TimeUnit::Us => 1_000,
        TimeUnit::Ns => 1,
    };
    let whole = json.as_i64().or_else(|| json.as_str()?.parse().ok());
    if let Some(whole) = whole {
        return Some(Timestamp::from_nanos(whole.saturating_mul(nanos_each)));
    }
    let fraction = json.as_f64().or_else(|| json.as_str()?.parse().ok()).filter(|number| number.is_finite())?;
    // A cast saturates.
    Some(Timestamp::from_nanos((fraction * nanos_each as f64) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_unit_says_the_same_time() {
        let time = Timestamp::from_millis(1_764_000_000_500);
        for (json, unit) in [
            (json!("2025-11-24T16:00:00.5Z"), TimeUnit::Rfc3339),
            (json!(1_764_000_000.5), TimeUnit::S),
            (json!(1_764_000_000_500_i64), TimeUnit::Ms),
            (json!("1764000000500"), TimeUnit::Ms),
            (json!(1_764_000_000_500_000_i64), TimeUnit::Us),
            (json!(1_764_000_000_500_000_000_i64), TimeUnit::Ns),
        ] {
            assert_eq!(read(&json, unit), Some(time), "{json} {unit:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for (json, unit) in [
            (json!(5), TimeUnit::Rfc3339),
            (json!("soon"), TimeUnit::Rfc3339),
            (json!("inf"), TimeUnit::S),
            (json!(null), TimeUnit::Ms),
        ] {
            assert_eq!(read(&json, unit), None, "{json} {unit:?}");
        }
    }
}
