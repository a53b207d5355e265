//! The wire: one socket to one endpoint, and which answer belongs to which question.

mod channel;
mod connection;
mod counters;
mod dtls;
mod inbox;
mod order;
mod recent;
mod table;

pub(crate) use connection::{Connection, Observed};
pub(crate) use counters::Counters;
pub(crate) use order::Order;
pub(crate) use recent::Recent;

use crate::config::LinkOptions;
use channel::Channel;
use edgeway_sdk::{Deadline, Fault};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// The present connection of a link, if it has one.
pub(crate) struct Wire {
    options: Arc<LinkOptions>,
    counters: Arc<Counters>,
    open: Mutex<Option<Arc<Connection>>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// None came in time.
    Silent(String),
    /// The device has thrown the question away (RFC 7252 section 4.2).
    Reset,
    /// It makes no sense.
    Strange(String),
    /// The question was not sent.
    Busy(String),
    /// The wire is gone.
    Gone(String),
}

impl Wire {
    /// A wire that is not open yet.
    pub(crate) fn new(options: Arc<LinkOptions>, counters: Arc<Counters>) -> Self {
        Wire { options, counters, open: Mutex::default() }
    }

    /// Opens it anew, and asks whether somebody is there.
    ///
    /// # Errors
    /// [`Fault::Link`] if nobody is.
    pub(crate) async fn connect(&self, by: Deadline) -> Result<(), Fault> {
        self.open().take();
        let by = by.min(Instant::now() + self.options.timeout);
        let addresses = channel::addresses(&self.options.endpoint, by).await.map_err(Fault::Link)?;
        let mut left = addresses.len() as u32;
        for address in addresses {
            let share = by.saturating_duration_since(Instant::now()) / left;
            left -= 1;
            match self.connect_to(address, Instant::now() + share).await {
                // A name may have addresses at which the device does not listen.
                Err(_) if left > 0 => {}
                connected => return connected,
            }
        }
        Ok(())
    }

    async fn connect_to(&self, address: SocketAddr, by: Deadline) -> Result<(), Fault> {
        let channel = Channel::open(&self.options, address, by).await.map_err(Fault::Link)?;
        let is_known_to_live = channel.is_secure();
        let connection = Connection::start(channel, self.options.clone(), self.counters.clone());
        if !is_known_to_live {
            connection.ping(by).await.map_err(|failure| self.unreachable(failure))?;
        }
        *self.open() = Some(Arc::new(connection));
        Ok(())
    }

    fn unreachable(&self, failure: Failure) -> Fault {
        let endpoint = &self.options.endpoint;
        Fault::Link(match failure {
            Failure::Silent(_) => format!("{endpoint} does not answer a ping"),
            Failure::Gone(why) | Failure::Busy(why) | Failure::Strange(why) => why,
            Failure::Reset => format!("{endpoint} refuses a ping"),
        })
    }

    /// The open connection.
    ///
    /// # Errors
    /// [`Failure::Gone`] if there is none.
    pub(crate) fn connection(&self) -> Result<Arc<Connection>, Failure> {
        self.open().clone().ok_or_else(|| Failure::Gone("the link is not connected".into()))
    }

    /// Takes the connection away: nobody asks on it any more.
    pub(crate) fn take(&self) -> Option<Arc<Connection>> {
        self.open().take()
    }

    fn open(&self) -> MutexGuard<'_, Option<Arc<Connection>>> {
        self.open.lock().expect("no thread panics while it holds this lock")
    }
}

/// A task that ends with whoever holds this.
#[derive(Debug)]
pub(crate) struct Task(JoinHandle<()>);

impl Task {
    pub(crate) fn spawn(work: impl Future<Output = ()> + Send + 'static) -> Task {
        Task(tokio::spawn(work))
    }

    /// Ends it, and waits until it has given back what it holds.
    pub(crate) async fn end(mut self) {
        self.0.abort();
        // It was aborted, or had ended before.
        let _ = (&mut self.0).await;
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
