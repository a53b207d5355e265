//! `[target.NAME]`: a northbound destination.

use super::{Names, topic};
use crate::folder::Folder;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::{Found, Section};
use crate::site::{FileTarget, MqttTarget, MqttVersion, Secret, TargetKind, TargetSite, Transport};
use crate::tree::{Entry, Table};
use edgeway_sdk::Problem;
use std::cell::Cell;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
const INFLIGHT: u16 = 20;
/// Placeholders of the topics of commands and replies.
const TOPIC: [&str; 2] = ["site", "device"];

/// A target while routes are being read.
pub(super) struct Target {
    pub(super) name: Arc<str>,
    /// `None` if it is wrong, which has been reported.
    pub(super) site: Option<TargetSite>,
    /// Routes that lead here, right or wrong.
    pub(super) users: Cell<usize>,
    mark: Mark,
}

impl Target {
    /// A target that only takes commands is in use as well.
    pub(super) fn warn_idle(&self, report: &mut Report) {
        let takes_commands =
            matches!(&self.site, Some(TargetSite { kind: TargetKind::Mqtt(mqtt), .. }) if mqtt.commands.is_some());
        if !takes_commands {
            report.add(&self.mark, Problem::new(format!("no route leads to target {}", self.name)).warning());
        }
    }
}

pub(super) fn read(group: &[(&Entry, &Table)], folder: &Folder, names: Names<'_>, report: &mut Report) -> Vec<Target> {
    let targets: Vec<Target> = group.iter().map(|(entry, table)| target(entry, table, folder, names, report)).collect();
    for (at, target) in targets.iter().enumerate() {
        if let Some((other, why)) = targets[..at].iter().find_map(|other| Some((other, clash(other, target)?))) {
            report.add(&target.mark, Problem::new(format!("targets {} and {} {why}", other.name, target.name)));
        }
    }
    targets
}

/// What two targets may not share.
fn clash(a: &Target, b: &Target) -> Option<&'static str> {
    match (&a.site.as_ref()?.kind, &b.site.as_ref()?.kind) {
        (TargetKind::File(a), TargetKind::File(b)) => (a == b).then_some("write the same file"),
        (TargetKind::Mqtt(a), TargetKind::Mqtt(b)) => {
            let same = (&a.host, a.port, &a.client_id) == (&b.host, b.port, &b.client_id);
            same.then_some("have the same client id, so the broker would disconnect one for the other")
        }
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Mqtt,
    File,
}

