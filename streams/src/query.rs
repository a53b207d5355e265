//! A query that runs.

use crate::answer;
use crate::df::{RecordBatch, SchemaRef};
use crate::plan::{Operator, Plan};
use crate::progress::Progress;
use crate::rows::{Flow, Rows, Timing, bisect, take_rows};
use crate::segment::Segment;
use crate::windows::{Clock, Time, Windows};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::Message;
use std::sync::Arc;
use std::time::Duration;

/// What happened to rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counters {
    pub(crate) rows_in: u64,
    pub(crate) rows_out: u64,
    pub(crate) late: u64,
    pub(crate) future: u64,
    pub(crate) dead: u64,
    pub(crate) errors: u64,
}

/// Where a query's rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// A table of messages, by its place among those that are read.
    Messages(usize),
    /// Another query, by its place in the order.
    Query(usize),
}

/// What a query is called and says.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) name: Arc<str>,
    pub(crate) file: Arc<str>,
    pub(crate) sql: Arc<str>,
    pub(crate) fingerprint: u64,
    pub(crate) columns: Arc<[Arc<str>]>,
}

pub(crate) struct Query {
    pub(crate) identity: Identity,
    pub(crate) input: Input,
    pub(crate) counters: Counters,
    pub(crate) node: Node,
    /// The columns that it reads, by their place in the batches of its input.
    places: Vec<usize>,
    timing: Timing,
    /// The columns that queries can read of it; `None` if none does.
    table: Option<SchemaRef>,
    /// How far the windows have come that its rows are timed by.
    frontier: Option<i64>,
    told: Told,
}

pub(crate) enum Node {
    Select { segment: Segment, skew: i64 },
    Windows(Box<Windows>),
}

/// What was told before a restart.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// The offset from which on nothing has been seen, if that is known.
    resume: Option<u64>,
    until: i64,
    is_restored: bool,
}

impl Query {
    /// `places` are those of the plan's columns in the batches of the input; `table` is what other queries read.
    pub(crate) fn new(
        identity: Identity,
        input: Input,
        plan: Plan,
        places: Vec<usize>,
        table: Option<SchemaRef>,
    ) -> Self {
        let (options, timing) = (plan.options, plan.timing);
        let time = || match timing {
            Timing::Moment => {
                Time::Rows(Clock::new(nanos(options.delay()), nanos(options.skew()), nanos(options.idle())))
            }
            Timing::WindowEnd => Time::Input(None),
        };
        let node = match plan.operator {
            Operator::Select(segment) => Node::Select { segment, skew: nanos(options.skew()) },
            Operator::Group { window, grouping, finish } => {
                Node::Windows(Box::new(Windows::new(time(), window, grouping, finish)))
            }
        };
        let told = Told { resume: None, until: i64::MIN, is_restored: false };
        Query { identity, input, counters: Counters::default(), node, places, timing, table, frontier: None, told }
    }

    /// Takes in what its input hands on. What it makes goes to `out`, and to the queries that read it.
    pub(crate) fn push(&mut self, now: Timestamp, flow: &Flow, out: &mut Vec<Message>) -> Flow {
        let mut made = vec![];
        if let Node::Windows(windows) = &mut self.node
            && let Time::Rows(clock) = &mut windows.time
            && flow.rows.iter().any(|rows| rows.len() > 0)
        {
            clock.note_push(now.as_nanos());
        }
        for rows in &flow.rows {
            self.counters.rows_in += rows.len() as u64;
            self.take_in(rows, &mut made);
        }
        if let (Some(frontier), Node::Windows(windows)) = (flow.frontier, &mut self.node) {
            windows.follow(frontier, &mut self.counters, &mut made);
        }
        self.frontier = match &self.node {
            Node::Windows(windows) => windows.watermark(),
            Node::Select { .. } => flow.frontier.max(self.frontier),
        };
        self.hand_on(now, made, out)
    }

