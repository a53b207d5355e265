//! `prop`, comparisons, and what joins them.

use super::super::fit::{comparable, comparand};
use super::super::host::{Host, Raised, raise};
use super::{
    ConditionWord, Mistake, Point, PropertyWord, TriggerWord, closure_of, duration_of, find_device, find_property,
    kind_of, text_of, value_of,
};
use crate::plan::{Condition, HeldPlan, Moment, Op, Operand, Sun, bit, show};
use edgeway_sdk::{Value, options::duration};
use edgeway_thing_models::{DataType, Property, PropertyIx, Things};
use jiff::SignedDuration;
use jiff::civil::{Time, Weekday};
use rhai::{Array, Dynamic, Engine, NativeCallContext, Position};
use std::sync::Arc;
use std::time::Duration;

/// How deep conditions may be inside of each other.
const DEPTH_MAX: usize = 32;
/// The longest condition, written out.
const TEXT_BYTES_MAX: usize = 16 * 1024;

const OPERATORS: [Op; 6] = [Op::Equal, Op::NotEqual, Op::Greater, Op::GreaterOrEqual, Op::Less, Op::LessOrEqual];

pub(super) fn register(engine: &mut Engine, host: &Host) {
    for op in OPERATORS {
        register_comparison(engine, host, op);
    }
    register_joins(engine, host);
    let h = host.clone();
    engine.register_fn("prop", move |ctx: NativeCallContext, device: Dynamic, property: Dynamic| {
        h.declare("prop", ctx.call_position(), |_| ())?;
        let found = find_property(&h, &device, &property);
        h.check(ctx.call_position(), found).map(PropertyWord)
    });
    let h = host.clone();
    engine.register_fn("fresh", move |ctx: NativeCallContext, property: Dynamic, within: Dynamic| {
        fresh(&h, ctx.call_position(), &property, &within)
    });
    let h = host.clone();
    engine.register_fn("held", move |ctx: NativeCallContext, condition: Dynamic, dwell: Dynamic| {
        held(&h, ctx.call_position(), &condition, &dwell)
    });
    let h = host.clone();
    engine.register_fn("time_between", move |ctx: NativeCallContext, from: Dynamic, to: Dynamic| {
        time_between(&h, ctx.call_position(), &from, &to)
    });
    let h = host.clone();
    engine.register_fn("is_online", move |ctx: NativeCallContext, device: Dynamic| -> Raised<ConditionWord> {
        let found = h.check(ctx.call_position(), find_device(&h.things(), &device))?;
        Ok(ConditionWord::new(found.map(Condition::Online), format!("{device} is online")))
    });
    let h = host.clone();
    engine.register_fn("is_stale", move |ctx: NativeCallContext, of: Dynamic| stale(&h, ctx.call_position(), &of));
    let h = host.clone();
    engine.register_fn("on_days", move |ctx: NativeCallContext, days: Dynamic| -> Raised<ConditionWord> {
        let found = h.check(ctx.call_position(), days_of(&days))?;
        Ok(ConditionWord::new(found.map(Condition::Days), format!("on {days}")))
    });
    let h = host.clone();
    engine.register_fn("or_unknown", move |ctx: NativeCallContext, inner: Dynamic| -> Raised<ConditionWord> {
        let inner = condition_of(&h, ctx.call_position(), &inner)?;
        bounded(ctx.call_position(), inner.text.len(), inner.condition.iter())?;
        let condition = inner.condition.map(|inner| Condition::OrUnknown(Box::new(inner)));
        Ok(ConditionWord::new(condition, format!("({} or unknown)", inner.text)))
    });
    let h = host.clone();
    engine.register_fn("check", move |ctx: NativeCallContext, why: Dynamic, closure: Dynamic| {
        check(&h, ctx.call_position(), &why, &closure)
    });
}

