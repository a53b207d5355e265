//! Modbus TCP: every transaction has a number, so several may be on their way, and an answer that comes too late is
//! known for what it is.

use super::dial::Dialer;
use super::stream::Stream;
use super::{Counters, Failure, checked, left, silent, stranger};
use crate::config::{Endpoint, Framing, LinkOptions};
use crate::frame::{Expected, Found, Frame};
use crate::pdu::Ask;
use edgeway_sdk::{Deadline, Fault};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout_at};

/// A peer that leaves so many questions unanswered on one connection is not spoken to on it any more.
const GIVEN_UP_MAX: usize = 256;

/// A wire whose transactions have numbers.
pub(super) struct Pipeline {
    options: LinkOptions,
    counters: Arc<Counters>,
    open: Mutex<Option<Arc<Connection>>>,
    dialer: tokio::sync::Mutex<Dialer>,
    /// Nothing is sent before.
    free_at: Mutex<Instant>,
}

impl Pipeline {
    pub(super) fn new(options: LinkOptions, counters: Arc<Counters>) -> Self {
        let dialer = tokio::sync::Mutex::new(Dialer::new(options.clone(), counters.clone()));
        Pipeline { options, counters, open: Mutex::default(), dialer, free_at: Mutex::new(Instant::now()) }
    }

    pub(super) async fn connect(&self, by: Deadline) -> Result<(), Fault> {
        self.forget();
        self.connection(by).await.map(drop)
    }

    pub(super) async fn close(&self) {
        self.forget();
    }

    fn forget(&self) {
        if let Some(connection) = self.open().take() {
            connection.end(&End::Gone("the link was closed".into()));
        }
    }

    fn living(&self) -> Option<Arc<Connection>> {
        self.open().clone().filter(|connection| connection.is_open())
    }

    fn open(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.open.lock().expect("no thread panics while it holds this lock")
    }

    pub(super) async fn ask(&self, unit: u8, ask: Ask<'_>, by: Deadline) -> Result<Vec<u8>, Failure> {
        self.pause(by).await?;
        let connection = self.connection(by).await?;
        let patience = self.options.timeout.min(left(by)?);
        let asked = connection.ask(unit, &ask, Instant::now() + patience).await;
        if !self.options.pause.is_zero() {
            *self.free_at.lock().expect("no thread panics while it holds this lock") =
                Instant::now() + self.options.pause;
        }
        let answered = match asked {
            Ok(pdu) => checked(unit, &ask, &pdu),
            Err(end) => Err(end.fault(unit, &ask, patience, &self.options.endpoint).into()),
        };
        if let Err(Failure::Fault(fault)) = &answered {
            self.look_after(&connection, fault);
        }
        answered
    }

    /// After a question without an answer the connection stays if others have been answered meanwhile: it lives. After
    /// an answer that makes no sense it is closed.
    fn look_after(&self, connection: &Arc<Connection>, fault: &Fault) {
        if !connection.is_late_only() {
            connection.end(&End::Closed(fault.to_string()));
            self.open().take_if(|open| Arc::ptr_eq(open, connection));
        }
    }

    fn exchange(&self, connection: Arc<Connection>) -> Option<Arc<Connection>> {
        self.open().replace(connection)
    }

    async fn pause(&self, by: Deadline) -> Result<(), Fault> {
        let free_at = *self.free_at.lock().expect("no thread panics while it holds this lock");
        if free_at >= by {
            return Err(Fault::Busy("the pause between two requests lasts longer than there is time".into()));
        }
        if !self.options.pause.is_zero() {
            sleep_until(free_at).await;
        }
        Ok(())
    }

