//! What becomes of a request: taken, or refused with a reason.

use super::counters::Counters;
use super::routes::{Hook, Routes};
use crate::codec;
use crate::config::{HookOptions, Login};
use edgeway_payload::{Document, Error, Format};
use edgeway_sdk::{Batch, Sink, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, StatusCode};
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A number by which a repetition is known is no longer than this, in bytes.
const NUMBER_BYTES_MAX: usize = 255;

/// What becomes of requests.
pub(crate) struct Desk {
    routes: Arc<Routes>,
    login: Login,
    pub(super) counters: Arc<Counters>,
    sink: Arc<dyn Sink>,
    pub(super) timeout: Duration,
    pub(super) body_bytes_max: usize,
    pub(super) connections_max: usize,
}

/// Why a request is not taken.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) reason: String,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        Refusal { status, reason: reason.into() }
    }
}

impl Desk {
    pub(crate) fn new(
        options: &HookOptions,
        routes: Arc<Routes>,
        counters: Arc<Counters>,
        sink: Arc<dyn Sink>,
    ) -> Self {
        Desk {
            routes,
            login: options.login.clone(),
            counters,
            sink,
            timeout: options.timeout,
            body_bytes_max: options.body_bytes_max,
            connections_max: usize::from(options.connections_max),
        }
    }

    /// Whether a request may go on, before its body is read.
    pub(super) fn admit(&self, method: &Method, path: &str, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Login::Fixed(login) = &self.login
            && !is_same(headers.get(AUTHORIZATION).map(|given| given.as_bytes()), login.as_bytes())
        {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "the login is missing or wrong"));
        }
        match *method {
            _ if self.routes.at(path).is_empty() => {
                Err(Refusal::new(StatusCode::NOT_FOUND, "no device sends to this path"))
            }
            Method::POST | Method::PUT => Ok(()),
            _ => Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "send it with POST or PUT")),
        }
    }

    /// Tells what a payload says. Never waits for anybody.
    pub(super) fn take(&self, path: &str, headers: &HeaderMap, payload: &[u8]) -> Result<(), Refusal> {
        let signed: Vec<&Arc<Hook>> =
            self.routes.at(path).iter().filter(|hook| hook.is_signed(headers, payload)).collect();
        if signed.is_empty() {
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "the signature is missing or wrong"));
        }
        let mut documents = Documents { payload, received: Timestamp::now(), parsed: vec![] };
        let mut owned = vec![];
        for hook in signed {
            if hook.options.only.is_none() || hook.owns(Some(documents.get(Format::Json)?)) {
                owned.push(hook);
            }
        }
        if owned.is_empty() {
            return Err(Refusal::new(StatusCode::NOT_FOUND, "no device sends this payload"));
        }
        owned.into_iter().try_for_each(|hook| self.tell(hook, headers, &mut documents))
    }

    fn tell(&self, hook: &Hook, headers: &HeaderMap, documents: &mut Documents<'_>) -> Result<(), Refusal> {
        let number = hook.number(headers)?;
        let mut batch = Batch::default();
        for format in &hook.formats {
            let of_format = hook.items.iter().filter(|item| item.options.mapping.format() == *format);
            let received = documents.received;
            codec::push_told(of_format, documents.get(*format)?, received, &mut batch);
        }
        if number.is_some_and(|number| !hook.repeats.is_new(number, Instant::now())) {
            self.counters.repeated.add();
            return Ok(());
        }
        self.counters.taken.add();
        if batch.is_empty() {
            self.counters.without_values.add();
        } else {
            self.sink.data(batch);
        }
        Ok(())
    }
}

impl Hook {
    fn is_signed(&self, headers: &HeaderMap, payload: &[u8]) -> bool {
        let Some(signature) = &self.options.signature else { return true };
        let written = headers.get(&signature.header).and_then(|written| written.to_str().ok());
        written.is_some_and(|written| signature.is_right(written, payload))
    }

    /// The number by which a repetition is known.
    fn number<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>, Refusal> {
        let Some(number) = self.options.idempotency.as_ref().and_then(|name| headers.get(name)) else {
            return Ok(None);
        };
        match number.to_str() {
            Ok(text) if (1..=NUMBER_BYTES_MAX).contains(&text.len()) => Ok(Some(text)),
            _ => {
                let reason = format!("the number of the request is not a text of 1 to {NUMBER_BYTES_MAX} bytes");
                Err(Refusal::new(StatusCode::BAD_REQUEST, reason))
            }
        }
    }
}

/// A payload, decoded once in each format.
struct Documents<'p> {
    payload: &'p [u8],
    received: Timestamp,
    parsed: Vec<(Format, Document)>,
}

impl Documents<'_> {
    fn get(&mut self, format: Format) -> Result<&Document, Refusal> {
        let at = match self.parsed.iter().position(|(known, _)| *known == format) {
            Some(at) => at,
            None => {
                let unreadable = |error: Error| Refusal::new(StatusCode::BAD_REQUEST, error.to_string());
                let document = Document::parse(format, self.payload, self.received).map_err(unreadable)?;
                self.parsed.push((format, document));
                self.parsed.len() - 1
            }
        };
        Ok(&self.parsed[at].1)
    }
}

/// Compares in a time that says nothing of where the two differ.
fn is_same(given: Option<&[u8]>, wanted: &[u8]) -> bool {
    let tag = |text: &[u8]| {
        <Hmac<Sha256> as KeyInit>::new_from_slice(wanted).expect("HMAC takes keys of any length").chain_update(text)
    };
    given.is_some_and(|given| tag(given).finalize() == tag(wanted).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_compared_whole() {
        assert!(is_same(Some(b"Bearer abc"), b"Bearer abc"));
        for wrong in [&b"Bearer ab"[..], b"Bearer abcd", b"bearer abc", b""] {
            assert!(!is_same(Some(wrong), b"Bearer abc"));
        }
        assert!(!is_same(None, b"Bearer abc"));
    }
}
