//! What devices say unasked.

use edgeway_sdk::{Batch, DeviceIx, Json, Sink, Timestamp};
use std::sync::Mutex;

/// What devices have said since this was asked last.
#[derive(Default)]
pub(super) struct Inbox {
    held: Mutex<Held>,
}

#[derive(Default)]
pub(super) struct Held {
    pub(super) values: Batch,
    /// Why the wire is gone, if it is.
    pub(super) lost: Option<String>,
}

impl Inbox {
    pub(super) fn take(&self) -> Held {
        std::mem::take(&mut *self.held.lock().expect("no thread panics while it holds this lock"))
    }
}

impl Sink for Inbox {
    fn data(&self, batch: Batch) {
        self.held.lock().expect("no thread panics while it holds this lock").values.append(batch);
    }

    // Events and devices that come and go are the business of models, which a subject does not have.
    fn event(&self, _: DeviceIx, _: &str, _: Json, _: Timestamp) {}

    fn online(&self, _: DeviceIx, _: Option<&str>) {}

    fn lost(&self, reason: &str) {
        self.held.lock().expect("no thread panics while it holds this lock").lost.get_or_insert(reason.into());
    }
}
