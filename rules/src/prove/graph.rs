//! What scenes do, and what waits for it.

use super::writes::{Write, writes};
use crate::plan::{Block, Deed, Doing, Finding, Plan, Program, SceneIx, TriggerIx, What, Who};
use crate::values::Slot;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{EventIx, ModelIx, PropertyIx};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Which properties each query reads, of itself or through other queries.
pub(crate) type Reads = BTreeMap<Arc<str>, Vec<(ModelIx, PropertyIx)>>;

/// Lists of steps, and the things by which they can set off each other. A scene's two lists are the vertices twice its
/// number and the one behind; behind all lists stand the things.
pub(super) struct Graph<'a> {
    pub(super) plan: &'a Plan,
    /// Of each list of steps. Of scenes that may be part of a loop there are none, so they lead nowhere.
    pub(super) effects: Vec<Effects<'a>>,
    /// Who may lead to whom, as long as values are not looked at.
    pub(super) next: Vec<Vec<u32>>,
    queries: Queries,
}

/// What a list of steps does that can set off scenes.
#[derive(Default)]
pub(super) struct Effects<'a> {
    pub(super) writes: Vec<Write<'a>>,
    pub(super) emits: Vec<Emit>,
    pub(super) runs: Vec<Run>,
}

/// An event that is told.
pub(super) struct Emit {
    pub(super) device: DeviceIx,
    pub(super) event: EventIx,
    /// How many steps before it took time.
    pub(super) breath: u32,
}

/// A scene that is run.
pub(super) struct Run {
    pub(super) scene: SceneIx,
    pub(super) breath: u32,
}

/// Something between two scenes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Property(Slot),
    Event(DeviceIx, EventIx),
    /// Rows of a query: those that have the id of a device in their column `device`, or any.
    Rows(Arc<str>, Option<DeviceIx>),
}

/// What is known of queries whose rows set off scenes.
struct Queries {
    readers: HashMap<(ModelIx, PropertyIx), Vec<Arc<str>>>,
    triggers: HashMap<(Arc<str>, Option<DeviceIx>), Vec<TriggerIx>>,
}

pub(super) fn scene_of(vertex: u32) -> SceneIx {
    SceneIx(vertex / 2)
}

pub(super) fn block_of(vertex: u32) -> Block {
    if vertex.is_multiple_of(2) { Block::Then } else { Block::Otherwise }
}

impl<'a> Graph<'a> {
    pub(super) fn new(plan: &'a Plan, reads: &Reads) -> Self {
        let blocks = plan.scenes.iter().flat_map(|scene| {
            let is_free = scene.allows.contains(&Finding::Loop);
            [&scene.then, &scene.otherwise]
                .map(|program| if is_free { Effects::default() } else { effects(plan, program) })
        });
        let effects: Vec<Effects<'a>> = blocks.collect();
        let mut graph = Graph { plan, next: vec![vec![]; effects.len()], effects, queries: Queries::new(plan, reads) };
        graph.connect();
        graph
    }

    /// Whether a vertex is a list of steps.
    pub(super) fn is_block(&self, vertex: u32) -> bool {
        (vertex as usize) < self.effects.len()
    }

    /// The lists of steps of a scene that is set off: the second one runs only if there are conditions.
    pub(super) fn blocks_of(&self, scene: SceneIx) -> impl Iterator<Item = u32> + use<> {
        let found = self.plan.scene(scene);
        let has_otherwise = !found.otherwise.is_empty() && !found.conditions.is_empty();
        std::iter::once(scene.0 * 2).chain(has_otherwise.then_some(scene.0 * 2 + 1))
    }

    /// The triggers that look at a thing.
    pub(super) fn triggers_of(&self, thing: &Thing) -> Vec<TriggerIx> {
        match thing {
            Thing::Property(slot) => {
                let watchers = self.plan.index.of_slot(*slot).iter().map(|watcher| self.plan.index.who(*watcher));
                watchers.filter_map(|who| if let Who::Trigger(trigger) = who { Some(trigger) } else { None }).collect()
            }
            Thing::Event(device, event) => self.plan.index.of_event(*device, *event).to_vec(),
            Thing::Rows(query, device) => {
                self.queries.triggers.get(&(query.clone(), *device)).cloned().unwrap_or_default()
            }
        }
    }

    /// The rows that may come of setting a property.
    pub(super) fn rows_of(&self, slot: Slot) -> impl Iterator<Item = (Arc<str>, Option<DeviceIx>)> {
        let (device, property) = self.plan.slots.place(slot);
        let model = self.plan.things.device(device).model;
        let queries = self.queries.readers.get(&(model, property)).into_iter().flatten();
        queries.flat_map(move |query| [(query.clone(), None), (query.clone(), Some(device))])
    }

    fn connect(&mut self) {
        let mut things: HashMap<Thing, u32> = HashMap::new();
        for vertex in 0..self.effects.len() {
            for thing in self.things_of(vertex) {
                let count = things.len();
                let id = *things.entry(thing.clone()).or_insert((self.effects.len() + count) as u32);
                if id as usize == self.next.len() {
                    let scenes = self.triggers_of(&thing).into_iter().map(|trigger| self.plan.trigger(trigger).scene);
                    let blocks = scenes.flat_map(|scene| self.blocks_of(scene)).collect();
                    self.next.push(blocks);
                }
                self.next[vertex].push(id);
            }
            let runs: Vec<u32> = self.effects[vertex].runs.iter().flat_map(|run| self.blocks_of(run.scene)).collect();
            self.next[vertex].extend(runs);
        }
    }

    fn things_of(&self, vertex: usize) -> Vec<Thing> {
        let effects = &self.effects[vertex];
        let mut found: Vec<Thing> = vec![];
        for write in &effects.writes {
            found.push(Thing::Property(write.slot));
            found.extend(self.rows_of(write.slot).map(|(query, device)| Thing::Rows(query, device)));
        }
        found.extend(effects.emits.iter().map(|emit| Thing::Event(emit.device, emit.event)));
        found
    }
}

fn effects<'a>(plan: &Plan, program: &'a Program) -> Effects<'a> {
    let mut effects = Effects { writes: writes(plan, program), ..Effects::default() };
    let mut breath = 0;
    for step in &program.steps {
        let emitted = step.deeds().filter_map(|deed| match deed {
            Deed::Emit { device, event, .. } => Some(Emit { device: *device, event: *event, breath }),
            _ => None,
        });
        effects.emits.extend(emitted);
        if let Doing::RunScene(scene) = step.doing {
            effects.runs.push(Run { scene, breath });
        }
        breath += u32::from(step.doing.takes_time());
    }
    effects
}

impl Queries {
    fn new(plan: &Plan, reads: &Reads) -> Self {
        let mut queries = Queries { readers: HashMap::new(), triggers: HashMap::new() };
        for (at, trigger) in plan.triggers.iter().enumerate() {
            let What::Row(of) = &trigger.what else { continue };
            let device = of.columns.iter().find(|(name, _)| &**name == "device").and_then(|(_, id)| match id {
                Value::Text(id) => plan.things.device_ix(id),
                _ => None,
            });
            queries.triggers.entry((of.query.clone(), device)).or_default().push(TriggerIx(at as u32));
        }
        let is_awaited = |query: &Arc<str>| !plan.index.of_query(query).is_empty();
        for (query, properties) in reads.iter().filter(|(query, _)| is_awaited(query)) {
            for property in properties {
                queries.readers.entry(*property).or_default().push(query.clone());
            }
        }
        queries
    }
}