fn target(entry: &Entry, table: &Table, folder: &Folder, names: Names<'_>, report: &mut Report) -> Target {
    if !quantity::is_name(&entry.name) {
        let problem = Problem::new(format!("`{}` cannot be a name", entry.name));
        report.add(&entry.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    }
    let mut section = Section::of(table);
    section.required("kind", report);
    let kind = section.choice("kind", &[("mqtt", Kind::Mqtt), ("file", Kind::File)], report);
    let kind = match kind.map(|found| found.value) {
        Some(Kind::Mqtt) => {
            mqtt(section, &entry.name, folder, names, report).map(|mqtt| TargetKind::Mqtt(Box::new(mqtt)))
        }
        Some(Kind::File) => file(section, names, report).map(TargetKind::File),
        None => None,
    };
    let site = kind.map(|kind| TargetSite { name: entry.name.clone(), kind });
    Target { name: entry.name.clone(), site, users: Cell::new(0), mark: entry.mark.clone() }
}

fn file(mut section: Section<'_>, names: Names<'_>, report: &mut Report) -> Option<FileTarget> {
    let path = section.required("path", report);
    section.finish(&[], report);
    Some(FileTarget { path: names.data.join(&*path?.value) })
}

fn mqtt(
    mut section: Section<'_>,
    name: &str,
    folder: &Folder,
    names: Names<'_>,
    report: &mut Report,
) -> Option<MqttTarget> {
    let url = section.required("url", report);
    let address = url.and_then(|url| address(&url, report));
    let transport = transport(&mut section, address.as_ref().map(|address| address.tls), folder, report);
    let versions = [("5", MqttVersion::V5), ("3.1.1", MqttVersion::V3)];
    let version = section.choice("version", &versions, report).map_or(MqttVersion::V5, |found| found.value);
    let client_id = section.text("client_id", report).map(|found| found.value.to_string());
    let (username, password) = credentials(&mut section, report);
    let seconds = Duration::from_secs(1)..=Duration::from_secs(65_535);
    let keep_alive = section.duration("keep_alive", seconds, report).map_or(KEEP_ALIVE, |found| found.value);
    let inflight = section.int("inflight", 1..=65_535, report).map_or(INFLIGHT, |found| found.value as u16);
    let (commands, replies) = commands(&mut section, names, report);
    section.finish(&[], report);
    let Address { host, port, .. } = address?;
    let client_id = client_id.unwrap_or_else(|| format!("edgeway-{}-{name}", names.site));
    Some(MqttTarget {
        host,
        port,
        transport,
        version,
        client_id,
        username,
        password,
        keep_alive,
        inflight,
        commands,
        replies,
    })
}

/// Where a URL leads.
struct Address {
    tls: Tls,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tls {
    Without,
    With,
}

fn address(url: &Found<Arc<str>>, report: &mut Report) -> Option<Address> {
    let address = parse_url(&url.value);
    if address.is_none() {
        let problem = Problem::new(url.mark.say(format!("`{}` is not the URL of an MQTT broker", url.value)));
        report.add(
            &url.mark,
            problem
                .help("`mqtt://host:1883`, or `mqtts://host:8883` with TLS; user and password are keys of their own"),
        );
    }
    address
}

fn parse_url(url: &str) -> Option<Address> {
    let (scheme, rest) = url.split_once("://")?;
    let (tls, usual) = match scheme {
        "mqtt" => (Tls::Without, 1883),
        "mqtts" => (Tls::With, 8883),
        _ => return None,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
    };
    let port = match port {
        "" => usual,
        port => port.strip_prefix(':')?.parse().ok().filter(|port| *port > 0)?,
    };
    let is_host =
        !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
    is_host.then(|| Address { tls, host: host.to_owned(), port })
}

fn transport(section: &mut Section<'_>, tls: Option<Tls>, folder: &Folder, report: &mut Report) -> Transport {
    let [ca, cert, key] = ["ca", "cert", "key"].map(|key| pem(section, key, folder, report));
    if let (Some(found), Some(Tls::Without)) = (ca.as_ref().or(cert.as_ref()).or(key.as_ref()), tls) {
        let problem = Problem::new(found.mark.say("certificates have no meaning without TLS"));
        report.add(&found.mark, problem.help("write the URL with `mqtts://`"));
    }
    let mark = cert.as_ref().map(|found| found.mark.clone());
    let identity = match (cert, key) {
        (Some(cert), Some(key)) => Some((cert.value, key.value)),
        (None, None) => None,
        (Some(lonely), None) | (None, Some(lonely)) => {
            report.add(&lonely.mark, Problem::new(lonely.mark.say("`cert` and `key` go together")));
            None
        }
    };
    if let (None, Some(found), Some(Tls::With)) = (&ca, &mark, tls) {
        let problem = Problem::new(found.say("a certificate of the gateway's own needs `ca` too"));
        report.add(found, problem.help("name the file with the broker's certificate authority"));
    }
    match tls {
        Some(Tls::With) => Transport::Tls { ca: ca.map(|found| found.value), identity },
        Some(Tls::Without) | None => Transport::Plain,
    }
}

/// A file with a certificate or a key, which must be there.
fn pem(section: &mut Section<'_>, key: &'static str, folder: &Folder, report: &mut Report) -> Option<Found<PathBuf>> {
    let found = section.text(key, report)?;
    let path = folder.path(&found.value);
    if !path.is_file() {
        report.add(&found.mark, Problem::new(found.mark.say(format!("there is no file `{}`", found.value))));
    }
    Some(Found { value: path, mark: found.mark })
}

fn credentials(section: &mut Section<'_>, report: &mut Report) -> (Option<String>, Option<Secret>) {
    let username = section.text("username", report).map(|found| found.value.to_string());
    let password = section.text("password", report);
    if let (None, Some(found)) = (&username, &password) {
        report.add(&found.mark, Problem::new(found.mark.say("a `password` without a `username`")));
    }
    (username, password.map(|found| Secret::new(&*found.value)))
}

fn commands(section: &mut Section<'_>, names: Names<'_>, report: &mut Report) -> (Option<String>, Option<String>) {
    let commands = section.text("commands", report);
    let replies = section.text("replies", report);
    if let Some(found) = commands.as_ref().filter(|found| !found.value.split('/').any(|level| level == "{device}")) {
        let problem = Problem::new(found.mark.say("the topic of commands must have a level `{device}`"));
        report.add(&found.mark, problem.help("`edgeway/{site}/command/{device}`"));
    }
    if let (None, Some(found)) = (&commands, &replies) {
        report.add(&found.mark, Problem::new(found.mark.say("`replies` without `commands`")));
    }
    let mut read = |found: Option<Found<Arc<str>>>| found.map(|found| topic::read(&found, &TOPIC, names.site, report));
    (read(commands), read(replies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_host_port_and_tls() {
        let cases = [
            ("mqtt://localhost", Some(("localhost", 1883))),
            ("mqtts://a.example:443/", Some(("a.example", 443))),
            ("mqtt://[::1]:1884", Some(("::1", 1884))),
            ("mqtt://", None),
            ("mqtt://host:port", None),
            ("mqtt://host:0", None),
            ("mqtt://user:pw@host", None),
            ("http://host", None),
            ("host:1883", None),
            ("mqtt://[::1", None),
        ];
        for (url, expected) in cases {
            let found = parse_url(url).map(|address| (address.host, address.port));
            assert_eq!(found, expected.map(|(host, port)| (host.to_owned(), port)), "{url}");
        }
    }
}
