//! Calling what stayed a closure: checks, computed arguments and `run` steps.

use crate::facts::Facts;
use crate::load::{Budget, CALL, Host, Kind, Notes, describe, panicked};
use crate::plan::Step;
use crate::values::Values;
use edgeway_sdk::Timestamp;
use rhai::{AST, Dynamic, Engine, FnPtr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// The longest text of an error: scripts choose it, and it is kept.
const ERROR_BYTES_MAX: usize = 1_024;

/// A closure of a script. What it captured was copied when it was declared.
#[derive(Debug, Clone)]
pub(crate) struct Closure {
    pub(crate) call: FnPtr,
    /// Which of the scripts.
    pub(crate) script: usize,
}

/// What went wrong in a closure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScriptError {
    pub(crate) text: String,
    pub(crate) kind: Kind,
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

    /// Asks a check.
    ///
    /// # Errors
    /// The script's error with its position. Its text is in the notes too.
    pub(crate) fn check(
        &self,
        closure: &Closure,
        values: &Arc<Values>,
        now: Timestamp,
        facts: Option<&Arc<Facts>>,
    ) -> Result<bool, ScriptError> {
        let answer = self.call(closure, values, now, facts).and_then(|(value, _)| {
            let plain = |found| format!("a check answers true or false, this one answered {}", a_kind(found));
            value.as_bool().map_err(|found| ScriptError { text: plain(found), kind: Kind::Plain })
        });
        answer.inspect_err(|error| self.host.note_error(error.text.clone(), error.kind != Kind::Plain))
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
    ) -> Result<(Dynamic, Vec<Step>), ScriptError> {
        self.budget.fill(CALL);
        self.host.begin_call(values.clone(), now, facts.cloned());
        let call = || closure.call.call::<Dynamic>(&self.engine, &self.asts[closure.script], ());
        // A panic leaves nothing behind: what the call made is dropped, and `end_call` ends what it shares.
        let result = catch_unwind(AssertUnwindSafe(call));
        let emitted = self.host.end_call();
        let found = match result {
            Ok(Ok(value)) => return Ok((value, emitted)),
            Ok(Err(error)) => describe(&error),
            Err(panic) => panicked(&*panic),
        };
        Err(ScriptError { text: shortened(found.in_one_line()), kind: found.kind })
    }

    /// What was read, printed and went wrong since the last time.
    pub(crate) fn take_notes(&self) -> Notes {
        self.host.take_notes()
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > ERROR_BYTES_MAX {
        text.truncate(text.floor_char_boundary(ERROR_BYTES_MAX));
        text.push_str(" ..");
    }
    text
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
