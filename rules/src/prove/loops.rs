//! Scenes that set each other off in a circle.
//!
//! A scene leads to another if it sets a property to what lets a trigger of the other go off, tells an event that the other
//! waits for, sets what a query reads whose rows the other waits for, or runs it. What `run` closures do is not known, so
//! they lead nowhere. A trigger that waits for a condition to turn true goes off in a circle only if something in the circle
//! makes it false again.

use super::components::{circles, components};
use super::findings::{Findings, Kind};
use super::graph::{Graph, Reads, block_of, scene_of};
use super::links::{Link, Links, links, lives};
use crate::plan::{Block, Computed, Deed, Plan, SceneIx};
use std::collections::{BTreeMap, HashSet};

/// The most circles that are looked for: among scenes that lead to each other, and in all.
const CIRCLES_MAX: usize = 20;
const ALL_CIRCLES_MAX: usize = 2_000;
/// The most links between scenes that are looked at.
const LINKS_MAX: usize = 50_000;

const HELP: &str = "a chain is stopped at run time after 8; if it is meant, write `.allow(\"loop\")`";

/// Says which scenes set each other off in a circle.
pub(super) fn loops(plan: &Plan, reads: &Reads, findings: &mut Findings<'_>) {
    let graph = Graph::new(plan, reads);
    let (mut links_left, mut circles_left) = (LINKS_MAX, ALL_CIRCLES_MAX);
    for component in components(&graph.next) {
        let links = links(&graph, &component, &mut links_left);
        let next = targets(&links);
        let vertices: Vec<u32> = next.keys().copied().collect();
        let mut told: HashSet<Vec<SceneIx>> = HashSet::new();
        let visit = |circle: &[u32]| {
            let scenes = circle.iter().map(|vertex| scene_of(*vertex)).collect();
            if let Some(chosen) = chosen(&graph, circle, &links)
                && told.insert(scenes)
            {
                findings.warn(scene_of(circle[0]), Kind::Loop, message(&graph, circle, &chosen), HELP);
                circles_left -= 1;
            }
            told.len() < CIRCLES_MAX && circles_left > 0
        };
        circles(&vertices, |vertex| next.get(&vertex).map_or(&[], Vec::as_slice), visit);
        if circles_left == 0 {
            return;
        }
    }
}

fn targets(links: &Links) -> BTreeMap<u32, Vec<u32>> {
    let mut next: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (from, to) in links.keys() {
        next.entry(*from).or_default().push(*to);
    }
    next
}

/// For each step of a circle a link that goes on working when it is walked again; `None` if there is none for some step.
fn chosen<'l>(graph: &Graph<'_>, circle: &[u32], links: &'l Links) -> Option<Vec<&'l Link>> {
    let steps = circle.iter().zip(circle.iter().cycle().skip(1));
    steps.map(|(from, to)| links.get(&(*from, *to))?.iter().find(|link| lives(graph, circle, *from, link))).collect()
}

/// `possible loop: a -> b -> a: a sets x.p = 1, which sets off b; b runs a`.
fn message(graph: &Graph<'_>, circle: &[u32], links: &[&Link]) -> String {
    let name = |vertex: u32| graph.plan.scene(scene_of(vertex)).name.clone();
    let round = || circle.iter().chain(circle.first()).copied();
    let chain = round().map(|vertex| name(vertex).to_string()).collect::<Vec<_>>().join(" -> ");
    let steps = circle.iter().zip(round().skip(1)).zip(links);
    let steps = steps.map(|((from, to), link)| {
        let who = match block_of(*from) {
            Block::Then => name(*from).to_string(),
            Block::Otherwise => format!("the `otherwise` of {}", name(*from)),
        };
        let to = if to == *from { "it again".to_owned() } else { name(to).to_string() };
        format!("{who} {}", step(graph, *from, link, &to))
    });
    format!("possible loop: {chain}: {}", steps.collect::<Vec<_>>().join("; "))
}

fn step(graph: &Graph<'_>, from: u32, link: &Link, to: &str) -> String {
    let effects = &graph.effects[from as usize];
    match link {
        Link::Set { write, .. } => format!("{}, which sets off {to}", sets(graph.plan, effects.writes[*write].deed)),
        Link::Rows { write, query } => {
            let sets = sets(graph.plan, effects.writes[*write].deed);
            format!("{sets}, which the query {query} reads, whose rows set off {to}")
        }
        Link::Emit(at) => {
            let emit = &effects.emits[*at];
            let model = graph.plan.things.model_of(emit.device);
            let event = &model.events[usize::from(emit.event.0)].identifier;
            format!("tells the event {event} of {}, which sets off {to}", graph.plan.things.device(emit.device).id)
        }
        Link::Run => format!("runs {to}"),
    }
}

fn sets(plan: &Plan, deed: &Deed) -> String {
    let text = deed.text(&plan.things);
    let text = text.strip_prefix("set ").unwrap_or(&text);
    match deed {
        Deed::Set { value: Computed::Script(_), .. } => {
            format!("sets {} to what a closure says", text.trim_end_matches(" = .."))
        }
        _ => format!("sets {text}"),
    }
}
