//! From files to queries that can run: parse all, order them, plan each after those that it reads.

use super::{FileProblem, Queries, Source};
use crate::catalog::{Catalog, Feed, TS, Table};
use crate::df::{Field, Schema, SchemaRef, TIME};
use crate::dialect::{self, Statement};
use crate::graph;
use crate::intake::Intake;
use crate::plan::{self, Plan};
use crate::progress::Fingerprint;
use crate::query::{Identity, Input, Query};
use edgeway_sdk::{Place, Problem, did_you_mean};
use edgeway_thing_models::Things;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub(super) fn load(things: Arc<Things>, sources: &[Source]) -> Result<Queries, Vec<FileProblem>> {
    let mut loading = Loading { sources, catalog: Catalog::new(&things), planned: vec![], problems: vec![] };
    loading.check_names();
    let statements = loading.parse();
    loading.plan_all(statements);
    if !loading.problems.is_empty() {
        loading.problems.sort_by_key(|problem| (problem.file.clone(), position(&problem.problem)));
        return Err(loading.problems);
    }
    Ok(build(things, loading.planned, sources, &loading.catalog))
}

struct Loading<'a> {
    sources: &'a [Source],
    catalog: Catalog,
    planned: Vec<Planned>,
    problems: Vec<FileProblem>,
}

/// A query that has been planned.
struct Planned {
    source: usize,
    plan: Plan,
    feed: Feed,
    fingerprint: Fingerprint,
    /// What queries that read it see.
    schema: SchemaRef,
}

impl Loading<'_> {
    fn problem(&mut self, source: usize, problem: Problem) {
        self.problems.push(FileProblem { file: self.sources[source].file.clone(), problem });
    }

    /// A query's name is a table's, so it must be a plain one and no other's.
    fn check_names(&mut self) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, source) in self.sources.iter().enumerate() {
            let name = &*source.name;
            if !is_plain(name) {
                let problem = Problem::new(format!("`{name}` cannot be the name of a query"));
                self.problem(
                    at,
                    problem.help("call the file by lower-case letters, digits and `_`, not beginning with a digit"),
                );
            } else if self.catalog.table(name).is_some() {
                self.problem(
                    at,
                    Problem::new(format!("`{name}` is the table of a model; call the query something else")),
                );
            } else if let Some(first) = seen.insert(name, at) {
                let other = &self.sources[first].file;
                self.problem(at, Problem::new(format!("a query called `{name}` is in `{other}` already")));
            }
        }
    }

    fn parse(&mut self) -> Vec<Option<Statement>> {
        let mut statements = vec![];
        for (at, source) in self.sources.iter().enumerate() {
            let parsed = dialect::parse(&source.text, &source.name);
            statements.push(parsed.map_err(|problems| problems.into_iter().for_each(|p| self.problem(at, p))).ok());
        }
        statements
    }

    fn plan_all(&mut self, mut statements: Vec<Option<Statement>>) {
        let by_name: HashMap<&str, usize> = self.sources.iter().enumerate().map(|(at, s)| (&*s.name, at)).collect();
        let read = |statement: &Option<Statement>| {
            statement.iter().filter_map(|s| by_name.get(s.table.name.as_str()).copied()).collect::<Vec<_>>()
        };
        let reads: Vec<Vec<usize>> = statements.iter().map(read).collect();
        let order = graph::order(&reads);
        for circle in &order.circles {
            self.circle(circle, &statements);
        }
        for at in order.order {
            if let Some(statement) = statements[at].take() {
                self.plan_one(at, statement, !reads[at].is_empty());
            }
        }
    }

    fn circle(&mut self, circle: &[usize], statements: &[Option<Statement>]) {
        let names: Vec<_> =
            circle.iter().chain(&circle[..1]).map(|&at| format!("`{}`", self.sources[at].name)).collect();
        let message = format!("queries read each other in a circle: {}", names.join(" reads "));
        let at = statements[circle[0]].as_ref().map(|statement| statement.table.at).unwrap_or_default();
        self.problem(circle[0], at.problem(message).help("one of them has to read something else"));
    }

    fn plan_one(&mut self, source: usize, statement: Statement, reads_query: bool) {
        let Some(table) = self.catalog.table(&statement.table.name).cloned() else {
            // A query that it reads has problems of its own, which are told.
            if !reads_query {
                self.unknown_table(source, &statement);
            }
            return;
        };
        let upstream = match table.feed {
            Feed::Query(at) => self.planned[at].fingerprint.0.to_string(),
            _ => String::new(),
        };
        let fingerprint = statement.fingerprint.with(&upstream);
        match plan::plan(statement, &table, &self.catalog) {
            Ok(plan) => self.add(Planned { source, fingerprint, feed: table.feed, schema: visible(&plan), plan }),
            Err(problems) => problems.into_iter().for_each(|problem| self.problem(source, problem)),
        }
    }

    fn add(&mut self, planned: Planned) {
        let table = Table {
            feed: Feed::Query(self.planned.len()),
            timing: planned.plan.output_timing(),
            schema: planned.schema.clone(),
            left_out: BTreeMap::new(),
        };
        self.catalog.add_query(&self.sources[planned.source].name, table);
        self.planned.push(planned);
    }

    fn unknown_table(&mut self, source: usize, statement: &Statement) {
        let name = &statement.table.name;
        let own = self.sources.iter().map(|source| &*source.name);
        let help = did_you_mean(name, self.catalog.table_names().chain(own));
        let problem = statement.table.at.problem(format!("unknown table `{name}`")).maybe_help(help);
        self.problem(source, problem);
    }
}

