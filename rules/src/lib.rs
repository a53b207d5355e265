//! The scene engine.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod clock;
mod held;
mod history;
mod load;
mod plan;
mod scenes;
mod scripts;
mod values;
mod why;

pub use load::{FileProblem, Options, Script};
pub use scenes::{Counters, Effect, RunError, SceneInfo, Scenes};
pub use why::{ConditionView, DecisionView, ReadView, TriggerView, Why};
