//! All queries of a site.

mod load;

use crate::catalog::Feed;
use crate::intake::Intake;
use crate::progress::Progress;
use crate::query::{Input, Node, Query};
use crate::rows::Flow;
use edgeway_sdk::{Problem, Timestamp};
use edgeway_thing_models::{Body, Message, Things};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The most messages that are made into one batch.
const BATCH_MESSAGES_MAX: usize = 4096;

/// A query's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path, to name it in problems.
    pub file: Arc<str>,
    /// The query's name: the file's, without `.sql`, in snake_case.
    pub name: Arc<str>,
    /// One `SELECT`, or `CREATE QUERY name WITH (...) AS SELECT`.
    pub text: String,
}

/// A mistake in a query's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file.
    pub file: Arc<str>,
    /// The mistake.
    pub problem: Problem,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

/// A query, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// Its text.
    pub sql: Arc<str>,
    /// The columns of its rows.
    pub columns: Arc<[Arc<str>]>,
    /// Rows of its table that it got.
    pub rows_in: u64,
    /// Rows that it told.
    pub rows_out: u64,
    /// Rows left out because their window had closed.
    pub late: u64,
    /// Rows left out because their time was too far ahead of the gateway's clock.
    pub future: u64,
    /// Rows left out because the query's state was full: too many windows, groups or bytes.
    pub dead: u64,
    /// Up to which time it takes its rows to be complete; `None` before the first row and for queries without a window.
    pub watermark: Option<Timestamp>,
    /// Windows that are open; where windows share rows, the parts that they are made of.
    pub open_windows: usize,
    /// Groups in them.
    pub groups: usize,
    /// Rows left out because an expression failed for them, as a division by zero does.
    pub errors: u64,
}

/// All queries of a site, and their state.
///
/// The host pushes messages in the order of the journal and calls [`advance`](Queries::advance) about once a second.
/// Both only compute; nothing waits, nothing fails.
pub struct Queries {
    things: Arc<Things>,
    intakes: Vec<Intake>,
    /// Which intake the messages of a feed go to.
    feeds: HashMap<Feed, usize>,
    /// Each after those that it reads.
    queries: Vec<Query>,
    /// The offset after the last message seen.
    next: Option<u64>,
}

impl Queries {
    /// Reads, checks and plans queries. They see reports and events of the models in `things`, and each other's rows.
    ///
    /// # Errors
    /// All mistakes in all files, by file.
    pub fn load(things: Arc<Things>, sources: &[Source]) -> Result<Queries, Vec<FileProblem>> {
        load::load(things, sources)
    }

    /// Takes in messages, each with its offset in the journal, in ascending order. Rows that they complete go to `out`:
    /// those of a query in the order of their windows, then of their keys; a query after those that feed it.
    ///
    /// Reports and events are read. Rows are not: queries that read other queries get theirs directly, so that their
    /// windows can be made again after a restart.
    ///
    /// `now` is what the gateway's clock shows; it becomes the time of the rows.
    pub fn push(&mut self, now: Timestamp, entries: &[(u64, Arc<Message>)], out: &mut Vec<Message>) {
        for part in entries.chunks(BATCH_MESSAGES_MAX) {
            for (offset, message) in part {
                self.collect(*offset, message);
                self.next = Some(offset + 1);
            }
            let tables: Vec<Flow> = self.intakes.iter_mut().map(Intake::take).collect();
            self.run(&tables, |query, flow| query.push(now, flow, out));
        }
    }