fn register_comparison(engine: &mut Engine, host: &Host, op: Op) {
    let h = host.clone();
    engine.register_fn(op.symbol(), move |ctx: NativeCallContext, left: PropertyWord, right: Dynamic| {
        compare(&h, ctx.call_position(), &left, op, &right)
    });
    let h = host.clone();
    engine.register_fn(op.symbol(), move |ctx: NativeCallContext, left: Dynamic, right: PropertyWord| {
        compare(&h, ctx.call_position(), &right, op.flipped(), &left)
    });
    let h = host.clone();
    engine.register_fn(op.symbol(), move |ctx: NativeCallContext, left: PropertyWord, right: PropertyWord| {
        compare(&h, ctx.call_position(), &left, op, &Dynamic::from(right))
    });
}

fn register_joins(engine: &mut Engine, host: &Host) {
    for (word, join) in [("all", Join::All), ("any", Join::Any)] {
        let h = host.clone();
        engine.register_fn(word, move |ctx: NativeCallContext, parts: Array| {
            joined(&h, ctx.call_position(), &parts, join)
        });
    }
    for (symbol, join) in [("&", Join::All), ("|", Join::Any)] {
        let h = host.clone();
        engine.register_fn(symbol, move |ctx: NativeCallContext, left: ConditionWord, right: Dynamic| {
            joined(&h, ctx.call_position(), &[Dynamic::from(left), right], join)
        });
        let h = host.clone();
        engine.register_fn(symbol, move |ctx: NativeCallContext, left: PropertyWord, right: Dynamic| {
            joined(&h, ctx.call_position(), &[Dynamic::from(left), right], join)
        });
    }
    for word in ["not", "!"] {
        let h = host.clone();
        engine.register_fn(word, move |ctx: NativeCallContext, inner: ConditionWord| {
            negated(&h, ctx.call_position(), &Dynamic::from(inner))
        });
        let h = host.clone();
        engine.register_fn(word, move |ctx: NativeCallContext, inner: PropertyWord| {
            negated(&h, ctx.call_position(), &Dynamic::from(inner))
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Join {
    All,
    Any,
}

impl ConditionWord {
    fn new(condition: Option<Condition>, text: String) -> Self {
        ConditionWord { condition, text: text.into() }
    }

    /// The condition and its text, unless a mistake made it hollow.
    pub(super) fn parts(self) -> Option<(Condition, Arc<str>)> {
        Some((self.condition?, self.text))
    }
}

impl Point {
    pub(super) fn property<'a>(&self, things: &'a Things) -> &'a Property {
        things.property(self.device, self.property)
    }

    /// `wt-07.state`.
    pub(super) fn name(&self, things: &Things) -> String {
        format!("{}.{}", things.device(self.device).id, self.property(things).identifier)
    }
}

fn compare(host: &Host, at: Position, left: &PropertyWord, op: Op, right: &Dynamic) -> Raised<ConditionWord> {
    let Some(left) = left.0 else { return Ok(ConditionWord::new(None, String::new())) };
    let things = host.things();
    let compared = match right.clone().try_cast::<PropertyWord>() {
        Some(PropertyWord(None)) => return Ok(ConditionWord::new(None, String::new())),
        Some(PropertyWord(Some(right))) => compare_properties(&things, left, op, right),
        None => compare_value(&things, left, op, right),
    };
    let Some((right, text)) = host.check(at, compared)? else { return Ok(ConditionWord::new(None, String::new())) };
    let condition = Condition::Compare { left: left.slot, op, right };
    Ok(ConditionWord::new(Some(condition), format!("{} {} {text}", left.name(&things), op.symbol())))
}

fn compare_properties(things: &Things, left: Point, op: Op, right: Point) -> Result<(Operand, String), Mistake> {
    comparable(&left.property(things).data_type, &right.property(things).data_type, op)?;
    Ok((Operand::Property(right.slot), right.name(things)))
}

fn compare_value(things: &Things, left: Point, op: Op, right: &Dynamic) -> Result<(Operand, String), Mistake> {
    let property = left.property(things);
    if right.is_unit() {
        return Err(Mistake::new("a comparison with `()` is never what was meant")
            .help("a missing value makes the condition unknown by itself"));
    }
    let value = comparand(&property.identifier, &property.data_type, op, &value_of(right)?)?;
    let text = show(&property.data_type, &value);
    Ok((Operand::Value(value), text))
}

/// Takes a condition, or a bool property as one.
pub(super) fn condition_of(host: &Host, at: Position, value: &Dynamic) -> Raised<ConditionWord> {
    if let Some(condition) = value.clone().try_cast::<ConditionWord>() {
        return Ok(condition);
    }
    let mistake = match value.clone().try_cast::<PropertyWord>() {
        Some(PropertyWord(None)) => return Ok(ConditionWord::new(None, String::new())),
        Some(PropertyWord(Some(point))) => match is_true(&host.things(), point) {
            Ok(condition) => return Ok(condition),
            Err(mistake) => mistake,
        },
        None if value.is::<TriggerWord>() => {
            Mistake::new("a trigger is a moment, a condition is a state").help("put the trigger into `.when(..)`")
        }
        None => Mistake::new(format!("a condition is needed here, this is {}", kind_of(value)))
            .help("write `prop(device, property) > 28`"),
    };
    host.check::<()>(at, Err(mistake))?;
    Ok(ConditionWord::new(None, String::new()))
}

fn is_true(things: &Things, point: Point) -> Result<ConditionWord, Mistake> {
    let name = point.name(things);
    match point.property(things).data_type {
        DataType::Bool { .. } => {
            let right = Operand::Value(Value::Bool(true));
            let condition = Condition::Compare { left: point.slot, op: Op::Equal, right };
            Ok(ConditionWord::new(Some(condition), format!("{name} == true")))
        }
        _ => Err(Mistake::new(format!("`{name}` is not true or false, so it is no condition by itself"))
            .help("compare it: `prop(device, property) > 28`")),
    }
}

fn joined(host: &Host, at: Position, parts: &[Dynamic], join: Join) -> Raised<ConditionWord> {
    let parts = parts.iter().map(|part| condition_of(host, at, part)).collect::<Result<Vec<_>, _>>()?;
    if parts.is_empty() {
        host.check::<()>(at, Err(Mistake::new("the list of conditions is empty")))?;
        return Ok(ConditionWord::new(None, String::new()));
    }
    let word = match join {
        Join::All => " and ",
        Join::Any => " or ",
    };
    let text_bytes = parts.iter().map(|part| part.text.len() + word.len()).sum();
    bounded(at, text_bytes, parts.iter().filter_map(|part| part.condition.as_ref()))?;
    let text = parts.iter().map(|part| &*part.text).collect::<Vec<_>>().join(word);
    let conditions: Option<Vec<Condition>> = parts.into_iter().map(|part| part.condition).collect();
    let condition = conditions.map(|parts| match join {
        Join::All => Condition::All(parts),
        Join::Any => Condition::Any(parts),
    });
    Ok(ConditionWord::new(condition, format!("({text})")))
}

/// Whether conditions may become part of another. A loop could join one with itself, over and over.
fn bounded<'a>(at: Position, text_bytes: usize, parts: impl Iterator<Item = &'a Condition>) -> Raised<()> {
    let mut parts = parts;
    if text_bytes > TEXT_BYTES_MAX || parts.any(|part| depth(part) >= DEPTH_MAX) {
        let limits = format!("{DEPTH_MAX} levels, {} KiB when written out", TEXT_BYTES_MAX / 1024);
        return Err(raise(at, format!("the condition is too large ({limits})")));
    }
    Ok(())
}

fn depth(condition: &Condition) -> usize {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => 1 + parts.iter().map(depth).max().unwrap_or(0),
        Condition::Not(inner) | Condition::OrUnknown(inner) => 1 + depth(inner),
        _ => 1,
    }
}

