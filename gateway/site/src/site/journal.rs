//! The journal's limits.

use edgeway_thing_models::Filter;
use std::time::Duration;

/// Kinds of messages that are critical unless the site says otherwise.
const CRITICAL: [&str; 6] = ["event/#", "status/#", "command/#", "notify/#", "ledger/#", "scene/#"];
const DAY: Duration = Duration::from_secs(24 * 3600);
const GROUP_MESSAGES: usize = 1024;
const GROUP_DELAY: Duration = Duration::from_millis(5);

/// The journal's limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalOptions {
    /// By class: critical, normal, bulk.
    pub classes: [ClassOptions; 3],
    /// What is kept in memory alone: seen by scenes, queries and twins, by no route, and gone after a restart.
    pub memory: Vec<Filter>,
}

/// The limits of one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassOptions {
    /// Which subjects are of this class; those that no class names are normal. What two classes name is of the first
    /// of critical and bulk.
    pub subjects: Vec<Filter>,
    /// The most bytes on disk; the oldest segment goes first.
    pub size_bytes: u64,
    /// How long messages are kept at most.
    pub age: Duration,
    /// Size of one file of the journal.
    pub segment_bytes: u64,
    /// A group of messages is made durable when it has this many ...
    pub group_messages: usize,
    /// ... or when its first message has waited this long.
    pub group_delay: Duration,
    /// When a message counts as durable.
    pub sync: SyncSite,
}

/// When a message counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncSite {
    /// On disk, without waiting for others.
    Disk,
    /// On disk, with its group.
    Group,
    /// With the operating system; on disk a second later.
    Os,
}

impl Default for JournalOptions {
    fn default() -> Self {
        let classes = [ClassOptions::critical(), ClassOptions::normal(), ClassOptions::bulk()];
        JournalOptions { classes, memory: vec![] }
    }
}

impl ClassOptions {
    fn critical() -> Self {
        ClassOptions {
            subjects: CRITICAL.iter().map(|text| Filter::new(text).expect("a filter of MQTT")).collect(),
            size_bytes: 64 << 20,
            age: DAY * 30,
            segment_bytes: 1 << 20,
            sync: SyncSite::Disk,
            ..Self::normal()
        }
    }

    fn normal() -> Self {
        ClassOptions {
            subjects: vec![],
            size_bytes: 1 << 30,
            age: DAY * 7,
            segment_bytes: 8 << 20,
            group_messages: GROUP_MESSAGES,
            group_delay: GROUP_DELAY,
            sync: SyncSite::Group,
        }
    }

    fn bulk() -> Self {
        ClassOptions { size_bytes: 256 << 20, ..Self::normal() }
    }
}
