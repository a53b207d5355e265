//! A file of JSON lines, for looking.
//!
//! It is bounded: at [`FILE_BYTES_MAX`] it is renamed to `NAME.1`, over the one before, and begun anew. Each batch is
//! flushed to the operating system; a power cut may cost what the system had not yet written.

use super::{Delivery, Outcome, Target, TargetError};
use async_trait::async_trait;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// When a file is full, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;

pub(super) struct FileTarget {
    path: PathBuf,
    file: Option<File>,
    bytes_max: u64,
}

impl FileTarget {
    pub(super) fn new(path: PathBuf) -> Self {
        FileTarget { path, file: None, bytes_max: FILE_BYTES_MAX }
    }

    fn open(&mut self) -> std::io::Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        self.file = Some(OpenOptions::new().create(true).append(true).open(&self.path)?);
        Ok(())
    }

    fn write(&mut self, batch: &[Delivery]) -> std::io::Result<()> {
        let lines: Vec<u8> =
            batch.iter().flat_map(|delivery| delivery.payload.iter().copied().chain([b'\n'])).collect();
        let before = self.length()?;
        if before > 0 && before + lines.len() as u64 > self.bytes_max {
            std::fs::rename(&self.path, old(&self.path))?;
            self.open()?;
        }
        let Some(file) = &mut self.file else { return Err(std::io::ErrorKind::NotConnected.into()) };
        let before = file.metadata()?.len();
        file.write_all(&lines).inspect_err(|_| {
            // Half a line on a full disk would be glued to the next one. If it cannot be taken back, it stays.
            let _ = file.set_len(before);
        })
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
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

#[async_trait]
impl Target for FileTarget {
    async fn connect(&mut self) -> Result<(), TargetError> {
        self.open().map_err(|error| TargetError::Away(format!("{}: {error}", self.path.display())))
    }

    async fn send(&mut self, batch: &[Delivery]) -> Result<Vec<Outcome>, TargetError> {
        // Blocking is right here: the batch goes into the page cache, in microseconds.
        match self.write(batch) {
            Ok(()) => Ok(vec![Outcome::Acknowledged; batch.len()]),
            Err(error) => {
                self.file = None;
                Err(TargetError::Away(format!("{}: {error}", self.path.display())))
            }
        }
    }

    async fn close(&mut self) {
        self.file = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(text: &str) -> Delivery {
        Delivery { topic: "t".into(), payload: text.to_owned().into(), messages: 1, offsets: (0, 0) }
    }

    #[tokio::test]
    async fn lines_are_appended_and_a_full_file_is_set_aside_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sub/out.jsonl");
        let mut target = FileTarget { path: path.clone(), file: None, bytes_max: 10 };
        target.connect().await.expect("writable");
        for text in ["aaaa", "bbbb", "cccc"] {
            assert_eq!(target.send(&[delivery(text)]).await.expect("writable"), [Outcome::Acknowledged]);
        }
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "cccc\n");
        assert_eq!(std::fs::read_to_string(old(&path)).expect("there"), "aaaa\nbbbb\n");
    }

    #[tokio::test]
    async fn a_folder_in_the_way_is_reported_with_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = FileTarget::new(folder.path().to_owned()).connect().await.expect_err("a folder is not a file");
        assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    }
}
