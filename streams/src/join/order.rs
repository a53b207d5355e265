//! The rows of two flows in the order of the journal.

use crate::rows::{Flow, Rows};
use std::ops::Range;

/// Which flow a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Rows of one flow with none of the other between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) side: Side,
    /// Which of the flow's pieces.
    pub(crate) piece: usize,
    pub(crate) range: Range<usize>,
}

/// Cuts two flows into runs. What one message has brought about on both sides comes from the left first.
pub(crate) fn runs(left: &Flow, right: &Flow) -> Vec<Run> {
    let mut sides = [Cursor::new(Side::Left, &left.rows), Cursor::new(Side::Right, &right.rows)];
    let mut runs: Vec<Run> = vec![];
    loop {
        let [left, right] = &mut sides;
        let next = match (left.cause(), right.cause()) {
            (None, None) => return runs,
            (Some(one), Some(other)) if one > other => right,
            (None, Some(_)) => right,
            (Some(_), _) => left,
        };
        let (side, piece, at) = (next.side, next.piece, next.at);
        next.step();
        match runs.last_mut() {
            Some(run) if run.side == side && run.piece == piece => run.range.end = at + 1,
            _ => runs.push(Run { side, piece, range: at..at + 1 }),
        }
    }
}

struct Cursor<'a> {
    side: Side,
    pieces: &'a [Rows],
    piece: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn new(side: Side, pieces: &'a [Rows]) -> Cursor<'a> {
        let mut cursor = Cursor { side, pieces, piece: 0, at: 0 };
        cursor.skip_empty();
        cursor
    }

    fn cause(&self) -> Option<u64> {
        Some(self.pieces.get(self.piece)?.causes[self.at])
    }

    fn step(&mut self) {
        self.at += 1;
        self.skip_empty();
    }

    fn skip_empty(&mut self) {
        while self.pieces.get(self.piece).is_some_and(|rows| self.at >= rows.len()) {
            (self.piece, self.at) = (self.piece + 1, 0);
        }
    }
}
