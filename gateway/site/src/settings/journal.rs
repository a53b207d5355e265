//! `[journal]`: how much of what is kept, how long, and how safely.

use crate::quantity;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::site::{ClassOptions, JournalOptions, SyncSite};
use crate::subjects;
use edgeway_sdk::Problem;
use std::time::Duration;

/// Room for a class's cursors.
const CURSORS_BYTES: u64 = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);
/// What must survive a restart.
const NEVER_IN_MEMORY: [&str; 3] = ["event", "command", "ledger"];
const SYNCS: [(&str, SyncSite); 3] = [("disk", SyncSite::Disk), ("group", SyncSite::Group), ("os", SyncSite::Os)];

/// The table itself is the normal class; the others have tables within it.
pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> JournalOptions {
    let mut journal = JournalOptions::default();
    let Some(table) = section.table("journal", report) else { return journal };
    let mut part = Section::of(table);
    let [critical, normal, bulk] = &mut journal.classes;
    for (key, options) in [("critical", critical), ("bulk", bulk)] {
        if let Some(table) = part.table(key, report) {
            let mut part = Section::of(table);
            if let Some(found) = subjects::read(&mut part, "subjects", report) {
                options.subjects = subjects::values(found);
            }
            limits(&mut part, options, report);
            part.finish(&[], report);
        }
    }
    limits(&mut part, normal, report);
    journal.memory = memory(&mut part, report);
    part.finish(&[], report);
    journal
}

/// The keys that all classes have.
fn limits(part: &mut Section<'_>, class: &mut ClassOptions, report: &mut Report) {
    let size = part.bytes("size", 1 << 20..=u64::MAX, report);
    let age = part.duration("age", Duration::from_secs(60)..=DAY * 3660, report);
    let segment = part.bytes("segment", 64 << 10..=1 << 30, report);
    let sync = part.choice("sync", &SYNCS, report);
    class.size_bytes = size.map_or(class.size_bytes, |found| found.value);
    class.age = age.map_or(class.age, |found| found.value);
    class.segment_bytes = segment.map_or(class.segment_bytes, |found| found.value);
    class.sync = sync.map_or(class.sync, |found| found.value);
    group(part, class, report);
    check_size(class, part.mark(), report);
}

fn group(part: &mut Section<'_>, class: &mut ClassOptions, report: &mut Report) {
    if class.sync == SyncSite::Disk {
        for key in ["group_messages", "group_delay"] {
            let why = format!("`{key}` has no meaning where each message is made durable at once");
            part.forbid(key, &why, "sync = \"group\" gathers messages", report);
        }
        return;
    }
    let messages = part.int("group_messages", 1..=65_536, report);
    let delay = part.duration("group_delay", Duration::ZERO..=Duration::from_secs(1), report);
    class.group_messages = messages.map_or(class.group_messages, |found| found.value as usize);
    class.group_delay = delay.map_or(class.group_delay, |found| found.value);
}

fn check_size(class: &ClassOptions, mark: &Mark, report: &mut Report) {
    let least = 4 * class.segment_bytes + CURSORS_BYTES;
    if class.size_bytes < least {
        let problem = Problem::new(mark.say("`size` is less than four segments and 1 MiB for cursors"));
        let least = quantity::show_bytes(least.next_multiple_of(1 << 20));
        report.add(mark, problem.help(format!("size = \"{least}\" or more, or a smaller `segment`")));
    }
}

/// What nobody may lose cannot be kept in memory alone.
fn memory(part: &mut Section<'_>, report: &mut Report) -> Vec<edgeway_thing_models::Filter> {
    let found = subjects::read(part, "memory", report).unwrap_or_default();
    for found in &found {
        let kind = subjects::kind(found.value.as_str());
        if NEVER_IN_MEMORY.contains(&kind) || ["+", "#"].contains(&kind) {
            let message = format!("`{}` takes in what must survive a restart", found.value.as_str());
            let problem = Problem::new(found.mark.say(message));
            report.add(&found.mark, problem.help("events, commands and ledgers are never in memory alone"));
        }
    }
    subjects::values(found)
}
