//! How bytes on the wire fall into messages, and which of them can be told to be wrong.

use std::ops::Range;

/// What can be done to answers so that it can be noticed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chaos {
    pub(crate) framing: Framing,
    /// Every question has exactly one answer, and they come in the order of the questions.
    pub(crate) answer_per_question: bool,
    /// Any bytes that are no answer can be told from one.
    pub(crate) garbage: bool,
    /// Where an answer says which question it answers.
    pub(crate) id: Option<Range<usize>>,
    /// Where it says who answers.
    pub(crate) unit: Option<Range<usize>>,
    /// Where it says what was asked.
    pub(crate) function: Option<Range<usize>>,
}

/// Where a message ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Nobody knows: what comes in one piece is taken for one message.
    #[default]
    Piece,
    /// After these bytes, which are not none.
    End(Vec<u8>),
    /// Its length is in it.
    Length { at: Range<usize>, plus: usize, order: Order },
}

/// The order of the bytes of a length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Order {
    #[default]
    Big,
    Little,
}

/// No message is as long as this.
const LENGTH_MAX: usize = 1 << 20;

impl Framing {
    /// Takes the first message out of what has been received, if it is there in full.
    pub(crate) fn take(&self, received: &mut Vec<u8>) -> Option<Vec<u8>> {
        let length = self.length(received)?;
        let rest = received.split_off(length);
        Some(std::mem::replace(received, rest))
    }

    fn length(&self, received: &[u8]) -> Option<usize> {
        let length = match self {
            Framing::Piece => received.len(),
            Framing::End(end) => received.windows(end.len()).position(|bytes| bytes == end)? + end.len(),
            Framing::Length { at, plus, order } => {
                let bytes = received.get(at.clone())?;
                let add = |sum: usize, byte: &u8| sum.saturating_mul(256).saturating_add(usize::from(*byte));
                let told = match order {
                    Order::Big => bytes.iter().fold(0, add),
                    Order::Little => bytes.iter().rev().fold(0, add),
                };
                // A length that makes no sense is no reason to hold a message back for ever.
                let length = told.saturating_add(*plus);
                if length > LENGTH_MAX { received.len() } else { length.max(at.end) }
            }
        };
        (length > 0 && length <= received.len()).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(framing: &Framing, bytes: &[u8]) -> (Vec<Vec<u8>>, Vec<u8>) {
        let mut received = bytes.to_vec();
        let messages = std::iter::from_fn(|| framing.take(&mut received)).collect();
        (messages, received)
    }

    #[test]
    fn a_message_ends_where_its_framing_says() {
        let line = Framing::End(b"\n".to_vec());
        assert_eq!(taken(&line, b"a\nbc\nd"), (vec![b"a\n".to_vec(), b"bc\n".to_vec()], b"d".to_vec()));
        let two = Framing::End(b"*\r".to_vec());
        assert_eq!(taken(&two, b"a*b*\rc*"), (vec![b"a*b*\r".to_vec()], b"c*".to_vec()));
        assert_eq!(taken(&Framing::Piece, b"a\nb"), (vec![b"a\nb".to_vec()], vec![]));
        let mbap = Framing::Length { at: 1..3, plus: 3, order: Order::Big };
        assert_eq!(taken(&mbap, &[9, 0, 1, 7, 8, 0]), (vec![vec![9, 0, 1, 7]], vec![8, 0]));
        let whole = Framing::Length { at: 0..2, plus: 0, order: Order::Little };
        assert_eq!(taken(&whole, &[3, 0, 7, 4]), (vec![vec![3, 0, 7]], vec![4]));
    }

    #[test]
    fn a_length_that_makes_no_sense_holds_nothing_back() {
        let framing = Framing::Length { at: 0..8, plus: 6, order: Order::Big };
        assert_eq!(taken(&framing, &[0xff; 9]), (vec![vec![0xff; 9]], vec![]));
        let empty = Framing::Length { at: 0..1, plus: 0, order: Order::Big };
        assert_eq!(taken(&empty, &[0, 0]), (vec![vec![0], vec![0]], vec![]));
    }
}
