//! From files to queries that can run: parse all, order them, plan each after those that it reads.

mod elements;
mod reads;
mod wiring;

use super::{FileProblem, Queries, Site, Source};
use crate::catalog::{Catalog, Feed, TS, Table};
use crate::df::{Field, RecordBatch, Schema, SchemaRef, TIME};
use crate::dialect::{self, At, Block, Definition, Function, Late, Lookup, Options, Statement, TableName, What};
use crate::fingerprint::Fingerprint;
use crate::graph;
use crate::lookups;
use crate::plan::{self, Plan, Upstream};
use crate::ranks::Ranks;
use edgeway_sdk::{Place, Problem, did_you_mean};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(super) fn load(site: &Site, sources: &[Source]) -> Result<Queries, Vec<FileProblem>> {
    plan_together(site, sources, None)
}

/// As [`load`], with one statement more, over rows that have an end.
pub(crate) fn bounded(
    site: &Site,
    sources: &[Source],
    source: Source,
    statement: Statement,
) -> Result<Queries, Vec<FileProblem>> {
    let sources: Vec<Source> = sources.iter().cloned().chain([source]).collect();
    plan_together(site, &sources, Some(statement))
}

fn plan_together(site: &Site, sources: &[Source], last: Option<Statement>) -> Result<Queries, Vec<FileProblem>> {
    let bounded = last.as_ref().map(|_| sources.len() - 1);
    let mut loading = Loading {
        bounded,
        sources,
        site,
        catalog: Catalog::new(&site.things),
        ranks: Arc::new(Ranks::new(&site.things)),
        functions: BTreeMap::new(),
        planned: vec![],
        problems: vec![],
    };
    loading.add_lookups();
    let mut statements = loading.parse();
    statements.extend(last.map(|statement| (sources.len() - 1, statement)));
    loading.check_names(&statements);
    let queries = loading.define(statements);
    loading.plan_all(queries);
    if !loading.problems.is_empty() {
        loading.problems.sort_by_key(|problem| (problem.file.clone(), position(&problem.problem)));
        return Err(loading.problems);
    }
    Ok(wiring::build(site, &loading.ranks, loading.planned, sources, &loading.catalog))
}

struct Loading<'a> {
    /// The source whose rows have an end, which is not parsed here.
    bounded: Option<usize>,
    sources: &'a [Source],
    site: &'a Site,
    catalog: Catalog,
    ranks: Arc<Ranks>,
    functions: BTreeMap<String, Function>,
    planned: Vec<Planned>,
    problems: Vec<FileProblem>,
}

/// A statement, and the file that it is in.
type InFile = (usize, Statement);

/// A query whose blocks are known.
struct Parsed {
    source: usize,
    name: String,
    options: Options,
    is_view: bool,
    blocks: Vec<Block>,
}

/// A block that has been planned.
struct Planned {
    source: usize,
    name: String,
    /// A sub-query or a view, which tells nothing.
    is_hidden: bool,
    /// Whether late rows are told aside.
    tells_late: bool,
    plan: Plan,
    /// The feeds of the tables that it reads.
    feeds: Vec<Feed>,
    /// The options of the query, over those of each table.
    options: Vec<Options>,
    /// What blocks that read it see.
    schema: SchemaRef,
}

