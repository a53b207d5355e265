//! What stands behind `WITH`.

use super::place::{At, normal};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use edgeway_sdk::options::{self, duration};
use edgeway_sdk::{Problem, Quality, did_you_mean};
use std::time::Duration;

/// What the author of a query or a stream has set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    /// How long the query waits for rows that are older than the newest one. 2 s unless set.
    pub(crate) watermark_delay: Option<Setting<Duration>>,
    /// How far a row's time may be ahead of the gateway's clock. 1 min unless set.
    pub(crate) max_future_skew: Option<Setting<Duration>>,
    /// How long nothing may come before time goes on without rows. 10 s unless set.
    pub(crate) idle_timeout: Option<Setting<Duration>>,
    /// The worst quality whose values count. Good ones alone unless set.
    pub(crate) quality: Option<Setting<Quality>>,
    /// How long a value stands without being reported again. A day unless set.
    pub(crate) hold: Option<Setting<Duration>>,
    /// How much older than a row its partner in an `ASOF JOIN` may be. Any age unless set.
    pub(crate) asof_tolerance: Option<Setting<Duration>>,
    /// For how long behind its end late rows still change a window. Not at all unless set.
    pub(crate) allowed_lateness: Option<Setting<Duration>>,
    /// What becomes of rows that are late all the same. They are counted unless set.
    pub(crate) late: Option<Setting<Late>>,
    /// When rows are told. When their window closes unless set.
    pub(crate) emit: Option<Setting<Emit>>,
    /// How often windows are told that are not over.
    pub(crate) emit_every: Option<Setting<Duration>>,
    /// At most so many rows in a time.
    pub(crate) emit_rate: Option<Setting<EmitRate>>,
    /// The columns whose rows belong together, for changes and rates.
    pub(crate) emit_key: Option<Setting<Vec<String>>>,
    /// How much memory the state may take, in bytes. 64 MiB unless set.
    pub(crate) state_limit: Option<Setting<u64>>,
    /// How many groups and keys there may be. 100,000 unless set.
    pub(crate) group_limit: Option<Setting<u64>>,
    /// What happens where there is no room. Rows are left out unless set.
    pub(crate) at_limit: Option<Setting<AtLimit>>,
}

/// What becomes of a late row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Late {
    /// It is counted.
    Drop,
    /// It is counted, and told as a row of `<query>.late`.
    Aside,
}

/// What happens where there is no room for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtLimit {
    /// It is left out.
    Drop,
    /// The oldest windows are told early, and keys that were without a row for the longest time are forgotten.
    Evict,
}

/// When rows are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emit {
    /// When their window closes.
    Close,
    /// Before that too, see `emit_every`.
    Update,
    /// When they differ from the one told before.
    Change,
}

/// `1 per 5s per device`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmitRate {
    pub(crate) rows: usize,
    pub(crate) time: Duration,
    /// The column for each value of which it holds.
    pub(crate) key: Option<String>,
}

/// An option that is set, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) at: At,
}

/// Something that can be set.
pub(super) struct Kind {
    name: &'static str,
    set: fn(&mut Options, Given<'_>) -> Result<(), Wrong>,
}

/// A value as it is written, and where the option stands.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    token: &'a Token,
    at: At,
}

