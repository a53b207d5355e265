//! Doing a scene's steps, one after the other, with waits between.

use super::timers::SteadyKey;
use super::{Echo, Effect, Scenes};
use crate::history::{Cause, Chain, Verdict};
use crate::load::value_of;
use crate::plan::{Computed, SceneIx, Step};
use crate::scripts::Closure;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{Action, Notice, PropertyIx};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The most echoes remembered before those that are over are swept out.
const ECHOES_SWEEP: usize = 1_024;

/// A scene that is doing its steps.
#[derive(Debug)]
pub(super) struct Run {
    steps: Arc<[Step]>,
    next: usize,
    /// What a `run` step emitted; it comes before the next of the steps.
    emitted: VecDeque<Step>,
    /// The scenes that led here, and this one.
    chain: Chain,
    cause: Cause,
}

/// What comes after a step.
enum Flow {
    Next,
    Wait(Duration),
}

impl Run {
    fn take_step(&mut self) -> Option<Step> {
        if let Some(step) = self.emitted.pop_front() {
            return Some(step);
        }
        let step = self.steps.get(self.next)?.clone();
        self.next += 1;
        Some(step)
    }
}

impl Scenes {
    /// Begins the steps. A run that is still going on ends here.
    pub(super) fn begin(
        &mut self,
        scene: SceneIx,
        steps: Arc<[Step]>,
        (cause, chain): (Cause, Chain),
        out: &mut Vec<Effect>,
    ) {
        self.steady_timers.set(SteadyKey::Run(scene), None);
        self.scenes[scene.0 as usize].run = Some(Run { steps, next: 0, emitted: VecDeque::new(), chain, cause });
        self.resume(scene, out);
    }

    /// Goes on until the end, a delay or an error.
    pub(super) fn resume(&mut self, scene: SceneIx, out: &mut Vec<Effect>) {
        while let Some(run) = &mut self.scenes[scene.0 as usize].run {
            let chain = run.chain;
            let Some(step) = run.take_step() else {
                self.scenes[scene.0 as usize].run = None;
                return;
            };
            match self.perform(scene, chain, step, out) {
                Ok(Flow::Next) => {}
                Ok(Flow::Wait(duration)) => {
                    let at = self.clock.steady() + duration;
                    self.steady_timers.set(SteadyKey::Run(scene), Some(at));
                    return;
                }
                Err(error) => return self.fail(scene, error),
            }
        }
    }

    /// Ends a run: what comes after a step that failed may rely on it.
    fn fail(&mut self, scene: SceneIx, error: String) {
        let Some(run) = self.scenes[scene.0 as usize].run.take() else { return };
        self.count_errors(scene, 1);
        let mut decision =
            self.scenes[scene.0 as usize].history.blank(self.clock.wall(), run.cause, run.chain.before());
        decision.verdict = Verdict::Failed { step: run.next, error };
        self.scenes[scene.0 as usize].history.push(decision);
    }

    fn perform(&mut self, scene: SceneIx, chain: Chain, step: Step, out: &mut Vec<Effect>) -> Result<Flow, String> {
        match step {
            Step::Delay(duration) => return Ok(Flow::Wait(duration)),
            Step::Set { device, property, value } => {
                let value = self.value(scene, (device, property), value)?;
                self.expect_echo(device, property, &value, chain);
                self.command(scene, chain, device, Action::Set { property, value }, out);
            }
            Step::Invoke { device, service, input } => {
                self.command(scene, chain, device, Action::Invoke { service, input }, out);
            }
            Step::Notify { channel, text } => {
                let text = match text {
                    Computed::Fixed(text) => text,
                    Computed::Script(closure) => self.call(scene, &closure)?.0.to_string().into(),
                };
                out.push(Effect::Notice(Notice { channel, text, scene: self.plan.scene(scene).name.clone() }));
            }
            Step::RunScene(other) => {
                self.decide(other, Cause::Scene(scene), chain, out);
            }
            Step::Run(closure) => {
                let (_, emitted) = self.call(scene, &closure)?;
                if let Some(run) = &mut self.scenes[scene.0 as usize].run {
                    run.emitted = emitted.into();
                }
            }
        }
        Ok(Flow::Next)
    }

    fn call(&mut self, scene: SceneIx, closure: &Closure) -> Result<(rhai::Dynamic, Vec<Step>), String> {
        let result = self.scripts.call(closure, &self.values, self.clock.wall()).map_err(|error| error.text);
        self.scenes[scene.0 as usize].history.note(self.scripts.take_notes().printed);
        result
    }

    fn value(
        &mut self,
        scene: SceneIx,
        (device, property): (DeviceIx, PropertyIx),
        value: Computed<Value>,
    ) -> Result<Value, String> {
        let closure = match value {
            Computed::Fixed(value) => return Ok(value),
            Computed::Script(closure) => closure,
        };
        let (computed, _) = self.call(scene, &closure)?;
        let computed = value_of(&computed).map_err(|mistake| mistake.in_one_line())?;
        let identifier = self.plan.things.property(device, property).identifier.clone();
        let checked = self.plan.things.model_of(device).check_set(&identifier, &computed);
        checked.map(|(_, value)| value).map_err(|error| error.to_string())
    }

    fn command(&self, scene: SceneIx, chain: Chain, device: DeviceIx, action: Action, out: &mut Vec<Effect>) {
        let found = self.plan.scene(scene);
        let chain = self.names_of(&chain.before());
        out.push(Effect::Command { device, action, scene: found.name.clone(), chain, priority: found.priority });
    }

    /// Remembers what was set, to know it again when the device reports it.
    fn expect_echo(&mut self, device: DeviceIx, property: PropertyIx, value: &Value, chain: Chain) {
        let now = self.clock.steady();
        if self.echoes.len() >= ECHOES_SWEEP {
            self.echoes.retain(|_, echo| echo.until >= now);
        }
        let echo = Echo { value: value.clone(), chain, until: now + self.plan.echo, pass: 0 };
        self.echoes.insert(self.plan.slots.of(device, property), echo);
    }
}
