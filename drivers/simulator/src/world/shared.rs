//! A world that a server, a stepper and a test hold together.

use super::World;
use crate::Error;
use edgeway_sdk::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A [`World`] for several tasks, with what is broken on the way to it. Clones are the same world.
#[derive(Clone)]
pub struct SharedWorld(Arc<Mutex<State>>);

struct State {
    world: World,
    silent: BTreeSet<u8>,
    refused: BTreeSet<(u8, u16)>,
}

/// What a unit does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// It answers.
    Answers,
    /// It says nothing at all.
    Silent,
    /// It refuses one of the addresses.
    Refuses,
}

impl SharedWorld {
    pub(crate) fn new(world: World) -> Self {
        SharedWorld(Arc::new(Mutex::new(State { world, silent: BTreeSet::new(), refused: BTreeSet::new() })))
    }

    /// Lets time pass, see [`World::step`].
    pub fn step(&self, dt: Duration) {
        self.lock().world.step(dt);
    }

    /// A property's value, see [`World::get`].
    pub fn get(&self, unit: u8, property: &str) -> Option<Value> {
        self.lock().world.get(unit, property)
    }

    /// Sets a property or gives a command, see [`World::set`].
    ///
    /// # Errors
    /// As [`World::set`].
    pub fn set(&self, unit: u8, property: &str, value: impl Into<Value>) -> Result<(), Error> {
        self.lock().world.set(unit, property, value)
    }

    /// Makes a unit deaf: from now on its Modbus requests get no answer at all, until it is restored.
    pub fn silence(&self, unit: u8) {
        self.lock().silent.insert(unit);
    }

    /// Makes a unit refuse every Modbus request that touches this address, in any table, with exception 2.
    pub fn refuse(&self, unit: u8, address: u16) {
        self.lock().refused.insert((unit, address));
    }

    /// Mends a unit: it answers again, and refuses nothing that exists.
    pub fn restore(&self, unit: u8) {
        let mut state = self.lock();
        state.silent.remove(&unit);
        state.refused.retain(|(refusing, _)| *refusing != unit);
    }

    /// How a unit treats a request for `count` addresses from `address` on.
    pub(crate) fn manner(&self, unit: u8, address: u16, count: u16) -> Manner {
        let state = self.lock();
        let last = address.saturating_add(count.saturating_sub(1));
        if state.silent.contains(&unit) {
            Manner::Silent
        } else if state.refused.range((unit, address)..=(unit, last)).next().is_some() {
            Manner::Refuses
        } else {
            Manner::Answers
        }
    }

    /// Does something with the world while nobody else does.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut World) -> R) -> R {
        work(&mut self.lock().world)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no thread panics while it holds this lock")
    }
}
