//! When a window of a key begins and when it ends.

use super::Open;
use crate::df::{Array, AsArray, BooleanArray, PhysicalExpr, RecordBatch, Result};
use crate::segment::evaluate;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Of what kind the windows are. Times are in nanoseconds.
#[derive(Debug)]
pub(crate) enum Rule {
    /// As long as rows follow each other by less than `gap`, but not longer than `longest`.
    Session { gap: i64, longest: i64 },
    /// So many rows; one begins with every `every`th.
    Count { rows: u64, every: u64 },
    /// From a row for which `begins` is true, to one for which `ends` is, or if there is no such condition, up to one for
    /// which `begins` is false.
    State { begins: Arc<dyn PhysicalExpr>, ends: Option<Arc<dyn PhysicalExpr>> },
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = |nanos: i64| format!("{:#}", jiff::SignedDuration::from_nanos(nanos));
        match self {
            Rule::Session { gap, longest: i64::MAX } => write!(f, "sessions with gaps under {}", length(*gap)),
            Rule::Session { gap, longest } => {
                write!(f, "sessions with gaps under {}, at most {} long", length(*gap), length(*longest))
            }
            Rule::Count { rows, every } => write!(f, "windows of {rows} rows, every {every} rows"),
            Rule::State { ends: Some(_), .. } => write!(f, "from when a condition is true until another is"),
            Rule::State { ends: None, .. } => write!(f, "as long as a condition is true"),
        }
    }
}

/// What a rule sees of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) ts: i64,
    pub(super) cause: u64,
    /// Conditions of a state window; `None` if they are neither true nor false.
    pub(super) begins: Option<bool>,
    pub(super) ends: Option<bool>,
}

/// What a row means for an open window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    GoesOn,
    /// It ends with this row.
    EndsWith,
    /// It has ended with the row before.
    EndsBefore,
}

impl Rule {
    /// Whether a row begins a window; its key has `open` windows and has `seen` rows before.
    pub(super) fn opens(&self, open: usize, seen: u64, row: &Row) -> bool {
        match self {
            Rule::Session { .. } => open == 0,
            Rule::Count { every, .. } => seen.is_multiple_of(*every),
            Rule::State { .. } => open == 0 && row.begins == Some(true),
        }
    }

    /// What a row means for a window that has `rows` rows before it.
    pub(super) fn judge(&self, rows: u64, row: &Row) -> Verdict {
        let ends = match self {
            Rule::Session { .. } => false,
            Rule::Count { rows: most, .. } => rows + 1 == *most,
            Rule::State { ends: Some(_), .. } => row.ends == Some(true),
            Rule::State { ends: None, .. } if row.begins == Some(false) => return Verdict::EndsBefore,
            Rule::State { ends: None, .. } => false,
        };
        if ends { Verdict::EndsWith } else { Verdict::GoesOn }
    }

    /// When a window ends if no more rows come.
    pub(super) fn deadline(&self, start: i64, last: i64) -> Option<i64> {
        match self {
            Rule::Session { gap, longest } => Some(last.saturating_add(*gap).min(start.saturating_add(*longest))),
            _ => None,
        }
    }

    /// Whether windows end at a time, and not with a row.
    pub(super) fn ends_by_time(&self) -> bool {
        matches!(self, Rule::Session { .. })
    }

    /// Whether a key has to be remembered.
    pub(super) fn needs(&self, open: &VecDeque<Open>, seen: u64) -> bool {
        !open.is_empty() || matches!(self, Rule::Count { every, .. } if !seen.is_multiple_of(*every))
    }

    /// Where the conditions of a state window are true.
    pub(super) fn masks(&self, batch: &RecordBatch) -> Result<[Option<BooleanArray>; 2]> {
        let Rule::State { begins, ends } = self else { return Ok([None, None]) };
        let ends = ends.as_ref().map(|ends| condition(ends, batch)).transpose()?;
        Ok([Some(condition(begins, batch)?), ends])
    }
}

fn condition(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<BooleanArray> {
    Ok(evaluate(expr, batch)?.as_boolean().clone())
}

/// The truth of a row in a mask.
pub(super) fn truth(mask: Option<&BooleanArray>, at: usize) -> Option<bool> {
    mask.filter(|mask| !mask.is_null(at)).map(|mask| mask.value(at))
}
