//! What was told several times before it was taken in: cut so that each value gets into a report of its own.

use edgeway_sdk::{Batch, PointIx};
use std::collections::HashMap;

/// Remembers in which piece each point stood last.
#[derive(Default)]
pub(super) struct Rounds {
    stood_in: HashMap<PointIx, u64>,
    piece: u64,
}

impl Rounds {
    /// Cuts a batch into pieces in which no point stands twice, in order: a report holds a property once.
    pub(super) fn cut(&mut self, batch: &mut Batch) -> Vec<Batch> {
        self.piece += 1;
        if batch.points.iter().all(|point| self.is_new(*point)) {
            return vec![std::mem::take(batch)];
        }
        self.piece += 1;
        let (mut pieces, mut piece) = (vec![], Batch::default());
        let told = batch.points.drain(..).zip(batch.values.drain(..));
        for ((point, value), (quality, time)) in told.zip(batch.qualities.drain(..).zip(batch.source_times.drain(..))) {
            if !self.is_new(point) {
                self.piece += 1;
                self.is_new(point);
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(point, value, quality, time);
        }
        pieces.push(piece);
        pieces
    }

    /// Whether a point has not stood in the present piece, in which it stands from now on.
    fn is_new(&mut self, point: PointIx) -> bool {
        self.stood_in.insert(point, self.piece) != Some(self.piece)
    }
}

/// Takes the first entries of a batch out of it. Why values are bad stays.
pub(super) fn front(batch: &mut Batch, count: usize) -> Batch {
    Batch {
        points: batch.points.drain(..count).collect(),
        values: batch.values.drain(..count).collect(),
        qualities: batch.qualities.drain(..count).collect(),
        source_times: batch.source_times.drain(..count).collect(),
        reasons: vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use edgeway_sdk::{Timestamp, Value};

    fn pieces(rounds: &mut Rounds, told: &[(u32, i64)]) -> Vec<Vec<(u32, i64)>> {
        let mut batch = Batch::default();
        told.iter().for_each(|(point, value)| batch.good(PointIx(*point), Value::Int(*value), Timestamp::EPOCH));
        let entry = |(point, value): (&PointIx, &Value)| (point.0, value.as_f64().unwrap_or(0.0) as i64);
        let piece = |piece: Batch| piece.points.iter().zip(&piece.values).map(entry).collect();
        let cut = rounds.cut(&mut batch).into_iter().map(piece).collect();
        assert!(batch.is_empty());
        cut
    }

    #[test]
    fn the_first_entries_are_taken_out() {
        let mut batch = Batch::default();
        (0..3).for_each(|point| batch.good(PointIx(point), Value::Int(point.into()), Timestamp::EPOCH));
        let first = front(&mut batch, 2);
        assert_eq!((first.points, first.values.len()), (vec![PointIx(0), PointIx(1)], 2));
        assert_eq!((batch.points, batch.source_times.len()), (vec![PointIx(2)], 1));
    }

    #[test]
    fn nothing_that_is_told_again_takes_the_place_of_what_was_told_before() {
        let mut rounds = Rounds::default();
        assert_eq!(pieces(&mut rounds, &[(7, 1), (3, 2)]), [[(7, 1), (3, 2)]]);
        let told = [(7, 1), (3, 2), (3, 3), (3, 4), (7, 5), (9, 6)];
        let cut: [&[(u32, i64)]; 3] = [&[(7, 1), (3, 2)], &[(3, 3)], &[(3, 4), (7, 5), (9, 6)]];
        assert_eq!(pieces(&mut rounds, &told), cut);
        assert_eq!(pieces(&mut rounds, &[(3, 7), (7, 8)]), [[(3, 7), (7, 8)]], "another batch begins anew");
    }
}
