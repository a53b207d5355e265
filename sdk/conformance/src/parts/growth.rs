//! Whether the driver gives back what it takes.

use crate::counts::{self, Holding};
use crate::ground::Ground;
use crate::host::Host;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What is closed takes a moment to be gone.
const SETTLES_WITHIN: Duration = Duration::from_secs(3);

/// What was held at the start.
pub(super) struct Growth {
    before: Vec<Holding>,
}

impl Growth {
    pub(super) fn begin(ground: &Ground<'_>, host: &Host<'_>) -> Self {
        Growth { before: held(ground, host) }
    }

    /// What has grown by nearly one for each of so many cycles, and does not shrink in a while.
    pub(super) async fn since(&self, ground: &Ground<'_>, host: &Host<'_>, cycles: usize) -> Vec<String> {
        let until = Instant::now() + SETTLES_WITHIN;
        loop {
            let grown = self.grown(&held(ground, host), cycles);
            if grown.is_empty() || Instant::now() > until {
                return grown;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn grown(&self, now: &[Holding], cycles: usize) -> Vec<String> {
        let pairs = self.before.iter().filter_map(|before| {
            let now = now.iter().find(|now| now.what == before.what)?;
            Some((before.what, before.count, now.count))
        });
        // Pools grow a little at first; what is lost each time grows with each time.
        let is_growth = |before: usize, now: usize| now.saturating_sub(before) * 4 >= cycles * 3;
        pairs
            .filter(|&(_, before, now)| is_growth(before, now))
            .map(|(what, before, now)| {
                format!("expected as many {what} as before, {before}, came {now} after {cycles} times")
            })
            .collect()
    }
}

fn held(ground: &Ground<'_>, host: &Host<'_>) -> Vec<Holding> {
    let connections =
        ground.wire().map(|wire| Holding { what: "open connections", count: wire.proxy.state().connections() });
    let tasks = Holding { what: "running tasks", count: host.stage.tasks() };
    counts::of_process().into_iter().chain(connections).chain([tasks]).collect()
}
