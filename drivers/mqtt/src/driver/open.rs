//! A connection that is open, and how it ends.

use super::unlocked;
use crate::client::{Broker, Connection, Events};
use edgeway_sdk::Deadline;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// How long a goodbye may take, and until it is known why a connection has ended.
pub(super) const END_WITHIN: Duration = Duration::from_secs(1);

/// A connection that is open. It ends with the last of its clones.
#[derive(Clone)]
pub(super) struct Open {
    pub(super) broker: Broker,
    /// The broker goes on with the session of a connection before.
    pub(super) is_resumed: bool,
    held: Arc<Held>,
    ended: Ended,
}

/// Why a connection has ended, when it has.
#[derive(Clone)]
pub(super) struct Ended(watch::Sender<Option<String>>);

struct Held {
    /// Until somebody listens.
    events: Mutex<Option<Events>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(task) = unlocked(&self.task).take() {
            task.abort();
        }
    }
}

impl Ended {
    /// True if nobody has said before that it has ended.
    pub(super) fn is_news(&self, why: &str) -> bool {
        self.0.send_if_modified(|ended| {
            let is_news = ended.is_none();
            ended.get_or_insert_with(|| why.to_owned());
            is_news
        })
    }
}

impl Open {
    pub(super) fn new(connection: Connection) -> Self {
        let Connection { broker, events, is_resumed } = connection;
        let held = Held { events: Mutex::new(Some(events)), task: Mutex::default() };
        Open { broker, is_resumed, held: Arc::new(held), ended: Ended(watch::Sender::new(None)) }
    }

    /// What comes on it, for the first that asks.
    pub(super) fn take_events(&self) -> Option<Events> {
        unlocked(&self.held.events).take()
    }

    pub(super) fn ended(&self) -> Ended {
        self.ended.clone()
    }

    /// Runs this task for as long as the connection lives.
    pub(super) fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        *unlocked(&self.held.task) = Some(tokio::spawn(task));
    }

    /// Why the connection has ended, which it has or is about to.
    pub(super) async fn why(&self) -> String {
        let mut ended = self.ended.0.subscribe();
        let waiting = tokio::time::timeout(END_WITHIN, ended.wait_for(Option::is_some));
        let why = waiting.await.ok().and_then(|ended| ended.ok()?.clone());
        why.unwrap_or_else(|| "the connection has ended".into())
    }

    /// Ends it at once; nothing more is said of it.
    pub(super) fn end(&self, why: &str) {
        self.ended.is_news(why);
        drop(self.take_events());
        if let Some(task) = unlocked(&self.held.task).take() {
            task.abort();
        }
    }

    /// Ends it in order: the broker is told goodbye.
    pub(super) async fn leave(&self, by: Deadline) {
        self.ended.is_news("the link was closed");
        let task = unlocked(&self.held.task).take();
        let Some(mut task) = task else { return self.end("the link was closed") };
        let goodbye = async {
            self.broker.leave().await;
            // The task ends once the goodbye is on the wire; how, matters to nobody.
            let _ = (&mut task).await;
        };
        if timeout_at(by.min(Instant::now() + END_WITHIN), goodbye).await.is_err() {
            task.abort();
        }
    }
}