enum Wrong {
    Twice,
    /// What is wrong with the value, and what would be right.
    Value(String, &'static str),
}

const DELAY: Kind =
    Kind { name: "watermark_delay", set: |o, given| set(&mut o.watermark_delay, given, duration::parse, A_DURATION) };
const SKEW: Kind =
    Kind { name: "max_future_skew", set: |o, given| set(&mut o.max_future_skew, given, duration::parse, A_DURATION) };
const IDLE: Kind =
    Kind { name: "idle_timeout", set: |o, given| set(&mut o.idle_timeout, given, duration::parse, A_DURATION) };
const WORST: Kind = Kind {
    name: "quality",
    set: |o, given| set(&mut o.quality, given, quality, ("known", "write 'good', 'uncertain', 'stale' or 'bad'")),
};
const TOLERANCE: Kind =
    Kind { name: "asof_tolerance", set: |o, given| set(&mut o.asof_tolerance, given, duration::parse, A_DURATION) };
const HOLD: Kind = Kind { name: "hold", set: |o, given| set(&mut o.hold, given, duration::parse, A_DURATION) };
const LATENESS: Kind =
    Kind { name: "allowed_lateness", set: |o, given| set(&mut o.allowed_lateness, given, duration::parse, A_DURATION) };
const LATE: Kind =
    Kind { name: "late", set: |o, given| set(&mut o.late, given, late, ("known", "write 'drop' or 'aside'")) };
const EMIT: Kind = Kind {
    name: "emit",
    set: |o, given| set(&mut o.emit, given, emit, ("known", "write 'close', 'update' or 'change'")),
};
const EVERY: Kind = Kind { name: "emit_every", set: |o, given| set(&mut o.emit_every, given, positive, A_DURATION) };
const RATE: Kind = Kind {
    name: "emit_rate",
    set: |o, given| set(&mut o.emit_rate, given, rate, ("a rate", "write '1 per 5s' or '1 per 5s per device'")),
};
const KEY: Kind = Kind {
    name: "emit_key",
    set: |o, given| {
        set(&mut o.emit_key, given, names, ("a list of columns", "write 'device' or 'device, window_start'"))
    },
};
const BYTES: Kind = Kind {
    name: "state_limit",
    set: |o, given| set(&mut o.state_limit, given, options::bytes, ("a size", "write '16MiB'")),
};
const GROUPS: Kind = Kind {
    name: "group_limit",
    set: |o, given| set(&mut o.group_limit, given, |text| text.parse().ok(), ("a number", "write '10000'")),
};
const AT_LIMIT: Kind = Kind {
    name: "at_limit",
    set: |o, given| set(&mut o.at_limit, given, at_limit, ("known", "write 'drop' or 'evict'")),
};

/// Of a query.
pub(super) const QUERY: [Kind; 15] =
    [DELAY, SKEW, IDLE, WORST, TOLERANCE, HOLD, LATENESS, LATE, EMIT, EVERY, RATE, KEY, BYTES, GROUPS, AT_LIMIT];
/// Of a stream.
pub(super) const STREAM: [Kind; 4] = [DELAY, SKEW, IDLE, WORST];

impl Options {
    pub(crate) fn delay(&self) -> Duration {
        self.watermark_delay.map_or(Duration::from_secs(2), |setting| setting.value)
    }

    pub(crate) fn skew(&self) -> Duration {
        self.max_future_skew.map_or(Duration::from_secs(60), |setting| setting.value)
    }

    pub(crate) fn idle(&self) -> Duration {
        self.idle_timeout.map_or(Duration::from_secs(10), |setting| setting.value)
    }

    pub(crate) fn quality(&self) -> Quality {
        self.quality.map_or(Quality::Good, |setting| setting.value)
    }

    pub(crate) fn hold(&self) -> Duration {
        self.hold.map_or(Duration::from_secs(86_400), |setting| setting.value)
    }

    /// All that are set, with their names.
    pub(crate) fn set(&self) -> Vec<(&'static str, At)> {
        let all = [
            (DELAY.name, self.watermark_delay.map(|setting| setting.at)),
            (SKEW.name, self.max_future_skew.map(|setting| setting.at)),
            (IDLE.name, self.idle_timeout.map(|setting| setting.at)),
            (WORST.name, self.quality.map(|setting| setting.at)),
            (HOLD.name, self.hold.map(|setting| setting.at)),
            (TOLERANCE.name, self.asof_tolerance.map(|setting| setting.at)),
            (LATENESS.name, self.allowed_lateness.map(|setting| setting.at)),
            (LATE.name, self.late.map(|setting| setting.at)),
            (EMIT.name, self.emit.map(|setting| setting.at)),
            (EVERY.name, self.emit_every.map(|setting| setting.at)),
            (RATE.name, self.emit_rate.as_ref().map(|setting| setting.at)),
            (KEY.name, self.emit_key.as_ref().map(|setting| setting.at)),
            (BYTES.name, self.state_limit.map(|setting| setting.at)),
            (GROUPS.name, self.group_limit.map(|setting| setting.at)),
            (AT_LIMIT.name, self.at_limit.map(|setting| setting.at)),
        ];
        all.into_iter().filter_map(|(name, at)| Some((name, at?))).collect()
    }

