//! What the status of an answer means (RFC 9110, section 15). Pure.
//!
//! | status | to a read | to a write |
//! | --- | --- | --- |
//! | 200, 203 | the payload | done |
//! | other 2xx | no payload, which is a fault of the device | done |
//! | 304 | nothing has changed | |
//! | 400, 404 to 406, 410, 414, 422 | the resource is refused | refused |
//! | 429, and 503 with `Retry-After` | not now | not now; nothing was done |
//! | 401, 403, 407 | who we are is not accepted | refused |
//! | 5xx | the device fails | nobody knows |
//! | everything else | the device fails | refused |

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, LAST_MODIFIED, RETRY_AFTER};
use std::time::{Duration, SystemTime};

/// The longest time that a server is left alone, whatever it says: its clock or ours may be wrong.
const LEFT_ALONE_MAX: Duration = Duration::from_secs(3600);

/// What an answer to a read means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    Payload,
    Unchanged,
    /// The resource, not the device.
    Refused,
    NotNow,
    /// With advice.
    Failed(&'static str),
}

/// What an answer to a write means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Done,
    /// It is going to be done.
    Accepted,
    Refused,
    NotNow,
    Unknown,
}

pub(crate) fn of_read(status: StatusCode, headers: &HeaderMap) -> Read {
    match status.as_u16() {
        200 | 203 => Read::Payload,
        304 => Read::Unchanged,
        400 | 404..=406 | 410 | 414 | 422 => Read::Refused,
        429 => Read::NotNow,
        503 if headers.contains_key(RETRY_AFTER) => Read::NotNow,
        401 | 403 | 407 => Read::Failed(" (check the login)"),
        200..=299 => Read::Failed(", which has no payload"),
        _ => Read::Failed(""),
    }
}

pub(crate) fn of_write(status: StatusCode, headers: &HeaderMap) -> Written {
    match status.as_u16() {
        202 => Written::Accepted,
        200..=299 => Written::Done,
        429 => Written::NotNow,
        503 if headers.contains_key(RETRY_AFTER) => Written::NotNow,
        501 | 300..=499 => Written::Refused,
        _ => Written::Unknown,
    }
}

/// How long the server wants to be left alone.
pub(crate) fn retry_after(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER).filter(|_| matches!(status.as_u16(), 429 | 503))?.to_str().ok()?.trim();
    let after = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => Duration::try_from(date(text)?.duration_since(now.try_into().ok()?)).unwrap_or_default(),
    };
    Some(after.min(LEFT_ALONE_MAX))
}

/// Whether `Last-Modified` tells two versions apart: only if it lies at least a second before the answer, because within one second a
/// resource may change twice (RFC 9110, section 8.8.2.2).
pub(crate) fn is_exact(headers: &HeaderMap) -> bool {
    let of = |name| headers.get(name).and_then(|value| value.to_str().ok()).and_then(date);
    match (of(LAST_MODIFIED), of(DATE)) {
        (Some(modified), Some(now)) => now.duration_since(modified) >= jiff::SignedDuration::from_secs(1),
        _ => false,
    }
}

fn date(text: &str) -> Option<jiff::Timestamp> {
    DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value"))).collect()
    }

    #[test]
    fn a_server_is_left_alone_for_as_long_as_it_says_but_not_for_ever() {
        let after = |status: u16, text: &str| {
            let status = StatusCode::from_u16(status).expect("a status");
            let headers = headers(&[("retry-after", text)]);
            retry_after(status, &headers, SystemTime::UNIX_EPOCH).map(|after| after.as_secs())
        };
        assert_eq!(after(429, "30"), Some(30));
        assert_eq!(after(503, "Thu, 01 Jan 1970 00:01:00 GMT"), Some(60));
        assert_eq!(after(503, "Wed, 31 Dec 1969 00:01:00 GMT"), Some(0));
        assert_eq!(after(503, "999999999999"), Some(3600));
        assert_eq!(after(503, "soon"), None);
        assert_eq!(after(200, "30"), None);
    }

    #[test]
    fn a_date_tells_versions_apart_only_when_the_second_has_passed() {
        const AT: &str = "Fri, 27 Nov 2026 03:47:18 GMT";
        const LATER: &str = "Fri, 27 Nov 2026 03:47:19 GMT";
        assert!(is_exact(&headers(&[("last-modified", AT), ("date", LATER)])));
        assert!(!is_exact(&headers(&[("last-modified", AT), ("date", AT)])));
        assert!(!is_exact(&headers(&[("last-modified", AT)])));
        assert!(!is_exact(&headers(&[("last-modified", "yesterday"), ("date", LATER)])));
    }

    #[test]
    fn nobody_knows_what_became_of_a_write_that_a_server_broke_over() {
        let of = |status: u16| of_write(StatusCode::from_u16(status).expect("a status"), &HeaderMap::new());
        assert_eq!([200, 204, 202].map(of), [Written::Done, Written::Done, Written::Accepted]);
        assert_eq!([302, 400, 401, 404, 409, 501].map(of), [Written::Refused; 6]);
        assert_eq!([500, 502, 503, 504].map(of), [Written::Unknown; 4]);
        assert_eq!(of(429), Written::NotNow);
    }
}
