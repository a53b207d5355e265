//! A file that payloads are appended to, one a line.
//!
//! It is bounded: at its size it is renamed to `NAME.1`, over the one before, and begun anew. What is sent is written and
//! synced before it is settled, so that it survives a power cut.

use crate::window::Window;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::FileTarget as FileSite;
use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// The file of one route.
pub(crate) struct FileTarget {
    store: Arc<Mutex<Store>>,
    window: Window,
}

/// The file itself, for a thread that may block.
struct Store {
    path: PathBuf,
    bytes_max: u64,
    file: Option<File>,
}

impl FileTarget {
    pub(crate) fn new(site: &FileSite) -> Self {
        let store = Store { path: site.path.clone(), bytes_max: site.file_bytes.max(1), file: None };
        FileTarget { store: Arc::new(Mutex::new(store)), window: Window::new(1) }
    }

    async fn write(&mut self, batch: &[Delivery]) -> Result<(), TargetError> {
        let mut lines = vec![];
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            outcomes.push(match delivery.bytes() {
                Ok((payload, _)) => {
                    lines.extend([&payload[..], b"\n"].concat());
                    Outcome::Delivered
                }
                Err(outcome) => outcome,
            });
        }
        blocking(self.store.clone(), move |store| store.append(&lines)).await?;
        outcomes.into_iter().for_each(|outcome| self.window.push_settled(outcome));
        Ok(())
    }
}

/// Does something with the file on a thread that may block.
async fn blocking(
    store: Arc<Mutex<Store>>,
    work: impl FnOnce(&mut Store) -> std::io::Result<()> + Send + 'static,
) -> Result<(), TargetError> {
    let done = spawn_blocking(move || {
        let mut store = store.lock();
        work(&mut store).map_err(|error| {
            store.file = None;
            TargetError::Away(format!("{}: {error}", store.path.display()))
        })
    });
    done.await.unwrap_or_else(|error| Err(TargetError::Away(format!("writing ended early: {error}"))))
}

#[async_trait]
impl Target for FileTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        self.window.clear();
        blocking(self.store.clone(), Store::open).await
    }

    /// A file answers at once, so nothing is under way after this.
    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        self.write(&batch).await?;
        self.window.ready()
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.settle().await
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.window.finish().await
    }

    async fn close(&mut self) {
        self.store.lock().file = None;
    }
}

impl Store {
    fn open(&mut self) -> std::io::Result<()> {
        let folder = self.folder();
        std::fs::create_dir_all(&folder)?;
        self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        // The name of a new file survives a power cut only if its folder is synced.
        File::open(folder)?.sync_all()
    }

    /// Appends whole lines and syncs them.
    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        let before = self.length()?;
        if before > 0 && before + lines.len() as u64 > self.bytes_max {
            std::fs::rename(&self.path, old(&self.path))?;
            self.open()?;
        }
        let Some(file) = &mut self.file else { return Err(std::io::ErrorKind::NotConnected.into()) };
        let before = file.metadata()?.len();
        file.write_all(lines).inspect_err(|_| {
            // Half a line on a full disk would be glued to the next one. If it cannot be taken back, it stays.
            let _ = file.set_len(before);
        })?;
        file.sync_data()
    }

    /// The length of the file, opened anew if it is not the one of that name any more: another route to the same target
    /// may have set it aside.
    fn length(&mut self) -> std::io::Result<u64> {
        let named = std::fs::metadata(&self.path).map(|file| (file.dev(), file.ino())).ok();
        let ours = self.file.as_ref().map(File::metadata).transpose()?.map(|file| (file.dev(), file.ino()));
        if ours.is_none() || ours != named {
            self.open()?;
        }
        self.file.as_ref().map_or(Ok(0), |file| Ok(file.metadata()?.len()))
    }

    fn folder(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    }
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(path: &Path, bytes_max: u64) -> Store {
        Store { path: path.to_owned(), bytes_max, file: None }
    }

    #[test]
    fn lines_are_appended_and_a_full_file_is_set_aside_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sub/out.jsonl");
        let mut store = store(&path, 10);
        for line in ["aaaa\n", "bbbb\n", "cccc\n"] {
            store.append(line.as_bytes()).expect("writable");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "cccc\n");
        assert_eq!(std::fs::read_to_string(old(&path)).expect("there"), "aaaa\nbbbb\n");
    }

    #[test]
    fn a_file_that_another_route_has_set_aside_is_opened_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.jsonl");
        let [mut ours, mut theirs] = [(); 2].map(|()| store(&path, 10));
        ours.append(b"aaaa\n").expect("writable");
        theirs.append(b"bbbbbb\n").expect("writable");
        ours.append(b"c\n").expect("writable");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "bbbbbb\nc\n");
    }

    #[tokio::test]
    async fn a_folder_in_the_way_is_reported_with_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut target = FileTarget::new(&FileSite { path: folder.path().to_owned(), file_bytes: 100 });
        let error = target.connect(Opening::default()).await.expect_err("a folder is not a file");
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}
