//! Scenes that act on one change and set one property to different values.

use super::acts;
use super::conditions::{Case, Want, anything, cases, meet};
use super::findings::{Findings, Kind};
use super::writes::{Write, writes};
use crate::plan::{
    Block, Clause, Condition, Doing, Finding, Leaf, Plan, RowOf, SceneIx, Trigger, TriggerIx, What, show,
};
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::EventIx;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// The most pairs of scenes that are compared for one property, and for all.
const PAIRS_MAX: usize = 256;
const ALL_PAIRS_MAX: usize = 50_000;

const HELP: &str = "give one of them a priority, or write `.allow(\"conflict\")`";

/// Something that can set off several scenes at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Source {
    /// A property, and for how long it has to stay so.
    Property(Slot, Option<Duration>),
    Device(DeviceIx, Option<Duration>),
    Event(DeviceIx, EventIx),
    Row(Arc<str>),
    Cron(Arc<str>),
    Start,
}

/// A scene that sets a property to a value that is known.
#[derive(Debug, Clone)]
struct Writer<'a> {
    scene: SceneIx,
    block: Block,
    value: &'a Value,
    under: Vec<(&'a Clause, Want)>,
}

/// Writers of one property and one priority by what sets them off, and then by value.
type Groups<'a> = HashMap<(Slot, Source, i64), BTreeMap<String, Vec<Entry<'a>>>>;

/// A writer with what sets it off.
type Entry<'a> = (TriggerIx, Writer<'a>);

/// Says which scenes overrule each other without anyone having said which is to win.
pub(super) fn writers(plan: &Plan, findings: &mut Findings<'_>) {
    let mut groups: Vec<_> = groups(plan).into_iter().filter(|(_, by_value)| by_value.len() > 1).collect();
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut told: HashSet<(SceneIx, SceneIx, Slot)> = HashSet::new();
    let mut looked: HashMap<Slot, usize> = HashMap::new();
    let mut all = 0;
    for ((slot, source, _), by_value) in &groups {
        let looked = looked.entry(*slot).or_default();
        for (first, second) in pairs(by_value) {
            if *looked >= PAIRS_MAX || all >= ALL_PAIRS_MAX {
                break;
            }
            *looked += 1;
            all += 1;
            let (first, second) = if first.1.scene < second.1.scene { (first, second) } else { (second, first) };
            if !told.contains(&(first.1.scene, second.1.scene, *slot)) && conflict(plan, first, second) {
                told.insert((first.1.scene, second.1.scene, *slot));
                report(plan, (*slot, source), &first.1, &second.1, findings);
            }
        }
    }
}

fn groups(plan: &Plan) -> Groups<'_> {
    let writers: Vec<Vec<(Slot, Writer<'_>)>> = (0..plan.scenes.len()).map(|at| of_scene(plan, at)).collect();
    let mut counts: HashMap<Slot, usize> = HashMap::new();
    writers.iter().flatten().for_each(|(slot, _)| *counts.entry(*slot).or_default() += 1);
    let mut groups: Groups<'_> = HashMap::new();
    for (scene, writers) in plan.scenes.iter().zip(writers) {
        for (slot, writer) in writers.into_iter().filter(|(slot, _)| counts[slot] > 1) {
            for at in scene.triggers.clone() {
                for source in sources(plan, &plan.triggers[at as usize]) {
                    let by_value = groups.entry((slot, source, scene.priority)).or_default();
                    by_value.entry(writer.value.to_string()).or_default().push((TriggerIx(at), writer.clone()));
                }
            }
        }
    }
    groups
}

/// What a scene sets at once to values that are known. What it sets after a while has nothing to do with the change.
fn of_scene(plan: &Plan, at: usize) -> Vec<(Slot, Writer<'_>)> {
    let (scene, ix) = (&plan.scenes[at], SceneIx(at as u32));
    if scene.allows.contains(&Finding::Conflict) {
        return vec![];
    }
    let mut found = vec![];
    for block in [Block::Then, Block::Otherwise] {
        let mut last: BTreeMap<Slot, Option<Writer<'_>>> = BTreeMap::new();
        for Write { slot, value, under, breath, undoes, .. } in writes(plan, scene.program(block)) {
            if breath == 0 && !undoes {
                last.insert(slot, value.map(|value| Writer { scene: ix, block, value, under }));
            }
        }
        found.extend(last.into_iter().filter_map(|(slot, writer)| Some((slot, writer?))));
    }
    found
}

fn sources(plan: &Plan, trigger: &Trigger) -> Vec<Source> {
    match &trigger.what {
        What::Edge(condition) | What::Level(condition) => of_condition(plan, condition),
        What::Changed(slot) => vec![Source::Property(*slot, None)],
        What::Event(device, event) => vec![Source::Event(*device, *event)],
        What::Row(of) => vec![Source::Row(of.query.clone())],
        What::Cron(_) => vec![Source::Cron(trigger.text.clone())],
        What::Start => vec![Source::Start],
    }
}

