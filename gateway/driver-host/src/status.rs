//! What can be seen of a driver's process.

use std::time::Duration;

/// How a driver is.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub condition: Condition,
    /// The number of its process, if the gateway has started one.
    pub pid: Option<u32>,
    /// How often it was started.
    pub starts: u64,
    /// Resident memory at the last look, in bytes.
    pub memory_bytes: u64,
    /// Cores used over the last ten seconds.
    pub cpu_cores: f64,
    /// The last lines that it wrote.
    pub lines: Vec<String>,
}

/// What a driver is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Nobody has started it, or it is expected to dial in from elsewhere.
    Awaited,
    /// It was started and has not said hello yet.
    Starting,
    /// It answers.
    Running,
    /// It died, for this reason, and is started again after so long.
    Waiting {
        /// Why it died.
        reason: String,
        /// From its death.
        pause: Duration,
    },
    /// It died too often; the last time for this reason.
    Quarantined {
        /// Why it died.
        reason: String,
    },
}

impl Condition {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Condition::Awaited => "awaited",
            Condition::Starting => "starting",
            Condition::Running => "running",
            Condition::Waiting { .. } => "waiting",
            Condition::Quarantined { .. } => "quarantined",
        }
    }

    /// Why it is not running, as a sentence goes on after the driver's name.
    pub fn reason(&self) -> Option<String> {
        match self {
            Condition::Running => None,
            Condition::Awaited => Some("has not dialled in yet".into()),
            Condition::Starting => Some("is starting".into()),
            Condition::Waiting { reason, .. } => Some(reason.clone()),
            Condition::Quarantined { reason } => Some(format!("is quarantined for ten minutes: {reason}")),
        }
    }
}