fn negated(host: &Host, at: Position, inner: &Dynamic) -> Raised<ConditionWord> {
    let inner = condition_of(host, at, inner)?;
    bounded(at, inner.text.len(), inner.condition.iter())?;
    let condition = inner.condition.map(|inner| Condition::Not(Box::new(inner)));
    Ok(ConditionWord::new(condition, format!("not {}", inner.text)))
}

fn fresh(host: &Host, at: Position, property: &Dynamic, within: &Dynamic) -> Raised<ConditionWord> {
    let within = host.check(at, duration_of(within))?;
    let property = property_of(host, at, property)?;
    let (Some(within), Some(point)) = (within, property) else { return Ok(ConditionWord::new(None, String::new())) };
    let text = format!("{} is newer than {}", point.name(&host.things()), human(within));
    Ok(ConditionWord::new(Some(Condition::Fresh { slot: point.slot, within }), text))
}

/// Takes a property, hollow or not.
pub(super) fn property_of(host: &Host, at: Position, value: &Dynamic) -> Raised<Option<Point>> {
    match value.clone().try_cast::<PropertyWord>() {
        Some(PropertyWord(point)) => Ok(point),
        None => {
            let mistake = Mistake::new(format!("a property is needed here, this is {}", kind_of(value)));
            host.check(at, Err(mistake.help("write `prop(device, property)`")))
        }
    }
}

