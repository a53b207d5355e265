//! The folder of certificates, as it is now. Other OPC UA applications put certificates and lists into folders of their own
//! below `trusted` and `issuers`, some of which say `issuer`.

use super::certificate::{Certificate, ders};
use super::revocation::List;
use std::fs;
use std::path::{Path, PathBuf};

const TRUSTED: [&str; 2] = ["trusted", "trusted/certs"];
const ISSUERS: [&str; 4] = ["issuers", "issuers/certs", "issuer", "issuer/certs"];
const LISTS: [&str; 3] = ["trusted/crl", "issuers/crl", "issuer/crl"];

/// What is known of servers and authorities.
pub(super) struct Known {
    /// Servers, and authorities that are trusted with all that they sign.
    pub(super) trusted: Vec<Certificate>,
    /// Authorities that are only trusted because another is.
    pub(super) issuers: Vec<Certificate>,
    /// Or why they cannot be read, for the operator: one of them could be the one that matters.
    pub(super) lists: Result<Vec<List>, String>,
    /// Files where trusted certificates should be, and are not.
    pub(super) unreadable: Vec<PathBuf>,
}

impl Known {
    pub(super) fn read(folder: &Path) -> Known {
        let (mut trusted, mut unreadable) = (vec![], vec![]);
        for path in all(folder, &TRUSTED) {
            // Beside a server's own certificate its file may hold authorities, whom nobody has meant to trust.
            match certificates(&path).into_iter().next() {
                Some(certificate) => trusted.push(certificate),
                None => unreadable.push(path),
            }
        }
        let issuers = all(folder, &ISSUERS).flat_map(|path| certificates(&path)).collect();
        let lists: Result<Vec<_>, _> = all(folder, &LISTS).map(|path| lists(&path)).collect();
        Known { trusted, issuers, lists: lists.map(|all| all.into_iter().flatten().collect()), unreadable }
    }
}

fn all<'a>(folder: &'a Path, names: &'a [&str]) -> impl Iterator<Item = PathBuf> + 'a {
    names.iter().flat_map(|name| files(&folder.join(name)))
}

/// The files of a folder, but not those that are hidden, in the order of their names.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_shown = |path: &PathBuf| {
        path.is_file() && !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(is_shown).collect();
    files.sort();
    files
}

fn certificates(path: &Path) -> Vec<Certificate> {
    let ders = fs::read(path).ok().and_then(|bytes| ders(&bytes)).unwrap_or_default();
    ders.iter().filter_map(|der| Certificate::read(der)).collect()
}

fn lists(path: &Path) -> Result<Vec<List>, String> {
    let ders = fs::read(path).ok().and_then(|bytes| ders(&bytes)).unwrap_or_default();
    let lists: Result<Vec<List>, _> = ders.iter().map(|der| List::read(path, der)).collect();
    lists
        .ok()
        .filter(|lists| !lists.is_empty())
        .ok_or_else(|| format!("`{}` holds no revocation list in DER or PEM: replace it, or remove it", path.display()))
}
