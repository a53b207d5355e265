//! What survives a restart: runs that sleep, clocks of `held`, which side of its threshold a condition was on, cooldowns
//! and switches.
//!
//! Each is an entry with a name, so that whoever keeps them writes only what has changed. Their values are JSON.
//!
//! | entry | holds |
//! | --- | --- |
//! | `version` | 1; entries of another version are passed over |
//! | `alive` | when the scenes were last known to run |
//! | `run/<id>` | a run: its scene, the scene's version, where each strand stands and what it waits for |
//! | `held/<condition>` | how long it has been true, and since when it counts |
//! | `edge/<condition>` | whether it was last known to be true |
//! | `scene/<name>` | switches and cooldowns |

use super::run::{Run, RunId, State, Strand};
use super::{Effect, Scenes};
use crate::facts::Facts;
use crate::held::HeldMemory;
use crate::history::{Cause, Chain, Verdict};
use crate::plan::{Block, Doing, HeldIx, Leaf, OnUpdate, SceneIx, TriggerIx};
use edgeway_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The layout of the entries.
const VERSION: u32 = 1;
/// How long the gateway may have been away for a crossing meanwhile to count as one.
const CROSSING_MAX: Duration = Duration::from_secs(10 * 60);
/// How often it is told that the scenes run: while a `held` counts, and else.
const ALIVE_EVERY: Duration = Duration::from_secs(1);
const ALIVE_AT_REST: Duration = Duration::from_secs(60);

/// An entry of what survives a restart: its new value, or `None` if it is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub key: String,
    /// JSON.
    pub value: Option<Vec<u8>>,
}

/// What became of the runs of before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// Scenes whose runs go on.
    pub resumed: Vec<Arc<str>>,
    /// Scenes whose runs do not go on, and why.
    pub abandoned: Vec<(Arc<str>, String)>,
}

/// What has changed since the last time that somebody asked.
#[derive(Debug, Default)]
pub(super) struct Dirty {
    pub(super) runs: BTreeSet<RunId>,
    pub(super) helds: BTreeSet<HeldIx>,
    pub(super) edges: BTreeSet<TriggerIx>,
    pub(super) scenes: BTreeSet<SceneIx>,
    /// Entries of before that nothing stands for any more.
    pub(super) stale: Vec<String>,
    alive: Option<Timestamp>,
}

/// Whether the scenes were away between what is remembered and now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    /// The scenes were only exchanged for new ones.
    None,
    /// The gateway did not run for so long.
    Away(Duration),
    /// What clocks show now is before what they showed then, so that nobody knows.
    Unknown,
}

#[derive(Debug, Serialize, Deserialize)]
struct RunMemory {
    scene: Arc<str>,
    version: u64,
    block: Block,
    device: Option<Arc<str>>,
    began: Timestamp,
    chain: Vec<Arc<str>>,
    facts: Option<Facts>,
    strands: Vec<StrandMemory>,
}

/// A run that is to begin again, in a scene that has changed.
#[derive(Debug)]
pub(super) struct ToBegin {
    scene: SceneIx,
    memory: RunMemory,
}

