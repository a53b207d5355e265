//! `[driver.NAME]` and `[drivers]`: drivers that are processes of their own.

use super::listen_at;
use crate::folder::Folder;
use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::site::{DriverListen, DriverSite, DriverStart, Secret};
use crate::tree::{Entry, Item, Table};
use edgeway_sdk::Problem;
use std::collections::BTreeMap;

const MEMORY_LEAST: u64 = 16 << 20;

/// All drivers, in the order of the file, and where those from other machines dial in.
pub(super) fn read(
    section: &mut Section<'_>,
    folder: &Folder,
    report: &mut Report,
) -> (Vec<DriverSite>, Option<DriverListen>) {
    let drivers: Vec<DriverSite> = section
        .group("driver", report)
        .into_iter()
        .filter_map(|(entry, table)| driver(entry, table, folder, report))
        .collect();
    let listen = section.table("drivers", report).and_then(|table| listen(table, folder, report));
    if let (None, Some(remote)) =
        (&listen, drivers.iter().find(|driver| matches!(driver.start, DriverStart::Elsewhere { .. })))
    {
        let problem = Problem::at(remote.line, remote.column, format!("driver {} has nowhere to dial in", remote.name));
        let help = "say where: [drivers] with listen, ca, cert and key; or give it a `command`";
        report.add(section.mark(), problem.help(help));
    }
    (drivers, listen)
}

fn driver(entry: &Entry, table: &Table, folder: &Folder, report: &mut Report) -> Option<DriverSite> {
    if !quantity::is_site_name(&entry.name) {
        let problem = Problem::new(format!("`{}` cannot be a driver's name", entry.name));
        report.add(&entry.mark, problem.help("lower-case letters, digits and `-`, at most 64"));
        return None;
    }
    let mut section = Section::of(table);
    let command = section.entry("command").is_some();
    let start = if command { launched(&mut section, report) } else { elsewhere(&mut section, folder, report) };
    section.finish(&[], report);
    let Mark { line, column, .. } = entry.mark;
    Some(DriverSite { name: entry.name.clone(), start: start?, line, column })
}

fn launched(section: &mut Section<'_>, report: &mut Report) -> Option<DriverStart> {
    let example = "[\"python3\", \"drivers/acme/driver.py\"]";
    let command = section.some_texts("command", example, report);
    let environment = environment(section, report);
    let memory_max = section.bytes("memory_max", MEMORY_LEAST..=u64::MAX, report).map(|found| found.value);
    let cpu_max = section.number_within("cpu_max", 0.01..=1024.0, report).map(|found| found.value);
    section.forbid("token", "a driver with a `command` gets a new token at each start", "leave it out", report);
    section.forbid("manifest", "a driver with a `command` says itself what it is", "leave it out", report);
    let command = command?.into_iter().map(|word| word.value.to_string()).collect();
    Some(DriverStart::Launched { command, environment, memory_max, cpu_max })
}

fn elsewhere(section: &mut Section<'_>, folder: &Folder, report: &mut Report) -> Option<DriverStart> {
    if section.entry("manifest").is_none() {
        let problem = Problem::new(section.mark().say("`command` is missing"));
        let help = "command = [\"python3\", \"drivers/acme/driver.py\"]; a driver on another machine has `manifest` and `token` instead";
        report.add(section.mark(), problem.help(help));
        return None;
    }
    let manifest = section.required("manifest", report);
    let token = section.required("token", report);
    for key in ["memory_max", "cpu_max", "environment"] {
        section.forbid(key, "the process runs elsewhere", "leave it out, or give it a `command`", report);
    }
    let (manifest, token) = (folder.path(&manifest?.value), token?);
    if token.value.len() < 16 {
        let problem = Problem::new(token.mark.say("the token is shorter than 16 characters"));
        report.add(&token.mark, problem.help("`openssl rand -hex 32` makes one"));
    }
    Some(DriverStart::Elsewhere { manifest, token: Secret::new(&*token.value) })
}

fn environment(section: &mut Section<'_>, report: &mut Report) -> BTreeMap<String, String> {
    let Some(table) = section.table("environment", report) else { return BTreeMap::new() };
    let mut variables = BTreeMap::new();
    for entry in &table.entries {
        match &entry.node.item {
            Item::Text(text) => drop(variables.insert(entry.name.to_string(), text.to_string())),
            _ => crate::section::refuse(entry, "a text", report),
        }
    }
    variables
}

fn listen(table: &Table, folder: &Folder, report: &mut Report) -> Option<DriverListen> {
    let mut section = Section::of(table);
    let address = section.required("listen", report).and_then(|text| listen_at(&text, report));
    let mut file = |key| section.required(key, report).map(|path| folder.path(&path.value));
    let (ca, cert, key) = (file("ca"), file("cert"), file("key"));
    section.finish(&[], report);
    Some(DriverListen { address: address?, ca: ca?, cert: cert?, key: key? })
}
