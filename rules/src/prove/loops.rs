//! Scenes that set each other off in a circle.
//!
//! A scene leads to another if it sets a property to what lets a trigger of the other go off, tells an event that the other
//! waits for, sets what a query reads whose rows the other waits for, or runs it. What `run` closures do is not known, so
//! they lead nowhere. A trigger that waits for a condition to turn true goes off again and again only if something makes it
//! false in between: the circle itself, or a scene that is set off beside it.

use super::components::{circles, components};
use super::findings::{Findings, Kind};
use super::graph::{Graph, Reads, block_of, scene_of};
use super::links::{Link, Links};
use super::resets::{Place, Reset, Resets};
use crate::plan::{Block, Computed, Deed, Plan, SceneIx};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The most circles that are looked for: among scenes that lead to each other, and in all.
const CIRCLES_MAX: usize = 20;
const ALL_CIRCLES_MAX: usize = 2_000;
/// The most scenes of a loop that are named.
const SHOWN_MAX: usize = 9;

const HELP: &str = "a chain is stopped at run time after 8; if it is meant, write `.allow(\"loop\")`";

/// Says which scenes set each other off in a circle.
pub(super) fn loops(plan: &Plan, reads: &Reads, findings: &mut Findings<'_>) {
    let graph = Graph::new(plan, reads);
    let mut links = Links::new(&graph);
    let mut left = ALL_CIRCLES_MAX;
    for component in components(&graph.next) {
        let vertices: Vec<u32> = component.into_iter().filter(|vertex| graph.is_block(*vertex)).collect();
        vertices.iter().for_each(|vertex| links.add(*vertex));
        let next = inside(&links, &vertices);
        if !has_circle(&vertices, &next) {
            continue;
        }
        links.add_reached(&vertices);
        left = told(&graph, &links, (&vertices, &next), left, findings);
        if left == 0 {
            return;
        }
    }
}

/// Where vertices lead among themselves.
type Next = HashMap<u32, Vec<u32>>;

fn inside(links: &Links<'_, '_>, vertices: &[u32]) -> Next {
    let among = |from: &u32| links.targets(*from).filter(|to| vertices.binary_search(to).is_ok()).collect();
    vertices.iter().map(|from| (*from, among(from))).collect()
}

fn has_circle(vertices: &[u32], next: &Next) -> bool {
    let mut found = false;
    circles(
        vertices,
        |vertex| next.get(&vertex).map_or(&[], Vec::as_slice),
        |_| {
            found = true;
            false
        },
    );
    found
}

/// Tells the circles that can be walked again and again, and returns how many may still be told.
fn told(
    graph: &Graph<'_>,
    links: &Links<'_, '_>,
    (vertices, next): (&[u32], &Next),
    mut left: usize,
    findings: &mut Findings<'_>,
) -> usize {
    let mut told: HashSet<Vec<SceneIx>> = HashSet::new();
    let visit = |circle: &[u32]| {
        let scenes: Vec<SceneIx> = circle.iter().map(|vertex| scene_of(*vertex)).collect();
        if let Some(chosen) = chosen(links, &Resets::new(graph, links, circle), circle)
            && told.insert(scenes.clone())
        {
            findings.warn_together(&scenes, Kind::Loop, 0, message(graph, circle, &chosen), HELP);
            left -= 1;
        }
        told.len() < CIRCLES_MAX && left > 0
    };
    circles(vertices, |vertex| next.get(&vertex).map_or(&[], Vec::as_slice), visit);
    left
}

/// For each step of a circle a link that works again when the circle is walked again; `None` if there is none for some
/// step.
fn chosen<'l>(links: &'l Links<'_, '_>, resets: &Resets<'_, '_>, circle: &[u32]) -> Option<Vec<(&'l Link, Reset)>> {
    let steps = circle.iter().zip(circle.iter().cycle().skip(1));
    let living = |(from, to): (&u32, &u32)| {
        let mut links = links.between(*from, *to).iter();
        links.find_map(|link| Some((link, resets.reset(*from, link)?)))
    };
    steps.map(living).collect()
}

/// `possible loop: a -> b -> a: a sets x.p = 1, which sets off b; b runs a`. Of a long one the beginning and the last step.
fn message(graph: &Graph<'_>, circle: &[u32], links: &[(&Link, Reset)]) -> String {
    let round: Vec<u32> = circle.iter().chain(circle.first()).copied().collect();
    let names: Vec<String> = round.iter().map(|vertex| name(graph, *vertex).to_string()).collect();
    let steps = round.windows(2).zip(links).map(|(pair, (link, _))| {
        let who = match block_of(pair[0]) {
            Block::Then => name(graph, pair[0]).to_string(),
            Block::Otherwise => format!("the `otherwise` of {}", name(graph, pair[0])),
        };
        let whom = (pair[0] != pair[1]).then(|| name(graph, pair[1]));
        format!("{who} {}", step(graph, pair[0], link, whom))
    });
    let steps = shortened(steps.collect());
    format!("possible loop: {}: {}{}", shortened(names).join(" -> "), steps.join("; "), beside(graph, links))
}

/// What others do that lets the circle be walked again.
fn beside(graph: &Graph<'_>, links: &[(&Link, Reset)]) -> String {
    let place = |(_, reset): &(&Link, Reset)| match reset {
        Reset::Within => None,
        Reset::Beside(place) => Some(*place),
    };
    let places: BTreeSet<Place> = links.iter().filter_map(place).collect();
    let text = |(vertex, at): &Place| {
        let deed = graph.effects[*vertex as usize].writes[*at].deed;
        format!("; in between {} {}", name(graph, *vertex), sets(graph.plan, deed))
    };
    places.iter().map(text).collect()
}

fn name<'a>(graph: &Graph<'a>, vertex: u32) -> &'a str {
    &graph.plan.scene(scene_of(vertex)).name
}

/// What nobody would read left out.
fn shortened(mut items: Vec<String>) -> Vec<String> {
    if items.len() > SHOWN_MAX {
        let left_out = items.len() - SHOWN_MAX;
        items.splice(SHOWN_MAX - 1..items.len() - 1, [format!("({left_out} more)")]);
    }
    items
}

/// What a list of steps does that sets off another scene, or its own again.
fn step(graph: &Graph<'_>, from: u32, link: &Link, whom: Option<&str>) -> String {
    let (plan, effects) = (graph.plan, &graph.effects[from as usize]);
    let sets_off = |who: &str| match whom {
        Some(name) => format!("{who} off {name}"),
        None => format!("{who} it off again"),
    };
    match link {
        Link::Set { write, .. } => format!("{}, which {}", sets(plan, effects.writes[*write].deed), sets_off("sets")),
        Link::Rows { write, query } => {
            let deed = sets(plan, effects.writes[*write].deed);
            format!("{deed}, which the query {query} reads, whose rows {}", sets_off("set"))
        }
        Link::Emit(at) => {
            let emit = &effects.emits[*at];
            let event = &plan.things.model_of(emit.device).events[usize::from(emit.event.0)].identifier;
            let device = &plan.things.device(emit.device).id;
            format!("tells the event {event} of {device}, which {}", sets_off("sets"))
        }
        Link::Run => format!("runs {}", whom.unwrap_or("itself")),
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
