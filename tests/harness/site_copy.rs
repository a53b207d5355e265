//! An example site, copied so that it can be run beside others.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A copy of a folder of `sites`.
pub struct SiteCopy {
    pub path: PathBuf,
    _folder: tempfile::TempDir,
}

impl SiteCopy {
    /// Makes it.
    ///
    /// # Panics
    /// If there is no such site.
    pub fn new(name: &str) -> SiteCopy {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sites").join(name);
        let copied = Command::new("cp").arg("-r").arg(from).arg(&path).status();
        assert!(copied.is_ok_and(|status| status.success()), "the site cannot be copied");
        // What somebody's own gateway has left there.
        let _ = std::fs::remove_dir_all(path.join("data"));
        SiteCopy { path, _folder: folder }
    }

    /// Puts another port of loopback in a file.
    ///
    /// # Panics
    /// If the old one is not there.
    pub fn port(&self, file: &str, from: u16, to: u16) {
        self.edit(file, &format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}"));
    }

    /// Changes a text in a file.
    ///
    /// # Panics
    /// If it is not there.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.path.join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the site");
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(path, text.replace(from, to)).expect("our own copy");
    }
}
