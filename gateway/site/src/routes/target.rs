//! `[target.NAME]`: a northbound destination. One file for each kind, all of the same shape.

mod address;
mod file;
mod form;
mod http;
mod kafka;
mod login;
mod mqtt;
mod nats;
mod parquet;
mod postgres;
mod tls;

pub(super) use form::{Accepts, Form};

use super::Names;
use crate::folder::Folder;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::site::{MqttPreset, TargetKind, TargetSite};
use crate::tree::{Entry, Table};
use edgeway_sdk::Problem;
use std::cell::Cell;
use std::sync::Arc;

/// A target while routes are being read.
pub(super) struct Target {
    pub(super) name: Arc<str>,
    /// `None` if it is wrong, which has been reported.
    pub(super) site: Option<TargetSite>,
    /// Routes that lead here, right or wrong.
    pub(super) users: Cell<usize>,
    mark: Mark,
}

/// What a target refers to.
struct Around<'s> {
    /// The target's own name.
    name: &'s str,
    folder: &'s Folder,
    names: Names<'s>,
}

/// Reads the options of one kind; `None` if they are wrong, which has been reported.
type Read = fn(&mut Section<'_>, &Around<'_>, &mut Report) -> Option<TargetKind>;

const KINDS: [(&str, Read); 8] = [
    ("mqtt", mqtt::read),
    ("http", http::read),
    ("nats", nats::read),
    ("kafka", kafka::read),
    ("postgres", postgres::read),
    ("parquet", parquet::read),
    ("file", file::read),
    ("stdout", stdout),
];

pub(super) fn read(group: &[(&Entry, &Table)], folder: &Folder, names: Names<'_>, report: &mut Report) -> Vec<Target> {
    let read = |(entry, table): &(&Entry, &Table)| {
        let around = Around { name: &entry.name, folder, names };
        target(entry, table, &around, report)
    };
    let targets: Vec<Target> = group.iter().map(read).collect();
    for (at, target) in targets.iter().enumerate() {
        if let Some((other, why)) = targets[..at].iter().find_map(|other| Some((other, clash(other, target)?))) {
            report.add(&target.mark, Problem::new(format!("targets {} and {} {why}", other.name, target.name)));
        }
    }
    targets
}

fn target(entry: &Entry, table: &Table, around: &Around<'_>, report: &mut Report) -> Target {
    if !quantity::is_name(&entry.name) {
        let problem = Problem::new(format!("`{}` cannot be a name", entry.name));
        report.add(&entry.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    }
    let mut section = Section::of(table);
    section.required("kind", report);
    let read = section.choice("kind", &KINDS, report);
    // Without a kind nobody knows which other keys are right.
    let kind = read.and_then(|read| {
        let kind = (read.value)(&mut section, around, report);
        section.finish(&[], report);
        kind
    });
    let site = kind.map(|kind| TargetSite { name: entry.name.clone(), kind });
    Target { name: entry.name.clone(), site, users: Cell::new(0), mark: entry.mark.clone() }
}

/// Standard output has no options.
fn stdout(_: &mut Section<'_>, _: &Around<'_>, _: &mut Report) -> Option<TargetKind> {
    Some(TargetKind::Stdout)
}

/// What two targets may not share.
fn clash(a: &Target, b: &Target) -> Option<&'static str> {
    match (&a.site.as_ref()?.kind, &b.site.as_ref()?.kind) {
        (TargetKind::File(a), TargetKind::File(b)) => (a.path == b.path).then_some("write the same file"),
        (TargetKind::Parquet(a), TargetKind::Parquet(b)) => (a.store == b.store).then_some("write the same files"),
        (TargetKind::Stdout, TargetKind::Stdout) => Some("write the same output"),
        (TargetKind::Mqtt(a), TargetKind::Mqtt(b)) => {
            let same = (&a.host, a.port, &a.client_id) == (&b.host, b.port, &b.client_id);
            same.then_some("have the same client id, so the broker would disconnect one for the other")
        }
        _ => None,
    }
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

    /// Platforms that know one connection for each device.
    pub(super) fn is_for_one_route(&self) -> bool {
        let preset = self.site.as_ref().and_then(|site| match &site.kind {
            TargetKind::Mqtt(mqtt) => Some(mqtt.preset),
            _ => None,
        });
        matches!(preset, Some(MqttPreset::Alink | MqttPreset::AzureIotHub))
    }

    /// Whether two targets are one broker.
    pub(super) fn is_same_broker(&self, other: &Target) -> bool {
        match (&self.site, &other.site) {
            (
                Some(TargetSite { kind: TargetKind::Mqtt(a), .. }),
                Some(TargetSite { kind: TargetKind::Mqtt(b), .. }),
            ) => (&a.host, a.port) == (&b.host, b.port),
            _ => false,
        }
    }
}
