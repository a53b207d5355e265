//! Requests to the gateway.

use super::error::ClientError;
use super::reach::{Found, Surroundings};
use crate::api::Problem;
use crate::cli::ReachOptions;
use bytes::Bytes;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use std::time::Duration;

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The gateway waits a little longer than a command may take; this is longer still.
const COMMAND_GRACE: Duration = Duration::from_secs(10);

/// A gateway to talk to.
pub(super) struct Client {
    found: Found,
    http: reqwest::Client,
}

impl Client {
    /// Finds out where the gateway is and what its token is. Connects with the first request.
    pub(super) fn connect(reach: &ReachOptions) -> Result<Client, ClientError> {
        let found = Found::find(reach, &Surroundings::of_process())?;
        let http = reqwest::Client::builder().connect_timeout(CONNECT_WITHIN).no_proxy().build();
        Ok(Client { found, http: http.expect("a client without TLS needs nothing from the system") })
    }

    /// Asks for what is at a path below `/api/v1`.
    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Bytes, ClientError> {
        let request = self.request(Method::GET, path, query).timeout(ANSWER_WITHIN);
        self.answer(request).await
    }

    /// Sends a command that may take that long, and waits for its result.
    pub(super) async fn command(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
        within: Duration,
    ) -> Result<Bytes, ClientError> {
        let request = self.request(method, path, &[]).json(body);
        self.answer(request.timeout(within.saturating_add(COMMAND_GRACE))).await
    }

    /// Follows an answer that has no end.
    pub(super) async fn follow(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Response, ClientError> {
        self.send(self.request(Method::GET, path, query)).await
    }

    /// What to say when an answer breaks off.
    pub(super) fn broken_off(&self) -> ClientError {
        ClientError::BrokenOff { url: self.found.shown() }
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, &str)]) -> RequestBuilder {
        let request = self.http.request(method, address(&self.found.url, path, query));
        request.bearer_auth(self.found.token.reveal())
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Bytes, ClientError> {
        self.send(request).await?.bytes().await.map_err(|_| self.broken_off())
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let url = self.found.shown();
        let answer = request.send().await.map_err(|source| match source.is_connect() {
            true => ClientError::Away { url, source },
            false => self.broken_off(),
        })?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status => {
                let body = answer.bytes().await.unwrap_or_default();
                Err(refusal(status, &body, &self.found.shown()))
            }
        }
    }
}

/// What an answer that is no success means.
fn refusal(status: StatusCode, body: &[u8], url: &str) -> ClientError {
    if status == StatusCode::UNAUTHORIZED {
        return ClientError::Refused { url: url.to_owned() };
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(_) => ClientError::Foreign { what: format!("{url} answers {status}") },
    }
}

/// The address of a path below the API's root. Names are escaped.
fn address(root: &Url, path: &[&str], query: &[(&str, &str)]) -> Url {
    let mut url = root.clone();
    url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(["api", "v1"]).extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_addresses() {
        let root = Url::parse("http://127.0.0.1:8080").expect("valid");
        let url = address(&root, &["devices", "a/b c"], &[("filter", "property/+/#")]);
        assert_eq!(url.as_str(), "http://127.0.0.1:8080/api/v1/devices/a%2Fb%20c?filter=property%2F%2B%2F%23");
        let below = address(&Url::parse("http://proxy/farm").expect("valid"), &["status"], &[]);
        assert_eq!(below.as_str(), "http://proxy/farm/api/v1/status");
    }

    #[test]
    fn a_refusal_is_told_by_the_gateway_or_by_its_status() {
        let body = br#"{"title":"unknown device","status":404,"detail":"there is no device `x`"}"#;
        assert_eq!(refusal(StatusCode::NOT_FOUND, body, "u").to_string(), "there is no device `x`");
        assert!(matches!(refusal(StatusCode::UNAUTHORIZED, b"", "u"), ClientError::Refused { .. }));
        assert!(matches!(refusal(StatusCode::NOT_FOUND, b"<html>", "u"), ClientError::Foreign { .. }));
    }
}
