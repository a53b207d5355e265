//! Sets of values, as conditions make them.

use crate::plan::Op;
use edgeway_sdk::Value;
use edgeway_thing_models::{DataType, Range};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Some of the values that something can have.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Set {
    /// Numbers; also what is true (1) or false (0), and the numbers of an enum. In order, without overlap.
    Spans(Vec<Span>),
    Texts(Texts),
    /// Some of at most eight states.
    Bits(u8),
}

/// All numbers between two cuts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    from: Cut,
    to: Cut,
}

/// A place between numbers: directly below or directly above one.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
struct Cut {
    at: f64,
    above: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Texts {
    Only(BTreeSet<Arc<str>>),
    AllBut(BTreeSet<Arc<str>>),
}

const LOWEST: Cut = Cut { at: f64::NEG_INFINITY, above: false };
const HIGHEST: Cut = Cut { at: f64::INFINITY, above: true };
/// From here on not every whole number has a 64-bit float of its own.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

impl Set {
    /// All values that a property of this type can have; `None` for types that cannot be compared.
    pub(super) fn all(data_type: &DataType) -> Option<Set> {
        let spans = match data_type {
            DataType::Int(range) => vec![limits(range).whole()],
            DataType::Float(range) => vec![limits_f32(range)],
            DataType::Double(range) => vec![limits(range)],
            DataType::Bool { .. } => vec![Span::one(0.0), Span::one(1.0)],
            DataType::Enum(labels) => labels.keys().map(|number| Span::one(*number as f64)).collect(),
            DataType::Date => vec![Span { from: LOWEST, to: HIGHEST }],
            DataType::Text { .. } => return Some(Set::Texts(Texts::AllBut(BTreeSet::new()))),
            DataType::Struct(_) | DataType::Array { .. } => return None,
        };
        Some(Set::Spans(spans))
    }

    /// The values of a property for which a comparison is true; `None` for types that cannot be compared.
    pub(super) fn compared(data_type: &DataType, op: Op, value: &Value) -> Option<Set> {
        let all = Set::all(data_type)?;
        let found = match value {
            Value::Text(text) => Set::Texts(match op {
                Op::NotEqual => Texts::AllBut(BTreeSet::from([text.clone()])),
                _ => Texts::Only(BTreeSet::from([text.clone()])),
            }),
            value => Set::Spans(compared(op, number(value)?)),
        };
        let found = if is_whole(data_type) { found.whole() } else { found };
        Some(found.meet(&all))
    }

    /// Just this value; `None` if it cannot be compared.
    pub(super) fn just(value: &Value) -> Option<Set> {
        match value {
            Value::Text(text) => Some(Set::Texts(Texts::Only(BTreeSet::from([text.clone()])))),
            value => number(value).map(|number| Set::Spans(vec![Span::one(number)])),
        }
    }

    /// From a number on, up to below another.
    pub(super) fn from_to(from: f64, to: f64) -> Set {
        Set::Spans(vec![Span { from: Cut { at: from, above: false }, to: Cut { at: to, above: false } }])
    }

    /// Up to a number and with it.
    pub(super) fn up_to(to: f64) -> Set {
        Set::Spans(vec![Span { from: LOWEST, to: Cut { at: to, above: true } }])
    }

    pub(super) fn above(from: f64) -> Set {
        Set::Spans(vec![Span { from: Cut { at: from, above: true }, to: HIGHEST }])
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Set::Spans(spans) => spans.is_empty(),
            Set::Texts(Texts::Only(texts)) => texts.is_empty(),
            Set::Texts(Texts::AllBut(_)) => false,
            Set::Bits(bits) => *bits == 0,
        }
    }

    /// What is in both.
    pub(super) fn meet(&self, other: &Set) -> Set {
        match (self, other) {
            (Set::Spans(left), Set::Spans(right)) => {
                let pairs = left.iter().flat_map(|l| right.iter().map(move |r| l.meet(*r)));
                Set::Spans(pairs.filter(|span| !span.is_empty()).collect())
            }
            (Set::Texts(left), Set::Texts(right)) => Set::Texts(left.meet(right)),
            (Set::Bits(left), Set::Bits(right)) => Set::Bits(left & right),
            // What has two kinds of values has been reported while loading.
            _ => Set::Bits(0),
        }
    }

    fn whole(self) -> Set {
        match self {
            Set::Spans(spans) => Set::Spans(spans.into_iter().map(Span::whole).filter(|s| !s.is_empty()).collect()),
            other => other,
        }
    }
}

impl Span {
    fn one(number: f64) -> Span {
        Span { from: Cut { at: number, above: false }, to: Cut { at: number, above: true } }
    }

    fn is_empty(self) -> bool {
        self.from >= self.to
    }

    fn meet(self, other: Span) -> Span {
        let from = if self.from >= other.from { self.from } else { other.from };
        let to = if self.to <= other.to { self.to } else { other.to };
        Span { from, to }
    }