fn held(host: &Host, at: Position, condition: &Dynamic, dwell: &Dynamic) -> Raised<ConditionWord> {
    let dwell = host.check(at, duration_of(dwell))?;
    let inner = condition_of(host, at, condition)?;
    bounded(at, inner.text.len(), inner.condition.iter())?;
    let text = inner.text.clone();
    let (Some(dwell), Some(inner)) = (dwell, inner.condition) else {
        return Ok(ConditionWord::new(None, String::new()));
    };
    if inner.has_script() {
        let mistake = Mistake::new("a `check` cannot be held: nothing says when to ask it again");
        host.check::<()>(at, Err(mistake.help("hold the comparisons and put the check into `.only_if(..)`")))?;
        return Ok(ConditionWord::new(None, String::new()));
    }
    host.grow("held", at, 1, text.len())?;
    let text: Arc<str> = format!("{text} for {}", human(dwell)).into();
    let plan = HeldPlan { inner, dwell, text: text.clone() };
    let held = host.declare("held", at, |draft| draft.add_held(plan))?;
    Ok(ConditionWord { condition: Some(Condition::Held(held)), text })
}

/// A property, or any property of a device, shows an old value that could not be read again.
pub(super) fn stale(host: &Host, at: Position, of: &Dynamic) -> Raised<ConditionWord> {
    if of.is::<PropertyWord>() {
        let point = property_of(host, at, of)?;
        let text = point.map(|point| format!("{} is stale", point.name(&host.things())));
        return Ok(ConditionWord::new(point.map(|point| Condition::Stale(point.slot)), text.unwrap_or_default()));
    }
    let things = host.things();
    let device = host.check(at, find_device(&things, of))?;
    let slots = device.map(|device| {
        let count = u16::try_from(things.model_of(device).properties.len()).unwrap_or(u16::MAX);
        // One that was never seen keeps the others from nothing.
        let known = |slot| {
            let fresh = Condition::Not(Box::new(Condition::Stale(slot)));
            Condition::Not(Box::new(Condition::OrUnknown(Box::new(fresh))))
        };
        (0..count).map(|at| known(host.slots().of(device, PropertyIx(at)))).collect()
    });
    Ok(ConditionWord::new(slots.map(Condition::Any), format!("a property of {of} is stale")))
}

fn time_between(host: &Host, at: Position, from: &Dynamic, to: &Dynamic) -> Raised<ConditionWord> {
    let moments = || {
        let (from, to) = (moment_of(host, from)?, moment_of(host, to)?);
        match from == to {
            true => Err(Mistake::new("both times are the same, so there is nothing between them")),
            false => Ok((from, to)),
        }
    };
    let moments = host.check(at, moments())?;
    let text = moments.map(|(from, to)| format!("time between {from} and {to}"));
    let condition = moments.map(|(from, to)| Condition::Between { from, to });
    Ok(ConditionWord::new(condition, text.unwrap_or_default()))
}