    /// The open connection, or a new one.
    async fn connection(&self, by: Deadline) -> Result<Arc<Connection>, Fault> {
        let is_dialled = matches!(self.options.endpoint, Endpoint::Listen { .. });
        if let Some(connection) = self.living().filter(|_| !is_dialled) {
            return Ok(connection);
        }
        let opening = timeout_at(by, self.dialer.lock()).await;
        let mut dialer = opening.map_err(|_| Fault::Busy("the connection was being opened".into()))?;
        let newcomer = dialer.newcomer().await;
        let stream = match (newcomer, self.living()) {
            (None, Some(connection)) => return Ok(connection),
            (Some(stream), _) => stream,
            (None, None) => dialer.open(by).await?,
        };
        let connection = Arc::new(Connection::new(stream, self.counters.clone()));
        if let Some(before) = self.exchange(connection.clone()) {
            before.end(&End::Gone("the device has dialled in again".into()));
        }
        Ok(connection)
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone)]
enum End {
    /// The connection broke.
    Gone(String),
    /// The answer to this very question makes no sense.
    Strange(String),
    /// It did not come in time.
    Late,
    /// The connection was closed because of another question.
    Closed(String),
}

impl End {
    fn fault(&self, unit: u8, ask: &Ask<'_>, patience: Duration, endpoint: &Endpoint) -> Fault {
        match self {
            End::Gone(why) => Fault::Link(format!("{endpoint}: {why}")),
            End::Strange(why) => stranger(unit, why),
            End::Late => silent(unit, patience),
            // What was read is asked for again. What was written may have been done.
            End::Closed(why) if ask.writes() => Fault::Device(format!("the connection was closed because {why}")),
            End::Closed(why) => Fault::Busy(format!("the connection was closed because {why}")),
        }
    }
}

struct Connection {
    stream: Stream,
    /// Held while a question is sent. True while it is sent in part.
    sending: tokio::sync::Mutex<bool>,
    /// What was received and not taken yet. Whoever holds it reads for all.
    received: tokio::sync::Mutex<Vec<u8>>,
    transactions: Mutex<Transactions>,
    counters: Arc<Counters>,
}

/// The questions that are on their way.
#[derive(Default)]
struct Transactions {
    next: u16,
    waiting: HashMap<u16, Waiting>,
    /// Their answers may still come, and are for nobody.
    given_up: HashSet<u16>,
    /// Set if the connection is of no more use.
    ended: Option<End>,
    /// How many answers there were.
    heard: u64,
}

struct Waiting {
    unit: u8,
    answer: oneshot::Sender<Result<Vec<u8>, End>>,
}

/// A question on its way; given up when it is dropped.
struct Question<'c> {
    connection: &'c Connection,
    transaction: u16,
    answer: oneshot::Receiver<Result<Vec<u8>, End>>,
    heard_before: u64,
}

impl Connection {
    fn new(stream: Stream, counters: Arc<Counters>) -> Self {
        let (sending, received, transactions) = Default::default();
        Connection { stream, sending, received, transactions, counters }
    }

