//! From being set off to steps that begin, or do not.

use super::super::script::{Device, Mode, Step};
use super::super::world::Effect;
use super::{Block, Queued, Reference, Run, SECOND, SetOff, State, Strand};

/// Scenes in a chain of causes.
const CHAIN_MAX: usize = 8;
/// Runs at once in the mode `parallel`, and runs that wait in the mode `queue`.
const RUNS_MAX: usize = 16;

impl Reference {
    pub(super) fn decide(&mut self, scene: usize, set_off: SetOff) {
        if set_off.chain.len() == CHAIN_MAX || set_off.chain.contains(&scene) {
            self.scenes[scene].counts.errors += 1;
            self.scenes[scene].counts.declined += 1;
            return;
        }
        let found = self.set.scenes[scene].clone();
        let key = set_off.device.filter(|_| found.per_device);
        if self.is_cooling(scene, key) || self.is_busy(scene, key) {
            self.scenes[scene].counts.declined += 1;
            return;
        }
        if found.conditions.iter().all(|condition| self.truth(condition) == Some(true)) {
            return self.fire(scene, set_off, key);
        }
        self.scenes[scene].counts.declined += 1;
        if !found.otherwise.is_empty() {
            self.begin(scene, found.otherwise, set_off, key);
        }
    }

    fn is_cooling(&self, scene: usize, key: Option<Device>) -> bool {
        self.scenes[scene].cooling.get(&key).is_some_and(|until| *until > self.now)
    }

    fn is_busy(&self, scene: usize, key: Option<Device>) -> bool {
        let running = self.running(scene, key);
        match self.set.scenes[scene].mode {
            Mode::Restart => false,
            Mode::Single => running > 0,
            Mode::Parallel => running >= RUNS_MAX,
            Mode::Queue => running > 0 && self.scenes[scene].queue.len() >= RUNS_MAX,
        }
    }

    fn running(&self, scene: usize, key: Option<Device>) -> usize {
        self.runs.iter().filter(|run| run.scene == scene && run.key == key).count()
    }

    fn fire(&mut self, scene: usize, set_off: SetOff, key: Option<Device>) {
        let found = self.set.scenes[scene].clone();
        self.scenes[scene].counts.fired += 1;
        if let Some(cooldown_s) = found.cooldown_s {
            self.scenes[scene].cooling.insert(key, self.now + cooldown_s * SECOND);
        }
        let chain = self.names(&set_off.chain);
        self.effects.push(Effect::Firing { scene: found.name, chain });
        self.begin(scene, found.then, set_off, key);
    }

    /// `a > b`.
    pub(super) fn names(&self, chain: &[usize]) -> String {
        chain.iter().map(|scene| self.set.scenes[*scene].name).collect::<Vec<_>>().join(" > ")
    }

    /// Begins a scene's steps, or lets them wait for their turn.
    fn begin(&mut self, scene: usize, steps: Vec<Step>, set_off: SetOff, key: Option<Device>) {
        match self.set.scenes[scene].mode {
            Mode::Restart => self.runs.retain(|run| run.scene != scene || run.key != key),
            Mode::Queue if self.running(scene, key) > 0 => {
                return self.scenes[scene].queue.push_back(Queued { steps, set_off, key });
            }
            Mode::Single | Mode::Queue | Mode::Parallel => {}
        }
        self.runs_begun += 1;
        let mut chain = set_off.chain;
        chain.push(scene);
        let strand = Strand::new(None, steps);
        let number = self.runs_begun;
        self.runs.push(Run { number, scene, key, device: set_off.device, chain, strands: vec![strand] });
        self.go_on(number);
    }

    /// Takes out a run that is over, and begins the next that waited for it.
    pub(super) fn end(&mut self, number: usize) {
        let at = self.runs.iter().position(|run| run.number == number).expect("it is under way");
        let Run { scene, key, .. } = self.runs.remove(at);
        if self.running(scene, key) > 0 {
            return;
        }
        let queue = &mut self.scenes[scene].queue;
        if let Some(at) = queue.iter().position(|queued| queued.key == key) {
            let Queued { steps, set_off, key } = queue.remove(at).expect("it was found");
            self.begin(scene, steps, set_off, key);
        }
    }
}

impl Strand {
    pub(super) fn new(parent: Option<usize>, steps: Vec<Step>) -> Self {
        let block = Block { steps, next: 0, again: 0, is_transaction: false };
        Strand { parent, blocks: vec![block], state: State::Ready, undo: None, has_failed_branch: false }
    }

    /// The step to do now; `None` at the end.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        loop {
            let block = self.blocks.last_mut()?;
            if let Some(step) = block.steps.get(block.next) {
                block.next += 1;
                return Some(step.clone());
            }
            if block.again > 0 {
                block.again -= 1;
                block.next = 0;
                continue;
            }
            if block.is_transaction {
                self.undo = None;
            }
            self.blocks.pop();
        }
    }

    pub(super) fn enter(&mut self, steps: Vec<Step>, again: u32, is_transaction: bool) {
        self.blocks.push(Block { steps, next: 0, again, is_transaction });
        if is_transaction {
            self.undo = Some(vec![]);
        }
    }
}