#[derive(Debug, Serialize, Deserialize)]
struct StrandMemory {
    at: u32,
    parent: Option<u16>,
    loops: Vec<u32>,
    state: StateMemory,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StateMemory {
    Delay {
        until: Timestamp,
    },
    WaitFor {
        until: Timestamp,
    },
    Branches {
        left: u16,
    },
    Over,
    /// It cannot go on from here.
    Unfit {
        why: String,
    },
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct SceneMemory {
    #[serde(default)]
    off: bool,
    #[serde(default)]
    shadow: Option<bool>,
    /// Why it was switched off because of what its scripts did, and of which version of it.
    #[serde(default)]
    fault: Option<(u64, Arc<str>)>,
    /// By device; the empty name stands for none.
    #[serde(default)]
    cooling: BTreeMap<Arc<str>, Timestamp>,
}

impl Scenes {
    /// What has changed since the last call in what has to survive a restart.
    pub fn changes(&mut self) -> Vec<Change> {
        let mut changes = vec![];
        let mut put = |key: String, value: Option<Vec<u8>>| changes.push(Change { key, value });
        let dirty = std::mem::take(&mut self.dirty);
        dirty.stale.into_iter().for_each(|key| put(key, None));
        if dirty.alive.is_none() {
            put("version".into(), json(&VERSION));
        }
        for id in dirty.runs {
            put(format!("run/{}", id.0), self.runs.get(id).and_then(|run| json(&self.run_memory(run))));
        }
        for ix in dirty.helds {
            let memory = self.helds[ix.0 as usize].memory(self.clock.steady(), self.clock.wall());
            put(format!("held/{}", self.plan.helds[ix.0 as usize].text), json(&memory));
        }
        for ix in dirty.edges {
            put(format!("edge/{}", self.plan.trigger(ix).text), json(&self.edges[ix.0 as usize]));
        }
        for ix in dirty.scenes {
            put(format!("scene/{}", self.plan.scene(ix).name), json(&self.scene_memory(ix)));
        }
        let now = self.clock.wall();
        let every = if self.helds.iter().any(|held| held.due().is_some()) { ALIVE_EVERY } else { ALIVE_AT_REST };
        let is_due = dirty.alive.is_none_or(|last| now.since(last) >= every || now < last);
        if is_due {
            put("alive".into(), json(&now));
        }
        self.dirty.alive = if is_due { Some(now) } else { dirty.alive };
        changes
    }

    /// The same at the end: when the scenes were last known to run is part of it.
    pub fn last_changes(&mut self, now: Timestamp) -> Vec<Change> {
        self.clock.tell(now);
        self.dirty.alive = None;
        self.changes()
    }

    /// Whether something has to be kept at once: a run has gone to sleep, or has ended.
    pub fn has_urgent_changes(&self) -> bool {
        !self.dirty.runs.is_empty()
    }

    /// Takes up what was kept. Call it before [`Scenes::start`].
    ///
    /// A run goes on if it is not later than its scene allows, and if the scene's words are still the same. The time
    /// during which nobody watched does not count for `held`; after more of it than its span a clock begins anew.
    pub fn restore(&mut self, now: Timestamp, kept: impl IntoIterator<Item = (String, Vec<u8>)>) -> Restored {
        self.clock.tell(now);
        self.count_from(now);
        let kept: BTreeMap<String, Vec<u8>> = kept.into_iter().collect();
        if kept.get("version").is_some_and(|version| read::<u32>(version) != Some(VERSION)) {
            self.dirty.stale.extend(kept.into_keys());
            return Restored::default();
        }
        let alive = kept.get("alive").and_then(|alive| read::<Timestamp>(alive)).unwrap_or(now);
        let gap = if alive > now { Gap::Unknown } else { Gap::Away(now.since(alive)) };
        self.take_up(&kept, gap)
    }

    /// All entries, as if everything had changed.
    pub(super) fn whole_memory(&mut self) -> BTreeMap<String, Vec<u8>> {
        self.mark_everything();
        self.changes().into_iter().filter_map(|change| Some((change.key, change.value?))).collect()
    }

    pub(super) fn mark_everything(&mut self) {
        self.dirty.runs.extend(self.runs.iter().map(|run| run.id));
        self.dirty.helds.extend((0..self.helds.len() as u32).map(HeldIx));
        let known = (0..self.triggers.len() as u32).map(TriggerIx);
        self.dirty.edges.extend(known.filter(|ix| self.edges[ix.0 as usize].is_some()));
        self.dirty.scenes.extend((0..self.scenes.len() as u32).map(SceneIx));
        self.dirty.alive = None;
    }

    pub(super) fn take_up(&mut self, kept: &BTreeMap<String, Vec<u8>>, gap: Gap) -> Restored {
        let mut known: BTreeSet<String> = ["version", "alive"].map(String::from).into();
        self.restore_helds(kept, gap, &mut known);
        self.restore_edges(kept, gap, &mut known);
        self.restore_scenes(kept, &mut known);
        let restored = self.restore_runs(kept, gap);
        self.dirty.stale.extend(kept.keys().filter(|key| !known.contains(*key)).cloned());
        restored
    }

    fn restore_helds(&mut self, kept: &BTreeMap<String, Vec<u8>>, gap: Gap, known: &mut BTreeSet<String>) {
        let alive = kept.get("alive").and_then(|alive| read::<Timestamp>(alive));
        for (plan, held) in self.plan.helds.iter().zip(&mut self.helds) {
            let key = format!("held/{}", plan.text);
            let memory = kept.get(&key).and_then(|value| read::<HeldMemory>(value));
            known.insert(key);
            let Some(memory) = memory else { continue };
            // While nothing counts, it is told only once a minute that the scenes run.
            let slack = if memory.is_counting() { Duration::ZERO } else { ALIVE_AT_REST };
            let is_fresh = match gap {
                Gap::None => true,
                Gap::Away(away) => away.saturating_sub(slack) <= plan.dwell,
                Gap::Unknown => false,
            };
            if is_fresh {
                held.restore(&memory, alive.unwrap_or_default());
            }
        }
    }

    fn restore_edges(&mut self, kept: &BTreeMap<String, Vec<u8>>, gap: Gap, known: &mut BTreeSet<String>) {
        let plan = self.plan.clone();
        for (at, trigger) in plan.triggers.iter().enumerate() {
            let key = format!("edge/{}", trigger.text);
            let last = kept.get(&key).and_then(|value| read::<Option<bool>>(value)).flatten();
            known.insert(key);
            let mut holds = false;
            trigger.what.each_leaf(&mut |leaf| holds |= matches!(leaf, Leaf::Held(_)));
            let is_fresh = match gap {
                Gap::None => true,
                Gap::Away(away) => away <= CROSSING_MAX || holds,
                Gap::Unknown => holds,
            };
            if is_fresh {
                self.edges[at] = last;
            }
        }
    }

    fn restore_scenes(&mut self, kept: &BTreeMap<String, Vec<u8>>, known: &mut BTreeSet<String>) {
        let plan = self.plan.clone();
        let (now, wall) = (self.clock.steady(), self.clock.wall());
        for (scene, state) in plan.scenes.iter().zip(&mut self.scenes) {
            let key = format!("scene/{}", scene.name);
            let memory = kept.get(&key).and_then(|value| read::<SceneMemory>(value)).unwrap_or_default();
            known.insert(key);
            state.is_off = memory.off;
            state.shadow = memory.shadow.unwrap_or(scene.shadow);
            state.fault = memory.fault.filter(|(version, _)| *version == scene.version).map(|(_, fault)| fault);
            for (device, until) in memory.cooling {
                let key = plan.things.device_ix(&device);
                // A device that is gone cools down no more.
                if key.is_some() || device.is_empty() {
                    state.cool(key, now + until.since(wall).min(scene.cooldown), now);
                }
            }
        }
    }

    fn restore_runs(&mut self, kept: &BTreeMap<String, Vec<u8>>, gap: Gap) -> Restored {
        let mut restored = Restored::default();
        for memory in kept.iter().filter(|(key, _)| key.starts_with("run/")).filter_map(|(_, value)| read(value)) {
            let memory: RunMemory = memory;
            let name = memory.scene.clone();
            let Some(scene) = self.plan.names.get(&name).copied() else {
                restored.abandoned.push((name, "the scene is gone".into()));
                continue;
            };
            match self.resumable(scene, &memory, gap) {
                Ok(()) => {
                    self.resume(scene, memory);
                    restored.resumed.push(name);
                }
                Err(reason) => {
                    self.record(scene, Cause::Before, Chain::default(), Verdict::Abandoned { reason: reason.clone() });
                    restored.abandoned.push((name, reason));
                    self.maybe_begin_again(scene, memory, gap);
                }
            }
        }
        restored
    }

    /// A run of a version that is no more begins again if its scene says so, and if it might have gone on.
    fn maybe_begin_again(&mut self, scene: SceneIx, memory: RunMemory, gap: Gap) {
        let found = self.plan.scene(scene);
        let has_changed = memory.version != found.version;
        if has_changed && found.on_update == OnUpdate::Restart && self.is_in_time(scene, &memory, gap, true).is_ok() {
            self.to_begin.push(ToBegin { scene, memory });
        }
    }

    /// Why a run cannot go on.
    fn resumable(&self, scene: SceneIx, memory: &RunMemory, gap: Gap) -> Result<(), String> {
        let found = self.plan.scene(scene);
        if memory.version != found.version {
            return Err("the scene has changed".into());
        }
        for strand in &memory.strands {
            if let StateMemory::Unfit { why } = &strand.state {
                return Err(why.clone());
            }
        }
        let program = found.program(memory.block);
        let open = memory.strands.iter().filter(|strand| !matches!(strand.state, StateMemory::Over));
        let writes = open.map(|strand| strand.at).any(|at| program.writes_from(at));
        self.is_in_time(scene, memory, gap, writes)
    }

    /// Why a run is too late to go on.
    fn is_in_time(&self, scene: SceneIx, memory: &RunMemory, gap: Gap, writes: bool) -> Result<(), String> {
        let wakes = memory.strands.iter().filter_map(|strand| match strand.state {
            StateMemory::Delay { until } | StateMemory::WaitFor { until } => Some(until),
            StateMemory::Branches { .. } | StateMemory::Over | StateMemory::Unfit { .. } => None,
        });
        let late = wakes.map(|until| self.clock.wall().since(until)).max().unwrap_or_default();
        match (gap, self.plan.scene(scene).may_be_late(writes)) {
            (Gap::None, _) => Ok(()),
            (_, None) => Err("it would write to devices; `.resume_within(..)` lets it go on after a restart".into()),
            (Gap::Unknown, _) => {
                Err("the clock shows an earlier time than before, so how late it is is not known".into())
            }
            (_, Some(allowed)) if late > allowed => Err(format!("it is {} s late", late.as_secs())),
            (_, Some(_)) => Ok(()),
        }
    }

    fn resume(&mut self, scene: SceneIx, memory: RunMemory) {
        let number = self.record(scene, Cause::Before, Chain::default(), Verdict::Resumed);
        let id = self.runs.next_id();
        let mut run = self.run_of(scene, id, number, &memory);
        for (at, strand) in memory.strands.into_iter().enumerate() {
            run.strands.push(Strand { at: strand.at, parent: strand.parent, loops: strand.loops, ..Strand::default() });
            self.sleep_again(&mut run, at as u16, strand.state);
        }
        run.kept = true;
        self.dirty.runs.insert(id);
        self.scenes[scene.0 as usize].runs.push(id);
        self.runs.keep(run);
    }

    fn run_of(&self, scene: SceneIx, id: RunId, decision: u64, memory: &RunMemory) -> Run {
        let names = memory.chain.iter().filter_map(|name| self.plan.names.get(name));
        let chain = names.fold(Chain::default(), |chain, scene| chain.with(*scene).unwrap_or(chain));
        Run {
            id,
            scene,
            key: memory.device.as_ref().and_then(|device| self.plan.things.device_ix(device)),
            block: memory.block,
            program: self.plan.scene(scene).program(memory.block).clone(),
            strands: vec![],
            chain: chain.with(scene).unwrap_or(chain),
            cause: Cause::Before,
            facts: memory.facts.clone().map(Arc::new),
            decision,
            began: memory.began,
            shadow: self.is_shadow(scene),
            kept: false,
        }
    }

    fn sleep_again(&mut self, run: &mut Run, at: u16, state: StateMemory) {
        let now = self.clock.steady();
        let behind = run.strand(at).at;
        let step = run.program.steps.get(behind.saturating_sub(1) as usize).map(|step| &step.doing);
        // A clock that was set back must not make a span longer than it is.
        let span = match step {
            Some(Doing::Delay(span) | Doing::WaitFor { within: span, .. }) => *span,
            _ => Duration::MAX,
        };
        let in_time = |until: Timestamp| now + until.since(self.clock.wall()).min(span);
        let state = match state {
            StateMemory::Delay { until } => State::Delay { until: in_time(until) },
            StateMemory::Branches { left } => State::Branches { left },
            StateMemory::Over | StateMemory::Unfit { .. } => State::Over,
            StateMemory::WaitFor { until } => match step {
                Some(Doing::WaitFor { wait, may_fail, .. }) => {
                    State::WaitFor { wait: *wait, until: in_time(until), may_fail: *may_fail }
                }
                _ => State::Over,
            },
        };
        match state {
            State::Delay { until } => self.sleep(run, at, until, state),
            State::WaitFor { wait, until, .. } => {
                self.waiting[wait.0 as usize].push((run.id, at));
                self.sleep(run, at, until, state);
            }
            state => run.strand(at).state = state,
        }
    }

    /// Begins runs again whose scenes have changed, now that the world is known.
    pub(super) fn begin_again(&mut self, out: &mut Vec<Effect>) {
        for ToBegin { scene, memory } in std::mem::take(&mut self.to_begin) {
            let number = self.record(scene, Cause::Before, Chain::default(), Verdict::Resumed);
            let run = self.run_of(scene, RunId(0), number, &memory);
            let set_off = super::decisions::SetOff { cause: Cause::Before, chain: run.chain, facts: run.facts };
            self.begin(scene, memory.block, set_off, (run.key, number), out);
        }
    }

    fn run_memory(&self, run: &Run) -> RunMemory {
        let chain = run.chain.before();
        RunMemory {
            scene: self.plan.scene(run.scene).name.clone(),
            version: self.plan.scene(run.scene).version,
            block: run.block,
            device: run.key.map(|device| self.plan.things.device(device).id.clone()),
            began: run.began,
            chain: self.names_of(&chain),
            facts: run.facts.as_deref().cloned(),
            strands: run.strands.iter().map(|strand| self.strand_memory(strand)).collect(),
        }
    }

    fn strand_memory(&self, strand: &Strand) -> StrandMemory {
        let unfit = |why: &str| StateMemory::Unfit { why: why.into() };
        let state = match &strand.state {
            _ if strand.undo.is_some() => unfit("it was in the middle of a transaction"),
            _ if strand.failed.is_some() => unfit("one of its branches has failed"),
            _ if strand.again.is_some() => unfit("a command was to be tried again"),
            _ if !strand.emitted.is_empty() => unfit("steps that a script had emitted were not done"),
            State::Delay { until } => StateMemory::Delay { until: self.clock.wall_at(*until) },
            State::WaitFor { until, .. } => StateMemory::WaitFor { until: self.clock.wall_at(*until) },
            State::Branches { left } => StateMemory::Branches { left: *left },
            State::Over => StateMemory::Over,
            State::Answer(_) | State::Ready => unfit("the answer to a command was not there"),
        };
        StrandMemory { at: strand.at, parent: strand.parent, loops: strand.loops.clone(), state }
    }

    fn scene_memory(&self, ix: SceneIx) -> SceneMemory {
        let (scene, state) = (self.plan.scene(ix), &self.scenes[ix.0 as usize]);
        let cooling = state.cooling_all(self.clock.steady()).map(|(key, until)| {
            let device = key.map_or_else(|| "".into(), |device| self.plan.things.device(device).id.clone());
            (device, self.clock.wall_at(until))
        });
        let shadow = (state.shadow != scene.shadow).then_some(state.shadow);
        let fault = state.fault.clone().map(|fault| (scene.version, fault));
        SceneMemory { off: state.is_off, shadow, fault, cooling: cooling.collect() }
    }
}

fn json<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    serde_json::to_vec(value).ok()
}

fn read<T: for<'de> Deserialize<'de>>(value: &[u8]) -> Option<T> {
    serde_json::from_slice(value).ok()
}
