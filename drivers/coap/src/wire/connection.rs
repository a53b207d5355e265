//! Transactions on one socket (RFC 7252 section 4 and 5): questions are repeated until they are acknowledged, and their answers found.

use super::channel::Channel;
use super::inbox::Inbox;
use super::table::{Entered, Table, Token};
use super::{Counters, Failure, Task};
use crate::codec;
use crate::config::{LinkOptions, Messages};
use coap_lite::{CoapOption, MessageType, Packet};
use edgeway_sdk::{Deadline, options};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

/// No datagram is longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// What deregisters an observation (RFC 7641 section 3.6).
const DEREGISTER: u32 = 1;

/// One socket to one endpoint.
pub(crate) struct Connection {
    shared: Arc<Shared>,
    /// Ends with it.
    _receiving: Task,
}

struct Shared {
    channel: Channel,
    options: Arc<LinkOptions>,
    counters: Arc<Counters>,
    table: Mutex<Table>,
    /// As many questions may be under way at the same time.
    slots: Semaphore,
    /// Says why it has ended.
    ended: watch::Sender<Option<String>>,
}

/// A question on its way; forgotten when it is dropped.
struct Question<'s> {
    shared: &'s Shared,
    entered: Entered,
    at: Instant,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.shared.table().leave(self.entered.token);
    }
}

/// Something that is observed, until it is dropped.
pub(crate) struct Observed {
    shared: Arc<Shared>,
    token: Token,
    inbox: Arc<Inbox>,
}

impl Drop for Observed {
    fn drop(&mut self) {
        self.shared.table().stop_observing(self.token);
    }
}

impl Connection {
    pub(super) fn start(channel: Channel, options: Arc<LinkOptions>, counters: Arc<Counters>) -> Self {
        counters.connections.add();
        let slots = Semaphore::new(options.in_flight.into());
        let (table, ended) = (Mutex::new(Table::new()), watch::Sender::new(None));
        let shared = Arc::new(Shared { channel, options, counters, table, slots, ended });
        let receiving = Task::spawn(shared.clone().receive());
        Connection { shared, _receiving: receiving }
    }

    pub(crate) fn options(&self) -> &LinkOptions {
        &self.shared.options
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.shared.counters
    }

    /// Asks whether somebody is there: an empty message, which everybody refuses (RFC 7252 section 4.3).
    pub(super) async fn ping(&self, by: Deadline) -> Result<(), Failure> {
        let mut question = self.shared.enter(None, true)?;
        let bytes = codec::empty(MessageType::Confirmable, question.entered.message_id);
        let by = by.min(Instant::now() + self.shared.options.timeout);
        let answered = timeout_at(by, self.shared.exchange(&bytes, true, &mut question)).await;
        answered.unwrap_or_else(|_| Err(Failure::Silent(String::new()))).map(drop)
    }

    /// Asks a question and returns its answer.
    pub(crate) async fn ask(&self, question: Packet, by: Deadline) -> Result<Packet, Failure> {
        self.shared.ask(question, None, by).await
    }

    /// Begins to observe what this question asks for.
    pub(crate) fn observe(&self, mut get: Packet) -> Observed {
        get.add_option(CoapOption::Observe, codec::number(0));
        let (token, inbox) = self.shared.table().observe(get);
        Observed { shared: self.shared.clone(), token, inbox }
    }

    /// Waits until it is of no more use, and says why.
    pub(crate) async fn ended(&self) -> String {
        let mut ended = self.shared.ended.subscribe();
        let why = ended.wait_for(Option::is_some).await;
        why.ok().and_then(|why| why.clone()).unwrap_or_else(|| "the link was closed".into())
    }

    /// What says that nothing is to be told any more of what is observed now. One datagram each, whose answer nobody waits for.
    pub(crate) fn goodbyes(&self) -> Vec<Vec<u8>> {
        let observed = self.shared.table().observed();
        let goodbye = |(token, message_id, mut get): (Token, u16, Packet)| {
            get.clear_option(CoapOption::Observe);
            get.add_option(CoapOption::Observe, codec::number(DEREGISTER));
            get.header.set_type(MessageType::NonConfirmable);
            encoded(get, token, message_id)
        };
        observed.into_iter().filter_map(goodbye).collect()
    }

    /// Says these last words and ends.
    pub(crate) async fn close(&self, last: &[Vec<u8>]) {
        for datagram in last {
            // It may be gone already.
            let _ = self.shared.channel.send(datagram).await;
        }
        self.shared.end("the link was closed");
        self.shared.channel.close().await;
    }
}

impl Observed {
    /// Asks to be told from now on, or still. The first answer is what is now.
    pub(crate) async fn register(&self, mut get: Packet, by: Deadline) -> Result<Packet, Failure> {
        get.add_option(CoapOption::Observe, codec::number(0));
        self.shared.ask(get, Some(self.token), by).await
    }

