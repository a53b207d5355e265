//! A driver whose work is done by another process.

use crate::checks::Checks;
use crate::launch::Launch;
use crate::link::RemoteLink;
use crate::seat::Seat;
use crate::status::Status;
use async_trait::async_trait;
use edgeway_sdk::{Access, Deadline, Discovered, Driver, Fault, Json, Link, Manifest, Problem};
use edgeway_sdk_wire::proto::Discover;
use edgeway_sdk_wire::proto::to_driver::Body as Question;
use edgeway_sdk_wire::words;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A driver like any other, as far as the gateway sees. Until a [`DriverHost`](crate::DriverHost) has it, it checks
/// options, and its links say that nobody is there.
pub struct ProcessDriver {
    pub(crate) seat: Arc<Seat>,
    /// How it is started; not at all if it dials in from elsewhere.
    pub(crate) launch: Option<Launch>,
    checks: Checks,
}

impl ProcessDriver {
    /// Of a process that the gateway starts.
    ///
    /// # Errors
    /// If the manifest's schemas are none.
    pub fn launched(launch: Launch, manifest: Manifest) -> Result<Self, String> {
        let checks = Checks::new(&manifest)?;
        Ok(ProcessDriver { seat: Arc::new(Seat::new(manifest, None)), launch: Some(launch), checks })
    }

    /// Of a process that runs elsewhere, and says this token when it dials in.
    ///
    /// # Errors
    /// If the manifest's schemas are none.
    pub fn remote(manifest: Manifest, token: String) -> Result<Self, String> {
        let checks = Checks::new(&manifest)?;
        Ok(ProcessDriver { seat: Arc::new(Seat::new(manifest, Some(token))), launch: None, checks })
    }

    /// Waits until its process is there.
    ///
    /// # Errors
    /// [`Fault::Link`] with the reason if it is not there by then.
    pub async fn ready(&self, by: Deadline) -> Result<(), Fault> {
        self.seat.session_by(by).await.map(drop)
    }

    /// How it is.
    pub fn status(&self) -> Status {
        self.seat.status()
    }
}

#[async_trait]
impl Driver for ProcessDriver {
    fn manifest(&self) -> &Manifest {
        &self.seat.manifest
    }

    fn check_link(&self, options: &Json) -> Result<String, Vec<Problem>> {
        let problems = self.checks.link.problems(options);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(wire(&self.seat.manifest, options))
    }

    fn check_device(&self, options: &Json) -> Vec<Problem> {
        self.checks.device.problems(options)
    }

    fn check_point(&self, options: &Json, _: Access) -> Vec<Problem> {
        self.checks.point.problems(options)
    }

    fn open(&self, options: Json) -> Result<Arc<dyn Link>, Fault> {
        Ok(Arc::new(RemoteLink::new(self.seat.clone(), &options)))
    }

    async fn discover(&self, hint: Json, found: mpsc::Sender<Discovered>, by: Deadline) -> Result<(), Fault> {
        let session = self.seat.session_by(by).await?;
        let within_ms = words::millis(by.saturating_duration_since(Instant::now()));
        let asked = Question::Discover(Discover { hint: hint.to_string(), within_ms });
        session.ask_finding(asked, Some(found), by).await?;
        Ok(())
    }
}

/// The wire that these options name; the options themselves if the driver does not say which of them do.
fn wire(manifest: &Manifest, options: &Json) -> String {
    let Manifest { name, wire, .. } = manifest;
    if wire.is_empty() {
        return format!("{name}:{options}");
    }
    let text = |option: &Json| option.as_str().map_or_else(|| option.to_string(), str::to_owned);
    let named: Vec<String> = wire.iter().filter_map(|key| options.get(key)).map(text).collect();
    format!("{name}:{}", named.join(" "))
}
