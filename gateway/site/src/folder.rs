//! Reading files of the site, and nothing outside it.

use crate::report::{FileIx, Mark, Report};
use crate::{SourceFile, quantity};
use edgeway_sdk::{Problem, did_you_mean};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most bytes of one file.
pub(crate) const FILE_BYTES_MAX: u64 = 16 << 20;

/// The files a site may have at its top.
const TOP: [&str; 4] = ["edgeway.toml", "devices.toml", "devices.csv", "routes.toml"];

/// The site's folder.
pub(crate) struct Folder {
    root: PathBuf,
    /// The same without symbolic links: where files must be.
    real: PathBuf,
}

impl Folder {
    pub(crate) fn open(root: &Path) -> std::io::Result<Self> {
        let real = root.canonicalize()?;
        if !real.is_dir() {
            return Err(ErrorKind::NotADirectory.into());
        }
        Ok(Folder { root: root.to_owned(), real })
    }

    /// The site's folder, whole and without symbolic links.
    pub(crate) fn real(&self) -> &Path {
        &self.real
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The text of a file; `None` if there is none or it cannot be used, which has then been reported.
    pub(crate) fn read(&self, name: &str, report: &mut Report) -> Option<(FileIx, String)> {
        self.text(Path::new(name)).transpose().map(|text| (report.file(name), text)).and_then(|(file, text)| {
            text.map_err(|problem| {
                report.add(&Mark::file(file), problem);
                report.give_up(file);
            })
            .ok()
            .map(|text| (file, text))
        })
    }

    /// All files of a folder with an extension, by name.
    pub(crate) fn sources(&self, folder: &str, extension: &str, report: &mut Report) -> Vec<(FileIx, SourceFile)> {
        let mut names: Vec<String> = std::fs::read_dir(self.root.join(folder))
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| {
                !name.starts_with('.') && Path::new(name).extension().is_some_and(|found| found == extension)
            })
            .collect();
        names.sort();
        names.into_iter().filter_map(|name| self.source(folder, &name, report)).collect()
    }

    fn source(&self, folder: &str, name: &str, report: &mut Report) -> Option<(FileIx, SourceFile)> {
        let path = format!("{folder}/{name}");
        let (file, text) = self.read(&path, report)?;
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        if !quantity::is_name(stem) {
            let problem = Problem::new(format!("`{stem}` cannot be a name"));
            report.add(&Mark::file(file), problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
        }
        Some((file, SourceFile { path: path.into(), name: stem.into(), text: text.into() }))
    }

    /// Warns of files that look as if they were meant to be read.
    pub(crate) fn check_names(&self, report: &mut Report) {
        let names = std::fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut strange: Vec<String> = names
            .filter(|name| !name.starts_with('.') && (name.ends_with(".toml") || name.ends_with(".csv")))
            .filter(|name| !TOP.contains(&name.as_str()))
            .collect();
        strange.sort();
        for name in strange {
            let file = report.file(&name);
            let problem =
                Problem::new("this file is not part of a site and is not read").maybe_help(did_you_mean(&name, TOP));
            report.add(&Mark::file(file), problem.warning());
        }
    }

    fn text(&self, name: &Path) -> Result<Option<String>, Problem> {
        let path = match self.root.join(name).canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound && !self.root.join(name).is_symlink() => return Ok(None),
            Err(error) => return Err(cannot_read(&error)),
        };
        if !path.starts_with(&self.real) {
            return Err(Problem::new("this symbolic link leads out of the site").help("copy the file into the site"));
        }
        read_limited(&path).map(Some)
    }
}

/// The content of a file that a `file://` URL names, without white space at its end.
pub(crate) fn read_secret(path: &Path) -> Result<String, Problem> {
    read_limited(path).map(|text| text.trim_end().to_owned())
}

fn read_limited(path: &Path) -> Result<String, Problem> {
    let meta = std::fs::metadata(path).map_err(|error| cannot_read(&error))?;
    if !meta.is_file() {
        return Err(Problem::new("this is not a file"));
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(path).map_err(|error| cannot_read(&error))?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Problem::new("this file is too large").help("at most 16 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(&error.as_bytes()[..good]).into_owned();
        let line = text.matches('\n').count() + 1;
        let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Problem::at(line, column, "this is not UTF-8 text").help("save the file as UTF-8")
    })
}

fn cannot_read(error: &std::io::Error) -> Problem {
    let text = error.to_string();
    let plain = text.split(" (os error").next().unwrap_or(&text).to_lowercase();
    Problem::new(format!("this file cannot be read: {plain}"))
}
