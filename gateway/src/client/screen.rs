//! Standard output.

use super::error::ClientError;
use super::table::{Cell, Colours, layout};
use crate::cli::Output;
use edgeway_sdk::Json;
use serde::de::DeserializeOwned;
use std::io::{ErrorKind, Write};

/// Where answers go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    output: Output,
    pub(super) colours: Colours,
}

impl Screen {
    pub(super) fn new(output: Output) -> Self {
        Screen { output, colours: Colours::of_stdout() }
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Screen { output: Output::Table, colours: Colours::Off }
    }

    /// Shows an answer: as it is, or as the text that `render` makes of it.
    pub(super) fn show<T: DeserializeOwned>(
        self,
        answer: &[u8],
        render: impl FnOnce(T) -> String,
    ) -> Result<(), ClientError> {
        match self.output {
            Output::Json => self.print(&format!("{:#}\n", parse::<Json>(answer)?)),
            Output::Table => self.print(&render(parse(answer)?)),
        }
    }

    /// Shows a message of many in a line: as it is, or as the text that `render` makes of it.
    pub(super) fn message(self, message: &str, render: impl FnOnce(&Json) -> String) -> Result<(), ClientError> {
        match self.output {
            Output::Json => self.print(&format!("{message}\n")),
            Output::Table => self.print(&format!("{}\n", render(&parse(message.as_bytes())?))),
        }
    }

    pub(super) fn table(self, titles: &[&str], rows: &[Vec<Cell>]) -> String {
        layout(titles, rows, self.colours)
    }

    fn print(self, text: &str) -> Result<(), ClientError> {
        let mut stdout = std::io::stdout().lock();
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ClientError::NobodyReads),
            Err(error) => Err(ClientError::Output(error)),
        }
    }
}

/// What the gateway has sent, in its type.
pub(super) fn parse<T: DeserializeOwned>(sent: &[u8]) -> Result<T, ClientError> {
    serde_json::from_slice(sent)
        .map_err(|error| ClientError::Foreign { what: format!("an answer of another shape: {error}") })
}
