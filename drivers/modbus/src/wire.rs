//! The connection: one request, one answer that belongs to it, or none.

mod hangup;

use crate::config::{LinkOptions, Table};
use crate::plan::{Answer, Place};
use edgeway_sdk::{Deadline, Fault};
use hangup::Hangup;
use std::borrow::Cow;
use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_modbus::client::{Client, Context, tcp};
use tokio_modbus::slave::SlaveContext;
use tokio_modbus::{Error, ProtocolError, Request, Response, Slave};

/// One TCP connection, opened when it is needed.
///
/// While a request is on its way the connection is not in here, and it comes back only with an answer that belongs to
/// the request. So a timeout, a wrong answer or a dropped future all end with the connection closed, and an answer that
/// comes too late finds nobody.
pub(crate) struct Wire {
    options: LinkOptions,
    open: Option<Context>,
    /// Nothing is sent before.
    free_at: Instant,
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
    pub(crate) fn new(options: LinkOptions) -> Self {
        Wire { options, open: None, free_at: Instant::now() }
    }

    /// Opens a new connection.
    ///
    /// # Errors
    /// [`Fault::Link`] if nobody accepts it.
    pub(crate) async fn connect(&mut self, by: Deadline) -> Result<(), Fault> {
        self.open = None;
        self.open = Some(dial(&self.options, by).await?);
        Ok(())
    }

    /// Reads neighbouring entries.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) async fn read(&mut self, place: Place, by: Deadline) -> Result<Answer, Failure> {
        let Place { unit, table, start, count } = place;
        let request = match table {
            Table::Coil => Request::ReadCoils(start, count),
            Table::Discrete => Request::ReadDiscreteInputs(start, count),
            Table::Input => Request::ReadInputRegisters(start, count),
            Table::Holding => Request::ReadHoldingRegisters(start, count),
        };
        match self.transact(unit, request, by).await? {
            Response::ReadCoils(bits) | Response::ReadDiscreteInputs(bits) => Ok(Answer::Bits(bits)),
            Response::ReadInputRegisters(registers) | Response::ReadHoldingRegisters(registers) => {
                Ok(Answer::Registers(registers))
            }
            other => Err(Fault::Device(format!("unit {unit} answered {other:?}")).into()),
        }
    }

    /// Writes one coil.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) async fn write_coil(&mut self, place: Place, on: bool, by: Deadline) -> Result<(), Failure> {
        self.transact(place.unit, Request::WriteSingleCoil(place.start, on), by).await.map(drop)
    }

    /// Writes neighbouring holding registers.
    ///
    /// # Errors
    /// A [`Failure`].
    pub(crate) async fn write_registers(
        &mut self,
        place: Place,
        registers: &[u16],
        by: Deadline,
    ) -> Result<(), Failure> {
        let request = match registers {
            [register] => Request::WriteSingleRegister(place.start, *register),
            several => Request::WriteMultipleRegisters(place.start, Cow::Borrowed(several)),
        };
        self.transact(place.unit, request, by).await.map(drop)
    }

    /// Closes the connection.
    pub(crate) async fn close(&mut self, by: Deadline) {
        if let Some(mut context) = self.open.take() {
            // Whether the other end hears the goodbye changes nothing: the connection is gone either way.
            let _ = timeout_at(by, context.disconnect()).await;
        }
    }

    async fn transact(&mut self, unit: u8, request: Request<'_>, by: Deadline) -> Result<Response, Failure> {
        let mut context = self.ready(by).await?;
        context.set_slave(Slave(unit));
        let patience = self.options.timeout.min(left(by)?);
        let answer = timeout(patience, context.call(request.clone())).await;
        self.free_at = Instant::now() + self.options.pause;
        let answer = answer.map_err(|_| Fault::Device(format!("unit {unit} did not answer within {patience:?}")))?;
        let answer = answer.map_err(|error| self.fault(unit, &error))?;
        if let Some(wrong) = answer.as_ref().ok().and_then(|response| mismatch(&request, response)) {
            return Err(Fault::Device(format!("unit {unit} {wrong}")).into());
        }
        self.open = Some(context);
        answer.map_err(|exception| Failure::Exception(exception.into()))
    }

    /// An open connection, after the pause.
    async fn ready(&mut self, by: Deadline) -> Result<Context, Fault> {
        if self.free_at >= by {
            return Err(Fault::Busy("the pause between two requests lasts longer than there is time".into()));
        }
        sleep_until(self.free_at).await;
        match self.open.take() {
            Some(context) => Ok(context),
            None => dial(&self.options, by).await,
        }
    }

    /// Bytes that make no sense are the unit's fault; a broken connection is the link's.
    fn fault(&self, unit: u8, error: &Error) -> Fault {
        let wrong = match error {
            Error::Transport(io) if !matches!(io.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
                return Fault::Link(format!("{}: {io}", self.options.endpoint));
            }
            Error::Transport(io) => io.to_string(),
            Error::Protocol(ProtocolError::HeaderMismatch { .. }) => "it is of another transaction or unit".into(),
            Error::Protocol(ProtocolError::FunctionCodeMismatch { .. }) => "it is of another function".into(),
        };
        Fault::Device(format!("unit {unit} sent an answer that does not belong to the request: {wrong}"))
    }
}

async fn dial(options: &LinkOptions, by: Deadline) -> Result<Context, Fault> {
    let endpoint = &options.endpoint;
    let gone = |why: String| Fault::Link(format!("{endpoint}: {why}"));
    let patience = options.connect_timeout.min(left(by)?);
    let connecting = TcpStream::connect((endpoint.host.as_str(), endpoint.port));
    let stream = timeout(patience, connecting).await.map_err(|_| gone(format!("no connection within {patience:?}")))?;
    let stream = stream.map_err(|error| gone(error.to_string()))?;
    stream.set_nodelay(true).map_err(|error| gone(error.to_string()))?;
    Ok(tcp::attach(Hangup(stream)))
}

/// The time that is left.
fn left(by: Deadline) -> Result<Duration, Fault> {
    let left = by.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Fault::Busy("no time was left for a request".into())) } else { Ok(left) }
}

/// What is wrong with an answer whose transaction, unit and function are right.
fn mismatch(request: &Request<'_>, response: &Response) -> Option<String> {
    let (asked, got) = match (request, response) {
        (Request::ReadCoils(_, asked), Response::ReadCoils(bits))
        | (Request::ReadDiscreteInputs(_, asked), Response::ReadDiscreteInputs(bits)) => {
            (usize::from(asked.div_ceil(8)) * 8, bits.len())
        }
        (Request::ReadInputRegisters(_, asked), Response::ReadInputRegisters(registers))
        | (Request::ReadHoldingRegisters(_, asked), Response::ReadHoldingRegisters(registers)) => {
            (usize::from(*asked), registers.len())
        }
        _ => {
            return (!echoes(request, response))
                .then(|| "acknowledged another write than the one it was sent".to_owned());
        }
    };
    (asked != got).then(|| format!("answered {got} entries instead of {asked}"))
}

fn echoes(request: &Request<'_>, response: &Response) -> bool {
    match (request, response) {
        (Request::WriteSingleCoil(at, on), Response::WriteSingleCoil(echo_at, echo_on)) => {
            (at, on) == (echo_at, echo_on)
        }
        (Request::WriteSingleRegister(at, value), Response::WriteSingleRegister(echo_at, echo)) => {
            (at, value) == (echo_at, echo)
        }
        (Request::WriteMultipleRegisters(at, values), Response::WriteMultipleRegisters(echo_at, echo)) => {
            at == echo_at && values.len() == usize::from(*echo)
        }
        _ => false,
    }
}
