//! What a person can switch: a scene on and off, and its shadow.

use super::run::Key;
use super::{RunError, SceneState, Scenes};
use crate::clock::Steady;
use crate::plan::{Scene, SceneIx};

impl Scenes {
    /// Switches a scene on or off. Switched off it decides nothing, and its runs end. Switching it on also forgives what
    /// its scripts have done.
    ///
    /// # Errors
    /// If there is no such scene.
    pub fn switch(&mut self, scene: &str, on: bool) -> Result<(), RunError> {
        let ix = self.find(scene)?;
        let state = &mut self.scenes[ix.0 as usize];
        state.is_off = !on;
        if on {
            (state.fault, state.faults) = (None, 0);
        } else {
            self.end_all_runs(ix);
        }
        self.dirty.scenes.insert(ix);
        Ok(())
    }

    /// Puts a scene into shadow, where it decides, traces and sends nothing, or takes it out. Runs that are under way end.
    ///
    /// # Errors
    /// If there is no such scene.
    pub fn set_shadow(&mut self, scene: &str, on: bool) -> Result<(), RunError> {
        let ix = self.find(scene)?;
        if self.is_shadow(ix) != on {
            self.end_all_runs(ix);
            self.scenes[ix.0 as usize].shadow = on;
            self.dirty.scenes.insert(ix);
        }
        Ok(())
    }

    pub(super) fn is_shadow(&self, scene: SceneIx) -> bool {
        self.scenes[scene.0 as usize].shadow
    }
}

impl SceneState {
    pub(super) fn new(scene: &Scene) -> Self {
        let reached = super::reached::Reached::new(scene);
        SceneState { shadow: scene.shadow, reached, ..SceneState::default() }
    }

    /// Until when it stays quiet for a key.
    pub(super) fn cooling(&self, key: Key, now: Steady) -> Option<Steady> {
        self.cooling.iter().find(|(other, until)| *other == key && *until > now).map(|(_, until)| *until)
    }

    pub(super) fn cooling_all(&self, now: Steady) -> impl Iterator<Item = (Key, Steady)> + '_ {
        self.cooling.iter().copied().filter(move |(_, until)| *until > now)
    }

    pub(super) fn cool(&mut self, key: Key, until: Steady, now: Steady) {
        self.cooling.retain(|(other, until)| *other != key && *until > now);
        self.cooling.push((key, until));
    }
}
