//! Whether one list of steps leads to another, values considered.

use super::acts;
use super::conditions::{Case, Of, Want, cases, meet};
use super::domain::Set;
use super::graph::{Graph, Thing, block_of, scene_of};
use super::writes::Write;
use crate::plan::{Condition, Plan, SceneIx, TriggerIx, What};
use crate::values::Slot;
use edgeway_sdk::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The most links between scenes that are looked at.
const LINKS_MAX: usize = 200_000;
/// The most lists of steps that are looked at for what some lead to.
const REACHED_MAX: usize = 4_096;

/// How a list of steps leads to another. Numbers are places in its effects.
pub(super) enum Link {
    Set { write: usize, trigger: TriggerIx },
    Rows { write: usize, query: Arc<str> },
    Emit(usize),
    Run,
}

/// Who leads to whom, as far as it has been asked for.
pub(super) struct Links<'g, 'a> {
    graph: &'g Graph<'a>,
    known: HashMap<u32, BTreeMap<u32, Vec<Link>>>,
    /// How many links will still be looked at.
    left: usize,
}

impl<'g, 'a> Links<'g, 'a> {
    pub(super) fn new(graph: &'g Graph<'a>) -> Self {
        Links { graph, known: HashMap::new(), left: LINKS_MAX }
    }

    /// The lists of steps that one leads to.
    pub(super) fn targets(&self, from: u32) -> impl Iterator<Item = u32> {
        self.known.get(&from).into_iter().flat_map(|links| links.keys().copied())
    }

    pub(super) fn between(&self, from: u32, to: u32) -> &[Link] {
        self.known.get(&from).and_then(|links| links.get(&to)).map_or(&[], Vec::as_slice)
    }

    /// Looks where a list of steps leads.
    pub(super) fn add(&mut self, from: u32) {
        if self.left > 0 && !self.known.contains_key(&from) {
            let found = self.found(from);
            self.known.insert(from, found);
        }
    }

    fn found(&mut self, from: u32) -> BTreeMap<u32, Vec<Link>> {
        let mut found: BTreeMap<u32, Vec<Link>> = BTreeMap::new();
        for (way, thing) in ways(self.graph, from) {
            for (trigger, scene) in set_off(self.graph, from, &way, thing.as_ref()) {
                for to in self.graph.blocks_of(scene) {
                    if self.left == 0 {
                        return found;
                    }
                    self.left -= 1;
                    if leads(self.graph, from, &way, trigger, to) {
                        found.entry(to).or_default().extend(way.named(trigger));
                    }
                }
            }
        }
        found
    }

    /// The same for everything that can be reached from some.
    pub(super) fn add_reached(&mut self, starts: &[u32]) {
        let mut seen: HashSet<u32> = starts.iter().copied().collect();
        let mut open: Vec<u32> = starts.to_vec();
        while let Some(vertex) = open.pop() {
            self.add(vertex);
            let fresh: Vec<u32> = self.targets(vertex).filter(|target| !seen.contains(target)).collect();
            for target in fresh.into_iter().take(REACHED_MAX.saturating_sub(seen.len())) {
                seen.insert(target);
                open.push(target);
            }
        }
    }
}

/// The scenes that a way out may set off, and by which trigger.
fn set_off(graph: &Graph<'_>, from: u32, way: &Way, thing: Option<&Thing>) -> Vec<(Option<TriggerIx>, SceneIx)> {
    let triggers = thing.into_iter().flat_map(|thing| graph.triggers_of(thing));
    let by_trigger = triggers.map(|trigger| (Some(trigger), graph.plan.trigger(trigger).scene));
    let by_hand = match way {
        Way::Run(at) => Some((None, graph.effects[from as usize].runs[*at].scene)),
        _ => None,
    };
    by_trigger.chain(by_hand).collect()
}

/// A way out of a list of steps.
enum Way {
    Set(usize),
    Rows(usize, Arc<str>),
    Emit(usize),
    Run(usize),
}

impl Way {
    fn named(&self, trigger: Option<TriggerIx>) -> Option<Link> {
        Some(match self {
            Way::Set(write) => Link::Set { write: *write, trigger: trigger? },
            Way::Rows(write, query) => Link::Rows { write: *write, query: query.clone() },
            Way::Emit(at) => Link::Emit(*at),
            Way::Run(_) => Link::Run,
        })
    }
}

