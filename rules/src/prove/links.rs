//! Whether one list of steps leads to another, values considered.

use super::acts;
use super::conditions::{Case, Of, Want, cases, meet};
use super::domain::Set;
use super::graph::{Graph, Thing, block_of, scene_of};
use super::writes::Write;
use crate::plan::{Condition, Plan, TriggerIx, What};
use crate::values::Slot;
use edgeway_sdk::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a list of steps leads to another. Numbers are places in its effects.
pub(super) enum Link {
    Set { write: usize, trigger: TriggerIx },
    Rows { write: usize, query: Arc<str> },
    Emit(usize),
    Run,
}

/// Who leads to whom, and how.
pub(super) type Links = BTreeMap<(u32, u32), Vec<Link>>;

/// All links inside of a component, as far as there is patience left.
pub(super) fn links(graph: &Graph<'_>, component: &[u32], left: &mut usize) -> Links {
    let mut links = Links::new();
    let is_in = |vertex: &u32| component.binary_search(vertex).is_ok();
    for from in component.iter().copied().filter(|vertex| graph.is_block(*vertex)) {
        for (link, thing) in ways(graph, from) {
            let triggers = thing.iter().flat_map(|thing| graph.triggers_of(thing));
            let by_trigger = triggers.map(|trigger| (Some(trigger), graph.plan.trigger(trigger).scene));
            let by_hand = match link {
                Way::Run(at) => Some((None, graph.effects[from as usize].runs[at].scene)),
                _ => None,
            };
            for (trigger, scene) in by_trigger.chain(by_hand) {
                for to in graph.blocks_of(scene).filter(is_in) {
                    if *left == 0 {
                        return links;
                    }
                    *left -= 1;
                    if leads(graph, from, &link, trigger, to) {
                        links.entry((from, to)).or_default().extend(link.named(trigger));
                    }
                }
            }
        }
    }
    links
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

/// Whether a link goes on working when a circle is walked again: what waits for a condition to turn true needs something
/// that makes it false in between, what waits for a change another value.
pub(super) fn lives(graph: &Graph<'_>, circle: &[u32], from: u32, link: &Link) -> bool {
    let Link::Set { write, trigger } = link else { return true };
    let own = &graph.effects[from as usize].writes[*write];
    let writes = circle.iter().flat_map(|vertex| &graph.effects[*vertex as usize].writes);
    let mut others = writes.filter(|other| !std::ptr::eq(*other, own));
    match &graph.plan.trigger(*trigger).what {
        What::Edge(condition) => others.any(|other| turns(graph.plan, condition, other, Want::False)),
        What::Changed(slot) => {
            own.value.is_none() || others.any(|other| other.slot == *slot && other.value != own.value)
        }
        _ => true,
    }
}

/// Whether setting a property can turn a condition into what is wanted from its opposite, all else staying as it is.
fn turns(plan: &Plan, condition: &Condition, write: &Write<'_>, want: Want) -> bool {
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