    /// The next notification, when it comes.
    pub(crate) async fn next(&self) -> Packet {
        self.inbox.next().await
    }
}

impl Shared {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().expect("no thread panics while it holds this lock")
    }

    /// Takes in what comes until the channel breaks or nobody needs it any more.
    async fn receive(self: Arc<Self>) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        loop {
            match self.channel.receive(&mut buffer).await {
                Ok(length) => {
                    if let Some(reply) = self.take(&buffer[..length]) {
                        let _ = self.channel.send(&reply).await;
                    }
                }
                Err(why) => return self.end(&why),
            }
        }
    }

    fn take(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        match Packet::from_bytes(datagram) {
            Ok(packet) if packet.header.get_version() == 1 => self.table().take(packet, &self.counters),
            _ => {
                self.counters.malformed.add();
                None
            }
        }
    }

    fn end(&self, why: &str) {
        self.table().end(why);
        self.ended.send_if_modified(|ended| ended.replace(why.to_owned()).is_none());
    }

    fn enter(&self, token: Option<Token>, is_ping: bool) -> Result<Question<'_>, Failure> {
        let entered = self.table().enter(token, is_ping)?;
        Ok(Question { shared: self, entered, at: Instant::now() })
    }

    async fn ask(&self, mut packet: Packet, token: Option<Token>, by: Deadline) -> Result<Packet, Failure> {
        let by = by.min(Instant::now() + self.options.timeout);
        let slot = timeout_at(by, self.slots.acquire()).await;
        let _slot = slot.map_err(|_| Failure::Busy("other questions were under way".into()))?;
        let mut question = self.enter(token, false)?;
        let is_confirmable = self.options.messages == Messages::Confirmable;
        packet.header.set_type(if is_confirmable { MessageType::Confirmable } else { MessageType::NonConfirmable });
        let (token, message_id) = (question.entered.token, question.entered.message_id);
        let bytes = encoded(packet, token, message_id)
            .ok_or_else(|| Failure::Busy("the question is too long for a datagram".into()))?;
        match timeout_at(by, self.exchange(&bytes, is_confirmable, &mut question)).await {
            Ok(Err(Failure::Silent(_))) | Err(_) => Err(self.silent(&question)),
            Ok(answered) => answered,
        }
    }

    /// Sends it, again and again until it is acknowledged, with pauses that grow (RFC 7252 section 4.2).
    async fn exchange(
        &self,
        bytes: &[u8],
        is_confirmable: bool,
        question: &mut Question<'_>,
    ) -> Result<Packet, Failure> {
        let repetitions = if is_confirmable { self.options.retransmit_max } else { 0 };
        let mut pause = self.first_pause();
        for repetition in 0..=repetitions {
            if repetition > 0 {
                self.counters.repetitions.add();
            }
            self.channel.send(bytes).await.map_err(|why| self.broken(why))?;
            if !is_confirmable {
                break;
            }
            if let Ok(answered) = timeout(pause, &mut question.entered.answer).await {
                return answered.unwrap_or_else(|_| Err(Failure::Gone("the link was closed".into())));
            }
            if self.table().is_acknowledged(question.entered.token) {
                break;
            }
            if repetition == repetitions {
                return Err(Failure::Silent(String::new()));
            }
            pause *= 2;
        }
        let answered = (&mut question.entered.answer).await;
        answered.unwrap_or_else(|_| Err(Failure::Gone("the link was closed".into())))
    }

    fn first_pause(&self) -> Duration {
        let stretch = 1.0 + (self.options.ack_random_factor - 1.0) * fastrand::f64();
        self.options.ack_timeout.mul_f64(stretch)
    }

    fn broken(&self, why: String) -> Failure {
        self.end(&why);
        Failure::Gone(why)
    }

    /// One question without an answer is one of the device. Another, asked after that, with nothing heard in between: the wire is gone.
    fn silent(&self, question: &Question<'_>) -> Failure {
        self.counters.timeouts.add();
        let waited = options::duration::show(Duration::from_millis(question.at.elapsed().as_millis() as u64));
        let endpoint = &self.options.endpoint;
        let mut table = self.table();
        if table.heard != question.entered.heard_before {
            return Failure::Silent(format!("no answer within {waited}"));
        }
        match table.silent_since {
            Some(since) if question.at >= since => {
                drop(table);
                self.broken(format!("{endpoint} does not answer any more"))
            }
            _ => {
                table.silent_since.get_or_insert(Instant::now());
                Failure::Silent(format!("{endpoint} has not answered within {waited}"))
            }
        }
    }
}

/// `None` if it does not fit into a datagram.
fn encoded(mut packet: Packet, token: Token, message_id: u16) -> Option<Vec<u8>> {
    packet.header.message_id = message_id;
    packet.set_token(token.to_vec());
    packet.to_bytes_with_limit(DATAGRAM_BYTES_MAX).ok()
}
