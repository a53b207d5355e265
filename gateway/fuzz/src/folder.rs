//! A sound folder and the copy that is damaged.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder that was made once, and copies of it.
pub struct Folder {
    sound: PathBuf,
    copy: PathBuf,
}

impl Folder {
    /// Makes the sound folder.
    pub fn new(target: &str, make: impl FnOnce(&Path)) -> Self {
        let root = PathBuf::from(format!("/dev/shm/edgeway-fuzz/{target}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let folder = Folder { sound: root.join("sound"), copy: root.join("copy") };
        fs::create_dir_all(&folder.sound).expect("memory has a place for folders");
        make(&folder.sound);
        folder
    }

    /// A fresh copy; the one before is gone.
    pub fn copy(&self) -> &Path {
        let _ = fs::remove_dir_all(&self.copy);
        copy(&self.sound, &self.copy);
        &self.copy
    }

    /// All files below the sound folder that have a name like this, as paths within it, in order.
    pub fn files(&self, like: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let mut found = vec![];
        walk(&self.sound, &mut |path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if like(name) {
                found.push(path.strip_prefix(&self.sound).expect("it is below").to_path_buf());
            }
        });
        found.sort();
        found
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("memory has a place for folders");
    for entry in fs::read_dir(from).expect("it was made") {
        let path = entry.expect("it was made").path();
        let to = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).expect("memory has space");
        }
    }
}

fn walk(dir: &Path, found: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(dir).expect("it was made") {
        let path = entry.expect("it was made").path();
        if path.is_dir() { walk(&path, found) } else { found(&path) }
    }
}
