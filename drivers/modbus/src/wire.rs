//! The wire: one question, one answer that belongs to it, or none.

mod counters;
mod dial;
mod line;
mod pipeline;
mod stream;

pub(crate) use counters::Counters;
pub(crate) use line::EVERYBODY;

use crate::config::{Framing, LinkOptions};
use crate::pdu::{Ask, NoAnswer};
use edgeway_sdk::{Deadline, Fault};
use line::Line;
use pipeline::Pipeline;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// One connection or one serial port, opened when it is needed.
pub(crate) struct Wire {
    speech: Speech,
    counters: Arc<Counters>,
}

/// How questions and answers find each other.
enum Speech {
    /// By numbers: several may be on their way.
    Pipeline(Pipeline),
    /// By their order: one at a time, and silence after one that was not answered.
    Line(Line),
}

/// Why there is no answer.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Failure {
    /// The unit answered with an exception.
    #[error("exception {0}")]
    Exception(u8),
    /// Anything else.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Wire {
    /// A wire that is not open yet.
    pub(crate) fn new(options: &LinkOptions) -> Self {
        let counters = Arc::<Counters>::default();
        let speech = match options.framing {
            Framing::Tcp => Speech::Pipeline(Pipeline::new(options.clone(), counters.clone())),
            Framing::Rtu | Framing::Ascii => Speech::Line(Line::new(options.clone(), counters.clone())),
        };
        Wire { speech, counters }
    }

    /// Opens it anew.
    ///
    /// # Errors
    /// [`Fault::Link`] if nobody is there.
    pub(crate) async fn connect(&self, by: Deadline) -> Result<(), Fault> {
        match &self.speech {
            Speech::Pipeline(pipeline) => pipeline.connect(by).await,
            Speech::Line(line) => line.connect(by).await,
        }
    }

    /// Asks a unit, and gives the data of its answer.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) async fn ask(&self, unit: u8, ask: Ask<'_>, by: Deadline) -> Result<Vec<u8>, Failure> {
        let answered = match &self.speech {
            Speech::Pipeline(pipeline) => pipeline.ask(unit, ask, by).await,
            Speech::Line(line) => line.ask(unit, ask, by).await,
        };
        if let Err(Failure::Exception(_)) = answered {
            self.counters.exceptions.add();
        }
        answered
    }

    /// Closes it.
    pub(crate) async fn close(&self) {
        match &self.speech {
            Speech::Pipeline(pipeline) => pipeline.close().await,
            Speech::Line(line) => line.close().await,
        }
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// The time that is left.
fn left(by: Deadline) -> Result<Duration, Fault> {
    let left = by.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Fault::Busy("no time was left for a request".into())) } else { Ok(left) }
}

fn silent(unit: u8, patience: Duration) -> Fault {
    Fault::Device(format!("unit {unit} did not answer within {patience:?}"))
}

fn stranger(unit: u8, why: &str) -> Fault {
    Fault::Device(format!("unit {unit} sent an answer that does not belong to the request: {why}"))
}

/// What the answer says, or why it does not belong to the question.
fn checked(unit: u8, ask: &Ask<'_>, pdu: &[u8]) -> Result<Vec<u8>, Failure> {
    match ask.answer(pdu) {
        Ok(data) => Ok(data.to_vec()),
        Err(NoAnswer::Exception(code)) => Err(Failure::Exception(code)),
        Err(NoAnswer::Wrong(why)) => Err(stranger(unit, &why).into()),
    }
}
