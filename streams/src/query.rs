//! A query that runs: what it reads, and the steps that its rows go through.

use crate::account::{Account, LeftOut};
use crate::answer;
use crate::aside::Aside;
use crate::df::{RecordBatch, Result, SchemaRef};
use crate::join::Join;
use crate::operator::{Held, Operator, step};
use crate::rows::{Flow, Mark, Rows};
use edgeway_sdk::Timestamp;
use edgeway_thing_models::{Message, ModelIx, PropertyIx};
use std::sync::Arc;

/// What a query is called and says.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) name: Arc<str>,
    pub(crate) file: Arc<str>,
    pub(crate) sql: Arc<str>,
    pub(crate) columns: Arc<[Arc<str>]>,
    /// Which of them are times.
    pub(crate) times: Arc<[bool]>,
    /// The properties that it reads, of itself or through other queries.
    pub(crate) reads: Arc<[(ModelIx, PropertyIx)]>,
    /// A sub-query, whose rows only the query around it sees.
    pub(crate) is_hidden: bool,
}

/// Where rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// A table of messages, by its place among the sources.
    Source(usize),
    /// Another query, by its place in the order.
    Query(usize),
}

/// Something that a query reads.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) from: From,
    /// The columns that are read, by their place in the batches of the table.
    pub(crate) places: Vec<usize>,
}

/// A step, and a fingerprint of everything that its state depends on.
pub(crate) struct Step {
    pub(crate) fingerprint: u64,
    pub(crate) work: Work,
}

/// What a step does. The first input is what the first step gets.
pub(crate) enum Work {
    /// Something with the rows of the step before.
    Do(Box<dyn Operator>),
    /// Brings the rows of the step before together with those of another input.
    Meet(usize, Box<dyn Join>),
}

pub(crate) struct Query {
    pub(crate) identity: Identity,
    pub(crate) inputs: Vec<Input>,
    pub(crate) steps: Vec<Step>,
    pub(crate) account: Account,
    pub(crate) aside: Aside,
    /// The columns that queries can read of it; `None` if none does.
    pub(crate) table: Option<SchemaRef>,
    pub(crate) watermark: i64,
    /// Whether it takes nothing in, because nobody needs what it would make.
    pub(crate) is_off: bool,
    pub(crate) busy_nanos: u64,
}

impl Query {
    /// Takes in what its inputs hand on. What it makes goes to `out`, and to the queries that read it.
    pub(crate) fn push(&mut self, now: Timestamp, inputs: &[&Flow], out: &mut Vec<Message>) -> Flow {
        let flows: Vec<Flow> = self.inputs.iter().zip(inputs).map(|(input, flow)| input.read(flow)).collect();
        let mut flows = flows.into_iter().map(Some).collect::<Vec<_>>();
        let mut flow = flows[0].take().expect("a query has an input");
        self.account.counters.rows_in += flow.rows.iter().map(|rows| rows.len() as u64).sum::<u64>();
        for Step { work, .. } in &mut self.steps {
            flow = match work {
                Work::Do(operator) => step(&mut **operator, flow, &mut self.account),
                Work::Meet(input, join) => {
                    let right = flows[*input].take().expect("an input is read once");
                    join.push(flow, right, &mut self.account)
                }
            };
        }
        let flow = self.hand_on(now, flow, out);
        let left_out = self.account.take();
        self.tell_aside(now, left_out, out);
        flow
    }

    /// Tells rows that were left out, of its own or of what it reads.
    pub(crate) fn tell_aside(&mut self, now: Timestamp, left_out: Vec<LeftOut>, out: &mut Vec<Message>) {
        if !left_out.is_empty() {
            self.aside.tell(&self.identity.shown_name(), now, left_out, out);
        }
    }

    /// What its steps hold.
    pub(crate) fn held(&self) -> Held {
        let mut held = Held::default();
        self.steps.iter().for_each(|step| held += step.held());
        held
    }

    fn hand_on(&mut self, now: Timestamp, flow: Flow, out: &mut Vec<Message>) -> Flow {
        self.watermark = flow.mark.watermark;
        let mut handed = Flow { steps: flow.steps, ..Flow::empty(flow.mark) };
        for rows in flow.rows {
            if !self.identity.is_hidden {
                self.tell(now, &rows, out);
            }
            let Some(table) = &self.table else { continue };
            match rows.timed(table) {
                Ok(rows) => handed.rows.push(rows),
                Err(_) => self.account.counters.errors += 1,
            }
        }
        handed
    }

    fn tell(&mut self, now: Timestamp, rows: &Rows, out: &mut Vec<Message>) {
        let names = (&self.identity.name, &self.identity.columns);
        match answer::messages(names, rows, now, out) {
            Ok(()) => self.account.counters.rows_out += rows.len() as u64,
            Err(error) => (0..rows.len()).for_each(|at| self.account.failed(rows, at, &error)),
        }
    }
}

impl Identity {
    /// The query that a sub-query is part of, or its own name.
    pub(crate) fn shown_name(&self) -> Arc<str> {
        self.name.split_once('#').map_or_else(|| self.name.clone(), |(query, _)| query.into())
    }
}

impl Step {
    /// What it remembers.
    pub(crate) fn save(&mut self) -> Result<Vec<RecordBatch>> {
        match &mut self.work {
            Work::Do(operator) => operator.save(),
            Work::Meet(_, join) => join.save(),
        }
    }

    /// Takes up what it has saved.
    pub(crate) fn load(&mut self, tables: &[RecordBatch]) -> Result<()> {
        match &mut self.work {
            Work::Do(operator) => operator.load(tables),
            Work::Meet(_, join) => join.load(tables),
        }
    }

    /// By when all that it holds is complete.
    pub(crate) fn horizon(&self) -> i64 {
        match &self.work {
            Work::Do(operator) => operator.horizon(),
            Work::Meet(_, join) => join.horizon(),
        }
    }

    /// How much it holds.
    pub(crate) fn held(&self) -> Held {
        match &self.work {
            Work::Do(operator) => operator.held(),
            Work::Meet(_, join) => join.held(),
        }
    }

    /// Whether there is anything to be kept.
    pub(crate) fn remembers(&mut self) -> bool {
        self.save().map_or(true, |tables| !tables.is_empty())
    }
}

impl Input {
    /// Of what its source has left out.
    pub(crate) fn left_out(&self, of_sources: &[Vec<LeftOut>]) -> Vec<LeftOut> {
        match self.from {
            From::Source(at) => of_sources[at].clone(),
            From::Query(_) => vec![],
        }
    }

    /// The columns of a flow that are read.
    fn read(&self, flow: &Flow) -> Flow {
        let project = |rows: &Rows| {
            if self.places.len() == rows.batch.num_columns() && self.places.iter().copied().eq(0..self.places.len()) {
                return rows.clone();
            }
            let batch = rows.batch.project(&self.places).expect("the plan was made for the columns of this table");
            rows.clone().with(batch)
        };
        Flow { rows: flow.rows.iter().map(project).collect(), ..flow.clone() }
    }
}

/// The earlier of two marks: how far two streams have come together.
pub(crate) fn earlier(one: Mark, other: Mark) -> Mark {
    Mark { watermark: one.watermark.min(other.watermark), cause: one.cause.max(other.cause) }
}
