//! Bringing two streams together.

mod asof;
mod interval;
mod keys;
mod lookup;
mod order;
mod pairs;
mod shelf;
mod union;
mod waiting;
mod window;

pub(crate) use asof::AsOf;
pub(crate) use interval::{Bounds, Interval};
pub(crate) use keys::{Key, Keys};
pub(crate) use lookup::Lookup;
pub(crate) use pairs::Pairing;
pub(crate) use union::{Union, UnionOfWindows};
pub(crate) use window::SameWindow;

use crate::account::{Account, Reason};
use crate::df::{RecordBatch, Result};
use crate::operator::Held;
use crate::rows::{Flow, Rows};

/// A join of two streams. Both come in the order of the journal; what comes out depends on that order alone.
pub(crate) trait Join: Send {
    /// Takes in what both sides hand on.
    fn push(&mut self, left: Flow, right: Flow, account: &mut Account) -> Flow;

    /// What it remembers, to be kept over a restart.
    ///
    /// # Errors
    /// If it cannot be written down.
    fn save(&mut self) -> Result<Vec<RecordBatch>>;

    /// Takes up what a join of the same plan has saved.
    ///
    /// # Errors
    /// If that is not what this one saves.
    fn load(&mut self, state: &[RecordBatch]) -> Result<()>;

    /// By when all that it holds is complete.
    fn horizon(&self) -> i64;

    /// Whether it needs to know how far its sides have come with each message.
    fn needs_steps(&self) -> bool {
        false
    }

    /// What it does, for people.
    fn describe(&self) -> &'static str;

    /// How much it holds.
    fn held(&self) -> Held;
}

/// Leaves out the rows that are older than the watermark was when they came; the places of the others.
fn late(rows: &Rows, watermark: &mut i64, account: &mut Account) -> Vec<usize> {
    let mut timely = vec![];
    for at in 0..rows.len() {
        *watermark = (*watermark).max(rows.marks[at]);
        if rows.ts[at] < *watermark {
            account.leave_out(rows, at, Reason::Late);
        } else {
            timely.push(at);
        }
    }
    timely
}