    /// These, and where nothing is set, those of a stream.
    pub(crate) fn over(&self, stream: &Options) -> Options {
        Options {
            watermark_delay: self.watermark_delay.or(stream.watermark_delay),
            max_future_skew: self.max_future_skew.or(stream.max_future_skew),
            idle_timeout: self.idle_timeout.or(stream.idle_timeout),
            quality: self.quality.or(stream.quality),
            ..self.clone()
        }
    }
}

/// Reads the options if there are any. Wrong names and values are collected, wrong syntax ends it.
pub(super) fn parse(
    parser: &mut Parser<'_>,
    problems: &mut Vec<Problem>,
    kinds: &[Kind],
) -> Result<Options, ParserError> {
    let mut options = Options::default();
    pairs(parser, |name, at, token, value_at| {
        let Some(kind) = kinds.iter().find(|kind| kind.name == name) else {
            let help = did_you_mean(name, kinds.iter().map(|kind| kind.name));
            return problems.push(at.problem(format!("unknown option `{name}`")).maybe_help(help));
        };
        match (kind.set)(&mut options, Given { token, at }) {
            Ok(()) => {}
            Err(Wrong::Twice) => problems.push(at.problem(format!("`{name}` is set twice"))),
            Err(Wrong::Value(what, right)) => problems.push(value_at.problem(what).help(right)),
        }
    })?;
    Ok(options)
}

/// Reads `WITH (source = '...')`, and where that stands.
pub(super) fn parse_source(parser: &mut Parser<'_>, problems: &mut Vec<Problem>) -> Result<(String, At), ParserError> {
    let mut source = (String::new(), At::default());
    pairs(parser, |name, at, token, value_at| match (name, token) {
        ("source", Token::SingleQuotedString(text)) => source = (text.clone(), value_at),
        ("source", other) => problems.push(value_at.problem(format!("`{other}` is not a text"))),
        _ => problems.push(at.problem(format!("unknown option `{name}`")).help("write WITH (source = '...')")),
    })?;
    Ok(source)
}

fn pairs(parser: &mut Parser<'_>, mut each: impl FnMut(&str, At, &Token, At)) -> Result<(), ParserError> {
    if !parser.parse_keyword(Keyword::WITH) {
        return Ok(());
    }
    parser.expect_token(&Token::LParen)?;
    while !parser.consume_token(&Token::RParen) {
        let name = parser.parse_identifier()?;
        parser.expect_token(&Token::Eq)?;
        let value = parser.next_token();
        each(&normal(&name), At::span(name.span), &value.token, At::span(value.span));
        if !parser.consume_token(&Token::Comma) {
            return parser.expect_token(&Token::RParen).map(drop);
        }
    }
    Ok(())
}

fn set<T>(
    slot: &mut Option<Setting<T>>,
    given: Given<'_>,
    read: fn(&str) -> Option<T>,
    (what, right): (&str, &'static str),
) -> Result<(), Wrong> {
    if slot.is_some() {
        return Err(Wrong::Twice);
    }
    let text = match given.token {
        Token::SingleQuotedString(text) => text.clone(),
        other => other.to_string(),
    };
    let is_text = matches!(given.token, Token::SingleQuotedString(_));
    let value = Some(&text).filter(|_| is_text).and_then(|text| read(text));
    let value = value.ok_or_else(|| Wrong::Value(format!("`{text}` is not {what}"), right))?;
    *slot = Some(Setting { value, at: given.at });
    Ok(())
}

/// The last one of its class, which admits the others.
fn quality(text: &str) -> Option<Quality> {
    Quality::ALL.into_iter().rev().find(|quality| quality.class() == text)
}

fn late(text: &str) -> Option<Late> {
    match text {
        "drop" => Some(Late::Drop),
        "aside" => Some(Late::Aside),
        _ => None,
    }
}

fn at_limit(text: &str) -> Option<AtLimit> {
    match text {
        "drop" => Some(AtLimit::Drop),
        "evict" => Some(AtLimit::Evict),
        _ => None,
    }
}

fn emit(text: &str) -> Option<Emit> {
    match text {
        "close" => Some(Emit::Close),
        "update" => Some(Emit::Update),
        "change" => Some(Emit::Change),
        _ => None,
    }
}

fn positive(text: &str) -> Option<Duration> {
    duration::parse(text).filter(|duration| !duration.is_zero())
}

fn rate(text: &str) -> Option<EmitRate> {
    let mut parts = text.split(" per ").map(str::trim);
    let rows = parts.next()?.parse().ok().filter(|rows| *rows > 0)?;
    let (time, key) = (positive(parts.next()?)?, parts.next().map(str::to_owned));
    if parts.next().is_some() { None } else { Some(EmitRate { rows, time, key }) }
}

fn names(text: &str) -> Option<Vec<String>> {
    let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
    if names.iter().any(String::is_empty) { None } else { Some(names) }
}

const A_DURATION: (&str, &str) = ("a duration", "write '250ms', '5s' or '2m'");
