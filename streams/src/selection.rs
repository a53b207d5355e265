//! Filters over single messages: which of them a route takes, and what of each.

mod columns;
mod gather;
mod kinds;
mod program;
mod shape;
mod text;
mod vocabulary;

pub(crate) use columns::source_time;
pub(crate) use kinds::{Kind, KindRows, device_of};

use crate::catalog::Catalog;
use crate::queries::QueryInfo;
use edgeway_sdk::{Place, Problem, Value};
use edgeway_thing_models::{Message, Row, Things};
use program::Program;
use shape::{RowTypes, Shape};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use text::Texts;
use vocabulary::Vocabulary;

/// A condition, a list of expressions, or both, over one message at a time.
///
/// Compiled for each shape of message (kind, model, event, query) when the first one comes, and evaluated column by
/// column over all messages of a shape that are given together.
pub struct Selection {
    things: Arc<Things>,
    texts: Texts,
    vocabulary: Vocabulary,
    functions: Catalog,
    programs: Vec<Program>,
    known: HashMap<Shape, Known>,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It is taken; with the values of the list, if there is one.
    Pass(Option<Vec<Value>>),
    /// The condition is not true for it.
    Drop,
    /// An expression fails for it, as a division by zero does, or does not fit messages of its kind; and why.
    Failed(String),
}

/// Which of the two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The condition.
    Where,
    /// The list of expressions.
    Select,
}

/// The first mistake in a text, told so that it can be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectionError {
    /// Which text.
    pub part: Part,
    /// The line in the text, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What was found. Lowercase, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// Where the program of a shape is, and for rows of queries the types that it was made for.
struct Known {
    program: usize,
    types: RowTypes,
}

impl Selection {
    /// Compiles a condition (`where`) and a list of expressions (`select`, as between `SELECT` and `FROM`). Without both,
    /// everything is taken as it is.
    ///
    /// # Errors
    /// A name that no kind of message and no model of the site has, a function that there is not or that gives other
    /// answers at other times, or something that does not fit together in any kind of message that has the columns.
    pub fn compile(
        filter: Option<&str>,
        select: Option<&str>,
        things: &Arc<Things>,
    ) -> Result<Selection, SelectionError> {
        Self::compile_with_queries(filter, select, things, &[])
    }

    /// The same where rows of these queries come as well, whose columns can then be named.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_with_queries(
        filter: Option<&str>,
        select: Option<&str>,
        things: &Arc<Things>,
        queries: &[QueryInfo],
    ) -> Result<Selection, SelectionError> {
        let vocabulary = Vocabulary::new(things, queries);
        let functions = Catalog::functions();
        let texts = Texts::read(filter, select, &vocabulary, &functions)?;
        let things = things.clone();
        let selection = Selection { things, texts, vocabulary, functions, programs: vec![], known: HashMap::new() };
        selection.check()?;
        Ok(selection)
    }

    /// Names of the list's expressions, in order; `None` without a list.
    pub fn columns(&self) -> Option<Arc<[Arc<str>]>> {
        self.texts.columns()
    }

    /// A verdict for each message, in order.
    pub fn apply(&mut self, messages: &[&Message]) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::Drop; messages.len()];
        let mut used = HashSet::new();
        for (place, message) in messages.iter().enumerate() {
            let at = self.program(message, &mut verdicts);
            if self.programs[at].take_in(place, message, &self.things, &mut verdicts) {
                used.insert(at);
            }
        }
        for at in used {
            self.programs[at].finish(&mut verdicts);
        }
        verdicts
    }

    /// The place of the program for a message; made if there is none yet.
    fn program(&mut self, message: &Message, verdicts: &mut [Verdict]) -> usize {
        let shape = Shape::of(message, &self.things);
        if let Some(known) = self.known.get(&shape)
            && shape.row(message).is_none_or(|row| known.types.fit(row, &self.texts.names))
        {
            return known.program;
        }
        let before = self.known.remove(&shape);
        let types = before.as_ref().map(|known| known.types.clone()).unwrap_or_default();
        let types = types.learn(shape.row(message), &self.texts.names);
        let made = self.make(&shape, &types);
        let program = match before {
            Some(Known { program, .. }) => {
                // What it has taken in was of the types it knew.
                self.programs[program].finish(verdicts);
                self.programs[program] = made;
                program
            }
            None => {
                self.programs.push(made);
                self.programs.len() - 1
            }
        };
        self.known.insert(shape, Known { program, types });
        program
    }

    /// A shape that the texts do not fit has a program that says so of each message.
    fn make(&self, shape: &Shape, types: &RowTypes) -> Program {
        let compiled = program::compile(&self.texts, shape, types, self.around());
        compiled.unwrap_or_else(|(part, problem)| {
            Program::unfit(format!("`{part}` does not fit {}: {}", shape.describe(&self.things), problem.message))
        })
    }

    /// Tries the shapes that have columns which the texts name, until one fits.
    fn check(&self) -> Result<(), SelectionError> {
        let mut first = None;
        for shape in Shape::meant_by(&self.texts.names, &self.things) {
            match program::compile(&self.texts, &shape, &RowTypes::default(), self.around()) {
                Ok(_) => return Ok(()),
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        first.map_or(Ok(()), |(part, problem)| Err(SelectionError::new(part, problem)))
    }

    fn around(&self) -> program::Around<'_> {
        program::Around { things: &self.things, vocabulary: &self.vocabulary, functions: &self.functions }
    }
}

impl SelectionError {
    fn new(part: Part, problem: Problem) -> Self {
        let (line, column) = match problem.place {
            Place::Position { line, column } => (line, column),
            Place::Whole | Place::Key(_) => (1, 1),
        };
        SelectionError { part, line, column, message: problem.message, help: problem.help }
    }
}

impl fmt::Display for SelectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.part, self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, " ({help})"))
    }
}

impl std::error::Error for SelectionError {}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Where => "where",
            Part::Select => "select",
        })
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection").field("columns", &self.columns()).finish_non_exhaustive()
    }
}

/// The value of a row's column.
fn value_of<'r>(row: &'r Row, name: &str) -> Option<&'r Value> {
    let at = row.columns.iter().position(|column| &**column == name)?;
    row.values.get(at)
}
