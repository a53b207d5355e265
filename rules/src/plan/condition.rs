//! Conditions as data, and what they come to.

use super::moment::{Locale, Moment, zoned};
use crate::clock::Steady;
use crate::facts::Facts;
use crate::held::Held;
use crate::scripts::{Closure, Scripts};
use crate::values::{Slot, Values};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::Online;
use jiff::civil::Weekday;
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

/// A state of the world.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    Compare {
        left: Slot,
        op: Op,
        right: Operand,
    },
    /// Good, and measured not longer ago than this. A time that far ahead is no better: one of two clocks is wrong.
    Fresh {
        slot: Slot,
        within: Duration,
    },
    /// The value is an old one that could not be read again; unknown while none was seen.
    Stale(Slot),
    /// The clock of the site's zone, `from` inclusive, `to` exclusive, over midnight if `to` is the earlier one.
    Between {
        from: Moment,
        to: Moment,
    },
    /// The day of the week in the site's zone, a bit for each from Monday on.
    Days(u8),
    Online(DeviceIx),
    Held(HeldIx),
    Check(Arc<Closure>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    /// True also where the inner one is unknown.
    OrUnknown(Box<Condition>),
}

/// A place in the plan's list of what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WaitIx(pub(crate) u32);

/// A place in the plan's list of `held` conditions. One that contains another has the greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HeldIx(pub(crate) u32);

/// The right side of a comparison, already in the type of the left one.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Value(Value),
    Property(Slot),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// What a condition comes to. A value that is missing, stale, uncertain or bad makes it unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    Unknown,
}

/// All that a condition may depend on.
pub(crate) struct World<'a> {
    pub(crate) values: &'a Arc<Values>,
    pub(crate) helds: &'a [Held],
    pub(crate) scripts: &'a Scripts,
    pub(crate) locale: &'a Locale,
    pub(crate) wall: Timestamp,
    pub(crate) steady: Steady,
    /// What came with the cause, for scripts.
    pub(crate) facts: Option<&'a Arc<Facts>>,
}

/// A part of a condition that reads the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaf {
    Slot(Slot),
    Device(DeviceIx),
    Held(HeldIx),
    /// The clock decides, alone or with a slot that is named besides.
    Clock,
    Script,
}

impl World<'_> {
    /// Evaluates a condition, three-valued after Kleene.
    pub(crate) fn truth(&self, condition: &Condition) -> Truth {
        match condition {
            Condition::Compare { left, op, right } => self.compare(*left, *op, right).into(),
            Condition::Fresh { slot, within } => self.fresh(*slot, *within).into(),
            Condition::Stale(slot) => self.values.seen(*slot).map(|seen| seen.quality == Quality::Stale).into(),
            Condition::Between { from, to } => self.between(*from, *to).into(),
            Condition::Days(days) => self.weekday().map(|day| days & bit(day) != 0).into(),
            Condition::Online(device) => self.online(*device).into(),
            Condition::Held(held) => self.helds[held.0 as usize].truth(self.steady),
            Condition::Check(closure) => self.scripts.check(closure, self.values, self.wall, self.facts).ok().into(),
            Condition::All(parts) => parts.iter().map(|part| self.truth(part)).fold(Truth::True, Truth::and),
            Condition::Any(parts) => parts.iter().map(|part| self.truth(part)).fold(Truth::False, Truth::or),
            Condition::Not(inner) => self.truth(inner).not(),
            Condition::OrUnknown(inner) => Some(self.truth(inner).known().unwrap_or(true)).into(),
        }
    }

    /// When the passing of time alone may change the condition. `None` if it never does.
    pub(crate) fn next_change(&self, condition: &Condition) -> Option<Timestamp> {
        match condition {
            Condition::Fresh { slot, within } => {
                let measured = self.values.seen(*slot)?.source_time;
                let (start, end) = (measured - *within, measured + *within + Duration::from_nanos(1));
                [start, end].into_iter().find(|at| *at > self.wall)
            }
            Condition::Between { from, to } => {
                let now = zoned(self.wall, &self.locale.zone)?;
                [from.next(&now, self.locale), to.next(&now, self.locale)].into_iter().flatten().min()
            }
            Condition::Days(_) => {
                let now = zoned(self.wall, &self.locale.zone)?;
                Moment::Clock(jiff::civil::Time::midnight()).next(&now, self.locale)
            }
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().filter_map(|part| self.next_change(part)).min()
            }
            Condition::Not(inner) | Condition::OrUnknown(inner) => self.next_change(inner),
            Condition::Compare { .. }
            | Condition::Stale(_)
            | Condition::Online(_)
            | Condition::Held(_)
            | Condition::Check(_) => None,
        }
    }

    fn compare(&self, left: Slot, op: Op, right: &Operand) -> Option<bool> {
        let left = self.values.good(left)?;
        let right = match right {
            Operand::Value(value) => value,
            Operand::Property(slot) => self.values.good(*slot)?,
        };
        op.holds(left, right)
    }

    fn fresh(&self, slot: Slot, within: Duration) -> Option<bool> {
        let seen = self.values.seen(slot)?;
        let distance = self.wall.since(seen.source_time).max(seen.source_time.since(self.wall));
        Some(seen.good().is_some() && distance <= within)
    }

    fn between(&self, from: Moment, to: Moment) -> Option<bool> {
        let now = zoned(self.wall, &self.locale.zone)?;
        let on_today = |moment: Moment| match moment {
            Moment::Clock(time) => Some(time),
            Moment::Sun(_) => moment.on(now.date(), self.locale).map(|at| at.time()),
        };
        let (from, to, time) = (on_today(from)?, on_today(to)?, now.time());
        Some(if from <= to { from <= time && time < to } else { from <= time || time < to })
    }

    fn weekday(&self) -> Option<Weekday> {
        Some(zoned(self.wall, &self.locale.zone)?.weekday())
    }

    fn online(&self, device: DeviceIx) -> Option<bool> {
        match self.values.online(device) {
            Online::Unknown => None,
            state => Some(state.answers()),
        }
    }
}

