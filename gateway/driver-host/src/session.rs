//! One stream with a driver: questions and their answers, and what is said unasked.

use edgeway_sdk::{Batch, Deadline, DeviceIx, Discovered, Fault, Sink, Timestamp};
use edgeway_sdk_wire::proto::to_driver::Body as Question;
use edgeway_sdk_wire::proto::to_gateway::Body as Answer;
use edgeway_sdk_wire::proto::{self, Credit, Ping, Shutdown, ToDriver, ToGateway};
use edgeway_sdk_wire::{columns, words};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

/// Messages on their way to the driver.
pub(crate) const OUT_MAX: usize = 256;
/// How many unasked messages a driver may send before it hears again.
pub(crate) const CREDIT: u32 = 64;
/// How often a driver is asked whether it is still there.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);
/// So many of these questions may be open; then it is not there any more.
const PINGS_OPEN_MAX: u32 = 3;
/// How long an answer may be on its way after its time.
const GRACE: Duration = Duration::from_secs(1);

pub(crate) type Outgoing = mpsc::Sender<Result<ToDriver, Status>>;

/// A driver that is there.
pub(crate) struct Session {
    driver: Arc<str>,
    out: Outgoing,
    ids: AtomicU64,
    open: Mutex<HashMap<u64, Asked>>,
    links: Mutex<HashMap<u32, OpenLink>>,
    pings_open: AtomicU32,
    ended: CancellationToken,
    why: Mutex<Option<String>>,
}

/// A question that is not answered yet.
struct Asked {
    answer: oneshot::Sender<Answer>,
    /// Where what is found goes before the answer.
    found: Option<mpsc::Sender<Discovered>>,
}

/// A link that was opened in this session.
pub(crate) struct OpenLink {
    /// What its driver may speak of.
    pub(crate) points: HashSet<u32>,
    pub(crate) devices: HashSet<u32>,
    /// Where what is said unasked goes.
    pub(crate) sink: Option<Arc<dyn Sink>>,
    pub(crate) counters: Arc<Mutex<Counters>>,
}

