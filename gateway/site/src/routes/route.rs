//! `[[route]]`: which subjects go to which target, in which form.

use super::target::{Form, Target};
use super::{format, limits, topic};
use crate::folder::Folder;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::site::{ClassSite, FormatSite, RouteSite, SqlSite, Start, TargetKind, UnsetClock};
use crate::tree::{Item, Table};
use crate::{quantity, subjects};
use edgeway_sdk::{Problem, did_you_mean};
use edgeway_thing_models::Filter;
use std::sync::Arc;

const TOPIC: [&str; 5] = ["site", "subject", "kind", "model", "device"];
const CLASSES: [(&str, ClassSite); 3] =
    [("critical", ClassSite::Critical), ("normal", ClassSite::Normal), ("bulk", ClassSite::Bulk)];

/// What a route refers to.
#[derive(Clone, Copy)]
pub(super) struct Around<'s> {
    pub(super) targets: &'s [Target],
    pub(super) folder: &'s Folder,
    pub(super) site: &'s str,
}

/// A route, its target among all that were written, and where it is.
struct Placed {
    route: RouteSite,
    target: usize,
    mark: Mark,
}

pub(super) fn read(tables: &[&Table], around: Around<'_>, report: &mut Report) -> Vec<RouteSite> {
    let mut routes: Vec<Placed> = vec![];
    for table in tables {
        let mut section = Section::of(table);
        let name = name(&mut section, &routes, report);
        let read = route(&mut section, name, around, report);
        section.finish(&[], report);
        if let Some((route, target)) = read {
            let placed = Placed { route, target, mark: table.mark.clone() };
            check_neighbours(&placed, &routes, around.targets, report);
            routes.push(placed);
        }
    }
    routes.into_iter().map(|placed| placed.route).collect()
}

/// The route with its target's place among all targets, right or wrong.
fn route(
    section: &mut Section<'_>,
    name: Option<Arc<str>>,
    around: Around<'_>,
    report: &mut Report,
) -> Option<(RouteSite, usize)> {
    let subjects = subjects(section, report);
    let except = subjects::read(section, "except", report).map(subjects::values).unwrap_or_default();
    let filter = sql(section, "where", report);
    let select = sql(section, "select", report);
    let class = section.choice("class", &CLASSES, report).map(|found| found.value);
    let at = target(section, around.targets, report);
    let target = at.and_then(|at| around.targets[at].site.as_ref()).map(|site| &site.kind);
    let format = format::read(section, target, around, report);
    let topic = topic(section, target, &format.site, around.site, report);
    let batch = limits::batch(section, target, report);
    let on_full = limits::on_full(section, report);
    let ttl = limits::ttl(section, report);
    let order = limits::order(section, report);
    let rate = limits::rate(section, order, report);
    let clocks = [("send", UnsetClock::Send), ("hold", UnsetClock::Hold)];
    let unset_clock = section.choice("unset_clock", &clocks, report).map_or(UnsetClock::Send, |found| found.value);
    let from = section.choice("from", &[("start", Start::Oldest), ("now", Start::Now)], report);
    format.check(select.as_ref(), subjects.as_deref(), batch.messages, report);
    let at = at?;
    let route = RouteSite {
        name: name?,
        subjects: subjects?,
        except,
        filter: filter.map(|(sql, _)| sql),
        select: select.map(|(sql, _)| sql),
        class,
        // Places of targets are counted without those that are wrong.
        target: around.targets[..at].iter().filter(|target| target.site.is_some()).count(),
        topic,
        format: format.site,
        template_place: format.template_place,
        batch_messages: batch.messages,
        batch_bytes: batch.bytes,
        batch_age: batch.age,
        on_full,
        ttl,
        rate,
        order,
        unset_clock,
        from: from.map_or(Start::Now, |found| found.value),
    };
    Some((route, at))
}

fn name(section: &mut Section<'_>, routes: &[Placed], report: &mut Report) -> Option<Arc<str>> {
    let found = section.required("name", report)?;
    if !quantity::is_name(&found.value) {
        let problem = Problem::new(format!("`{}` cannot be a name", found.value));
        report.add(&found.mark, problem.help("letters, digits, `-`, `_` and `.`, at most 64"));
    }
    if routes.iter().any(|other| other.route.name == found.value) {
        report.add(&found.mark, Problem::new(format!("a second route `{}`", found.value)));
    }
    Some(found.value)
}

fn subjects(section: &mut Section<'_>, report: &mut Report) -> Option<Vec<Filter>> {
    let found = subjects::read(section, "subjects", report).map(subjects::values);
    let none_given = section.entry("subjects").is_none_or(|entry| is_empty(&entry.node.item));
    if none_given {
        let mark = section.mark();
        report
            .add(mark, Problem::new(mark.say("this route takes nothing")).help("subjects = [\"#\"] takes everything"));
    }
    found
}

fn is_empty(item: &Item) -> bool {
    matches!(item, Item::List(nodes) if nodes.is_empty())
}

/// SQL with its place; an empty text says nothing.
fn sql(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<(SqlSite, Mark)> {
    let source = section.source(key, report)?;
    if source.text.trim().is_empty() {
        let problem = Problem::new(source.mark.say(format!("`{key}` is empty")));
        report.add(&source.mark, problem.help(format!("leave `{key}` out, or write an SQL expression")));
        return None;
    }
    Some((SqlSite { text: source.text, line: source.line, column: source.column }, source.mark))
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

fn topic(
    section: &mut Section<'_>,
    target: Option<&TargetKind>,
    format: &FormatSite,
    site: &str,
    report: &mut Report,
) -> String {
    let form = target.map_or_else(Form::default, Form::of);
    let own = matches!(format, FormatSite::SparkplugB { .. } | FormatSite::Alink { .. });
    let refusal = match (form.topic, own) {
        (_, true) => "this format has topics of its own".to_owned(),
        (None, _) => format!("{} has no topics", form.noun),
        (Some(default), false) => {
            return match section.text("topic", report) {
                Some(found) => topic::read(&found, &TOPIC, site, report),
                None => default.replace("{site}", site),
            };
        }
    };
    section.forbid("topic", &refusal, "leave `topic` out", report);
    String::new()
}

/// What two routes may not share.
fn check_neighbours(placed: &Placed, before: &[Placed], targets: &[Target], report: &mut Report) {
    let name = |route: &Placed| route.route.name.clone();
    for other in before.iter().filter(|other| same_node(placed, other, targets)) {
        let message = format!("routes {} and {} are the same Sparkplug node", name(other), name(placed));
        let help = "a node counts its messages without gaps, so it is one route; name another `node`";
        report.add(&placed.mark, Problem::new(message).help(help));
    }
    let lonely = targets[placed.target].is_for_one_route();
    if let Some(other) = before.iter().find(|other| lonely && other.target == placed.target) {
        let target = &targets[placed.target].name;
        let message = format!("routes {} and {} both lead to target {target}", name(other), name(placed));
        let help =
            "this platform has one connection for each device; make it one route, or two targets with a device each";
        report.add(&placed.mark, Problem::new(message).help(help));
    }
}

fn same_node(a: &Placed, b: &Placed, targets: &[Target]) -> bool {
    let is_sparkplug = matches!(a.route.format, FormatSite::SparkplugB { .. });
    is_sparkplug && a.route.format == b.route.format && targets[a.target].is_same_broker(&targets[b.target])
}
