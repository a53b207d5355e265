//! What stops a scene that does harm: one that fires without end, and one whose scripts run away.

use super::{Effect, SceneState, Scenes};
use crate::clock::Steady;
use crate::plan::{Rate, SceneIx};
use edgeway_thing_models::Notice;
use std::sync::Arc;
use std::time::Duration;

/// How long a scene rests after it has fired too often.
pub(super) const REST: Duration = Duration::from_secs(60);
/// How often the scripts of a scene may run into a limit, or panic, before it is switched off.
const FAULTS_MAX: u32 = 5;
/// Where alarms about scenes go: `notify/alarms`.
const CHANNEL: &str = "alarms";

/// Counts firings.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    since: Steady,
    count: u32,
    rests_until: Option<Steady>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strain {
    Fine,
    TooMuch,
}

impl Breaker {
    /// Counts a firing that is about to be.
    pub(super) fn count(&mut self, at_most: Rate, now: Steady) -> Strain {
        if self.count == 0 || now.since(self.since) >= at_most.per {
            (self.since, self.count) = (now, 0);
        }
        self.count += 1;
        if self.count <= at_most.count {
            return Strain::Fine;
        }
        self.count = 0;
        self.rests_until = Some(now + REST);
        Strain::TooMuch
    }

    pub(super) fn rests_until(&self, now: Steady) -> Option<Steady> {
        self.rests_until.filter(|until| *until > now)
    }
}

impl SceneState {
    pub(super) fn off_because(&self) -> Option<Arc<str>> {
        self.fault.clone().or_else(|| self.is_off.then(|| "switched off".into()))
    }
}

impl Scenes {
    /// Tells that a scene has fired too often.
    pub(super) fn rest(&mut self, scene: SceneIx) {
        let Rate { count, per } = self.plan.scene(scene).at_most;
        let name = &self.plan.scene(scene).name;
        let text = format!("scene {name} fired more than {count} times in {per:?} and rests for {REST:?}");
        self.alarm(scene, text);
    }

    /// Counts that a script of a scene was stopped; after too many the scene is switched off, until it is changed or
    /// switched on again.
    pub(super) fn count_fault(&mut self, scene: SceneIx, error: &str) {
        let state = &mut self.scenes[scene.0 as usize];
        state.faults += 1;
        if state.faults < FAULTS_MAX || state.fault.is_some() {
            return;
        }
        state.fault = Some(format!("switched off after {FAULTS_MAX} times: {error}").into());
        self.dirty.scenes.insert(scene);
        self.end_all_runs(scene);
        let text = format!("scene {} is switched off after {FAULTS_MAX} times: {error}", self.plan.scene(scene).name);
        self.alarm(scene, text);
    }

    fn alarm(&mut self, scene: SceneIx, text: String) {
        let scene = self.plan.scene(scene).name.clone();
        self.alarms.push(Effect::Notice(Notice { channel: CHANNEL.into(), text: text.into(), scene }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_in_a_span_make_it_rest_and_a_new_span_begins_at_nothing() {
        let rate = Rate { count: 2, per: Duration::from_secs(10) };
        let at = |secs| Steady::default() + Duration::from_secs(secs);
        let mut breaker = Breaker::default();
        assert_eq!([0, 1].map(|secs| breaker.count(rate, at(secs))), [Strain::Fine; 2]);
        assert_eq!(breaker.count(rate, at(10)), Strain::Fine, "another span");
        assert_eq!([11, 12].map(|secs| breaker.count(rate, at(secs))), [Strain::Fine, Strain::TooMuch]);
        assert_eq!(breaker.rests_until(at(71)), Some(at(72)));
        assert_eq!(breaker.rests_until(at(72)), None);
    }
}
