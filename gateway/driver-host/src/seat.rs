//! Where a driver's session sits: what is known of a driver between its processes.

use crate::lines::Lines;
use crate::session::Session;
use crate::status::{Condition, Status};
use edgeway_sdk::{Deadline, Fault, Manifest};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use tokio::sync::watch;
use tokio::time::timeout_at;
use tracing::info;

/// One driver's.
pub(crate) struct Seat {
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Manifest,
    /// Whether the process is somebody else's affair.
    pub(crate) remote: bool,
    pub(crate) lines: Arc<Lines>,
    session: watch::Sender<Option<Arc<Session>>>,
    expected: Mutex<Expected>,
    condition: Mutex<Condition>,
    /// 0 for none.
    pub(crate) pid: AtomicU32,
    pub(crate) starts: AtomicU64,
    pub(crate) memory_bytes: AtomicU64,
    pub(crate) cpu_millicores: AtomicU64,
    links: AtomicU32,
}

/// Who may sit down.
struct Expected {
    token: String,
    epoch: u64,
}

impl Seat {
    pub(crate) fn new(manifest: Manifest, remote_token: Option<String>) -> Self {
        Seat {
            name: manifest.name.as_str().into(),
            manifest,
            remote: remote_token.is_some(),
            lines: Arc::default(),
            session: watch::Sender::new(None),
            // Nobody knows an empty token, as nobody may say it.
            expected: Mutex::new(Expected { token: remote_token.unwrap_or_default(), epoch: 0 }),
            condition: Mutex::new(Condition::Awaited),
            pid: AtomicU32::new(0),
            starts: AtomicU64::new(0),
            memory_bytes: AtomicU64::new(0),
            cpu_millicores: AtomicU64::new(0),
            links: AtomicU32::new(0),
        }
    }

    /// From now on only this process may sit down.
    pub(crate) fn expect(&self, token: String, epoch: u64) {
        *self.expected.lock() = Expected { token, epoch };
        self.starts.fetch_add(1, Relaxed);
        self.set(Condition::Starting);
    }

    /// True if this is the token of whom we expect.
    pub(crate) fn knows(&self, token: &str) -> bool {
        let expected = self.expected.lock();
        !token.is_empty() && same(&expected.token, token)
    }

    /// Sits down, if it is not one that was given up.
    ///
    /// # Errors
    /// Why not, for the driver's log.
    pub(crate) fn sit(&self, session: Arc<Session>, epoch: u64) -> Result<(), String> {
        let mut expected = self.expected.lock();
        let wanted = expected.epoch;
        // A driver that runs elsewhere counts its starts itself.
        let welcome = if self.remote { epoch >= wanted } else { epoch == wanted };
        if !welcome {
            return Err(format!("epoch {epoch} is over, it is {wanted} now"));
        }
        expected.epoch = epoch;
        if self.remote {
            self.starts.fetch_add(1, Relaxed);
        }
        if let Some(before) = self.session.send_replace(Some(session)) {
            before.end("was replaced by a newer one");
        }
        self.set(Condition::Running);
        info!(driver = %self.name, "A driver's process is there.");
        Ok(())
    }

    /// Stands up, unless another one sits there by now.
    pub(crate) fn leave(&self, session: &Arc<Session>) {
        let left = self.session.send_if_modified(|sitting| {
            let same = sitting.as_ref().is_some_and(|sitting| Arc::ptr_eq(sitting, session));
            if same {
                *sitting = None;
            }
            same
        });
        if left && self.remote {
            self.set(Condition::Awaited);
        }
    }

    pub(crate) fn session(&self) -> Option<Arc<Session>> {
        self.session.borrow().clone()
    }

    /// The session, as soon as there is one.
    pub(crate) async fn session_by(&self, by: Deadline) -> Result<Arc<Session>, Fault> {
        let mut sessions = self.session.subscribe();
        let waited = timeout_at(by, sessions.wait_for(Option::is_some)).await;
        let session = waited.ok().and_then(Result::ok).and_then(|session| session.clone());
        session.ok_or_else(|| self.absent())
    }

    /// Why nobody sits there.
    pub(crate) fn absent(&self) -> Fault {
        let reason = self.condition.lock().reason().unwrap_or_else(|| "has just gone".into());
        Fault::Link(format!("driver {} {reason}", self.name))
    }

    pub(crate) fn set(&self, condition: Condition) {
        *self.condition.lock() = condition;
    }

    /// A number for a link that was never given to another one.
    pub(crate) fn next_link(&self) -> u32 {
        self.links.fetch_add(1, Relaxed)
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            name: self.name.to_string(),
            condition: self.condition.lock().clone(),
            pid: Some(self.pid.load(Relaxed)).filter(|pid| *pid > 0),
            starts: self.starts.load(Relaxed),
            memory_bytes: self.memory_bytes.load(Relaxed),
            cpu_cores: self.cpu_millicores.load(Relaxed) as f64 / 1e3,
            lines: self.lines.list(),
        }
    }
}

/// Takes as long for a token that is nearly right as for one that is not.
fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |all, (one, other)| all | (one ^ other)) == 0
}
