//! RTU and ASCII: an answer does not say to which question it belongs. So there is one question at a time, and a unit
//! that has not answered is asked nothing else until its late answer cannot come any more.
//!
//! Its neighbours are asked meanwhile: an answer says from whom it is.

use super::dial::Dialer;
use super::stream::Stream;
use super::{Counters, Failure, checked, left, silent, stranger};
use crate::config::{Endpoint, LinkOptions};
use crate::frame::{Expected, Found, Frame};
use crate::pdu::Ask;
use edgeway_sdk::{Deadline, Fault};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Everybody on the line hears a question to this unit, and nobody answers.
pub(crate) const EVERYBODY: u8 = 0;
/// How long units need to do what everybody was told (MODBUS over Serial Line V1.02, 2.4.1: 100 to 200 ms).
const TURNAROUND: Duration = Duration::from_millis(200);

/// A wire whose answers belong to the last question.
pub(super) struct Line {
    options: LinkOptions,
    counters: Arc<Counters>,
    state: tokio::sync::Mutex<State>,
}

struct State {
    dialer: Dialer,
    open: Option<Stream>,
    received: Vec<u8>,
    /// Nothing is sent before.
    free_at: Instant,
    /// Units whose answer may still come, and until when.
    suspects: HashMap<u8, Instant>,
    /// Who was asked last and when, if it has not been seen to the end: the one who asked may have been dropped.
    asked: Option<(u8, Instant)>,
}

impl Line {
    pub(super) fn new(options: LinkOptions, counters: Arc<Counters>) -> Self {
        let state = State {
            dialer: Dialer::new(options.clone(), counters.clone()),
            open: None,
            received: vec![],
            free_at: Instant::now(),
            suspects: HashMap::new(),
            asked: None,
        };
        Line { options, counters, state: tokio::sync::Mutex::new(state) }
    }

    pub(super) async fn connect(&self, by: Deadline) -> Result<(), Fault> {
        let mut state = self.state(by).await?;
        state.open = None;
        state.received.clear();
        state.open = Some(state.dialer.open(by).await?);
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.state.lock().await.open = None;
    }

