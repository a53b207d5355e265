//! What an answer means.
//!
//! | status | meaning |
//! | --- | --- |
//! | 2xx | delivered |
//! | 400, 413, 415, 422 | refused; several messages are then sent one by one |
//! | 429, 503 | throttled: as long as `Retry-After` says, in seconds or as a date, or else 30 s (429), or away (503) |
//! | 408, 425, other 5xx | away: sent again |
//! | everything else: 401, 403, 404, redirections, ... | denied: a person has to act |

use crate::TargetError;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// How long a service is left alone that does not say how long it wants.
const THROTTLED_FOR: Duration = Duration::from_secs(30);
/// The longest time that a service is left alone, whatever it says: its clock or ours may be wrong.
const THROTTLED_FOR_MOST: Duration = Duration::from_secs(3600);

/// What an answer means for a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Delivered,
    Refused,
    Failed(TargetError),
}

/// What an answer means that came `now`.
pub(super) fn verdict(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Verdict {
    let reason = format!("the service answered {status}");
    Verdict::Failed(match status.as_u16() {
        200..=299 => return Verdict::Delivered,
        400 | 413 | 415 | 422 => return Verdict::Refused,
        429 => TargetError::Throttled { after: retry_after(headers, now).unwrap_or(THROTTLED_FOR), reason },
        503 => match retry_after(headers, now) {
            Some(after) => TargetError::Throttled { after, reason },
            None => TargetError::Away(reason),
        },
        408 | 425 | 500..=599 => TargetError::Away(reason),
        300..=399 => TargetError::Denied(moved(&reason, headers)),
        401 | 403 => TargetError::Denied(format!("{reason}; check the login")),
        404 | 405 | 410 => TargetError::Denied(format!("{reason}; check the URL")),
        _ => TargetError::Denied(reason),
    })
}

fn moved(reason: &str, headers: &HeaderMap) -> String {
    let to = headers.get(LOCATION).and_then(|place| place.to_str().ok()).unwrap_or("another address");
    format!("{reason}; redirections are not followed, give the URL {to}")
}

fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let after = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => until(text, now)?,
    };
    Some(after.min(THROTTLED_FOR_MOST))
}

/// How long it is until an HTTP date; nothing if that has passed.
fn until(date: &str, now: SystemTime) -> Option<Duration> {
    let at = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(date).ok()?;
    let now = Timestamp::try_from(now).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn of(status: u16, retry_after: Option<&str>) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(text) = retry_after {
            headers.insert(RETRY_AFTER, text.parse().expect("a header's value"));
        }
        verdict(StatusCode::from_u16(status).expect("a status"), &headers, NOW)
    }

    fn throttled_for(status: u16, retry_after: Option<&str>) -> Option<u64> {
        match of(status, retry_after) {
            Verdict::Failed(TargetError::Throttled { after, .. }) => Some(after.as_secs()),
            _ => None,
        }
    }

    #[test]
    fn each_status_has_one_meaning() {
        for status in [200, 201, 202, 204] {
            assert_eq!(of(status, None), Verdict::Delivered, "{status}");
        }
        for status in [400, 413, 415, 422] {
            assert_eq!(of(status, None), Verdict::Refused, "{status}");
        }
        for status in [408, 425, 500, 502, 503, 504] {
            assert!(matches!(of(status, None), Verdict::Failed(TargetError::Away(_))), "{status}");
        }
        for status in [301, 307, 401, 403, 404, 405, 410, 402] {
            assert!(matches!(of(status, None), Verdict::Failed(TargetError::Denied(_))), "{status}");
        }
    }

    #[test]
    fn a_throttled_route_waits_as_long_as_it_is_told() {
        assert_eq!(throttled_for(429, Some("7")), Some(7));
        assert_eq!(throttled_for(503, Some("7")), Some(7));
        assert_eq!(throttled_for(429, Some("Thu, 01 Jan 1970 00:02:00 GMT")), Some(120));
        assert_eq!(throttled_for(429, None), Some(30));
        assert_eq!(throttled_for(429, Some("soon")), Some(30));
    }

    #[test]
    fn a_date_that_has_passed_is_now_and_a_far_one_an_hour() {
        assert_eq!(throttled_for(503, Some("Wed, 31 Dec 1969 23:00:00 GMT")), Some(0));
        assert_eq!(throttled_for(503, Some("Tue, 01 Jan 2030 00:00:00 GMT")), Some(3600));
    }
}