fn position(problem: &Problem) -> (usize, usize) {
    match problem.place {
        Place::Position { line, column } => (line, column),
        _ => (0, 0),
    }
}

fn is_plain(name: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit())
}

/// What other queries see of a query: its columns, and the time of its rows.
fn visible(plan: &Plan) -> SchemaRef {
    let schema = plan.schema();
    if schema.column_with_name(TS).is_some() {
        return schema.clone();
    }
    let time = Arc::new(Field::new(TS, TIME, true));
    Arc::new(Schema::new(schema.fields().iter().cloned().chain([time]).collect::<Vec<_>>()))
}

fn build(things: Arc<Things>, planned: Vec<Planned>, sources: &[Source], catalog: &Catalog) -> Queries {
    let mut read: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut feeds: HashMap<Feed, usize> = HashMap::new();
    for query in planned.iter().filter(|query| !matches!(query.feed, Feed::Query(_))) {
        let next = feeds.len();
        let at = *feeds.entry(query.feed).or_insert(next);
        read.entry(at).or_default().extend(&query.plan.columns);
    }
    let table_of = |feed: Feed| catalog.tables().find(|table| table.feed == feed).expect("a query was planned over it");
    let mut tables: Vec<(usize, &Table)> = feeds.iter().map(|(feed, at)| (*at, table_of(*feed))).collect();
    tables.sort_by_key(|(at, _)| *at);
    let intakes = tables.iter().map(|(at, table)| Intake::new(table, &read[at], &things)).collect();
    let is_read: BTreeSet<usize> = planned.iter().filter_map(|query| query_of(query.feed)).collect();
    let queries = planned.into_iter().enumerate().map(|(at, planned)| {
        let input = query_of(planned.feed).map_or_else(|| Input::Messages(feeds[&planned.feed]), Input::Query);
        let places = match input {
            Input::Query(_) => planned.plan.columns.clone(),
            Input::Messages(table) => places(&planned.plan.columns, &read[&table]),
        };
        let table = is_read.contains(&at).then(|| planned.schema.clone());
        Query::new(identity(&planned, &sources[planned.source]), input, planned.plan, places, table)
    });
    let queries = queries.collect();
    Queries { things, intakes, feeds, queries, next: None }
}

fn query_of(feed: Feed) -> Option<usize> {
    match feed {
        Feed::Query(at) => Some(at),
        _ => None,
    }
}

/// Where the columns of a table are among those of it that are read.
fn places(columns: &[usize], read: &BTreeSet<usize>) -> Vec<usize> {
    let place =
        |column: &usize| read.iter().position(|other| other == column).expect("all columns of the plan are read");
    columns.iter().map(place).collect()
}

fn identity(planned: &Planned, source: &Source) -> Identity {
    Identity {
        name: source.name.clone(),
        file: source.file.clone(),
        sql: source.text.as_str().into(),
        fingerprint: planned.fingerprint.0,
        columns: planned.plan.schema().fields().iter().map(|field| field.name().as_str().into()).collect(),
    }
}
