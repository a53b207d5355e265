//! What happened to a query's rows: counts, and those that were left out, for people to look at.

use crate::answer::Reader;
use crate::df::{Array, DataFusionError, RecordBatch};
use crate::dialect;
use crate::plan;
use crate::ranks::RANK;
use crate::rows::Rows;
use std::sync::Arc;

/// Of the rows that are left out in one push, so many are kept to be shown; the rest is counted.
const SHOWN_MAX: usize = 32;

/// Counters of a query, from the start of the gateway.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) rows_in: u64,
    pub(crate) rows_out: u64,
    pub(crate) late: u64,
    pub(crate) future: u64,
    pub(crate) dead: u64,
    pub(crate) errors: u64,
    /// Windows that were told early and keys that were forgotten, to make room.
    pub(crate) evicted: u64,
}

/// Why a row was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// All windows that it belongs to have closed.
    Late,
    /// Its time is too far ahead of the gateway's clock.
    Future,
    /// There is no room for it, or its time is beyond all windows.
    Dead(&'static str),
    /// An expression failed for it.
    Failed(String),
}

/// A row that was left out.
#[derive(Debug, Clone)]
pub(crate) struct LeftOut {
    pub(crate) reason: Reason,
    pub(crate) id: Arc<str>,
    pub(crate) ts: i64,
    /// The offset of the message that brought it about.
    pub(crate) cause: u64,
    /// Its columns, as far as the operator had them: `wind_speed = 3.5, device = wt-01`.
    pub(crate) row: String,
}

/// What operators report to.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) counters: Counters,
    /// How much memory a step may take at most, as long as all queries together take too much.
    pub(crate) share: Option<usize>,
    left_out: Vec<LeftOut>,
}

impl Account {
    /// A row is left out.
    pub(crate) fn leave_out(&mut self, rows: &Rows, at: usize, reason: Reason) {
        *match &reason {
            Reason::Late => &mut self.counters.late,
            Reason::Future => &mut self.counters.future,
            Reason::Dead(_) => &mut self.counters.dead,
            Reason::Failed(_) => &mut self.counters.errors,
        } += 1;
        if self.left_out.len() < SHOWN_MAX {
            let id = rows.ids.name(at);
            self.left_out.push(LeftOut {
                reason,
                id,
                ts: rows.ts[at],
                cause: rows.causes[at],
                row: words(&rows.batch, at),
            });
        }
    }

    /// An expression failed for a row.
    pub(crate) fn failed(&mut self, rows: &Rows, at: usize, error: &DataFusionError) {
        self.leave_out(rows, at, Reason::Failed(failure(error)));
    }

    /// How much memory a step may take that has a limit of its own.
    pub(crate) fn bytes_max(&self, own: usize) -> usize {
        self.share.map_or(own, |share| share.min(own))
    }

    /// An empty one for a part of the work.
    pub(crate) fn part(&self) -> Account {
        Account { share: self.share, ..Account::default() }
    }

    /// What another one has counted.
    pub(crate) fn add(&mut self, other: Account) {
        let (own, others) = (&mut self.counters, other.counters);
        own.late += others.late;
        own.future += others.future;
        own.dead += others.dead;
        own.errors += others.errors;
        own.evicted += others.evicted;
        let room = SHOWN_MAX.saturating_sub(self.left_out.len());
        self.left_out.extend(other.left_out.into_iter().take(room));
    }

    /// As far as they are kept, the rows left out since the last time.
    pub(crate) fn take(&mut self) -> Vec<LeftOut> {
        std::mem::take(&mut self.left_out)
    }
}

/// Why an expression has failed.
pub(crate) fn failure(error: &DataFusionError) -> String {
    dialect::lowercase_first(&plan::sentence(error))
}

impl Reason {
    /// `late`, or why in more words.
    pub(crate) fn words(&self) -> &str {
        match self {
            Reason::Late => "late",
            Reason::Future => "future",
            Reason::Dead(why) => why,
            Reason::Failed(error) => error,
        }
    }
}

fn words(batch: &RecordBatch, at: usize) -> String {
    let column = |(field, column): (&crate::df::FieldRef, &crate::df::ArrayRef)| {
        let known = field.name() != RANK && !column.is_null(at);
        let value = Reader::new(column).ok().filter(|_| known)?.value(at);
        Some(format!("{} = {value}", field.name()))
    };
    let schema = batch.schema();
    let columns: Vec<String> = schema.fields().iter().zip(batch.columns()).filter_map(column).collect();
    columns.join(", ")
}