    fn transactions(&self) -> MutexGuard<'_, Transactions> {
        self.transactions.lock().expect("no thread panics while it holds this lock")
    }

    fn is_open(&self) -> bool {
        self.transactions().ended.is_none()
    }

    /// Whether it lives, and all that is wrong with it is that some answers have not come yet.
    fn is_late_only(&self) -> bool {
        let transactions = self.transactions();
        transactions.ended.is_none() && (1..GIVEN_UP_MAX).contains(&transactions.given_up.len())
    }

    /// Ends it: nobody gets an answer any more.
    fn end(&self, why: &End) {
        let mut transactions = self.transactions();
        transactions.ended.get_or_insert(why.clone());
        for (_, waiting) in transactions.waiting.drain() {
            // Whoever does not wait any more does not need to know.
            let _ = waiting.answer.send(Err(why.clone()));
        }
    }

    async fn ask(&self, unit: u8, ask: &Ask<'_>, by: Instant) -> Result<Vec<u8>, End> {
        let mut question = self.begin(unit)?;
        let asking = async {
            self.send(question.transaction, unit, ask).await?;
            self.answer(question.transaction, &mut question.answer).await
        };
        let answered = timeout_at(by, asking).await.unwrap_or(Err(End::Late));
        match &answered {
            Err(End::Late) => {
                self.counters.timeouts.add();
                let mut transactions = self.transactions();
                if transactions.heard == question.heard_before {
                    transactions.ended.get_or_insert(End::Closed(format!("unit {unit} did not answer on it")));
                }
            }
            Err(End::Strange(_)) => self.counters.strange_answers.add(),
            _ => {}
        }
        answered
    }

    fn begin(&self, unit: u8) -> Result<Question<'_>, End> {
        let (sender, answer) = oneshot::channel();
        let mut transactions = self.transactions();
        if let Some(end) = &transactions.ended {
            return Err(end.clone());
        }
        let transaction = transactions.free();
        transactions.waiting.insert(transaction, Waiting { unit, answer: sender });
        let heard_before = transactions.heard;
        Ok(Question { connection: self, transaction, answer, heard_before })
    }

    async fn send(&self, transaction: u16, unit: u8, ask: &Ask<'_>) -> Result<(), End> {
        let (mut pdu, mut frame) = (Vec::with_capacity(256), Vec::with_capacity(272));
        ask.encode(&mut pdu);
        Framing::Tcp.encode(transaction, unit, &pdu, &mut frame);
        let mut partly = self.sending.lock().await;
        if *partly {
            return Err(self.broken("a question was sent in part".into()));
        }
        *partly = true;
        self.stream.write(&frame).await.map_err(|error| self.broken(error.to_string()))?;
        *partly = false;
        Ok(())
    }

    fn broken(&self, why: String) -> End {
        let end = End::Gone(why);
        self.end(&end);
        end
    }

    /// Waits until somebody has read the answer, or reads for all until it comes.
    async fn answer(
        &self,
        transaction: u16,
        answer: &mut oneshot::Receiver<Result<Vec<u8>, End>>,
    ) -> Result<Vec<u8>, End> {
        let mut received = tokio::select! {
            biased;
            answered = &mut *answer => return answered.unwrap_or(Err(End::Gone("the link was closed".into()))),
            received = self.received.lock() => received,
        };
        loop {
            self.take_frames(&mut received, transaction)?;
            if let Ok(answered) = answer.try_recv() {
                return answered;
            }
            self.stream.read(&mut received).await.map_err(|error| self.broken(error.to_string()))?;
        }
    }

    /// Hands out the answers that are whole.
    fn take_frames(&self, received: &mut Vec<u8>, reader: u16) -> Result<(), End> {
        const ANY: Expected = Expected { unit: 0, function: 0 };
        loop {
            match Framing::Tcp.decode(received, ANY) {
                Found::More => return Ok(()),
                Found::Garbage(why) => return Err(self.strange(reader, why)),
                Found::Frame(frame) => {
                    received.drain(..frame.length);
                    self.hand_out(frame, reader)?;
                }
            }
        }
    }

    fn hand_out(&self, frame: Frame, reader: u16) -> Result<(), End> {
        let mut transactions = self.transactions();
        transactions.heard += 1;
        let Some(waiting) = transactions.waiting.remove(&frame.transaction) else {
            let late = transactions.given_up.remove(&frame.transaction);
            drop(transactions);
            if late {
                self.counters.late_answers.add();
                return Ok(());
            }
            return Err(self.strange(reader, "it is of another transaction"));
        };
        drop(transactions);
        if waiting.unit == frame.unit {
            // Whoever has given up since does not want it.
            let _ = waiting.answer.send(Ok(frame.pdu));
            return Ok(());
        }
        let why = format!("it is of unit {}", frame.unit);
        let _ = waiting.answer.send(Err(End::Strange(why.clone())));
        self.end(&End::Closed(format!("an answer made no sense: {why}")));
        Ok(())
    }

    /// Bytes after which nobody knows where an answer begins. The one who reads is told what they were.
    fn strange(&self, reader: u16, why: &str) -> End {
        self.transactions().waiting.remove(&reader);
        self.end(&End::Closed(format!("an answer made no sense: {why}")));
        End::Strange(why.into())
    }
}

impl Transactions {
    /// A number that no question has whose answer may still come.
    fn free(&mut self) -> u16 {
        loop {
            self.next = self.next.wrapping_add(1);
            if !self.waiting.contains_key(&self.next) && !self.given_up.contains(&self.next) {
                return self.next;
            }
        }
    }
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        let mut transactions = self.connection.transactions();
        if transactions.waiting.remove(&self.transaction).is_some() {
            transactions.given_up.insert(self.transaction);
        }
    }
}
