//! Calling what stayed a closure: checks, computed arguments and `run` steps.

use crate::facts::Facts;
use crate::load::{Budget, Host, Notes, describe};
use crate::plan::Step;
use crate::values::Values;
use edgeway_sdk::Timestamp;
use rhai::{AST, Dynamic, Engine, FnPtr};
use std::sync::Arc;

/// How many operations one call of a closure may take, about 2 ms of plain arithmetic.
const CALL_OPERATIONS_MAX: u64 = 20_000;

/// A closure of a script. What it captured was copied when it was declared.
#[derive(Debug, Clone)]
pub(crate) struct Closure {
    pub(crate) call: FnPtr,
    /// Which of the scripts.
    pub(crate) script: usize,
}

/// The compiled scripts and the engine that runs them.
pub(crate) struct Scripts {
    engine: Engine,
    asts: Vec<AST>,
    host: Host,
    budget: Budget,
}

impl Scripts {
    pub(crate) fn new(engine: Engine, asts: Vec<AST>, host: Host, budget: Budget) -> Self {
        Scripts { engine, asts, host, budget }
    }

    /// Asks a check; `None` if it failed. The error is in the notes.
    pub(crate) fn check(
        &self,
        closure: &Closure,
        values: &Arc<Values>,
        now: Timestamp,
        facts: Option<&Arc<Facts>>,
    ) -> Option<bool> {
        let answer = self.call(closure, values, now, facts).and_then(|(value, _)| {
            value
                .as_bool()
                .map_err(|found| format!("a check answers true or false, this one answered {}", a_kind(found)))
        });
        answer.map_err(|error| self.host.note_error(error)).ok()
    }

    /// Asks for a computed argument, or runs a `run` step: what it returned and the steps that it emitted.
    ///
    /// # Errors
    /// The script's error with its position.
    pub(crate) fn call(
        &self,
        closure: &Closure,
        values: &Arc<Values>,
        now: Timestamp,
        facts: Option<&Arc<Facts>>,
    ) -> Result<(Dynamic, Vec<Step>), String> {
        self.budget.fill(CALL_OPERATIONS_MAX);
        self.host.begin_call(values.clone(), now, facts.cloned());
        let result = closure.call.call::<Dynamic>(&self.engine, &self.asts[closure.script], ());
        let emitted = self.host.end_call();
        match result {
            Ok(value) => Ok((value, emitted)),
            Err(error) => Err(describe(&error).in_one_line()),
        }
    }

    /// What was read, printed and went wrong since the last time.
    pub(crate) fn take_notes(&self) -> Notes {
        self.host.take_notes()
    }
}

/// `an integer` from Rhai's name of a type.
fn a_kind(name: &str) -> &str {
    match name {
        "()" => "nothing",
        "i64" => "a whole number",
        "f64" => "a number",
        "string" => "text",
        other => other,
    }
}
