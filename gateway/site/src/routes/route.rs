//! `[[route]]`: which subjects go to which target, in which form.

use super::target::Target;
use super::{Names, topic};
use crate::quantity;
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::{RouteSite, Start, TargetKind};
use crate::tree::Table;
use edgeway_sdk::{Problem, did_you_mean};
use edgeway_thing_models::Filter;
use std::sync::Arc;
use std::time::Duration;

const TOPIC_DEFAULT: &str = "edgeway/{site}/{subject}";
const TOPIC: [&str; 5] = ["site", "subject", "kind", "model", "device"];
/// The first levels of subjects.
const KINDS: [&str; 8] = ["property", "event", "status", "stream", "scene", "command", "notify", "ledger"];

pub(super) fn read(tables: &[&Table], targets: &[Target], names: Names<'_>, report: &mut Report) -> Vec<RouteSite> {
    let mut routes: Vec<RouteSite> = vec![];
    for table in tables {
        let mut section = Section::of(table);
        let name = name(&mut section, &routes, report);
        let route = route(section, name, targets, names, report);
        routes.extend(route);
    }
    routes
}

fn route(
    mut section: Section<'_>,
    name: Option<Arc<str>>,
    targets: &[Target],
    names: Names<'_>,
    report: &mut Report,
) -> Option<RouteSite> {
    let subjects = section.texts("subjects", report).map(|found| filters(&found, report));
    if subjects.as_ref().is_none_or(Vec::is_empty)
        && section.entry("subjects").is_none_or(|entry| is_empty(&entry.node.item))
    {
        let mark = section.mark();
        report
            .add(mark, Problem::new(mark.say("this route takes nothing")).help("subjects = [\"#\"] takes everything"));
    }
    let except = section.texts("except", report).map(|found| filters(&found, report)).unwrap_or_default();
    let target = target(&mut section, targets, report);
    let topic = topic(&mut section, target.map(|at| &targets[at]), names, report);
    section.choice("format", &[("json", ())], report);
    let (batch_messages, batch_age) = batch(&mut section, report);
    let from = section.choice("from", &[("start", Start::Oldest), ("now", Start::Now)], report);
    section.finish(&[], report);
    // Places of targets are counted without those that are wrong.
    let target = targets[..target?].iter().filter(|target| target.site.is_some()).count();
    let from = from.map_or(Start::Now, |found| found.value);
    Some(RouteSite { name: name?, subjects: subjects?, except, target, topic, batch_messages, batch_age, from })
}

fn is_empty(item: &crate::tree::Item) -> bool {
    matches!(item, crate::tree::Item::List(nodes) if nodes.is_empty())
}

fn name(section: &mut Section<'_>, routes: &[RouteSite], report: &mut Report) -> Option<Arc<str>> {
    let found = section.required("name", report)?;
    if !quantity::is_name(&found.value) {
        let problem = Problem::new(format!("`{}` cannot be a name", found.value));
        report.add(&found.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    }
    if routes.iter().any(|route| route.name == found.value) {
        report.add(&found.mark, Problem::new(format!("a second route `{}`", found.value)));
    }
    Some(found.value)
}

fn filters(found: &[Found<Arc<str>>], report: &mut Report) -> Vec<Filter> {
    found.iter().filter_map(|found| filter(found, report)).collect()
}

fn filter(found: &Found<Arc<str>>, report: &mut Report) -> Option<Filter> {
    let kind = found.value.split('/').next().unwrap_or_default();
    match Filter::new(&found.value) {
        Err(error) => report.add(&found.mark, Problem::new(found.mark.say(error))),
        Ok(_) if !KINDS.contains(&kind) && !["+", "#"].contains(&kind) => {
            let problem = Problem::new(format!("no subject begins with `{kind}`"));
            report.add(&found.mark, problem.maybe_help(did_you_mean(kind, KINDS)));
        }
        Ok(filter) => return Some(filter),
    }
    None
}

fn target(section: &mut Section<'_>, targets: &[Target], report: &mut Report) -> Option<usize> {
    let found = section.required("target", report)?;
    let at = targets.iter().position(|target| target.name == found.value);
    match at {
        Some(at) => targets[at].users.set(targets[at].users.get() + 1),
        None => {
            let problem = Problem::new(found.mark.say(format!("unknown target `{}`", found.value)));
            report.add(
                &found.mark,
                problem.maybe_help(did_you_mean(&found.value, targets.iter().map(|target| &*target.name))),
            );
        }
    }
    at.filter(|at| targets[*at].site.is_some())
}

fn topic(section: &mut Section<'_>, target: Option<&Target>, names: Names<'_>, report: &mut Report) -> String {
    let found = section.text("topic", report);
    let is_file =
        target.and_then(|target| target.site.as_ref()).is_some_and(|site| matches!(site.kind, TargetKind::File(_)));
    match found {
        Some(found) if is_file => {
            report.add(&found.mark, Problem::new(found.mark.say("a file has no topics")).help("leave `topic` out"));
            String::new()
        }
        None if is_file => String::new(),
        Some(found) => topic::read(&found, &TOPIC, names.site, report),
        None => TOPIC_DEFAULT.replace("{site}", names.site),
    }
}

fn batch(section: &mut Section<'_>, report: &mut Report) -> (usize, Duration) {
    let Some(table) = section.table("batch", report) else { return (1, Duration::ZERO) };
    let mut part = Section::of(table);
    let messages = part.int("messages", 1..=10_000, report).map_or(1, |found| found.value as usize);
    let age = part.duration("age", Duration::ZERO..=Duration::from_secs(3600), report);
    part.finish(&[], report);
    if let (1, Some(found)) = (messages, age.as_ref().filter(|found| !found.value.is_zero())) {
        let problem = Problem::new(found.mark.say("`age` has no meaning for payloads of one message"));
        report.add(&found.mark, problem.help("raise `messages` or leave `age` out"));
    }
    (messages, age.map_or(Duration::ZERO, |found| found.value))
}