    /// Lets time pass: windows of queries that nothing came for close as well. Call it about once a second, but not while
    /// old messages are pushed again.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<Message>) {
        let tables = vec![Flow::default(); self.intakes.len()];
        self.run(&tables, |query, flow| query.advance(now, flow, out));
    }

    /// How far each query has come; to be kept once the rows told so far are safe. Queries that have seen nothing yet are
    /// not in it.
    pub fn progress(&self) -> Vec<Progress> {
        self.queries.iter().filter_map(|query| query.progress(self.next)).collect()
    }

    /// Takes up where an earlier run stopped. To be called before the first push; then push what the journal holds from
    /// [`resume_offset`](Queries::resume_offset) on.
    ///
    /// Progress of queries that are not there, or whose text has changed, is left out.
    pub fn restore(&mut self, progress: &[Progress]) {
        for query in &mut self.queries {
            let identity = &query.identity;
            let is_own = |p: &&Progress| p.query == identity.name && p.fingerprint == identity.fingerprint;
            if let Some(own) = progress.iter().find(is_own) {
                query.restore(own);
            }
        }
        self.set_floors();
    }

    /// The lowest offset that the queries need to make their open windows again; `None` if they have seen nothing.
    pub fn resume_offset(&self) -> Option<u64> {
        self.progress().iter().map(|progress| progress.resume_offset).min()
    }

    /// All queries, each after those that feed it.
    pub fn list(&self) -> Vec<QueryInfo> {
        self.queries.iter().map(info).collect()
    }

    fn collect(&mut self, offset: u64, message: &Message) {
        match &message.body {
            Body::Report(report) => {
                let feed = Feed::Reports(self.things.device(report.device).model);
                if let Some(&at) = self.feeds.get(&feed) {
                    self.intakes[at].report(&self.things, offset, message, report);
                }
            }
            Body::Event(event) => {
                let feed = Feed::Events(self.things.device(event.device).model, event.event);
                if let Some(&at) = self.feeds.get(&feed) {
                    self.intakes[at].event(&self.things, offset, message, event);
                }
            }
            _ => {}
        }
    }

    /// Gives each query what its input hands on, in order.
    fn run(&mut self, tables: &[Flow], mut step: impl FnMut(&mut Query, &Flow) -> Flow) {
        let mut made: Vec<Flow> = Vec::with_capacity(self.queries.len());
        for query in &mut self.queries {
            let flow = match query.input {
                Input::Messages(at) => &tables[at],
                Input::Query(at) => &made[at],
            };
            made.push(step(query, flow));
        }
    }

    /// After a restart a query leaves out the windows that it told, unless a query behind it has a window open that they
    /// are part of.
    fn set_floors(&mut self) {
        let mut needed: Vec<Option<i64>> = vec![None; self.queries.len()];
        for at in (0..self.queries.len()).rev() {
            let told = self.queries[at].told_until();
            let floor = told.map(|told| needed[at].map_or(told, |needed| needed.min(told)));
            let from = match &mut self.queries[at].node {
                Node::Windows(windows) => {
                    windows.begin_after(floor.unwrap_or(i64::MIN));
                    floor.map(|floor| windows.frame.needed_after(floor))
                }
                Node::Select { .. } => needed[at],
            };
            if let (Input::Query(input), Some(from)) = (self.queries[at].input, from) {
                needed[input] = Some(needed[input].map_or(from, |other| other.min(from)));
            }
        }
    }
}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.queries.iter().map(|query| &query.identity.name)).finish()
    }
}

fn info(query: &Query) -> QueryInfo {
    let (identity, counters) = (query.identity.clone(), query.counters);
    let windows = match &query.node {
        Node::Windows(windows) => Some(windows),
        Node::Select { .. } => None,
    };
    QueryInfo {
        name: identity.name,
        file: identity.file,
        sql: identity.sql,
        columns: identity.columns,
        rows_in: counters.rows_in,
        rows_out: counters.rows_out,
        late: counters.late,
        future: counters.future,
        dead: counters.dead,
        watermark: windows.and_then(|windows| windows.watermark()).map(Timestamp::from_nanos),
        open_windows: windows.map_or(0, |windows| windows.open_panes()),
        groups: windows.map_or(0, |windows| windows.groups()),
        errors: counters.errors,
    }
}
