//! Why there is no answer, and whether anything was sent.

use edgeway_sdk::Fault;
use std::error::Error;

/// Why there is no answer. The text is for the operator.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// A file that the configuration names cannot be used.
    #[error("{0}")]
    Files(String),
    /// The server wants to be left alone; nothing was sent.
    #[error("{0}")]
    Waiting(String),
    /// Nobody is there, or not who it should be, or there is no token; nothing was sent.
    #[error("{0}")]
    Unreached(String),
    /// The question was sent, or part of it, and no whole answer came in time.
    #[error("{0}")]
    Silent(String),
    /// The same, and what came is no answer.
    #[error("{0}")]
    Broken(String),
}

impl Failure {
    /// What it means for a step.
    pub(crate) fn of_read(self) -> Fault {
        match self {
            Failure::Files(reason) => Fault::Config(reason),
            Failure::Waiting(reason) => Fault::Busy(reason),
            Failure::Unreached(reason) => Fault::Link(reason),
            Failure::Silent(reason) | Failure::Broken(reason) => Fault::Device(reason),
        }
    }

    /// What it means for something that was to be changed: where nothing was sent, nothing has.
    pub(crate) fn of_write(self) -> Fault {
        match self {
            Failure::Unreached(reason) => Fault::Busy(reason),
            other => other.of_read(),
        }
    }

    /// What an error of the client means.
    pub(super) fn of(error: &reqwest::Error) -> Failure {
        if let Some(refusal) = edgeway_tls::refusal(error) {
            return Failure::Unreached(format!("{}: {refusal}", place(error)));
        }
        let reason = format!("{}: {}", place(error), innermost(error));
        match error {
            error if error.is_connect() => Failure::Unreached(reason),
            error if error.is_timeout() => Failure::Silent(reason),
            _ => Failure::Broken(reason),
        }
    }
}

fn place(error: &reqwest::Error) -> String {
    error.url().map_or_else(|| "the server".into(), |url| url.origin().ascii_serialization())
}

/// The last cause, which says what has happened; the others say where in the client.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// An error with its causes.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
