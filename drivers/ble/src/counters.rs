//! What a link counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Of devices of this link.
    pub(crate) advertisements: Counter,
    /// Of others; not looked into.
    pub(crate) strangers: Counter,
    /// Of no form that this driver knows, or cut off.
    pub(crate) malformed: Counter,
    /// Encrypted with another key, or not as they should be.
    pub(crate) unreadable: Counter,
    /// Encrypted long ago, and sent again by somebody.
    pub(crate) replayed: Counter,
    pub(crate) notifications: Counter,
    /// To devices.
    pub(crate) connections: Counter,
    /// Because nobody was heard any more.
    pub(crate) scan_restarts: Counter,
    /// Because that did not help.
    pub(crate) bluez_reconnects: Counter,
}

impl Counters {
    pub(crate) fn list(&self) -> [(&'static str, u64); 9] {
        [
            ("advertisements", self.advertisements.get()),
            ("strangers", self.strangers.get()),
            ("malformed", self.malformed.get()),
            ("unreadable", self.unreadable.get()),
            ("replayed", self.replayed.get()),
            ("notifications", self.notifications.get()),
            ("connections", self.connections.get()),
            ("scan_restarts", self.scan_restarts.get()),
            ("bluez_reconnects", self.bluez_reconnects.get()),
        ]
    }
}
