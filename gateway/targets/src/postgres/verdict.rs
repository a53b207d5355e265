//! What an error of the server means.

use crate::{TargetError, tls};
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// Why rows could not be written.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server does not take one of the rows, or will not have the table's columns.
    Data(String),
    /// The connection is of no use.
    Connection(TargetError),
}

impl From<TargetError> for Failure {
    fn from(error: TargetError) -> Self {
        Failure::Connection(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.as_db_error() {
            Some(said) if is_data(said.code()) => Failure::Data(text(said)),
            _ => Failure::Connection(of(&error)),
        }
    }
}

/// What an error means for the connection.
pub(super) fn of(error: &Error) -> TargetError {
    match error.as_db_error() {
        Some(said) if is_denied(said.code()) => TargetError::Denied(text(said)),
        Some(said) => TargetError::Away(text(said)),
        None => tls::refusal(error).unwrap_or_else(|| without_code(error)),
    }
}

/// The table is not what it was a moment ago: it is looked at again after connecting.
pub(super) fn of_writing(error: Error) -> Failure {
    let changed = [
        SqlState::UNDEFINED_TABLE,
        SqlState::UNDEFINED_COLUMN,
        SqlState::INVALID_COLUMN_REFERENCE,
        SqlState::DATATYPE_MISMATCH,
        SqlState::INVALID_SCHEMA_NAME,
    ];
    match error.as_db_error() {
        Some(said) if changed.contains(said.code()) => TargetError::Away(text(said)).into(),
        _ => error.into(),
    }
}

fn without_code(error: &Error) -> TargetError {
    let text = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    // A login that lacks something is said by the library before it asks the server.
    match error.to_string().contains("configuration") {
        true => TargetError::Denied(text),
        false => TargetError::Away(text),
    }
}

/// Classes 22 (data), 23 (constraints), 54 (limits, as of an index's row), and P0 (what triggers say).
fn is_data(code: &SqlState) -> bool {
    ["22", "23", "54", "P0"].iter().any(|class| code.code().starts_with(class))
}

/// Classes 28 (login), 3D and 3F (no such database, no such schema), 42 (rights, no such table), 0A (not supported).
/// Everything else passes: shutdowns, too many connections, a full disk, a standby that does not write yet.
fn is_denied(code: &SqlState) -> bool {
    ["28", "3D", "3F", "42", "0A"].iter().any(|class| code.code().starts_with(class))
}

fn text(said: &DbError) -> String {
    let more = [said.detail(), said.hint()].into_iter().flatten().map(|more| format!("; {more}"));
    format!("{} ({}){}", said.message(), said.code().code(), more.collect::<String>())
}
