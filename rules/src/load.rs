//! From scripts to a plan: runs every script once, collects every mistake, proves the rest.

mod budget;
mod captured;
mod compile;
mod draft;
mod engine;
mod explain;
mod fit;
mod host;
mod link;
mod uses;
mod version;
mod words;

pub use budget::Stopwatch;
pub(crate) use budget::{Budget, CALL, TEST};
pub(crate) use explain::{Kind, describe, panicked};
pub(crate) use host::{Host, Notes};
pub use uses::Use;
pub(crate) use words::{WORDS, value_of};

/// Rhai with its limits and without the words of scenes.
pub(crate) fn bare_engine(budget: &Budget) -> Engine {
    engine::bare(budget)
}

use crate::plan::Plan;
use crate::prove::{Evidence, prove};
use crate::scripts::Scripts;
use crate::values::Slots;
use edgeway_sdk::{DeviceIx, Json, Problem, Severity};
use edgeway_thing_models::{ModelIx, PropertyIx, Things};
use explain::Found;
use jiff::tz::TimeZone;
use rhai::{AST, Engine, Position};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// The longest script.
const SCRIPT_BYTES_MAX: usize = 256 * 1024;

/// A script and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name to show in problems and lists, `scenes/floor-3.rhai`.
    pub file: Arc<str>,
    /// The text.
    pub text: String,
}

/// A problem and the script that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// [`Script::file`].
    pub file: Arc<str>,
    /// What is wrong, and where in the file.
    pub problem: Problem,
}

/// What the scenes of a site have in common.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the site is: `cron` and `time_between` follow its clocks. UTC unless set.
    pub zone: TimeZone,
    /// Latitude and longitude in degrees, north and east positive: `sunrise` and `sunset` need it. None unless set.
    pub position: Option<(f64, f64)>,
    /// How long after a scene set a property a report of that very value counts as its doing, so that scenes which set
    /// each other off through a device are found. 10 s unless set.
    pub echo: Duration,
    /// The site's queries, with the columns of their rows, that `row` can name. `None`: what it names is not looked at.
    pub queries: Option<BTreeMap<Arc<str>, Vec<Arc<str>>>>,
    /// What templates are used for, by [`Script::file`]. A script that is not in here runs once.
    pub uses: BTreeMap<Arc<str>, Vec<Use>>,
    /// How many of its last decisions each scene remembers. 32 unless set; 0 keeps no trace.
    pub decisions: usize,
    /// Ends scripts that take long. `None`: only their operations are counted.
    pub stopwatch: Option<Stopwatch>,
    /// Which properties each query reads, of itself or through other queries, so that loops through them are found. None
    /// unless set.
    pub reads: BTreeMap<Arc<str>, Vec<(ModelIx, PropertyIx)>>,
    /// How often properties are read from their devices, so that spans which are too short for that are found. Nothing is
    /// known of properties that are not named.
    pub periods: HashMap<(DeviceIx, PropertyIx), Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            zone: TimeZone::UTC,
            position: None,
            echo: Duration::from_secs(10),
            queries: None,
            uses: BTreeMap::new(),
            decisions: 32,
            stopwatch: None,
            reads: BTreeMap::new(),
            periods: HashMap::new(),
        }
    }
}

/// `scenes/floor-3.rhai:4:9: no device is called ..`.
impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.file, gap(&self.problem), self.problem)
    }
}

/// A position follows the file's name without a space, `a.rhai:4:9`, so that terminals make it a link.
fn gap(problem: &Problem) -> &'static str {
    match problem.place {
        edgeway_sdk::Place::Position { .. } => "",
        _ => " ",
    }
}

