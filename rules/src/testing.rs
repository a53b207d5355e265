//! Tests of scenes: scripts of their own, which move a clock, report values and say what they expect.
//!
//! ```js
//! test("a key card makes the room ready", || {
//!     at("2026-08-01T12:00:00+02:00");
//!     given("room-301", "key_card", false);
//!     report("room-301", "key_card", true);
//!     expect("set room-301.main_power = true");
//!     advance("3s");
//!     expect("set room-301.curtain = 100 %");
//! });
//! ```
//!
//! Nothing is real: time is the test's, a command is answered at once and its value comes back as a report, unless the
//! test says otherwise. What is done has to be expected, in its order, up to the end of the test.

mod bench;
mod words;

use crate::load::{Budget, FileProblem, Options, Script, TEST, bare_engine, describe};
use crate::scenes::Scenes;
use bench::Bench;
use edgeway_sdk::Problem;
use edgeway_thing_models::Things;
use rhai::{AST, Engine, FnPtr, Position};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

pub use crate::scenes::SceneCoverage;

/// What came of all tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// In the order of the files.
    pub tests: Vec<TestResult>,
    /// What they have reached.
    pub coverage: Coverage,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// The script with the test.
    pub file: Arc<str>,
    /// The line of the test in it, from 1.
    pub line: usize,
    /// The test's name.
    pub name: String,
    /// Why it failed, if it did.
    pub failed: Option<Failed>,
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// The line in the test's script.
    pub line: usize,
    /// What was expected, and what was found; may have several lines.
    pub message: String,
    /// What the scenes decided during the test, as text.
    pub trace: String,
}

/// What tests have reached of the scenes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// By file and line.
    pub scenes: Vec<SceneCoverage>,
}

impl TestReport {
    /// How many tests failed.
    pub fn failed(&self) -> usize {
        self.tests.iter().filter(|test| test.failed.is_some()).count()
    }
}

impl Coverage {
    /// Steps that were reached, and all steps.
    pub fn steps(&self) -> (usize, usize) {
        let all: usize = self.scenes.iter().map(|scene| scene.steps).sum();
        let unreached: usize = self.scenes.iter().map(|scene| scene.unreached.len()).sum();
        (all - unreached, all)
    }
}

/// A test as declared.
#[derive(Clone)]
struct Declared {
    name: String,
    at: Position,
    body: FnPtr,
}

/// Runs tests of scenes. `only` picks those in whose name it stands.
///
/// # Errors
/// The mistakes of the scenes, and of the tests' scripts.
pub fn test(
    things: &Arc<Things>,
    scripts: &[Script],
    options: Options,
    tests: &[Script],
    only: Option<&str>,
) -> Result<TestReport, Vec<FileProblem>> {
    let budget = Budget::new(options.stopwatch.clone());
    let (scenes, _) = Scenes::load(things.clone(), scripts, options)?;
    let bench = Arc::new(Mutex::new(Bench::new(things.clone(), scenes)));
    let engine = words::engine(bare_engine(&budget), &bench);
    let files = tests.iter().map(|file| declare(&engine, &budget, &bench, file));
    let (mut declared, mut problems) = (vec![], vec![]);
    for (file, found) in tests.iter().zip(files) {
        match found {
            Ok((ast, found)) => declared.push((file, ast, found)),
            Err(problem) => problems.push(FileProblem { file: file.file.clone(), problem }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut results = vec![];
    for (file, ast, found) in declared {
        for test in found.iter().filter(|test| only.is_none_or(|only| test.name.contains(only))) {
            budget.fill(TEST);
            let failed = run(&engine, &bench, &ast, test);
            let (file, line) = (file.file.clone(), test.at.line().unwrap_or(1));
            results.push(TestResult { file, line, name: test.name.clone(), failed });
        }
    }
    let coverage = Coverage { scenes: lock(&bench).coverage() };
    Ok(TestReport { tests: results, coverage })
}

/// Runs a script of tests once, which declares them.
fn declare(
    engine: &Engine,
    budget: &Budget,
    bench: &Mutex<Bench>,
    file: &Script,
) -> Result<(AST, Vec<Declared>), Problem> {
    budget.fill(TEST);
    let ast = engine.compile(&file.text);
    let result = match &ast {
        Ok(ast) => engine.run_ast(ast),
        Err(error) => Err(error.clone().into()),
    };
    let declared = lock(bench).take_declared();
    match (ast, result) {
        (Ok(_), Ok(())) if declared.is_empty() => {
            Err(Problem::new("there is no test in this file").help("write `test(\"name\", || { .. });`"))
        }
        (Ok(ast), Ok(())) => Ok((ast, declared)),
        (_, Err(error)) => Err(describe(&error).problem()),
        (Err(error), Ok(())) => Err(Problem::new(error.to_string())),
    }
}

fn run(engine: &Engine, bench: &Mutex<Bench>, ast: &AST, test: &Declared) -> Option<Failed> {
    lock(bench).begin();
    // A bug of ours fails the test that met it, and no other.
    let call = || test.body.call::<rhai::Dynamic>(engine, ast, ());
    let result = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result,
        Err(_) => {
            let line = test.at.line().unwrap_or(1);
            return Some(Failed { line, message: "the test met a bug of the gateway".into(), trace: String::new() });
        }
    };
    let mut bench = lock(bench);
    let end = test.at.line().unwrap_or(1);
    let (line, message) = match result {
        Err(error) => {
            let problem = describe(&error);
            (problem.line().unwrap_or(end), problem.message())
        }
        Ok(_) => (end, bench.left_over()?),
    };
    Some(Failed { line, message, trace: bench.trace() })
}

/// A word that panics leaves a bench that the next test clears.
fn lock(bench: &Mutex<Bench>) -> std::sync::MutexGuard<'_, Bench> {
    bench.lock().unwrap_or_else(PoisonError::into_inner)
}
