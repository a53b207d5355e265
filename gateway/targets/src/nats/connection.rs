//! One connection to a server, which is over when it is over.
//!
//! The client library would connect again by itself and send what is still in its queue, ahead of older messages that the
//! route sends again. So a connection logs in once: a later attempt of the library ends before it has sent anything.

use super::login::Login;
use crate::{TargetError, tls};
use async_nats::{AuthError, Client, ConnectError, ConnectErrorKind, ConnectOptions, Event, ServerError};
use edgeway_site::{NatsTarget as NatsSite, TlsFiles};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The library gives up after two unanswered pings: a half-open link is found within three of these.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Tells when, and why, a connection was lost.
#[derive(Clone)]
pub(super) struct Lost(watch::Receiver<Option<TargetError>>);

impl Lost {
    /// Waits for the end of the connection.
    pub(super) async fn why(mut self) -> TargetError {
        let lost = match self.0.wait_for(Option::is_some).await {
            Ok(why) => why.clone(),
            Err(_) => None,
        };
        lost.unwrap_or_else(|| TargetError::Away("the connection was lost".into()))
    }
}

/// Opens a connection.
///
/// # Errors
/// [`TargetError::Denied`] if a person has to act: login, certificates; else [`TargetError::Away`].
pub(super) async fn connect(route: &str, site: &NatsSite) -> Result<(Client, Lost), TargetError> {
    let (lose, lost) = watch::channel(None);
    let open = Arc::new(AtomicBool::new(false));
    let options = options(route, site, open.clone())?.event_callback(move |event| {
        if let Some(error) = end(&event) {
            // The first reason is the cause; what follows are its consequences.
            lose.send_if_modified(|why| why.is_none() && replace(why, error));
        }
        std::future::ready(())
    });
    let client = options.connect(&site.urls[..]).await.map_err(|error| not_connected(&error))?;
    open.store(true, Ordering::Relaxed);
    Ok((client, Lost(lost)))
}

fn replace(why: &mut Option<TargetError>, error: TargetError) -> bool {
    *why = Some(error);
    true
}

fn options(route: &str, site: &NatsSite, open: Arc<AtomicBool>) -> Result<ConnectOptions, TargetError> {
    let login = Login::of(site)?;
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        std::future::ready(match open.load(Ordering::Relaxed) {
            false => login.answer(&nonce),
            true => Err(AuthError::new("a connection logs in once")),
        })
    });
    let options = options
        .name(format!("edgeway-{route}"))
        .connection_timeout(CONNECT_WITHIN)
        .ping_interval(PING_EVERY)
        .ignore_discovered_servers()
        .max_reconnects(site.urls.len());
    let tls_wanted = site.urls.iter().any(|url| url.starts_with("tls:")) || site.tls != TlsFiles::default();
    if !tls_wanted {
        return Ok(options);
    }
    Ok(options.require_tls(true).tls_client_config(tls::client(&site.tls)?))
}

fn not_connected(error: &ConnectError) -> TargetError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            TargetError::Denied(format!("{error}; check the login of this target"))
        }
        ConnectErrorKind::ServerParse => TargetError::Denied(error.to_string()),
        _ => tls::refusal(error).unwrap_or_else(|| TargetError::Away(error.to_string())),
    }
}

/// What an event means, if it is the end of the connection.
fn end(event: &Event) -> Option<TargetError> {
    match event {
        Event::Disconnected | Event::Closed => {
            Some(TargetError::Away("the server closed the connection or does not answer".into()))
        }
        Event::ServerError(ServerError::AuthorizationViolation) => {
            Some(TargetError::Denied("the server takes this login no more; check the login of this target".into()))
        }
        Event::ServerError(ServerError::Other(text)) => Some(complaint(text)),
        _ => None,
    }
}

/// What the server says before it ends a connection, or instead of an acknowledgement.
fn complaint(text: &str) -> TargetError {
    let lower = text.to_ascii_lowercase();
    if lower.contains("permissions violation") {
        return TargetError::Denied(format!(
            "{text}; this user needs to publish on the route's subjects and on `$JS.API.STREAM.INFO.*`, and to subscribe \
             to `_INBOX.>`"
        ));
    }
    match lower.contains("authentication") || lower.contains("authorization") || lower.contains("revoked") {
        true => TargetError::Denied(text.to_owned()),
        false => TargetError::Away(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_has_to_do_is_told_from_what_passes() {
        let denied =
            ["Permissions Violation for Publish to \"a\"", "User Authentication Expired", "Authorization Violation"];
        let away = ["Stale Connection", "maximum connections exceeded", "Slow Consumer"];
        assert!(denied.iter().all(|text| matches!(complaint(text), TargetError::Denied(_))));
        assert!(away.iter().all(|text| matches!(complaint(text), TargetError::Away(_))));
    }
}
