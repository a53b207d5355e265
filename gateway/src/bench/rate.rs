//! How fast values come through, and what each costs.

use crate::app::{Gateway, Overrides};
use crate::{program, usage};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WARM_UP: Duration = Duration::from_secs(2);

/// How fast values came.
pub(super) struct Rate {
    pub(super) values_per_second: f64,
    pub(super) cpu_ns_per_value: f64,
}

/// Counts what is done within a time.
pub(super) struct Watch {
    start: Instant,
    cpu: Duration,
}

impl Watch {
    pub(super) fn start() -> Self {
        Watch { start: Instant::now(), cpu: usage::cpu() }
    }

    pub(super) fn rate(&self, values: u64) -> Rate {
        let (seconds, cpu) = (self.start.elapsed().as_secs_f64(), usage::cpu() - self.cpu);
        let values = values as f64;
        Rate { values_per_second: values / seconds, cpu_ns_per_value: cpu.as_secs_f64() * 1e9 / values.max(1.0) }
    }
}

/// Of a whole gateway that runs this site: from the wire through model and journal to the twin.
pub(super) async fn of_gateway(site: &Path, time: Duration) -> Result<Rate, String> {
    let program = program::load(site).map_err(|findings| program::listed(&findings))?;
    let gateway = Gateway::start(program, Overrides::default()).await.map_err(|error| error.to_string())?;
    sleep(WARM_UP).await;
    let values = || gateway.state.links.iter().map(|link| link.status.values.load(Relaxed)).sum::<u64>();
    let (watch, before) = (Watch::start(), values());
    sleep(time).await;
    let rate = watch.rate(values() - before);
    gateway.stop().await;
    Ok(rate)
}