pub(crate) type Counters = Vec<(Cow<'static, str>, u64)>;

/// Why there is no answer.
pub(crate) enum Unanswered {
    /// The driver said so.
    Fault(Fault),
    /// The session is over, or nothing came in time: what the driver is doing now, nobody knows.
    Lost(Fault),
}

impl From<Unanswered> for Fault {
    fn from(unanswered: Unanswered) -> Fault {
        match unanswered {
            Unanswered::Fault(fault) | Unanswered::Lost(fault) => fault,
        }
    }
}

impl Session {
    pub(crate) fn new(driver: Arc<str>, out: Outgoing) -> Self {
        Session {
            driver,
            out,
            ids: AtomicU64::new(1),
            open: Mutex::default(),
            links: Mutex::default(),
            pings_open: AtomicU32::new(0),
            ended: CancellationToken::new(),
            why: Mutex::default(),
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) async fn ask(&self, question: Question, by: Deadline) -> Result<Answer, Unanswered> {
        self.ask_finding(question, None, by).await
    }

    /// Asks, and passes on what is found before the answer comes.
    pub(crate) async fn ask_finding(
        &self,
        question: Question,
        found: Option<mpsc::Sender<Discovered>>,
        by: Deadline,
    ) -> Result<Answer, Unanswered> {
        let id = self.ids.fetch_add(1, Relaxed);
        let (sender, answer) = oneshot::channel();
        self.open.lock().insert(id, Asked { answer: sender, found });
        // Whoever gives up waiting takes the question back.
        let _open = Open { session: self, id };
        let asked = async {
            self.out.send(Ok(ToDriver { id, body: Some(question) })).await.ok()?;
            answer.await.ok()
        };
        let answered = tokio::select! {
            answered = timeout_at(by + GRACE, asked) => answered,
            () = self.ended.cancelled() => Ok(None),
        };
        match answered {
            Ok(Some(Answer::Fault(said))) => Err(Unanswered::Fault(words::fault(said))),
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(Unanswered::Lost(self.over())),
            Err(_) => {
                let reason = format!("driver {} has not answered by the deadline", self.driver);
                Err(Unanswered::Lost(Fault::Link(reason)))
            }
        }
    }

    /// The fault of a session that is over.
    fn over(&self) -> Fault {
        let why = self.why.lock();
        Fault::Link(format!("driver {} {}", self.driver, why.as_deref().unwrap_or("has gone")))
    }

    /// Ends it, for this reason: the first one counts.
    pub(crate) fn end(&self, why: impl Into<String>) {
        let why = self.why.lock().get_or_insert_with(|| why.into()).clone();
        self.ended.cancel();
        // Whoever only listens hears it too.
        let sinks: Vec<_> = self.links.lock().drain().filter_map(|(_, link)| link.sink).collect();
        sinks.iter().for_each(|sink| sink.lost(&format!("driver {} {why}", self.driver)));
    }

    /// Resolves when it is over, with the reason.
    pub(crate) async fn over_because(&self) -> String {
        self.ended.cancelled().await;
        self.why.lock().clone().unwrap_or_else(|| "has gone".into())
    }

    /// Asks the driver to close everything and exit.
    pub(crate) fn shut_down(&self, within: Duration) {
        let body = Question::Shutdown(Shutdown { within_ms: words::millis(within) });
        let _ = self.out.try_send(Ok(ToDriver { id: 0, body: Some(body) }));
    }

    pub(crate) fn open_link(&self, number: u32, link: OpenLink) {
        self.links.lock().insert(number, link);
    }

    pub(crate) fn with_link<T>(&self, number: u32, with: impl FnOnce(&mut OpenLink) -> T) -> Option<T> {
        self.links.lock().get_mut(&number).map(with)
    }

    pub(crate) fn close_link(&self, number: u32) {
        self.links.lock().remove(&number);
    }

    /// Closes a link without waiting for the driver to say so.
    pub(crate) fn abandon_link(&self, number: u32) {
        self.close_link(number);
        let closing = proto::CloseLink { link: number, within_ms: words::millis(GRACE) };
        let id = self.ids.fetch_add(1, Relaxed);
        let _ = self.out.try_send(Ok(ToDriver { id, body: Some(Question::CloseLink(closing)) }));
    }

    /// Takes in what the driver says until it is over.
    pub(crate) async fn listen(&self, mut said: Streaming<ToGateway>) {
        let mut credit = CREDIT;
        let why = loop {
            let message = tokio::select! {
                message = said.next() => message,
                () = self.ended.cancelled() => return,
            };
            match message {
                Some(Ok(message)) => {
                    if let Err(why) = self.take(message, &mut credit) {
                        break why;
                    }
                }
                Some(Err(status)) => break broken(&status),
                None => break "has ended its session".to_owned(),
            }
        };
        self.end(why);
    }

    fn take(&self, message: ToGateway, credit: &mut u32) -> Result<(), String> {
        let unknown = "sent a message that this version does not know";
        if message.re != 0 {
            // That costs the question alone.
            let nothing = || Answer::Fault((&Fault::Device(format!("driver {} {unknown}", self.driver))).into());
            return self.take_answer(message.re, message.body.unwrap_or_else(nothing));
        }
        let body = message.body.ok_or(unknown)?;
        *credit = credit.checked_sub(1).ok_or("sent more than it had credit for")?;
        if *credit <= CREDIT / 2 {
            let more = CREDIT - *credit;
            let body = Some(Question::Credit(Credit { messages: more }));
            // If it does not read, it gets no more credit until it does.
            if self.out.try_send(Ok(ToDriver { id: 0, body })).is_ok() {
                *credit += more;
            }
        }
        self.take_unasked(body)
    }

    fn take_answer(&self, id: u64, answer: Answer) -> Result<(), String> {
        let mut open = self.open.lock();
        if let Answer::Found(listing) = answer {
            let found = open.get(&id).and_then(|asked| asked.found.clone());
            // Whoever is too slow to take it does not hold up the session.
            for (sender, found) in found.iter().cycle().zip(listing.found) {
                let _ = sender.try_send(found.into());
            }
            return Ok(());
        }
        // A late answer: nobody waits for it any more.
        let Some(asked) = open.remove(&id) else { return Ok(()) };
        let _ = asked.answer.send(answer);
        Ok(())
    }

    fn take_unasked(&self, body: Answer) -> Result<(), String> {
        let links = self.links.lock();
        match body {
            Answer::Data(data) => {
                let Some((link, sink)) = watching(&links, data.link) else { return Ok(()) };
                if let Some(stranger) = data.points.iter().find(|point| !link.points.contains(point)) {
                    return Err(format!("sent a value of point {stranger}, which is not on its link"));
                }
                let mut batch = Batch::default();
                let decoded = columns::decode(data, Timestamp::now(), &mut batch);
                decoded.map_err(|malformed| format!("sent malformed data: {malformed}"))?;
                sink.data(batch);
            }
            Answer::Event(event) => {
                let Some((link, sink)) = watching(&links, event.link) else { return Ok(()) };
                link.knows(event.device)?;
                let output = serde_json::from_str(&event.output)
                    .map_err(|error| format!("sent an event whose output is no JSON: {error}"))?;
                let time = if event.time_ns == 0 { Timestamp::now() } else { Timestamp::from_nanos(event.time_ns) };
                sink.event(DeviceIx(event.device), &event.event, output, time);
            }
            Answer::Presence(said) => {
                let Some((link, sink)) = watching(&links, said.link) else { return Ok(()) };
                link.knows(said.device)?;
                sink.online(DeviceIx(said.device), said.gone.then_some(said.reason.as_str()));
            }
            Answer::Lost(said) => {
                let Some((_, sink)) = watching(&links, said.link) else { return Ok(()) };
                sink.lost(&said.reason);
            }
            Answer::Hello(_) => return Err("said hello twice".into()),
            _ => return Err("answered a question that has no number".into()),
        }
        Ok(())
    }

    /// Asks again and again whether the driver is there, and what it has counted.
    pub(crate) async fn beat(self: &Arc<Self>) {
        let mut beats = interval(HEARTBEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = beats.tick() => {}
                () = self.ended.cancelled() => return,
            }
            if self.pings_open.load(Relaxed) >= PINGS_OPEN_MAX {
                return self.end(format!("has not answered {PINGS_OPEN_MAX} pings in a row"));
            }
            self.pings_open.fetch_add(1, Relaxed);
            let session = self.clone();
            tokio::spawn(async move {
                if session.ask(Question::Ping(Ping {}), Instant::now() + 10 * HEARTBEAT).await.is_ok() {
                    session.pings_open.store(0, Relaxed);
                    session.count().await;
                }
            });
        }
    }

    /// Fetches what the driver counts.
    async fn count(&self) {
        let links: Vec<_> = self.links.lock().iter().map(|(link, open)| (*link, open.counters.clone())).collect();
        for (link, counters) in links {
            let asked = Question::Health(proto::Health { link });
            if let Ok(Answer::Counters(said)) = self.ask(asked, Instant::now() + HEARTBEAT).await {
                *counters.lock() = said.counters.into_iter().map(|(name, count)| (name.into(), count)).collect();
            }
        }
    }
}

impl OpenLink {
    fn knows(&self, device: u32) -> Result<(), String> {
        let known = self.devices.contains(&device);
        known.then_some(()).ok_or_else(|| format!("spoke of device {device}, which is not on its link"))
    }
}

/// The link and its sink, if it is watched.
fn watching(links: &HashMap<u32, OpenLink>, link: u32) -> Option<(&OpenLink, &Arc<dyn Sink>)> {
    let link = links.get(&link)?;
    Some((link, link.sink.as_ref()?))
}

/// Why a stream broke, as a sentence goes on after the driver's name.
fn broken(status: &Status) -> String {
    match status.code() {
        tonic::Code::OutOfRange | tonic::Code::ResourceExhausted => {
            format!("sent a frame that is too long: {}", status.message())
        }
        tonic::Code::Internal => format!("sent what is not the contract's: {}", status.message()),
        _ => "has gone without saying so".into(),
    }
}

/// Takes an unanswered question back.
struct Open<'s> {
    session: &'s Session,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.session.open.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk_wire::proto::Presence;

    /// A session with a driver that reads so many messages and then no more.
    fn session(reads: usize) -> (Session, mpsc::Receiver<Result<ToDriver, Status>>) {
        let (out, to_driver) = mpsc::channel(reads.max(1));
        if reads == 0 {
            out.try_send(Ok(ToDriver::default())).expect("there is room for one");
        }
        (Session::new("acme".into(), out), to_driver)
    }

    fn unasked() -> ToGateway {
        ToGateway { re: 0, body: Some(Answer::Presence(Presence::default())) }
    }

    #[test]
    fn whoever_reads_gets_credit_before_it_runs_out() {
        let (session, mut to_driver) = session(1_000);
        let (mut credit, mut given) = (CREDIT, CREDIT);
        for sent in 1..=10 * CREDIT {
            session.take(unasked(), &mut credit).expect("there is credit");
            while let Ok(Ok(ToDriver { body: Some(Question::Credit(more)), .. })) = to_driver.try_recv() {
                given += more.messages;
            }
            assert!(given > sent && given - sent <= CREDIT, "{given} given, {sent} sent");
        }
    }

    #[test]
    fn whoever_does_not_read_has_the_first_credit_and_no_more() {
        let (session, _to_driver) = session(0);
        let mut credit = CREDIT;
        for _ in 0..CREDIT {
            session.take(unasked(), &mut credit).expect("there is credit");
        }
        assert_eq!(session.take(unasked(), &mut credit), Err("sent more than it had credit for".to_owned()));
    }

    #[test]
    fn an_answer_that_says_nothing_costs_its_question_alone() {
        let (session, _to_driver) = session(1);
        let (sender, mut answer) = oneshot::channel();
        session.open.lock().insert(7, Asked { answer: sender, found: None });
        assert_eq!(session.take(ToGateway { re: 7, body: None }, &mut 1), Ok(()));
        assert!(matches!(answer.try_recv(), Ok(Answer::Fault(_))));
        assert!(session.take(ToGateway { re: 0, body: None }, &mut 1).is_err(), "unasked, it ends the session");
    }
}