impl Loading<'_> {
    fn problem(&mut self, source: usize, problem: Problem) {
        self.problems.push(FileProblem { file: self.sources[source].file.clone(), problem });
    }

    /// The tables that are there from the start, if nothing else has their name.
    fn add_lookups(&mut self) {
        for file in [lookups::devices(&self.site.things)].iter().chain(&self.site.tables) {
            if self.catalog.table(&file.name).is_none() {
                self.catalog.add_lookup(&file.name, file.table());
            }
        }
    }

    fn parse(&mut self) -> Vec<InFile> {
        let mut statements = vec![];
        let bounded = self.bounded;
        for (at, source) in self.sources.iter().enumerate().filter(|(at, _)| Some(*at) != bounded) {
            match dialect::parse(&source.text, &source.name) {
                Ok(found) => statements.extend(found.into_iter().map(|statement| (at, statement))),
                Err(problems) => problems.into_iter().for_each(|problem| self.problem(at, problem)),
            }
        }
        statements
    }

    /// The name of a query or a stream is a table's, so it must be a plain one and no other's.
    fn check_names(&mut self, statements: &[InFile]) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, statement) in statements {
            let name = &*statement.name;
            let is_function = matches!(statement.what, What::Function(_));
            if !is_plain(name) {
                let problem = statement.at.problem(format!("`{name}` cannot be the name of a query"));
                let help = "call the file by lower-case letters, digits and `_`, not beginning with a digit";
                self.problem(*at, problem.help(help));
            } else if !is_function && self.catalog.table(name).is_some() {
                let problem = statement.at.problem(format!("`{name}` is the table of a model"));
                self.problem(*at, problem.help("call it something else"));
            } else if is_function && self.catalog.is_known(name) {
                let problem = statement.at.problem(format!("there is a function `{name}` already"));
                self.problem(*at, problem.help("call it something else"));
            } else if let Some(first) = seen.insert(name, *at) {
                let message = format!("something called `{name}` is in `{}` already", self.sources[first].file);
                self.problem(*at, statement.at.problem(message));
            }
        }
    }

    /// Makes everything known but the queries, which are returned.
    fn define(&mut self, statements: Vec<InFile>) -> Vec<Parsed> {
        let mut queries = vec![];
        for (source, Statement { name, at, what }) in statements {
            match what {
                What::Query(definition) => queries.push((source, name, definition)),
                What::Stream(table, options) => match self.catalog.table(&table.name).cloned() {
                    Some(of) if of.rows.is_none() => self.catalog.add(Table { name, options, ..of }),
                    _ => {
                        let help = did_you_mean(&table.name, self.catalog.table_names());
                        let problem = table.at.problem(format!("there are no messages called `{}`", table.name));
                        self.problem(source, problem.maybe_help(help));
                    }
                },
                What::Lookup(lookup) => match self.lookup(&lookup, at) {
                    Ok(rows) => self.catalog.add_lookup(&name, rows),
                    Err(problem) => self.problem(source, problem),
                },
                What::Function(function) => drop(self.functions.insert(name, function)),
            }
        }
        queries.into_iter().filter_map(|(source, name, definition)| self.blocks(source, name, definition)).collect()
    }

    fn blocks(&mut self, source: usize, name: String, mut definition: Definition) -> Option<Parsed> {
        let (options, is_view) = (definition.options.clone(), definition.is_view);
        let put_in = dialect::put_in(&mut definition.query, &self.functions);
        match put_in.and_then(|()| definition.blocks(&name)) {
            Ok(blocks) => Some(Parsed { source, name, options, is_view, blocks }),
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.problem(source, problem));
                None
            }
        }
    }

    /// The rows of a `CREATE TABLE`, with the types that it declares.
    fn lookup(&self, lookup: &Lookup, at: At) -> Result<RecordBatch, Problem> {
        let devices = lookups::devices(&self.site.things);
        let mut known = [&devices].into_iter().chain(&self.site.tables);
        let Some(file) = known.find(|file| *file.name == *lookup.source.name) else {
            let names = self.site.tables.iter().map(|file| &*file.name).chain([lookups::DEVICES]);
            let help = Some(&lookup.source.name).filter(|name| !name.is_empty());
            let help = help.and_then(|name| did_you_mean(name, names));
            let problem = lookup.source.at.or(at).problem(format!("unknown source `{}`", lookup.source.name));
            return Err(problem.maybe_help(help.or_else(|| {
                Some("write WITH (source = 'devices') or the name of a file in `tables`, without .csv".to_owned())
            })));
        };
        let (mut columns, mut arrays) = (vec![], vec![]);
        for column in &lookup.columns {
            let place = |problem: String| column.at.problem(problem);
            let Some(found) = file.columns.iter().position(|name| *name == column.name) else {
                let help = did_you_mean(&column.name, file.columns.iter().map(String::as_str));
                return Err(place(format!("unknown column `{}` in {}", column.name, file.file)).maybe_help(help));
            };
            let Some(data_type) = lookups::column_type(&column.sql_type) else {
                let problem = place(format!("a table has no columns of type {}", column.sql_type));
                return Err(problem.help("write TEXT, BIGINT, DOUBLE or BOOLEAN"));
            };
            let array = file.typed(found, &data_type).map_err(|(line, cell)| {
                place(format!("{} line {line}: `{cell}` is not a {}", file.file, column.sql_type))
            })?;
            columns.push((column.name.clone(), data_type));
            arrays.push(array);
        }
        Ok(lookups::batch(&columns, arrays, file.rows.len()))
    }

    fn plan_all(&mut self, mut queries: Vec<Parsed>) {
        let names: Vec<String> = queries.iter().map(|query| query.name.clone()).collect();
        let by_name: HashMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let read = |query: &Parsed| {
            let tables = query.blocks.iter().flat_map(|block| &block.tables);
            tables.filter_map(|table| by_name.get(table.name.as_str()).copied()).collect::<Vec<_>>()
        };
        let reads: Vec<Vec<usize>> = queries.iter().map(read).collect();
        let order = graph::order(&reads);
        for circle in &order.circles {
            self.circle(circle, &queries);
        }
        for at in order.order {
            let blocks = std::mem::take(&mut queries[at].blocks);
            self.plan_one(&queries[at], blocks, &by_name);
        }
    }

    fn circle(&mut self, circle: &[usize], queries: &[Parsed]) {
        let names: Vec<_> = circle.iter().chain(&circle[..1]).map(|&at| format!("`{}`", queries[at].name)).collect();
        let message = format!("queries read each other in a circle: {}", names.join(" reads "));
        let (first, next) = (&queries[circle[0]], &queries[circle.get(1).copied().unwrap_or(circle[0])].name);
        let mut tables = first.blocks.iter().flat_map(|block| &block.tables);
        let at = tables.find(|table| table.name == *next).map(|table| table.at).unwrap_or_default();
        self.problem(first.source, at.problem(message).help("one of them has to read something else"));
    }

    fn plan_one(&mut self, query: &Parsed, blocks: Vec<Block>, queries: &HashMap<&str, usize>) {
        let first = self.planned.len();
        for block in blocks {
            if let Err(problems) = self.plan_block(query, block, queries) {
                problems.into_iter().for_each(|problem| self.problem(query.source, problem));
                return;
            }
        }
        for problem in useless_options(&query.options, &self.planned[first..]) {
            self.problem(query.source, problem);
        }
    }

    fn plan_block(&mut self, query: &Parsed, block: Block, queries: &HashMap<&str, usize>) -> Result<(), Vec<Problem>> {
        let (mut tables, mut problems): (Vec<Table>, _) = (vec![], vec![]);
        for (at, name) in block.tables.iter().enumerate() {
            if let Some(unnest) = &name.unnest {
                let before: Vec<_> = block.tables[..at].iter().zip(&tables).collect();
                let table = elements::table(name, unnest, &before).map_err(|problem| vec![problem])?;
                self.catalog.add(table.clone());
                tables.push(Table { options: query.options.clone(), ..table });
                continue;
            }
            match self.catalog.table(&name.name) {
                Some(table) => {
                    tables.push(Table { options: query.options.over(&table.options), ..table.clone() });
                }
                // A query that it reads has problems of its own, which are told.
                None if queries.contains_key(name.name.as_str()) => return Err(vec![]),
                None => problems.push(self.unknown_table(name)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let told = |table: &Table| match table.feed {
            Feed::Query(at) => self.planned[at].plan.schema.fields().len(),
            _ => table.shown,
        };
        let upstream = |table| Upstream { table, fingerprint: self.fingerprint(table), told: told(table) };
        let upstream: Vec<Upstream<'_>> = tables.iter().map(upstream).collect();
        for (table, name) in tables.iter().zip(&block.tables) {
            if let Feed::Query(at) = table.feed
                && self.planned[at].plan.tells_again
            {
                let problem = name.at.problem(format!("`{}` tells windows more than once", name.shown()));
                return Err(vec![problem.help("read what it reads, or take `emit` and `allowed_lateness` out of it")]);
            }
        }
        let name = block.name.clone();
        let options: Vec<Options> = tables.iter().map(|table| table.options.clone()).collect();
        let (is_last, is_bounded) = (name == query.name, self.bounded == Some(query.source));
        let (site, catalog, tables) = (self.site, &self.catalog, &*upstream);
        let around = plan::Around {
            site,
            catalog,
            tables,
            options: &options,
            own: &query.options,
            is_last,
            is_bounded,
            ranks: &self.ranks,
        };
        let plan = plan::plan(block, around)?;
        let feeds = upstream.iter().map(|upstream| upstream.table.feed).collect();
        let is_hidden = query.is_view || name != query.name;
        let tells_late = query.options.late.is_some_and(|late| late.value == Late::Aside);
        self.add(Planned {
            source: query.source,
            name,
            is_hidden,
            tells_late,
            feeds,
            options,
            schema: visible(&plan),
            plan,
        });
        Ok(())
    }

    fn fingerprint(&self, table: &Table) -> Fingerprint {
        match table.feed {
            Feed::Query(at) => self.planned[at].plan.fingerprint,
            feed => {
                let fingerprint = Fingerprint::new().with(&format!("{feed:?} {:?}", table.schema));
                let worst = Some(table.options.quality()).filter(|worst| has_quality(feed) && !worst.is_good());
                worst.map_or(fingerprint, |worst| fingerprint.with(worst.class()))
            }
        }
    }

    fn add(&mut self, planned: Planned) {
        self.catalog.add(Table {
            name: planned.name.clone(),
            feed: Feed::Query(self.planned.len()),
            timing: planned.plan.timing,
            units: planned.plan.units.clone(),
            shown: planned.schema.fields().len(),
            schema: planned.schema.clone(),
            options: Options::default(),
            rows: None,
        });
        self.planned.push(planned);
    }

    fn unknown_table(&self, table: &TableName) -> Problem {
        let known = self.catalog.table_names().filter(|name| !name.contains('#'));
        let own = self.sources.iter().map(|source| &*source.name);
        let help = did_you_mean(&table.name, known.chain(own));
        table.at.problem(format!("unknown table `{}`", table.name)).maybe_help(help)
    }
}

/// Whether values of several qualities come from there.
fn has_quality(feed: Feed) -> bool {
    matches!(feed, Feed::Reports(_))
}

/// An option that would change nothing is a misunderstanding.
fn useless_options(options: &Options, blocks: &[Planned]) -> Vec<Problem> {
    let mut feeds = blocks.iter().flat_map(|block| &block.feeds);
    let reads_messages = feeds.any(|feed| !matches!(feed, Feed::Query(_) | Feed::Lookup | Feed::Elements));
    let waits = blocks.iter().any(|block| block.plan.waits);
    let used = |name| blocks.iter().any(|block| block.plan.used.contains(name));
    let reason = |name| match name {
        "watermark_delay" | "max_future_skew" | "idle_timeout" if !reads_messages && !waits => {
            Some(": the query reads another query's windows and follows that query's time")
        }
        "max_future_skew" => None,
        "quality" if blocks.iter().flat_map(|block| &block.feeds).any(|feed| has_quality(*feed)) => None,
        "quality" => Some(": the query reads no properties of devices"),
        "watermark_delay" | "idle_timeout" if waits => None,
        "watermark_delay" | "idle_timeout" => Some(": the query has no window"),
        name if used(name) => None,
        _ => Some(""),
    };
    let set = options.set().into_iter().filter_map(|(name, at)| Some((name, at, reason(name)?)));
    let problem = |(name, at, reason): (_, At, _)| at.problem(format!("`{name}` has no effect here{reason}"));
    set.map(|useless| problem(useless).help("take it out")).collect()
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
    if plan.schema.column_with_name(TS).is_some() {
        return plan.schema.clone();
    }
    let time = Arc::new(Field::new(TS, TIME, true));
    Arc::new(Schema::new(plan.schema.fields().iter().cloned().chain([time]).collect::<Vec<_>>()))
}
