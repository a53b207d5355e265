//! Numbers for metrics and people.

/// What a journal has done since it was opened, and what it holds; sums over all classes first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Blocks of all its files, in bytes.
    pub bytes_on_disk: u64,
    /// Segments, with the active ones.
    pub segments: usize,
    /// The oldest offset kept on disk.
    pub first: u64,
    /// The next offset.
    pub head: u64,
    /// Everything below is durable.
    pub durable_head: u64,
    /// How often the journal has been opened.
    pub epoch: u32,
    /// Items appended, with those in memory alone.
    pub appended_total: u64,
    /// Groups made durable.
    pub synced_groups_total: u64,
    /// Writes and syncs that failed.
    pub sync_errors_total: u64,
    /// Items removed for space or age.
    pub dropped_by_retention_total: u64,
    /// Items refused because they were longer than 1 MiB.
    pub too_large_total: u64,
    /// Bytes that wait for the disk, by the codec's estimate.
    pub pending_bytes: u64,
    /// Why the disk does not take anything at the moment, of the first class that has a reason; `None` while it does.
    pub last_error: Option<String>,
    /// Each class, in the order of [`Class::ALL`](crate::Class::ALL).
    pub classes: [ClassStats; 3],
}

/// What one class has done since the journal was opened, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// Blocks of all its files, in bytes.
    pub bytes_on_disk: u64,
    /// Segments, with the active one.
    pub segments: usize,
    /// The oldest offset kept on disk; the head if none is.
    pub first: u64,
    /// Everything of this class below is durable.
    pub durable_head: u64,
    /// Items kept on disk and waiting for it.
    pub items: u64,
    /// Items appended.
    pub appended_total: u64,
    /// Items given back by `try_append`.
    pub refused_total: u64,
    /// Groups made durable.
    pub synced_groups_total: u64,
    /// Writes and syncs that failed.
    pub sync_errors_total: u64,
    /// Items removed for space or age.
    pub dropped_by_retention_total: u64,
    /// Items refused because they were longer than 1 MiB.
    pub too_large_total: u64,
    /// Items reported to readers as damaged; an item counts once for each reader that meets it.
    pub damaged_total: u64,
    /// Bytes of frames before they were compressed.
    pub raw_bytes_total: u64,
    /// Bytes written to segments, headers included.
    pub written_bytes_total: u64,
    /// Bytes that wait for the disk, by the codec's estimate.
    pub pending_bytes: u64,
    /// All space is taken and no consumer lets anything go.
    pub full: bool,
    /// Why the disk does not take anything at the moment; `None` while it does.
    pub last_error: Option<String>,
}

/// How much of its space a class takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Blocks of all its files, in bytes.
    pub bytes: u64,
    /// The most it may take.
    pub bytes_max: u64,
    /// All space is taken and nothing may go: items wait in memory, and once that is full they are refused.
    pub full: bool,
}
