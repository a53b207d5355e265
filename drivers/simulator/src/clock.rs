//! The link's own time.

use std::time::Duration;
use tokio::time::Instant;

/// How much of a link's own time has passed since it was opened. On tokio's clock, so that tests can pause it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    opened: Instant,
    speed: f64,
}

impl Clock {
    pub(crate) fn start(speed: f64) -> Self {
        Clock { opened: Instant::now(), speed }
    }

    pub(crate) fn passed(&self) -> Duration {
        self.opened.elapsed().mul_f64(self.speed)
    }

    /// When so much of its own time will have passed. Never later than in a century.
    pub(crate) fn when(&self, passed: Duration) -> Instant {
        const CENTURY_S: f64 = 100.0 * 366.0 * 86_400.0;
        self.opened + Duration::from_secs_f64((passed.as_secs_f64() / self.speed).min(CENTURY_S))
    }

    /// How long something takes by the system's clock that takes so long by this one.
    pub(crate) fn shrunk(&self, duration: Duration) -> Duration {
        Duration::try_from_secs_f64(duration.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }
}