    async fn state(&self, by: Deadline) -> Result<tokio::sync::MutexGuard<'_, State>, Fault> {
        timeout_at(by, self.state.lock()).await.map_err(|_| Fault::Busy("the wire was in use".into()))
    }

    pub(super) async fn ask(&self, unit: u8, ask: Ask<'_>, by: Deadline) -> Result<Vec<u8>, Failure> {
        let mut state = self.turn_of(unit, by).await?;
        let stream = state.ready(&self.options, by).await?;
        let answered = self.transact(&mut state, &stream, unit, &ask, by).await;
        if !matches!(answered, Err(Failure::Fault(Fault::Link(_)))) {
            state.open = Some(stream);
        }
        answered
    }

    /// Waits until this unit may be asked. Others go first meanwhile.
    async fn turn_of(&self, unit: u8, by: Deadline) -> Result<tokio::sync::MutexGuard<'_, State>, Fault> {
        loop {
            let mut state = self.state(by).await?;
            state.suspect_the_last(self.options.late);
            let Some(until) = state.suspect_until(unit) else { return Ok(state) };
            drop(state);
            if until >= by {
                let reason = format!("unit {unit} is not asked before its last answer can no longer come");
                return Err(Fault::Busy(reason));
            }
            sleep_until(until).await;
        }
    }

    async fn transact(
        &self,
        state: &mut State,
        stream: &Stream,
        unit: u8,
        ask: &Ask<'_>,
        by: Deadline,
    ) -> Result<Vec<u8>, Failure> {
        let gone = |error: std::io::Error| Fault::Link(format!("{}: {error}", self.options.endpoint));
        state.received.clear();
        if stream.discard().await.map_err(gone)? {
            self.counters.late_answers.add();
        }
        let question = self.question(unit, ask);
        let patience = self.options.timeout.min(left(by)?);
        state.asked = Some((unit, Instant::now()));
        let sent = timeout_at(Instant::now() + patience, stream.write(&question)).await;
        sent.map_err(|_| gone(std::io::Error::other("the port takes no bytes")))?.map_err(gone)?;
        if unit == EVERYBODY {
            return Ok(self.told_everybody(state));
        }
        // Bytes that the system has taken are not on the wire yet.
        let wire_time = self.options.serial.map_or(Duration::ZERO, |serial| serial.takes(question.len() as f64));
        let expected = Expected { unit, function: ask.function() };
        let reading = self.read(&mut state.received, stream, expected);
        let answered = timeout_at(Instant::now() + wire_time + patience, reading).await;
        let answered = match answered {
            Ok(Ok(frame)) => checked(unit, ask, &frame.pdu),
            Ok(Err(fault)) => Err(fault.into()),
            Err(_) => Err(self.nothing(unit, patience, &state.received).into()),
        };
        if !matches!(answered, Err(Failure::Fault(_))) {
            state.asked = None;
        }
        state.free_at = Instant::now() + self.options.pause.max(self.silence());
        answered
    }

    fn question(&self, unit: u8, ask: &Ask<'_>) -> Vec<u8> {
        let (mut pdu, mut frame) = (vec![], vec![]);
        ask.encode(&mut pdu);
        self.options.framing.encode(0, unit, &pdu, &mut frame);
        frame
    }

    fn told_everybody(&self, state: &mut State) -> Vec<u8> {
        state.asked = None;
        state.free_at = Instant::now() + self.options.pause.max(TURNAROUND);
        vec![]
    }

    fn silence(&self) -> Duration {
        self.options.serial.map_or(Duration::ZERO, |serial| serial.silence())
    }

    /// Reads until the expected answer has come. What others say is passed over.
    async fn read(&self, received: &mut Vec<u8>, stream: &Stream, expected: Expected) -> Result<Frame, Fault> {
        loop {
            match self.options.framing.decode(received, expected) {
                Found::Frame(frame) if frame.unit == expected.unit => return Ok(frame),
                Found::Frame(frame) => {
                    self.counters.late_answers.add();
                    received.drain(..frame.length);
                }
                Found::Garbage(why) => {
                    self.counters.strange_answers.add();
                    return Err(stranger(expected.unit, why));
                }
                Found::More => {
                    let read = stream.read(received).await;
                    read.map_err(|error| Fault::Link(format!("{}: {error}", self.options.endpoint)))?;
                }
            }
        }
    }

    /// There was no answer, or not all of one.
    fn nothing(&self, unit: u8, patience: Duration, received: &[u8]) -> Fault {
        self.counters.timeouts.add();
        match received.len() {
            0 => silent(unit, patience),
            bytes => {
                Fault::Device(format!("unit {unit} sent only {bytes} bytes, and no whole answer within {patience:?}"))
            }
        }
    }
}

impl State {
    /// The open stream, after the pause. Whoever takes it puts it back if it is still of use.
    async fn ready(&mut self, options: &LinkOptions, by: Deadline) -> Result<Stream, Fault> {
        if self.free_at >= by {
            return Err(Fault::Busy("the pause between two requests lasts longer than there is time".into()));
        }
        sleep_until(self.free_at).await;
        if matches!(options.endpoint, Endpoint::Listen { .. })
            && let Some(newcomer) = self.dialer.newcomer().await
        {
            return Ok(newcomer);
        }
        match self.open.take() {
            Some(stream) => Ok(stream),
            None => self.dialer.open(by).await,
        }
    }

    /// If the last question was not seen to its end, its answer may still come.
    fn suspect_the_last(&mut self, late: Duration) {
        if let Some((unit, at)) = self.asked.take() {
            self.suspects.insert(unit, at + late);
        }
    }

    fn suspect_until(&mut self, unit: u8) -> Option<Instant> {
        let until = *self.suspects.get(&unit)?;
        if until > Instant::now() {
            return Some(until);
        }
        self.suspects.remove(&unit);
        None
    }
}
