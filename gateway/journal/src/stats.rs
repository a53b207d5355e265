//! Numbers for metrics and people.

/// What a journal has done since it was opened, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Blocks of all its files, in bytes.
    pub bytes_on_disk: u64,
    /// Segments, with the active one.
    pub segments: usize,
    /// The oldest offset kept on disk.
    pub first: u64,
    /// The next offset.
    pub head: u64,
    /// Everything below is on disk.
    pub durable_head: u64,
    /// Items appended.
    pub appended_total: u64,
    /// Groups made durable, one sync each.
    pub synced_groups_total: u64,
    /// Writes and syncs that failed.
    pub sync_errors_total: u64,
    /// Offsets removed for space or age.
    pub dropped_by_retention_total: u64,
    /// Items refused because they were longer than 1 MiB.
    pub too_large_total: u64,
    /// Bytes that wait for the disk, estimated.
    pub pending_bytes: u64,
    /// Why the disk does not take anything at the moment; `None` while it does.
    pub last_error: Option<String>,
}
