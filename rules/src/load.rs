//! From scripts to a plan: runs every script once, collects every mistake, proves the rest.

mod budget;
mod compile;
mod draft;
mod engine;
mod explain;
mod fit;
mod host;
mod link;
mod words;

pub(crate) use budget::Budget;
pub(crate) use explain::describe;
pub(crate) use host::{Host, Notes};
pub(crate) use words::value_of;

use crate::plan::Plan;
use crate::prove::{Evidence, prove};
use crate::scripts::Scripts;
use crate::values::Slots;
use edgeway_sdk::{DeviceIx, Problem, Severity};
use edgeway_thing_models::{ModelIx, PropertyIx, Things};
use jiff::tz::TimeZone;
use rhai::{AST, Engine};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How many operations a script may take to declare its scenes, about 20 ms.
const LOAD_OPERATIONS_MAX: u64 = 200_000;

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
    let budget = Budget::default();
    let engine = engine::new(&host, &budget);
    let asts: Vec<AST> =
        scripts.iter().enumerate().map(|(at, script)| run(&engine, &host, &budget, at, script)).collect();
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

/// Runs one script. Its scenes and mistakes end up in the draft.
fn run(engine: &Engine, host: &Host, budget: &Budget, at: usize, script: &Script) -> AST {
    let start = |draft: &mut draft::Draft, ast: &AST| {
        draft.script = at;
        draft.file = script.file.clone();
        draft.parameters = ast.iter_functions().map(|f| (f.name.to_owned(), f.params.len())).collect();
    };
    let ast = engine.compile(&script.text);
    let empty = AST::empty();
    let begun = host.declare("scene", rhai::Position::NONE, |draft| start(draft, ast.as_ref().unwrap_or(&empty)));
    begun.expect("the host loads until its draft is taken");
    budget.fill(LOAD_OPERATIONS_MAX);
    let result = match &ast {
        Ok(ast) => engine.run_ast(ast),
        Err(error) => Err(error.clone().into()),
    };
    if let Err(error) = result {
        let found = describe(&error);
        host.check::<()>(found.at, Err(found.mistake)).expect("the host loads until its draft is taken");
    }
    ast.unwrap_or(empty)
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