/// Runs the scripts and proves what they declare.
pub(crate) fn load(
    things: Arc<Things>,
    scripts: &[Script],
    mut options: Options,
) -> Result<(Plan, Scripts, Vec<FileProblem>), Vec<FileProblem>> {
    let slots = Slots::new(&things);
    let has_position = options.position.is_some();
    let host = Host::new(things.clone(), slots.clone(), options.queries.clone(), has_position);
    let budget = Budget::new(options.stopwatch.clone());
    let engine = engine::new(&host, &budget);
    let uses = |script: &Script| options.uses.get(&script.file).map(Vec::as_slice);
    let runs = scripts.iter().enumerate().map(|(at, script)| run(&engine, &host, &budget, at, (script, uses(script))));
    let asts: Vec<AST> = runs.collect();
    let (reads, periods) = (std::mem::take(&mut options.reads), std::mem::take(&mut options.periods));
    let (plan, mut problems) = link::link(host.take_draft(), things, slots, options);
    if problems.iter().any(|found| found.problem.severity == Severity::Error) {
        return Err(in_order(problems, scripts));
    }
    // A plan with mistakes has gaps, and proofs about gaps would mislead.
    problems.extend(prove(&Evidence { plan: &plan, asts: &asts, reads: &reads, periods: &periods }));
    host.set_names(plan.names.clone());
    host.take_notes();
    Ok((plan, Scripts::new(engine, asts, host, budget), in_order(problems, scripts)))
}

/// Runs one script, once or for each of its uses. Its scenes and mistakes end up in the draft.
fn run(engine: &Engine, host: &Host, budget: &Budget, at: usize, (script, uses): (&Script, Option<&[Use]>)) -> AST {
    let empty = AST::empty();
    let ast = caught(|| compile(engine, &script.text));
    let begin = |values: Option<BTreeMap<String, Json>>| {
        let ast = ast.as_ref().unwrap_or(&empty);
        host.loading(|draft| {
            draft.script = at;
            draft.parts = 0;
            draft.file = script.file.clone();
            draft.texts.entry(script.file.clone()).or_insert_with(|| script.text.clone());
            draft.values = values;
            draft.asks_params = false;
            draft.parameters = ast.iter_functions().map(|f| (f.name.to_owned(), f.params.len())).collect();
        });
    };
    begin(None);
    let lost = ast.as_ref().map(captured::lost_changes).unwrap_or_default();
    let is_whole = lost.is_empty();
    let report = |at: Position, mistake| host.loading(|draft| draft.report(at, mistake));
    lost.into_iter().for_each(|(at, mistake)| report(at, mistake));
    match &ast {
        Ok(ast) if is_whole => {
            for values in uses.map_or_else(|| vec![None], |uses| parameters(host, uses)) {
                let has_values = values.is_some();
                begin(values);
                budget.fill(budget::LOAD);
                match caught(|| engine.run_ast(ast).map_err(|error| describe(&error))) {
                    Ok(()) => host.loading(|draft| draft.wants_params(has_values)),
                    Err(found) if found.is_stop() => {}
                    Err(found) => report(found.at, found.mistake),
                }
            }
        }
        Ok(_) => {}
        Err(found) => report(found.at, found.mistake.clone()),
    }
    ast.unwrap_or(empty)
}

/// The sets of parameters that a template runs for.
fn parameters(host: &Host, uses: &[Use]) -> Vec<Option<BTreeMap<String, Json>>> {
    let mut sets = vec![];
    for one in uses {
        match uses::expand(&host.things(), one) {
            Ok(found) => sets.extend(found.into_iter().map(Some)),
            Err(mistake) => host.loading(|draft| draft.report(Position::NONE, mistake)),
        }
    }
    sets
}

fn compile(engine: &Engine, text: &str) -> Result<AST, Found> {
    if text.len() > SCRIPT_BYTES_MAX {
        return Err(explain::too_long(text.len()));
    }
    engine.compile(text).map_err(|error| describe(&error.into()))
}

/// A panic in a word or in Rhai is a bug of ours, and the script's to answer for: all others go on.
fn caught<T>(run: impl FnOnce() -> Result<T, Found>) -> Result<T, Found> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// By file in the order given, then by place.
fn in_order(mut problems: Vec<FileProblem>, scripts: &[Script]) -> Vec<FileProblem> {
    problems.sort_by_key(|found| {
        let file = scripts.iter().position(|script| script.file == found.file);
        let place = match found.problem.place {
            edgeway_sdk::Place::Position { line, column } => (line, column),
            _ => (0, 0),
        };
        (file, place)
    });
    problems
}

/// `Debug` of an engine would be of no use to anyone.
impl fmt::Debug for Scripts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripts").finish_non_exhaustive()
    }
}