    /// From the first whole number in it to the last.
    fn whole(self) -> Span {
        let is_exact = |at: f64| at.abs() < EXACT_MAX || at.is_infinite();
        if !is_exact(self.from.at) || !is_exact(self.to.at) {
            return self;
        }
        let first = if self.from.above { self.from.at.floor() + 1.0 } else { self.from.at.ceil() };
        let last = if self.to.above { self.to.at.floor() } else { self.to.at.ceil() - 1.0 };
        Span { from: Cut { at: first, above: false }, to: Cut { at: last, above: true } }
    }
}

impl Texts {
    fn meet(&self, other: &Texts) -> Texts {
        match (self, other) {
            (Texts::Only(left), Texts::Only(right)) => Texts::Only(left & right),
            (Texts::Only(only), Texts::AllBut(but)) | (Texts::AllBut(but), Texts::Only(only)) => {
                Texts::Only(only - but)
            }
            (Texts::AllBut(left), Texts::AllBut(right)) => Texts::AllBut(left | right),
        }
    }
}

fn compared(op: Op, at: f64) -> Vec<Span> {
    let (below, above) = (Cut { at, above: false }, Cut { at, above: true });
    match op {
        Op::Equal => vec![Span { from: below, to: above }],
        Op::NotEqual => vec![Span { from: LOWEST, to: below }, Span { from: above, to: HIGHEST }],
        Op::Greater => vec![Span { from: above, to: HIGHEST }],
        Op::GreaterOrEqual => vec![Span { from: below, to: HIGHEST }],
        Op::Less => vec![Span { from: LOWEST, to: below }],
        Op::LessOrEqual => vec![Span { from: LOWEST, to: above }],
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(is) => Some(f64::from(u8::from(*is))),
        value => value.as_f64().filter(|number| number.is_finite()),
    }
}

fn is_whole(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int(_) | DataType::Date)
}

fn limits(range: &Range) -> Span {
    let from = range.min.map_or(LOWEST, |at| Cut { at, above: false });
    let to = range.max.map_or(HIGHEST, |at| Cut { at, above: true });
    Span { from, to }
}

/// A device that sends its maximum of 0.1 in 32 bits sends a little more.
fn limits_f32(range: &Range) -> Span {
    let narrow = |limit: f64| f64::from(limit as f32);
    let min = range.min.map(|min| min.min(narrow(min)));
    let max = range.max.map(|max| max.max(narrow(max)));
    limits(&Range { min, max, ..Range::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(min: f64, max: f64) -> DataType {
        DataType::Int(Range { min: Some(min), max: Some(max), ..Range::default() })
    }

    fn meets(data_type: &DataType, left: (Op, f64), right: (Op, f64)) -> bool {
        let set = |(op, value): (Op, f64)| Set::compared(data_type, op, &Value::Float(value)).expect("a number");
        !set(left).meet(&set(right)).is_empty()
    }

    #[test]
    fn between_two_whole_numbers_there_is_none() {
        let (whole, number) = (int(0.0, 100.0), DataType::Double(Range::default()));
        assert!(!meets(&whole, (Op::Greater, 4.0), (Op::Less, 5.0)));
        assert!(meets(&number, (Op::Greater, 4.0), (Op::Less, 5.0)));
        assert!(meets(&whole, (Op::Greater, 4.0), (Op::LessOrEqual, 5.0)));
        assert!(!meets(&whole, (Op::Equal, 4.5), (Op::Less, 5.0)));
    }

    #[test]
    fn ends_are_open_or_closed() {
        let number = DataType::Double(Range { max: Some(60.0), ..Range::default() });
        assert!(!meets(&number, (Op::Greater, 5.0), (Op::LessOrEqual, 5.0)));
        assert!(meets(&number, (Op::GreaterOrEqual, 5.0), (Op::LessOrEqual, 5.0)));
        assert!(!meets(&number, (Op::Greater, 60.0), (Op::NotEqual, 1.0)));
        assert!(meets(&number, (Op::NotEqual, 5.0), (Op::GreaterOrEqual, 5.0)));
        assert!(!meets(&number, (Op::NotEqual, 5.0), (Op::Equal, 5.0)));
    }

    #[test]
    fn a_maximum_that_32_bits_cannot_hold_is_passed_by_a_little() {
        let tenth = Range { max: Some(0.1), ..Range::default() };
        let over = |data_type: DataType| Set::compared(&data_type, Op::Greater, &Value::Float(0.1)).expect("a number");
        assert!(!over(DataType::Float(tenth.clone())).is_empty());
        assert!(over(DataType::Double(tenth)).is_empty());
    }

    #[test]
    fn texts_are_the_same_or_not() {
        let text = DataType::Text { length: 8 };
        let set = |op, value: &str| Set::compared(&text, op, &value.into()).expect("text");
        assert!(set(Op::Equal, "a").meet(&set(Op::Equal, "b")).is_empty());
        assert!(set(Op::Equal, "a").meet(&set(Op::NotEqual, "a")).is_empty());
        assert!(!set(Op::NotEqual, "a").meet(&set(Op::NotEqual, "b")).is_empty());
    }
}
