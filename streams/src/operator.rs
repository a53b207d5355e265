//! What the steps of a query have in common.

use crate::account::Account;
use crate::df::{RecordBatch, Result};
use crate::rows::{Flow, Mark, NEVER, Rows};

/// A step of a query: rows in, rows out, and what it has to remember in between.
///
/// What comes out depends on the rows in their order and on their marks, never on how they were cut into pushes.
pub(crate) trait Operator: Send {
    /// Takes in rows. What can be handed on goes to `out`.
    fn push(&mut self, rows: Rows, account: &mut Account, out: &mut Vec<Rows>);

    /// All rows up to here have come.
    fn advance(&mut self, _mark: Mark, _account: &mut Account, _out: &mut Vec<Rows>) {}

    /// How far what it has given out has come, once the rows that it has taken in have come to a watermark.
    fn frontier(&self, watermark: i64) -> i64 {
        watermark
    }

    /// What it remembers, to be kept over a restart; it goes on unchanged.
    ///
    /// # Errors
    /// If a function cannot say its state.
    fn save(&mut self) -> Result<Vec<RecordBatch>> {
        Ok(vec![])
    }

    /// Takes up what an operator of the same plan has saved.
    ///
    /// # Errors
    /// If that is not what this one saves.
    fn load(&mut self, _state: &[RecordBatch]) -> Result<()> {
        Ok(())
    }

    /// By when all that it holds is complete.
    fn horizon(&self) -> i64 {
        NEVER
    }

    /// What it does, for people: `windows of 10 s`.
    fn describe(&self) -> String;

    /// How much it holds.
    fn held(&self) -> Held {
        Held::default()
    }
}

/// What an operator holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Windows that are open; where windows share rows, the parts that they are made of.
    pub(crate) windows: usize,
    /// Groups in them, or keys of which something is remembered.
    pub(crate) groups: usize,
    pub(crate) bytes: usize,
}

impl std::ops::AddAssign for Held {
    fn add_assign(&mut self, other: Held) {
        self.windows += other.windows;
        self.groups += other.groups;
        self.bytes += other.bytes;
    }
}

/// Runs a flow through a step.
pub(crate) fn step(operator: &mut dyn Operator, flow: Flow, account: &mut Account) -> Flow {
    let mut out = vec![];
    for rows in flow.rows {
        operator.push(rows, account, &mut out);
    }
    operator.advance(flow.mark, account, &mut out);
    let watermark = operator.frontier(flow.mark.watermark);
    Flow { rows: out, mark: Mark { watermark, ..flow.mark }, steps: flow.steps }
}
