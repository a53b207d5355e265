//! Looking around: a connection of its own that listens for a while, and what the messages on it describe.

mod findings;

use super::ear::rebirth;
use super::open::END_WITHIN;
use crate::client::{Broker, Connection, Ear, Heard, Settings};
use crate::config::{DeviceOptions, LinkOptions, Qos, Session, sentence};
use edgeway_sdk::{Deadline, Discovered, Fault, Json, Timestamp};
use findings::{Findings, Wanted};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, timeout_at};

/// What was kept for us has come when nothing has come for so long.
const QUIET: Duration = Duration::from_millis(500);
/// So long before the deadline it is summed up.
const MARGIN: Duration = Duration::from_millis(300);

/// A client id that nobody else has. Every broker takes 23 letters and digits.
pub(super) fn some_client_id(fingerprint: u32) -> String {
    let random = RandomState::new().hash_one(fingerprint) as u32;
    format!("edgeway{fingerprint:08x}{random:08x}")
}

/// Looks for devices until the deadline. With `subscribe`, every topic that these filters cover is one too.
pub(super) async fn discover(hint: Json, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
    let link = LinkOptions::parse(&hint).map_err(|problems| Fault::Config(sentence(&problems)))?;
    let survey = Survey::begin(&link, Wanted::everything(&link), by).await?;
    let ended = survey.tell(found, by).await;
    survey.leave(by).await;
    ended
}

/// Lists what a device has to offer, as soon as it has said so.
pub(super) async fn browse(link: &LinkOptions, device: &DeviceOptions, by: Deadline) -> Result<Vec<Discovered>, Fault> {
    let wanted = Wanted::of(link, device)
        .ok_or_else(|| Fault::Config("a device without `topic` has nothing to look at".into()))?;
    let survey = Survey::begin(link, wanted, by).await?;
    let points = survey.points(device, by).await;
    survey.leave(by).await;
    points
}

/// A connection that listens.
struct Survey {
    heard: Arc<Record>,
    broker: Broker,
    task: tokio::task::JoinHandle<()>,
}

/// What was heard.
struct Record {
    findings: Mutex<Findings>,
    news: Notify,
    ended: Mutex<Option<String>>,
}

impl Drop for Survey {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Survey {
    async fn begin(link: &LinkOptions, wanted: Wanted, by: Deadline) -> Result<Survey, Fault> {
        // The broker is to keep nothing for a name that never comes again.
        let settings = Settings::of(link, some_client_id(link.fingerprint))?;
        let settings = Settings { session: Session::Clean, ..settings };
        let no_answer = || Fault::Link(format!("{}: the broker does not answer", link.endpoint));
        let connected = timeout_at(by.min(Instant::now() + link.timeout), Connection::open(&settings)).await;
        let Connection { broker, events, .. } = connected.map_err(|_| no_answer())??;
        let Wanted { filters, nodes } = wanted;
        let findings = Mutex::new(Findings::new(link, nodes));
        let heard = Arc::new(Record { findings, news: Notify::new(), ended: Mutex::default() });
        let (record, mut ear, asker) = (heard.clone(), Listening(heard.clone()), broker.clone());
        let task = tokio::spawn(async move {
            let asking = async {
                // A filter that is refused finds nothing, and the others do.
                let _ = asker.subscribe(&filters, Qos::AtMostOnce).await;
                loop {
                    let unborn = record.findings().unborn(Instant::now());
                    for (group, node) in unborn {
                        let _ = asker.publish(rebirth(&group, &node, Timestamp::now())).await;
                    }
                    sleep(QUIET).await;
                }
            };
            let why = tokio::select! {
                why = events.run(&mut ear) => why,
                () = asking => String::new(),
            };
            *super::unlocked(&record.ended) = Some(why);
            record.news.notify_one();
        });
        Ok(Survey { heard, broker, task })
    }

    /// Tells of each device once, until the time is over or nobody listens any more.
    async fn tell(&self, found: &mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        let mut told: Vec<Json> = vec![];
        loop {
            let is_over = self.pause(by - MARGIN).await;
            let devices = self.findings().devices();
            for device in devices {
                if told.contains(&device.options) {
                    continue;
                }
                told.push(device.options.clone());
                if found.send(device).await.is_err() {
                    return Ok(());
                }
            }
            if let Some(why) = is_over {
                return why;
            }
        }
    }

    /// The points of a device, as soon as it has described them.
    async fn points(&self, device: &DeviceOptions, by: Deadline) -> Result<Vec<Discovered>, Fault> {
        loop {
            let is_over = self.pause(by - MARGIN).await;
            let points = self.findings().points(device);
            if let Some(points) = points {
                return Ok(points);
            }
            match is_over {
                None => {}
                Some(Ok(())) => return Err(Fault::Device("nothing was heard that describes it".into())),
                Some(Err(fault)) => return Err(fault),
            }
        }
    }

    /// The broker is told goodbye, so that it does not take us for a lost connection.
    async fn leave(mut self, by: Deadline) {
        let goodbye = async {
            self.broker.leave().await;
            // The task ends once the goodbye is on the wire; how, matters to nobody.
            let _ = (&mut self.task).await;
        };
        let _ = timeout_at(by.min(Instant::now() + END_WITHIN), goodbye).await;
    }

    fn findings(&self) -> MutexGuard<'_, Findings> {
        self.heard.findings()
    }

    /// Waits until something has come and then nothing for a while, or the time is over. `Some` if it is over.
    async fn pause(&self, until: Deadline) -> Option<Result<(), Fault>> {
        if timeout_at(until, self.heard.news.notified()).await.is_err() {
            return Some(Ok(()));
        }
        while timeout_at(until.min(Instant::now() + QUIET), self.heard.news.notified()).await.is_ok() {}
        if let Some(why) = super::unlocked(&self.heard.ended).clone() {
            return Some(Err(Fault::Link(why)));
        }
        (Instant::now() >= until).then_some(Ok(()))
    }
}

impl Record {
    fn findings(&self) -> MutexGuard<'_, Findings> {
        super::unlocked(&self.findings)
    }
}

struct Listening(Arc<Record>);

impl Ear for Listening {
    fn hear(&mut self, heard: &Heard<'_>) {
        if let Ok(topic) = std::str::from_utf8(heard.topic)
            && self.0.findings().take(topic, heard.payload)
        {
            self.0.news.notify_one();
        }
    }

    fn rest(&mut self) {}
}
