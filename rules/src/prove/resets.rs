//! What lets a circle be walked more than once.

use super::conditions::Want;
use super::graph::Graph;
use super::links::{Link, Links, turns};
use super::writes::Write;
use crate::plan::{Leaf, What};
use crate::values::Slot;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

/// A list of steps and the place of something that it sets.
pub(super) type Place = (u32, usize);

/// What is set in the course of a circle.
pub(super) struct Resets<'c, 'a> {
    graph: &'c Graph<'a>,
    links: &'c Links<'c, 'a>,
    circle: &'c [u32],
    within: HashMap<Slot, Vec<Place>>,
    /// By those that are set off beside it.
    beside: OnceCell<HashMap<Slot, Vec<Place>>>,
}

/// What makes a link work again.
pub(super) enum Reset {
    /// Nothing is needed, or the circle does it.
    Within,
    Beside(Place),
}

impl<'c, 'a> Resets<'c, 'a> {
    pub(super) fn new(graph: &'c Graph<'a>, links: &'c Links<'c, 'a>, circle: &'c [u32]) -> Self {
        Resets { graph, links, circle, within: by_slot(graph, circle), beside: OnceCell::new() }
    }

    /// What makes a link work again when the circle is walked again; `None`: nothing does. What waits for a condition to
    /// turn true needs something that makes it false in between, what waits for a change another value.
    pub(super) fn reset(&self, from: u32, link: &Link) -> Option<Reset> {
        let Link::Set { write, trigger } = link else { return Some(Reset::Within) };
        let own = &self.graph.effects[from as usize].writes[*write];
        let what = &self.graph.plan.trigger(*trigger).what;
        let resets = |other: &Write<'_>| match what {
            What::Edge(condition) => turns(self.graph.plan, condition, other, Want::False),
            _ => other.value.is_none() || other.value != own.value,
        };
        let needs_none = match what {
            What::Edge(_) => false,
            // A script may say another value each time.
            What::Changed(_) => own.value.is_none(),
            _ => true,
        };
        if needs_none {
            return Some(Reset::Within);
        }
        let slots = slots(self.graph, what);
        let found = |places: &HashMap<Slot, Vec<Place>>| {
            let mut places = slots.iter().filter_map(|slot| places.get(slot)).flatten().copied();
            places
                .find(|place| *place != (from, *write) && resets(&self.graph.effects[place.0 as usize].writes[place.1]))
        };
        if found(&self.within).is_some() {
            return Some(Reset::Within);
        }
        found(self.beside.get_or_init(|| self.beside())).map(Reset::Beside)
    }

    fn beside(&self) -> HashMap<Slot, Vec<Place>> {
        let mut seen: HashSet<u32> = self.circle.iter().copied().collect();
        let (mut open, mut reached) = (self.circle.to_vec(), vec![]);
        while let Some(vertex) = open.pop() {
            for target in self.links.targets(vertex) {
                if seen.insert(target) {
                    open.push(target);
                    reached.push(target);
                }
            }
        }
        reached.sort_unstable();
        by_slot(self.graph, &reached)
    }
}

fn by_slot(graph: &Graph<'_>, vertices: &[u32]) -> HashMap<Slot, Vec<Place>> {
    let mut found: HashMap<Slot, Vec<Place>> = HashMap::new();
    for vertex in vertices {
        for (at, write) in graph.effects[*vertex as usize].writes.iter().enumerate() {
            found.entry(write.slot).or_default().push((*vertex, at));
        }
    }
    found
}

/// The properties that a trigger reads.
fn slots(graph: &Graph<'_>, what: &What) -> Vec<Slot> {
    let mut found = vec![];
    let mut visit = |leaf| {
        if let Leaf::Slot(slot) = leaf {
            found.push(slot);
        }
    };
    match what {
        What::Edge(condition) | What::Level(condition) => graph.plan.each_source(condition, &mut visit),
        what => what.each_leaf(&mut visit),
    }
    found.sort_unstable();
    found.dedup();
    found
}
