//! A place for one connected device.

use crate::bluez::Known;
use crate::config::Characteristic;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// Taken while the device is connected.
#[derive(Default)]
pub(crate) struct Seat(Option<Session>);

/// A device that is connected, or is being connected or disconnected.
pub(crate) struct Session {
    characteristics: Vec<Known>,
    since: Instant,
    /// Given back when the device is left.
    _permit: OwnedSemaphorePermit,
}

impl Seat {
    pub(crate) fn is_taken(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn take(&mut self, session: Session) {
        self.0 = Some(session);
    }

    /// What the device has, now that it is connected.
    pub(super) fn know(&mut self, characteristics: Vec<Known>) {
        if let Some(session) = &mut self.0 {
            session.characteristics = characteristics;
        }
    }

    pub(crate) fn leave(&mut self) {
        self.0 = None;
    }

    /// Unless the device was connected after this moment.
    pub(super) fn leave_if_older(&mut self, moment: Instant) {
        self.0.take_if(|session| session.since < moment);
    }

    /// # Panics
    /// If nobody sits there, which [`super::Wire::sit`] sees to.
    pub(crate) fn session(&self) -> &Session {
        self.0.as_ref().expect("who sits is connected")
    }
}

impl Session {
    /// Of which nothing is known yet.
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Session { characteristics: vec![], since: Instant::now(), _permit: permit }
    }

    pub(crate) fn find(&self, wanted: Characteristic) -> Option<&Known> {
        self.characteristics.iter().find(|known| known.id == wanted)
    }

    pub(crate) fn characteristics(&self) -> &[Known] {
        &self.characteristics
    }
}
