//! Certificates.

use super::Around;
use super::address::Tls;
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::TlsFiles;
use edgeway_sdk::Problem;
use std::path::PathBuf;

/// `ca`, `cert` and `key`. `tls` is whether the connection is encrypted, if that is known; `on` is how to turn it on.
pub(super) fn files(
    section: &mut Section<'_>,
    tls: Option<Tls>,
    on: &str,
    around: &Around<'_>,
    report: &mut Report,
) -> TlsFiles {
    let [ca, cert, key] = ["ca", "cert", "key"].map(|key| file(section, key, around, report));
    if let (Some(found), Some(Tls::Without)) = (ca.as_ref().or(cert.as_ref()).or(key.as_ref()), tls) {
        let problem = Problem::new(found.mark.say("certificates have no meaning without TLS"));
        report.add(&found.mark, problem.help(on));
    }
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert.value, key.value)),
        (None, None) => None,
        (Some(lonely), None) | (None, Some(lonely)) => {
            report.add(&lonely.mark, Problem::new(lonely.mark.say("`cert` and `key` go together")));
            None
        }
    };
    TlsFiles { ca: ca.map(|found| found.value), identity }
}

/// `tls = "off" | "on"`, for targets without URLs.
pub(super) fn switch(section: &mut Section<'_>, report: &mut Report) -> Tls {
    section.choice("tls", &[("off", Tls::Without), ("on", Tls::With)], report).map_or(Tls::Without, |found| found.value)
}

/// A file, which must be there.
pub(super) fn file(
    section: &mut Section<'_>,
    key: &'static str,
    around: &Around<'_>,
    report: &mut Report,
) -> Option<Found<PathBuf>> {
    let found = section.text(key, report)?;
    let path = around.folder.path(&found.value);
    if !path.is_file() {
        report.add(&found.mark, Problem::new(found.mark.say(format!("there is no file `{}`", found.value))));
    }
    Some(Found { value: path, mark: found.mark })
}
