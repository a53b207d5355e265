//! `trigger`: what sets the scene off.

use super::node::Node;
use super::rule::{Timer, Trigger, Who};
use super::{ImportSite, branches, comparison, cron, places};
use edgeway_sdk::Problem;
use edgeway_thing_models::{EventIx, Things};

const URIS: [&str; 8] = [
    "trigger/timer",
    "trigger/device/property",
    "trigger/device/event",
    "trigger/device/statusChange",
    "trigger/product/property",
    "trigger/product/event",
    "trigger/product/statusChange",
    "logical/or",
];

pub(super) fn read(node: Option<Node<'_>>, site: &ImportSite<'_>, problems: &mut Vec<Problem>) -> Vec<Trigger> {
    let mut triggers = vec![];
    match branches::of(node.clone(), "logical/or") {
        Err(problem) => problems.push(problem),
        Ok(nodes) => nodes.into_iter().for_each(|node| match trigger(node, site) {
            Ok(found) => triggers.extend(found),
            Err(problem) => problems.push(problem),
        }),
    }
    // One node can stand for several.
    if let Some(node) = node.filter(|_| triggers.len() > branches::BRANCHES_MAX) {
        let count = triggers.len();
        problems.push(node.problem(format!("{count} triggers are too many: at most {}", branches::BRANCHES_MAX)));
    }
    triggers
}

fn trigger(node: Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Trigger>, Problem> {
    let uri = node.need_text("uri")?;
    match uri {
        "logical/or" => {
            return Err(node.problem("a `logical/or` inside a `logical/or`").help("put its items into the outer one"));
        }
        uri if !URIS.contains(&uri) => return Err(node.need("uri")?.unknown("there is no trigger", uri, URIS)),
        _ => {}
    }
    let node = node.with_only(&["uri", "params"])?;
    match uri {
        "trigger/timer" => Ok(vec![Trigger::Timer(timer(&node.need("params")?)?)]),
        "trigger/device/property" | "trigger/product/property" => property(&node, site),
        "trigger/device/event" | "trigger/product/event" => event(&node, site),
        _ => status(&node, site),
    }
}

/// Also of a `condition/timer`.
pub(super) fn timer(params: &Node<'_>) -> Result<Timer, Problem> {
    let params = params.clone().with_only(&["cron", "cronType", "timezoneID", "appShow"])?;
    let pattern = params.need("cron")?;
    let cron = match params.get_text("cronType")?.unwrap_or("linux") {
        "linux" => cron::linux(pattern.text()?),
        "quartz_cron" => cron::quartz(pattern.text()?),
        other => {
            return Err(params.need("cronType")?.unknown("there is no cron type", other, ["linux", "quartz_cron"]));
        }
    };
    let cron = cron.map_err(|reason| pattern.problem(reason))?;
    Ok(Timer { cron, zone: params.get_text("timezoneID")?.map(str::to_owned) })
}

fn property(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Trigger>, Problem> {
    let params = places::params(node, &["propertyName", "compareType", "compareValue"])?;
    let who = places::who(node, site)?;
    let trigger = match (params.get("propertyName"), params.get("compareType")) {
        (None, None) => Trigger::AnyChanged(who),
        (None, Some(compare)) => return Err(compare.problem("without `propertyName` there is nothing to compare")),
        (Some(_), Some(_)) => Trigger::Level(comparison::read(&params, who, site.things)?),
        (Some(name), None) if params.get("compareValue").is_none() => {
            Trigger::Changed(who, places::property(&name, who, site.things)?)
        }
        (Some(_), None) => return Err(params.problem("`compareType` is missing")),
    };
    Ok(vec![trigger])
}

fn event(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Trigger>, Problem> {
    let params = places::params(node, &["eventCode", "propertyName", "compareType", "compareValue"])?;
    let who = places::who(node, site)?;
    if let Some(compare) = ["propertyName", "compareType", "compareValue"].iter().find_map(|key| params.get(key)) {
        return Err(compare
            .problem("scenes do not look into what an event carries")
            .help("write a query over the event that has this comparison, and set the scene off by its row"));
    }
    let events = match params.get("eventCode") {
        Some(code) => vec![places::event(&code, who, site.things)?],
        None => all_events(&params, who, site.things)?,
    };
    Ok(events.into_iter().map(|event| Trigger::Event(who, event)).collect())
}

fn all_events(params: &Node<'_>, who: Who, things: &Things) -> Result<Vec<EventIx>, Problem> {
    let model = who.model(things);
    match model.events.len() {
        0 => Err(params.problem(format!("`{}` has no events", model.name))),
        count => Ok((0..count).map(|at| EventIx(at as u16)).collect()),
    }
}

fn status(node: &Node<'_>, site: &ImportSite<'_>) -> Result<Vec<Trigger>, Problem> {
    let params = places::params(node, &["status"])?;
    let who = places::who(node, site)?;
    let Some(status) = params.get("status") else { return Ok(vec![Trigger::Online(who), Trigger::Offline(who)]) };
    match status.text()? {
        word if word.eq_ignore_ascii_case("online") => Ok(vec![Trigger::Online(who)]),
        word if word.eq_ignore_ascii_case("offline") => Ok(vec![Trigger::Offline(who)]),
        other => Err(status.unknown("there is no status", other, ["online", "offline"])),
    }
}
