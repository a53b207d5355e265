//! Tasks that are watched: a panic stays in its task, is counted and logged, and the part is started again.

use async_trait::async_trait;
use futures::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

/// How long a part that panicked rests before it is started again.
const REST: Duration = Duration::from_secs(1);

/// How long cutting off may take.
const CUT_OFF_WITHIN: Duration = Duration::from_millis(50);

/// How often parts have panicked.
#[derive(Clone, Default)]
pub(crate) struct Restarts(Arc<AtomicU64>);

impl Restarts {
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A part that can be run again after a panic.
#[async_trait]
pub(crate) trait Part: Send + 'static {
    /// For logs.
    fn name(&self) -> String;

    /// Runs until told to stop.
    async fn run(&mut self, stop: CancellationToken);
}

/// A set of tasks that stop together.
pub(super) struct Supervisor {
    tasks: JoinSet<()>,
    stop: CancellationToken,
    restarts: Restarts,
    runtime: Handle,
}

impl Supervisor {
    /// A set whose tasks run on this runtime.
    pub(super) fn new(runtime: &Handle, restarts: &Restarts) -> Self {
        let (stop, restarts) = (CancellationToken::new(), restarts.clone());
        Supervisor { tasks: JoinSet::new(), stop, restarts, runtime: runtime.clone() }
    }

    /// Runs a part that can be started again after a panic.
    pub(super) fn restarting<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        start: impl Fn(CancellationToken) -> F + Send + 'static,
    ) {
        let (stop, restarts) = (self.stop.clone(), self.restarts.clone());
        let task = async move {
            while AssertUnwindSafe(start(stop.clone())).catch_unwind().await.is_err() {
                error!(part = name, "A part has panicked and is started again. This is a bug in Edgeway.");
                restarts.0.fetch_add(1, Relaxed);
                tokio::time::sleep(REST).await;
            }
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Runs a part that keeps what it knows when it is started again.
    pub(super) fn part(&mut self, mut part: impl Part) {
        let (stop, restarts) = (self.stop.clone(), self.restarts.clone());
        let task = async move {
            while AssertUnwindSafe(part.run(stop.clone())).catch_unwind().await.is_err() {
                error!(part = part.name(), "A part has panicked and is started again. This is a bug in Edgeway.");
                restarts.0.fetch_add(1, Relaxed);
                tokio::time::sleep(REST).await;
            }
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Runs a part that owns what cannot be made again. A panic ends it, and only it.
    pub(super) fn once<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &str,
        start: impl FnOnce(CancellationToken) -> F,
    ) {
        let (name, restarts) = (name.to_owned(), self.restarts.clone());
        let run = AssertUnwindSafe(start(self.stop.clone())).catch_unwind();
        let task = async move {
            if run.await.is_err() {
                error!(
                    part = name,
                    "A part has panicked and stays down. This is a bug in Edgeway; restart the gateway."
                );
                restarts.0.fetch_add(1, Relaxed);
            }
        };
        self.tasks.spawn_on(task, &self.runtime);
    }

    /// Tells all tasks to stop and waits for them; what takes longer than `within` is cut off.
    pub(super) async fn stop(mut self, within: Duration) {
        self.stop.cancel();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(within, all).await.is_err() {
            warn!(parts = self.tasks.len(), "Some parts did not stop in time and are cut off.");
            self.tasks.abort_all();
            // A task that blocks its thread cannot be cut off; the process ends without it.
            let ended = async { while self.tasks.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(CUT_OFF_WITHIN, ended).await;
        }
    }
}
