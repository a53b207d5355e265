//! A file. What restarts is whoever tidies up files: it sets ours aside while we write.

use crate::peer::{Arrived, Peer, different, look_until};
use crate::promises::suite;
use async_trait::async_trait;
use edgeway_site::{FileTarget, TargetKind};
use std::path::PathBuf;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    async fn new() -> Self {
        Folder { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self) -> Vec<Arrived> {
        let text =
            ["set-aside.jsonl", "out.jsonl"].map(|name| std::fs::read_to_string(self.path(name)).unwrap_or_default());
        text.concat().lines().map(|line| Arrived::read(line.as_bytes(), None)).collect()
    }
}

#[async_trait]
impl Peer for Folder {
    fn site(&self) -> TargetKind {
        TargetKind::File(FileTarget { path: self.path("out.jsonl"), file_bytes: 64 << 20 })
    }

    async fn restart(&mut self) {
        std::fs::rename(self.path("out.jsonl"), self.path("set-aside.jsonl")).expect("the file is there");
    }

    async fn arrived(&mut self, wanted: usize) -> Vec<Arrived> {
        look_until(|| different(&self.read()) >= wanted).await;
        self.read()
    }
}

suite!(promises_of_files, Folder::new());
