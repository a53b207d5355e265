//! Where the driver runs: threads of its own, so that one that panics, hangs or blocks is noticed and stops nobody.

use edgeway_sdk::Deadline;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinError;
use tokio::time::timeout_at;

/// How much later than its deadline a call may come back: what a busy machine takes, and half of what the gateway grants.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

const NAME: &str = "driver-under-test-";

/// The threads of a driver for one part of a run.
pub(crate) struct Stage {
    name: String,
    /// Taken when it is dropped: a runtime must not be waited for where others are served.
    runtime: Option<Runtime>,
}

/// What no driver may do, whatever happens.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// It panicked, with these words.
    Panicked(String),
    /// It was still busy a second after its deadline.
    Overran,
}

impl Stage {
    pub(crate) fn new() -> io::Result<Self> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        listen_to_panics();
        let name = format!("{NAME}{}.", NUMBER.fetch_add(1, Ordering::Relaxed));
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name(&name).enable_all().build()?;
        Ok(Stage { name, runtime: Some(runtime) })
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("it is there until this is dropped").handle()
    }

    /// Runs a call of the driver, at most until a little after its deadline.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        by: Deadline,
        call: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Breach> {
        let mut task = self.handle().spawn(call);
        match timeout_at(by + GRACE, &mut task).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(Breach::of(error)),
            Err(_) => {
                task.abort();
                Err(Breach::Overran)
            }
        }
    }

    /// How many tasks the driver has left running.
    pub(crate) fn tasks(&self) -> usize {
        self.handle().metrics().num_alive_tasks()
    }

    /// What tasks of the driver have said when they panicked, since this was asked last.
    pub(crate) fn panics(&self) -> Vec<String> {
        panics().extract_if(.., |(thread, _)| *thread == self.name).map(|(_, words)| words).collect()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Breach {
    /// A task that was not aborted ends with an error only if it panicked.
    pub(crate) fn of(error: JoinError) -> Breach {
        match error.try_into_panic() {
            Ok(panic) => Breach::Panicked(words(&*panic)),
            Err(error) => Breach::Panicked(error.to_string()),
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".into())
}

/// Of threads of drivers: the name of the stage, and what was said.
fn panics() -> MutexGuard<'static, Vec<(String, String)>> {
    static PANICS: Mutex<Vec<(String, String)>> = Mutex::new(vec![]);
    PANICS.lock().expect("no thread panics while it holds this lock")
}

/// A panic in a task that nobody waits for goes unnoticed, unless one listens to all. Those of other threads are told to whom
/// they were told before.
fn listen_to_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            match thread.name().filter(|name| name.starts_with(NAME)) {
                Some(name) => panics().push((name.to_owned(), words(panic.payload()))),
                None => before(panic),
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, sleep};

    #[tokio::test]
    async fn a_call_that_panics_or_hangs_is_told_and_stops_nobody() {
        let stage = Stage::new().expect("threads");
        let by = Instant::now() + Duration::from_millis(10);
        assert_eq!(
            stage.call(by, async { panic!("no such unit") }).await,
            Err::<(), _>(Breach::Panicked("no such unit".into()))
        );
        assert_eq!(stage.panics(), ["no such unit"]);
        assert_eq!(stage.panics(), [""; 0]);
        let hangs = async { std::thread::sleep(GRACE * 2) };
        assert_eq!(stage.call(Instant::now(), hangs).await, Err(Breach::Overran));
        assert_eq!(stage.call(Instant::now(), async { 7 }).await, Ok(7));
    }

    #[tokio::test]
    async fn a_panic_in_a_task_that_nobody_waits_for_is_noticed() {
        let stage = Stage::new().expect("threads");
        stage.handle().spawn(async { panic!("unseen") });
        let until = Instant::now() + Duration::from_secs(20);
        while stage.panics() != ["unseen"] {
            assert!(Instant::now() < until, "it was not noticed");
            sleep(Duration::from_millis(5)).await;
        }
    }
}
