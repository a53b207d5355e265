//! The segment that is being written.

use super::SYNC_EVERY;
use crate::{ClassOptions, disk::Disk, frame::Frames, frame::HEADER_BYTES};
use std::{fs::File, io, time::Instant};

pub(super) struct Active {
    pub(super) file: File,
    pub(super) frames: Frames,
    pub(super) created: Instant,
    start: u64,
    /// Where the next frame goes.
    pub(super) at: u64,
    /// Since when bytes wait for a sync, at [`SyncLevel::Os`](crate::SyncLevel::Os).
    pub(super) unsynced_since: Option<Instant>,
}

impl Active {
    pub(super) fn new(file: File, frames: Frames, start: u64) -> Self {
        Active { file, frames, created: Instant::now(), start, at: start, unsynced_since: None }
    }

    /// An empty segment takes any group; another one needs room for its end too.
    pub(super) fn fits(&self, bytes: usize, options: &ClassOptions) -> bool {
        let end = self.at + (bytes + HEADER_BYTES) as u64;
        self.at == self.start || end <= options.segment_bytes
    }

    pub(super) fn sync_at(&self) -> Option<Instant> {
        self.unsynced_since.map(|since| since + SYNC_EVERY)
    }

    /// What was written has waited long enough, or someone waits for it.
    pub(super) fn sync_due(&self, urgent: bool) -> bool {
        self.sync_at().is_some_and(|at| urgent || Instant::now() >= at)
    }

    /// Says where the segment ends, so that what is missing behind its last frame is known to be missing.
    pub(super) fn end(self, offset: u64, seq: u64, disk: &Disk) -> io::Result<()> {
        if self.at > self.start {
            disk.write(&self.file, &self.frames.end_frame(offset, seq), self.at)?;
            return self.file.set_len(self.at + HEADER_BYTES as u64);
        }
        self.file.set_len(self.at)
    }
}
