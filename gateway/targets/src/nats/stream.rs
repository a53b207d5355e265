//! The stream that must take the messages.

use super::subject::takes;
use super::verdict;
use crate::TargetError;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, RequestErrorKind};
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{Context, ErrorCode};
use edgeway_site::NatsTarget as NatsSite;
use std::sync::Arc;

/// A stream that is there.
pub(super) struct Stream {
    pub(super) name: String,
    subjects: Vec<String>,
}

impl Stream {
    /// What it means that nobody took a message of this subject.
    pub(super) fn nobody_took(&self, subject: &str) -> TargetError {
        let Stream { name, subjects } = self;
        if subjects.iter().any(|pattern| takes(pattern, subject)) {
            return TargetError::Away(format!("stream `{name}` has no leader at the moment"));
        }
        let subjects = subjects.join("`, `");
        TargetError::Denied(format!(
            "stream `{name}` takes `{subjects}`, but not `{subject}`; add it to the stream's subjects or change the \
             route's topic"
        ))
    }
}

/// Looks for the stream, and makes it if the site says so. Its subjects are as they are from then on: a stream that is
/// there is never changed.
///
/// # Errors
/// [`TargetError::Denied`] if there is none, or the server has no JetStream.
pub(super) async fn find(jetstream: &Context, site: &NatsSite) -> Result<Arc<Stream>, TargetError> {
    let found = match (jetstream.get_stream(&site.stream).await, &site.create) {
        (Err(error), Some(subjects)) if is_missing(&error) => {
            let made = jetstream.create_stream(config(site, subjects)).await;
            made.map_err(|error| match error.kind() {
                async_nats::jetstream::context::CreateStreamErrorKind::JetStream(error) => verdict::of_request(&error),
                _ => TargetError::Away(format!("stream `{}` could not be made: {error}", site.stream)),
            })?
        }
        (found, _) => found.map_err(|error| not_found(&site.stream, &error))?,
    };
    let config = &found.cached_info().config;
    Ok(Arc::new(Stream { name: config.name.clone(), subjects: config.subjects.clone() }))
}

fn config(site: &NatsSite, subjects: &[String]) -> Config {
    Config { name: site.stream.clone(), subjects: subjects.to_vec(), storage: StorageType::File, ..Config::default() }
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn not_found(name: &str, error: &GetStreamError) -> TargetError {
    match error.kind() {
        _ if is_missing(error) => TargetError::Denied(format!(
            "there is no stream `{name}`; make it, or give its subjects as `create` to have it made"
        )),
        GetStreamErrorKind::JetStream(error) => verdict::of_request(&error),
        GetStreamErrorKind::InvalidStreamName | GetStreamErrorKind::EmptyName => {
            TargetError::Denied(format!("`{name}` cannot be a stream's name"))
        }
        _ if has_no_responders(error) => {
            TargetError::Denied("this server, or this account, has no JetStream; turn it on".into())
        }
        _ => TargetError::Away(format!("stream `{name}` could not be looked for: {error}")),
    }
}

fn has_no_responders(error: &GetStreamError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let request = error.downcast_ref::<async_nats::jetstream::context::RequestError>();
        if request.is_some_and(|error| error.kind() == RequestErrorKind::NoResponders) {
            return true;
        }
        source = error.source();
    }
    false
}