/// `06:30`, `22:00:15`, `sunset`, `sunrise + 30m`.
pub(super) fn moment_of(host: &Host, value: &Dynamic) -> Result<Moment, Mistake> {
    let text = text_of(value, "a time of day")?;
    for (word, rises) in [("sunrise", true), ("sunset", false)] {
        if let Some(offset) = text.trim().strip_prefix(word) {
            return Ok(Moment::Sun(sun_of(host, rises, offset)?));
        }
    }
    let parts: Vec<&str> = text.split(':').collect();
    let shape = (2..=3).contains(&parts.len()) && parts.iter().all(|part| part.len() == 2);
    let time = if shape { text.parse::<Time>().ok() } else { None };
    time.map(Moment::Clock).ok_or_else(|| {
        Mistake::new(format!("`{text}` is not a time of day"))
            .help("write \"06:30\", \"22:00:15\", \"sunset\" or \"sunrise + 30m\"")
    })
}

/// So long after sunrise or sunset: `+30m`, `- 1h`, or nothing.
pub(super) fn sun_of(host: &Host, rises: bool, offset: &str) -> Result<Sun, Mistake> {
    /// More would be another day's sun.
    const OFFSET_MAX: Duration = Duration::from_secs(12 * 60 * 60);
    if !host.has_position() {
        return Err(Mistake::new("where the sun rises and sets is not known")
            .help("say where the site is, in edgeway.toml: `latitude = 52.5`, `longitude = 13.4`"));
    }
    let wrong = || {
        Mistake::new(format!("`{offset}` is no offset from the sun"))
            .help("write \"+30m\" or \"-1h\", 12 hours at most")
    };
    let (sign, span) = match offset.trim() {
        "" => return Ok(Sun { rises, offset: SignedDuration::ZERO }),
        text if text.starts_with('-') => (-1, &text[1..]),
        text => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let span = duration::parse(span.trim()).filter(|span| *span <= OFFSET_MAX).ok_or_else(wrong)?;
    let span = SignedDuration::try_from(span).map_err(|_| wrong())?;
    Ok(Sun { rises, offset: span * sign })
}

/// `mon-fri`, `sat, sun`, `fri-mon`.
fn days_of(value: &Dynamic) -> Result<u8, Mistake> {
    const DAYS: [(&str, Weekday); 7] = [
        ("mon", Weekday::Monday),
        ("tue", Weekday::Tuesday),
        ("wed", Weekday::Wednesday),
        ("thu", Weekday::Thursday),
        ("fri", Weekday::Friday),
        ("sat", Weekday::Saturday),
        ("sun", Weekday::Sunday),
    ];
    let text = text_of(value, "days of the week")?;
    let day = |word: &str| DAYS.iter().find(|(name, _)| *name == word.trim().to_lowercase()).map(|(_, day)| *day);
    let span = |part: &str| -> Option<u8> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = first.until(last) + 1;
        Some(first.cycle_forward().take(usize::try_from(count).ok()?).fold(0, |days, day| days | bit(day)))
    };
    let days: Option<u8> = text.split(',').map(span).try_fold(0, |days, found| Some(days | found?));
    days.ok_or_else(|| {
        Mistake::new(format!("`{text}` are no days of the week")).help("write \"mon-fri\", \"sat, sun\" or \"wed\"")
    })
}

fn check(host: &Host, at: Position, why: &Dynamic, closure: &Dynamic) -> Raised<ConditionWord> {
    let why = host.check(at, text_of(why, "the reason of a check"))?;
    let closure = closure_of(host, "check", at, closure)?;
    let condition = closure.filter(|_| why.is_some()).map(Condition::Check);
    Ok(ConditionWord::new(condition, format!("script \"{}\"", why.unwrap_or_default())))
}

/// `10m`, as scripts write it.
pub(super) fn human(duration: std::time::Duration) -> String {
    jiff::SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |duration| format!("{duration:#}"))
}