/// The bit of a day in [`Condition::Days`].
pub(crate) fn bit(day: Weekday) -> u8 {
    1 << day.to_monday_zero_offset()
}

impl Condition {
    /// Visits everything that the condition reads; into `held` conditions the caller descends.
    pub(crate) fn each_leaf(&self, visit: &mut impl FnMut(Leaf)) {
        match self {
            Condition::Compare { left, right, .. } => {
                visit(Leaf::Slot(*left));
                if let Operand::Property(slot) = right {
                    visit(Leaf::Slot(*slot));
                }
            }
            Condition::Fresh { slot, .. } => {
                visit(Leaf::Slot(*slot));
                visit(Leaf::Clock);
            }
            Condition::Stale(slot) => visit(Leaf::Slot(*slot)),
            Condition::Between { .. } | Condition::Days(_) => visit(Leaf::Clock),
            Condition::Online(device) => visit(Leaf::Device(*device)),
            Condition::Held(held) => visit(Leaf::Held(*held)),
            Condition::Check(_) => visit(Leaf::Script),
            Condition::All(parts) | Condition::Any(parts) => parts.iter().for_each(|part| part.each_leaf(visit)),
            Condition::Not(inner) | Condition::OrUnknown(inner) => inner.each_leaf(visit),
        }
    }

    /// Whether a script decides, at least in part.
    pub(crate) fn has_script(&self) -> bool {
        let mut found = false;
        self.each_leaf(&mut |leaf| found |= leaf == Leaf::Script);
        found
    }
}

impl Op {
    /// Whether `left op right`; `None` if the two cannot be compared.
    pub(crate) fn holds(self, left: &Value, right: &Value) -> Option<bool> {
        let order = order(left, right)?;
        Some(match self {
            Op::Equal => order == Ordering::Equal,
            Op::NotEqual => order != Ordering::Equal,
            Op::Greater => order == Ordering::Greater,
            Op::GreaterOrEqual => order != Ordering::Less,
            Op::Less => order == Ordering::Less,
            Op::LessOrEqual => order != Ordering::Greater,
        })
    }

    /// The operator for the sides swapped.
    pub(crate) fn flipped(self) -> Op {
        match self {
            Op::Greater => Op::Less,
            Op::GreaterOrEqual => Op::LessOrEqual,
            Op::Less => Op::Greater,
            Op::LessOrEqual => Op::GreaterOrEqual,
            same => same,
        }
    }

    /// The operator that is true where this one is false.
    pub(crate) fn opposite(self) -> Op {
        match self {
            Op::Equal => Op::NotEqual,
            Op::NotEqual => Op::Equal,
            Op::Greater => Op::LessOrEqual,
            Op::GreaterOrEqual => Op::Less,
            Op::Less => Op::GreaterOrEqual,
            Op::LessOrEqual => Op::Greater,
        }
    }

    /// Whether it needs values with an order, not only with equality.
    pub(crate) fn orders(self) -> bool {
        !matches!(self, Op::Equal | Op::NotEqual)
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Op::Equal => "==",
            Op::NotEqual => "!=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
        }
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(left.cmp(right)),
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            left.as_f64()?.partial_cmp(&right.as_f64()?)
        }
        _ => None,
    }
}

impl Truth {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Truth::True => "true",
            Truth::False => "false",
            Truth::Unknown => "unknown",
        }
    }

    pub(crate) fn known(self) -> Option<bool> {
        match self {
            Truth::True => Some(true),
            Truth::False => Some(false),
            Truth::Unknown => None,
        }
    }

    pub(crate) fn and(self, other: Truth) -> Truth {
        match (self, other) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::True, Truth::True) => Truth::True,
            _ => Truth::Unknown,
        }
    }

    pub(crate) fn or(self, other: Truth) -> Truth {
        self.not().and(other.not()).not()
    }

    pub(crate) fn not(self) -> Truth {
        match self {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        }
    }
}

impl From<Option<bool>> for Truth {
    fn from(known: Option<bool>) -> Self {
        match known {
            Some(true) => Truth::True,
            Some(false) => Truth::False,
            None => Truth::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_gives_way_only_where_the_other_side_decides() {
        use Truth::{False, True, Unknown};
        assert_eq!((Unknown.and(False), Unknown.and(True), Unknown.and(Unknown)), (False, Unknown, Unknown));
        assert_eq!((Unknown.or(True), Unknown.or(False), False.or(False)), (True, Unknown, False));
        assert_eq!(Unknown.not(), Unknown);
    }

    #[test]
    fn numbers_compare_across_types_and_nothing_else_does() {
        assert_eq!(Op::Equal.holds(&Value::Int(3), &Value::Float(3.0)), Some(true));
        assert_eq!(Op::Less.holds(&Value::Text("3".into()), &Value::Int(4)), None);
        assert_eq!(Op::Greater.holds(&Value::Float(f64::NAN), &Value::Int(4)), None);
        assert_eq!(Op::LessOrEqual.flipped().holds(&Value::Int(4), &Value::Int(3)), Some(true));
    }
}