fn of_condition(plan: &Plan, condition: &Condition) -> Vec<Source> {
    let mut found = vec![];
    let mut open = vec![(condition, None::<Duration>)];
    while let Some((condition, dwell)) = open.pop() {
        condition.each_leaf(&mut |leaf| match leaf {
            Leaf::Slot(slot) => found.push(Source::Property(slot, dwell)),
            Leaf::Device(device) => found.push(Source::Device(device, dwell)),
            Leaf::Held(held) => {
                let held = &plan.helds[held.0 as usize];
                open.push((&held.inner, Some(dwell.unwrap_or_default().saturating_add(held.dwell))));
            }
            Leaf::Clock | Leaf::Script => {}
        });
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// All pairs of different values.
fn pairs<'g, 'a>(
    by_value: &'g BTreeMap<String, Vec<Entry<'a>>>,
) -> impl Iterator<Item = (&'g Entry<'a>, &'g Entry<'a>)> {
    let groups: Vec<&Vec<Entry<'a>>> = by_value.values().collect();
    let count = groups.len();
    let of = (0..count).flat_map(move |left| (left + 1..count).map(move |right| (left, right)));
    of.flat_map(move |(left, right)| {
        let right = groups[right];
        groups[left].iter().flat_map(move |first| right.iter().map(move |second| (first, second)))
    })
}

fn conflict(plan: &Plan, first: &Entry<'_>, second: &Entry<'_>) -> bool {
    first.1.scene != second.1.scene
        && can_meet(plan, first, second)
        && !runs(plan, first.1.scene, second.1.scene)
        && !runs(plan, second.1.scene, first.1.scene)
}

/// Whether both can act at one moment.
fn can_meet(plan: &Plan, first: &Entry<'_>, second: &Entry<'_>) -> bool {
    let (one, other) = (plan.trigger(first.0), plan.trigger(second.0));
    if let (What::Row(one), What::Row(other)) = (&one.what, &other.what)
        && contradict(one, other)
    {
        return false;
    }
    let mut met = anything();
    for (trigger, writer) in [(one, &first.1), (other, &second.1)] {
        met = writes_then(plan, writer, meet(met, &acts::goes_off(plan, trigger)));
    }
    !met.is_empty()
}

fn contradict(one: &RowOf, other: &RowOf) -> bool {
    one.columns.iter().any(|(name, value)| other.columns.iter().any(|(n, v)| n == name && v != value))
}

/// How a writer comes to write.
fn writes_then(plan: &Plan, writer: &Writer<'_>, met: Vec<Case>) -> Vec<Case> {
    let met = acts::runs(plan, plan.scene(writer.scene), writer.block, met);
    let under = writer.under.iter();
    under.fold(met, |met, (clause, want)| meet(met, &cases(plan, &clause.condition, *want)))
}

/// Whether a scene runs another, directly or through others.
fn runs(plan: &Plan, from: SceneIx, to: SceneIx) -> bool {
    let (mut seen, mut open) = (HashSet::from([from]), vec![from]);
    while let Some(scene) = open.pop() {
        let scene = plan.scene(scene);
        for step in scene.then.steps.iter().chain(&scene.otherwise.steps) {
            if let Doing::RunScene(next) = step.doing
                && seen.insert(next)
            {
                open.push(next);
            }
        }
    }
    from != to && seen.contains(&to)
}

fn report(
    plan: &Plan,
    (slot, source): (Slot, &Source),
    first: &Writer<'_>,
    second: &Writer<'_>,
    findings: &mut Findings<'_>,
) {
    let (a, b) = (&plan.scene(first.scene).name, &plan.scene(second.scene).name);
    let shown = |writer: &Writer<'_>| show(plan.data_type(slot), writer.value);
    let message = format!(
        "`{a}` and `{b}` can both act on {} and set {} to {} and {}; the name decides: `{a}` comes first",
        moment(plan, source),
        plan.slot_name(slot),
        shown(first),
        shown(second),
    );
    let property = u32::from(plan.slots.place(slot).1.0);
    let scenes = [first.scene, second.scene];
    findings.warn_together(&scenes, Kind::Writers, property, message, HELP);
}

fn moment(plan: &Plan, source: &Source) -> String {
    let id = |device: DeviceIx| &plan.things.device(device).id;
    match source {
        Source::Property(slot, _) => format!("one change of {}", plan.slot_name(*slot)),
        Source::Device(device, _) => format!("one change of whether {} is online", id(*device)),
        Source::Event(device, event) => {
            let name = &plan.things.model_of(*device).events[usize::from(event.0)].identifier;
            format!("one event {name} of {}", id(*device))
        }
        Source::Row(query) => format!("one row of {query}"),
        Source::Cron(text) => format!("one moment, {text},"),
        Source::Start => "the start of the site".to_owned(),
    }
}
