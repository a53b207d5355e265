//! The task that tells a sink what is new.

use std::sync::Mutex;
use tokio::task::AbortHandle;

/// At most one task; it ends with the link.
#[derive(Default)]
pub(crate) struct Teller(Mutex<Option<AbortHandle>>);

impl Teller {
    /// Runs this task instead of the one before.
    pub(crate) fn start(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.replace(Some(tokio::spawn(task).abort_handle()));
    }

    pub(crate) fn stop(&self) {
        self.replace(None);
    }

    fn replace(&self, next: Option<AbortHandle>) {
        let mut task = self.0.lock().expect("no thread panics while it holds this lock");
        if let Some(before) = std::mem::replace(&mut *task, next) {
            before.abort();
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.stop();
    }
}
