//! What scripts have declared so far.

use super::FileProblem;
use super::words::SceneWord;
use crate::plan::{Act, Clause, Finding, HeldIx, HeldPlan, Mode, OnUpdate, Rate, What};
use crate::scripts::Closure;
use edgeway_sdk::{Json, Problem};
use rhai::Position;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// How many scenes, triggers, conditions and steps one script may declare.
pub(super) const PARTS_MAX: usize = 100_000;
/// More mistakes would help no one.
const PROBLEMS_MAX: usize = 256;

/// What scripts have declared so far, and every mistake in it.
#[derive(Default)]
pub(crate) struct Draft {
    /// The script that runs now.
    pub(super) script: usize,
    pub(super) file: Arc<str>,
    /// How many parameters each of its closures has, captured ones included.
    pub(super) parameters: HashMap<String, usize>,
    /// All scripts by file.
    pub(super) texts: HashMap<Arc<str>, String>,
    /// The parameters of the use that it runs for.
    pub(super) values: Option<BTreeMap<String, Json>>,
    /// Whether the script has asked for parameters.
    pub(super) asks_params: bool,
    /// How much the script that runs now has declared.
    pub(super) parts: usize,
    pub(super) scenes: Vec<SceneDraft>,
    pub(super) helds: Vec<HeldPlan>,
    pub(super) problems: Vec<FileProblem>,
}

/// A scene as declared; names of other scenes are not yet known.
#[derive(Default)]
pub(super) struct SceneDraft {
    pub(super) name: Arc<str>,
    pub(super) title: String,
    pub(super) file: Arc<str>,
    pub(super) at: Position,
    pub(super) triggers: Vec<(What, Arc<str>)>,
    /// Whether `.when(..)` was written at all, even with a mistake in it.
    pub(super) has_when: bool,
    pub(super) has_then: bool,
    pub(super) conditions: Vec<Clause>,
    pub(super) then: Vec<Tree>,
    pub(super) otherwise: Vec<Tree>,
    pub(super) cooldown: Duration,
    pub(super) mode: Mode,
    pub(super) per_device: bool,
    pub(super) priority: i64,
    pub(super) resume_within: Option<Duration>,
    pub(super) on_update: OnUpdate,
    pub(super) at_most: Option<Rate>,
    pub(super) shadow: bool,
    pub(super) allows: Vec<Finding>,
}

/// A step as declared: blocks contain steps, other scenes are names.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub(super) what: Branch,
    pub(super) text: Arc<str>,
    pub(super) at: Position,
    /// How many steps it is, with those inside it.
    pub(super) size: usize,
    /// How deep they stand inside each other.
    pub(super) depth: usize,
}

#[derive(Debug, Clone)]
pub(crate) enum Branch {
    Act(Act),
    Delay(Duration),
    WaitFor { condition: Clause, within: Duration, may_fail: bool },
    RunScene(Arc<str>),
    Run(Arc<Closure>),
    If { condition: Clause, then: Vec<Tree>, otherwise: Vec<Tree> },
    Parallel(Vec<Vec<Tree>>),
    Repeat { times: u32, body: Vec<Tree> },
    Transaction(Vec<Tree>),
}

impl Tree {
    /// The steps inside it.
    pub(super) fn inner(&self) -> impl Iterator<Item = &Tree> {
        let (first, rest): (&[Tree], &[Tree]) = match &self.what {
            Branch::If { then, otherwise, .. } => (then, otherwise),
            Branch::Repeat { body, .. } | Branch::Transaction(body) => (body, &[]),
            _ => (&[], &[]),
        };
        let branches: &[Vec<Tree>] = match &self.what {
            Branch::Parallel(branches) => branches,
            _ => &[],
        };
        first.iter().chain(rest).chain(branches.iter().flatten())
    }

    /// Visits it and all the steps inside it.
    pub(super) fn each<'a>(&'a self, visit: &mut impl FnMut(&'a Tree)) {
        visit(self);
        self.inner().for_each(|inner| inner.each(visit));
    }
}

/// In characters, from 1.
pub(super) fn column(at: Position) -> u32 {
    at.position().and_then(|column| u32::try_from(column).ok()).unwrap_or(1)
}

/// What is wrong, without the place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mistake {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Draft {
    pub(super) fn report(&mut self, at: Position, mistake: Mistake) {
        let problem = mistake.at(at);
        self.add(problem);
    }

    pub(super) fn warn(&mut self, at: Position, mistake: Mistake) {
        let problem = mistake.at(at).warning();
        self.add(problem);
    }

    /// A mistake in a scene, found after its script has run.
    pub(super) fn report_in(&mut self, scene: &SceneDraft, at: Position, mistake: Mistake) {
        self.file = scene.file.clone();
        self.report(at, mistake);
    }

    /// The same as a warning.
    pub(super) fn warn_in(&mut self, scene: &SceneDraft, at: Position, mistake: Mistake) {
        self.file = scene.file.clone();
        self.warn(at, mistake);
    }

    /// Keeps a problem once: a loop over devices makes the same mistake for each of them.
    fn add(&mut self, problem: Problem) {
        let problem = FileProblem { file: self.file.clone(), problem };
        if !self.is_full() && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The text of a script.
    pub(super) fn text_of(&self, file: &str) -> &str {
        self.texts.get(file).map_or("", String::as_str)
    }

    /// A use of a script that asks for no parameters would say the same scenes again.
    pub(super) fn wants_params(&mut self, has_values: bool) {
        if has_values && !self.asks_params {
            let mistake = Mistake::new("this script has no parameters, so it cannot be used with values");
            self.report(
                Position::NONE,
                mistake.help("write `let p = params(#{ .. })`, or remove the file with the uses"),
            );
        }
    }

    /// Whether further mistakes are left out.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= PROBLEMS_MAX
    }

    /// False when there is no room left.
    pub(super) fn grow(&mut self, parts: usize) -> bool {
        self.parts += parts;
        self.parts <= PARTS_MAX
    }

    pub(super) fn scene(&mut self, word: SceneWord) -> &mut SceneDraft {
        &mut self.scenes[word.0]
    }

    pub(super) fn add_held(&mut self, held: HeldPlan) -> HeldIx {
        self.helds.push(held);
        HeldIx(u32::try_from(self.helds.len() - 1).expect("the operation limit allows fewer than 2^32 words"))
    }
}

impl Mistake {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Mistake { message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = self.help.or(help);
        self
    }

    /// `what: message`.
    pub(super) fn within(self, what: &str) -> Self {
        Mistake { message: format!("{what}: {}", self.message), help: self.help }
    }

    /// The same with a place.
    pub(super) fn at(self, at: Position) -> Problem {
        let problem = match (at.line(), at.position()) {
            (Some(line), column) => Problem::at(line, column.unwrap_or(1), self.message),
            (None, _) => Problem::new(self.message),
        };
        problem.maybe_help(self.help)
    }

    pub(crate) fn in_one_line(&self) -> String {
        match &self.help {
            Some(help) => format!("{} ({help})", self.message),
            None => self.message.clone(),
        }
    }
}
