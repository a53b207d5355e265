//! Threads of their own for what must not wait: the links and the scenes.
//!
//! Queries and routes work on hundreds of messages at a time and hold a thread for milliseconds. A scene has to act within
//! one, so it and the links run on a second runtime, and the operating system shares out the processors between the two.

use std::io;
use tokio::runtime::{Builder, Handle, Runtime};

/// The threads: one for scenes while the other serves a wire.
const THREADS: usize = 2;

/// The second runtime. It ends when this is dropped.
pub(super) struct Control(Option<Runtime>);

impl Control {
    pub(super) fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        Ok(Control(Some(builder.worker_threads(THREADS).thread_name("control").enable_all().build()?)))
    }

    pub(super) fn handle(&self) -> &Handle {
        self.0.as_ref().expect("it is only taken when this is dropped").handle()
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // A runtime may not be waited for inside another; its tasks have been stopped by then.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
