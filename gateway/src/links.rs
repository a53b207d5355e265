//! The links: one task for each wire, which owns everything that happens on it.
//!
//! The task connects, runs the steps that are due, puts writes between them, backs off devices that do not answer,
//! splits steps that a device refuses, keeps back values that are no news, lets values age, and says what it sees:
//! reports, events, status changes. A driver only ever does one transaction at a time, when it is told to. See `schedule` for what runs when.

mod ageing;
mod changes;
mod happenings;
mod inbox;
mod load;
mod overload;
mod reactions;
mod rounds;
mod schedule;
mod task;
mod transaction;
mod unfit;
mod write;

pub(crate) use load::{Group, Load, REASONS, Slower};
use reactions::Reactions;
pub(crate) use task::{LinkTask, Wiring};
pub(crate) use write::WriteJob;

use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What a link shows of itself.
#[derive(Default)]
pub(crate) struct LinkStatus {
    /// Readings: transactions that brought values.
    pub(crate) readings: AtomicU64,
    /// Values in them.
    pub(crate) values: AtomicU64,
    /// Values in them that were not good.
    pub(crate) bad_values: AtomicU64,
    /// Values in them that were no news and are in no report.
    pub(crate) suppressed: AtomicU64,
    /// Transactions that failed.
    pub(crate) faults: AtomicU64,
    /// Times that the wire was opened.
    pub(crate) connects: AtomicU64,
    /// Steps that ran so late that a whole period was skipped.
    pub(crate) overruns: AtomicU64,
    /// What devices said unasked, and was merged because it came faster than it was taken.
    pub(crate) merged: AtomicU64,
    /// How busy the steps keep the wire, in thousandths, as measured.
    pub(crate) load_permille: AtomicU64,
    /// From readings to the commands that they caused.
    pub(crate) reactions: Reactions,
    state: Mutex<LinkState>,
}

/// Whether a wire is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum LinkState {
    /// Not yet.
    #[default]
    Connecting,
    /// It is.
    Up,
    /// It is not.
    Down {
        /// Why.
        reason: String,
    },
}

impl LinkStatus {
    pub(crate) fn state(&self) -> LinkState {
        self.state.lock().clone()
    }

    fn set_state(&self, state: LinkState) {
        *self.state.lock() = state;
    }

    fn count(&self, counter: impl Fn(&Self) -> &AtomicU64, by: u64) {
        counter(self).fetch_add(by, Relaxed);
    }
}