fn ways(graph: &Graph<'_>, from: u32) -> Vec<(Way, Option<Thing>)> {
    let effects = &graph.effects[from as usize];
    let mut ways = vec![];
    for (at, write) in effects.writes.iter().enumerate() {
        ways.push((Way::Set(at), Some(Thing::Property(write.slot))));
        let rows = graph.rows_of(write.slot);
        ways.extend(rows.map(|(query, device)| (Way::Rows(at, query.clone()), Some(Thing::Rows(query, device)))));
    }
    let emits = effects.emits.iter().enumerate();
    ways.extend(emits.map(|(at, emit)| (Way::Emit(at), Some(Thing::Event(emit.device, emit.event)))));
    ways.extend((0..effects.runs.len()).map(|at| (Way::Run(at), None)));
    ways
}

/// Whether a way out of one list can let the other run.
fn leads(graph: &Graph<'_>, from: u32, way: &Way, trigger: Option<TriggerIx>, to: u32) -> bool {
    let (plan, effects) = (graph.plan, &graph.effects[from as usize]);
    let known = match way {
        Way::Set(at) => after(&effects.writes, &effects.writes[*at]),
        // A row may come of values of long ago.
        Way::Rows(..) => Case::default(),
        Way::Emit(at) => before(&effects.writes, effects.emits[*at].breath),
        Way::Run(at) => before(&effects.writes, effects.runs[*at].breath),
    };
    let mut met = vec![known];
    if let (Way::Set(at), Some(trigger)) = (way, trigger) {
        let trigger = plan.trigger(trigger);
        if let What::Edge(condition) = &trigger.what
            && !turns(plan, condition, &effects.writes[*at], Want::True)
        {
            return false;
        }
        met = meet(met, &acts::goes_off(plan, trigger));
    }
    !acts::runs(plan, plan.scene(scene_of(to)), block_of(to), met).is_empty()
}

/// What is known once a device has taken a value: that value, and those that were set with it.
fn after(writes: &[Write<'_>], write: &Write<'_>) -> Case {
    let with = writes.iter().filter(|other| other.step < write.step || other.breath == write.breath);
    let mut known = values(with);
    known.retain(|slot, _| *slot != write.slot);
    known.extend(write.value.map(|value| (write.slot, value)));
    case(known)
}

/// What is known of the values that were set some time before.
fn before(writes: &[Write<'_>], breath: u32) -> Case {
    case(values(writes.iter().filter(|write| write.breath < breath)))
}

fn values<'a>(writes: impl Iterator<Item = &'a Write<'a>>) -> BTreeMap<Slot, &'a Value> {
    let mut known = BTreeMap::new();
    for write in writes {
        match write.value.filter(|_| write.is_sure()) {
            Some(value) => known.insert(write.slot, value),
            None => known.remove(&write.slot),
        };
    }
    known
}

fn case(known: BTreeMap<Slot, &Value>) -> Case {
    let valued = known.into_iter().filter_map(|(slot, value)| Some(Case::valued(slot, Set::just(value)?)));
    valued.fold(Case::default(), |all, one| all.meet(&one).unwrap_or_default())
}

/// Whether setting a property can turn a condition into what is wanted from its opposite, all else staying as it is.
pub(super) fn turns(plan: &Plan, condition: &Condition, write: &Write<'_>, want: Want) -> bool {
    let condition = at_once(plan, condition);
    let (slot, value) = (write.slot, write.value.and_then(Set::just));
    let fits = |case: &Case| match (&value, case.get(Of::Value(slot))) {
        (Some(value), Some(set)) => !set.meet(value).is_empty(),
        _ => true,
    };
    let rest = |case: &Case| case.without(Of::Value(slot));
    let was = cases(plan, &condition, want.opposite());
    let becomes = cases(plan, &condition, want);
    becomes.iter().filter(|case| fits(case)).any(|new| was.iter().any(|old| rest(new).meet(&rest(old)).is_some()))
}

/// The same condition without spans: what has to hold for a while begins and ends at once.
fn at_once(plan: &Plan, condition: &Condition) -> Condition {
    let each = |parts: &[Condition]| parts.iter().map(|part| at_once(plan, part)).collect();
    match condition {
        Condition::Held(held) => at_once(plan, &plan.helds[held.0 as usize].inner),
        Condition::All(parts) => Condition::All(each(parts)),
        Condition::Any(parts) => Condition::Any(each(parts)),
        Condition::Not(inner) => Condition::Not(Box::new(at_once(plan, inner))),
        Condition::OrUnknown(inner) => Condition::OrUnknown(Box::new(at_once(plan, inner))),
        other => other.clone(),
    }
}
