//! What one window leaves to the next: values stand until the next report, also beyond the end of a window.
//!
//! At the end of every pane the last value of each key becomes the first of the next pane, so that a window knows what stood at
//! its start, and a key that has not reported is told all the same.

use super::groups::{Grouping, Groups, Partial, take_groups};
use crate::df::Result;
use crate::rows::NEVER;

/// The values that stand.
pub(super) struct Carry {
    /// After how long without a report a key is forgotten, in nanoseconds.
    longest: i64,
    /// Panes that start before this have begun with what was carried.
    pub(super) at: i64,
    standing: Option<Partial>,
}

impl Carry {
    pub(super) fn new(longest: i64) -> Carry {
        Carry { longest, at: NEVER, standing: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.standing.is_none()
    }

    pub(super) fn standing(&self) -> Option<&Partial> {
        self.standing.as_ref()
    }

    pub(super) fn set(&mut self, at: i64, standing: Option<Partial>) {
        (self.at, self.standing) = (at, standing);
    }

    /// A pane with what stood at its start, and the rows that it has.
    ///
    /// # Errors
    /// If an aggregate cannot be merged.
    pub(super) fn begin(&self, grouping: &Grouping, rows: Option<Groups>) -> Result<Groups> {
        let mut groups = Groups::new(grouping)?;
        if let Some(standing) = &self.standing {
            groups.merge(standing)?;
        }
        if let Some(rows) = rows {
            groups.merge(&rows.into_partial(grouping)?)?;
        }
        Ok(groups)
    }

    /// Takes note of what stands at the end of a pane.
    ///
    /// # Errors
    /// If an aggregate cannot say its state.
    pub(super) fn note(&mut self, grouping: &Grouping, pane: &mut Groups, end: i64) -> Result<()> {
        self.at = end;
        let partial = pane.partial(grouping)?;
        let mut reported = vec![NEVER; partial.len];
        let mut states = vec![];
        for (aggregate, state) in grouping.aggregates.iter().zip(&partial.states) {
            let Some(timed) = aggregate.timed else {
                states.push(aggregate.nothing(partial.len)?);
                continue;
            };
            let (carried, last) = (timed.carry)(state, end);
            reported.iter_mut().zip(last).for_each(|(newest, last)| *newest = (*newest).max(last));
            states.push(carried);
        }
        let stands = |&group: &usize| end.saturating_sub(reported[group]) <= self.longest;
        let kept: Vec<usize> = (0..partial.len).filter(stands).collect();
        let standing = Partial::new(partial.keys, states, partial.len);
        self.standing = if kept.is_empty() { None } else { Some(take_groups(&standing, &kept)?) };
        Ok(())
    }
}