    /// As `push`, after time has passed.
    pub(crate) fn advance(&mut self, now: Timestamp, flow: &Flow, out: &mut Vec<Message>) -> Flow {
        let mut made = vec![];
        if let Node::Windows(windows) = &mut self.node {
            windows.tick(now.as_nanos(), &mut self.counters, &mut made);
        }
        let mut handed = self.hand_on(now, made, out);
        let pushed = self.push(now, flow, out);
        handed.rows.extend(pushed.rows);
        Flow { frontier: pushed.frontier, ..handed }
    }

    fn take_in(&mut self, rows: &Rows, made: &mut Vec<Rows>) {
        let batch = rows.batch.project(&self.places).expect("the plan was made for the columns of this table");
        match &mut self.node {
            Node::Windows(windows) => windows.push(rows, &batch, &mut self.counters, made),
            Node::Select { segment, skew } => {
                let skew = (self.timing == Timing::Moment).then_some(*skew);
                select(segment, rows, &batch, skew, &mut self.counters, made);
                made.extend(rows.window.map(|window| answer::no_rows(&segment.schema, window)));
            }
        }
    }

    fn hand_on(&mut self, now: Timestamp, made: Vec<Rows>, out: &mut Vec<Message>) -> Flow {
        let mut flow = Flow { rows: vec![], frontier: self.frontier };
        for rows in made {
            let told = self.told;
            let by_window = self.is_timed_by_windows();
            let was_told =
                |ts, offset| if by_window { ts <= told.until } else { told.resume.is_some_and(|r| offset < r) };
            let names = (&self.identity.name, &self.identity.columns);
            match answer::messages(names, &rows, now, was_told, out) {
                Ok(count) => self.counters.rows_out += count,
                Err(_) => self.counters.errors += rows.len() as u64,
            }
            let Some(table) = &self.table else { continue };
            match rows.timed(table) {
                Ok(rows) => flow.rows.push(rows),
                Err(_) => self.counters.errors += 1,
            }
        }
        flow
    }

    fn is_timed_by_windows(&self) -> bool {
        self.timing == Timing::WindowEnd || matches!(self.node, Node::Windows(_))
    }

    /// How far it has come, if it has begun. `next` is the offset after the last one seen.
    pub(crate) fn progress(&self, next: Option<u64>) -> Option<Progress> {
        let resume = match &self.node {
            Node::Windows(windows) => windows.first_offset().or(next).or(self.told.resume),
            Node::Select { .. } => next.max(self.told.resume),
        };
        Some(Progress {
            query: self.identity.name.clone(),
            fingerprint: self.identity.fingerprint,
            resume_offset: resume?,
            closed_until: Timestamp::from_nanos(self.frontier.unwrap_or(i64::MIN).max(self.told.until)),
        })
    }

    /// Notes what was told before a restart.
    pub(crate) fn restore(&mut self, progress: &Progress) {
        let until = progress.closed_until.as_nanos();
        self.told = Told { resume: Some(progress.resume_offset), until, is_restored: true };
    }

    /// Up to where everything is told, if the query has been restored.
    pub(crate) fn told_until(&self) -> Option<i64> {
        self.told.is_restored.then_some(self.told.until)
    }
}

/// Runs rows through a filter and a projection, each by itself; `batch` holds the columns that these read. Rows whose time
/// is more than `skew` ahead of the gateway's clock are left out.
fn select(
    segment: &Segment,
    rows: &Rows,
    batch: &RecordBatch,
    skew: Option<i64>,
    counters: &mut Counters,
    made: &mut Vec<Rows>,
) {
    let is_future = |&at: &usize| skew.is_some_and(|skew| rows.ts[at] > rows.heard[at].saturating_add(skew));
    let (future, timely): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(is_future);
    counters.future += future.len() as u64;
    let Ok(batch) = take_rows(batch, &timely) else {
        counters.errors += timely.len() as u64;
        return;
    };
    counters.errors += bisect(0..timely.len(), &mut |range| {
        let (batch, kept) = segment.run(&batch.slice(range.start, range.len()))?;
        let kept: Vec<usize> = kept.into_iter().map(|at| timely[at + range.start]).collect();
        made.push(rows.pick(&kept, batch));
        Ok(())
    });
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
