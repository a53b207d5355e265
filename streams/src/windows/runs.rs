//! Windows that share panes: each pane is read once, and any window is two runs of panes.
//!
//! Panes are taken in blocks as long as a window. Of the present block the merged beginning is kept, of the block before
//! the merged endings, one for each pane (the algorithm of van Herk, Gil and Werman). A window begins in the block before
//! and ends in the present one, or is exactly a block. So a step costs a few merges, however many panes a window has; and
//! because blocks lie at fixed times and each run is merged in one order, a window that is made again comes out the same.

use super::groups::{Grouping, Groups, Partial};
use super::saved::Part;
use crate::df::Result;
use crate::plan::Frame;
use crate::rows::NEVER;

/// The runs that the next windows are made of.
#[derive(Default)]
pub(super) struct Runs {
    /// The start of the present block.
    block: Option<i64>,
    /// All panes of the present block so far, merged.
    beginning: Option<Partial>,
    /// The same panes one by one, oldest first, if windows may begin at them.
    panes: Vec<(i64, Partial)>,
    /// Of the block before, from each pane to the end, merged; the last pane first.
    endings: Vec<(i64, Partial)>,
    bytes: usize,
}

impl Runs {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a pane that is complete; panes come in order.
    ///
    /// # Errors
    /// If an aggregate cannot be merged.
    pub(super) fn push(&mut self, frame: &Frame, grouping: &Grouping, pane: i64, groups: Groups) -> Result<()> {
        let block = frame.block_of(pane);
        if self.block != Some(block) {
            self.turn(frame, grouping, block)?;
        }
        let partial = groups.into_partial(grouping)?;
        self.beginning = Some(match self.beginning.take() {
            None => partial.clone(),
            Some(before) => merge(grouping, [&before, &partial])?,
        });
        if frame.crosses_blocks() {
            self.panes.push((pane, partial));
        }
        self.weigh();
        Ok(())
    }

    /// Begins another block.
    fn turn(&mut self, frame: &Frame, grouping: &Grouping, block: i64) -> Result<()> {
        let follows = self.block.is_some_and(|before| frame.block_of(block.saturating_sub(1)) == before);
        let panes = std::mem::take(&mut self.panes);
        (self.block, self.beginning, self.endings) = (Some(block), None, vec![]);
        if follows {
            for (pane, partial) in panes.into_iter().rev() {
                let ending = match self.endings.last() {
                    None => partial,
                    Some((_, rest)) => merge(grouping, [&partial, rest])?,
                };
                self.endings.push((pane, ending));
            }
        }
        Ok(())
    }

    /// The groups of the window `[start, end)`, all of whose panes were pushed, and `beside` them; `None` if there are
    /// none. Endings that no later window needs are let go.
    ///
    /// # Errors
    /// If an aggregate cannot be merged or computed.
    pub(super) fn window(
        &mut self,
        frame: &Frame,
        grouping: &Grouping,
        (start, end): (i64, i64),
        beside: &[Partial],
    ) -> Result<Option<Groups>> {
        let last_block = frame.block_of(end - 1);
        // In silence windows end behind the last pane.
        if self.block.is_some_and(|block| block < last_block) {
            self.turn(frame, grouping, last_block)?;
        }
        while self.endings.last().is_some_and(|(pane, _)| *pane < start) {
            self.endings.pop();
        }
        let mut groups = Groups::new(grouping)?;
        let ending = self.endings.last().map(|(_, ending)| ending);
        for partial in ending.into_iter().chain(&self.beginning).chain(beside) {
            groups.merge(partial)?;
        }
        self.weigh();
        Ok(Some(groups).filter(|groups| groups.len() > 0))
    }

    /// The start of the present block, or `NEVER`.
    pub(super) fn block(&self) -> i64 {
        self.block.unwrap_or(NEVER)
    }

    /// Empty ones, in this block.
    pub(super) fn at(block: i64) -> Runs {
        Runs { block: (block != NEVER).then_some(block), ..Runs::default() }
    }

    /// All that it holds, in an order in which it can be put back.
    pub(super) fn parts(&self) -> Vec<(Part, Partial)> {
        let beginning = self.beginning.iter().map(|partial| (Part::Beginning, partial.clone()));
        let panes = self.panes.iter().map(|(pane, partial)| (Part::Pane(*pane), partial.clone()));
        let endings = self.endings.iter().map(|(pane, partial)| (Part::Ending(*pane), partial.clone()));
        beginning.chain(panes).chain(endings).collect()
    }

    /// Puts back one of the [`parts`](Runs::parts).
    pub(super) fn put(&mut self, part: Part, partial: Partial) {
        match part {
            Part::Beginning => self.beginning = Some(partial),
            Part::Pane(pane) => self.panes.push((pane, partial)),
            Part::Ending(pane) => self.endings.push((pane, partial)),
            Part::Open(_) | Part::Carried(_) => {}
        }
        self.weigh();
    }

    fn weigh(&mut self) {
        let kept = self.panes.iter().chain(&self.endings).map(|(_, partial)| partial);
        self.bytes = kept.chain(&self.beginning).map(|partial| partial.bytes).sum();
    }
}

fn merge(grouping: &Grouping, parts: [&Partial; 2]) -> Result<Partial> {
    let mut groups = Groups::new(grouping)?;
    for part in parts {
        groups.merge(part)?;
    }
    groups.into_partial(grouping)
}
