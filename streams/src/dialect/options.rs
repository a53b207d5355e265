//! What stands behind `WITH`.

use super::place::{At, normal};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use edgeway_sdk::options::duration;
use edgeway_sdk::{Problem, did_you_mean};
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
    /// How long a value stands without being reported again. A day unless set.
    pub(crate) hold: Option<Setting<Duration>>,
    /// How much older than a row its partner in an `ASOF JOIN` may be. Any age unless set.
    pub(crate) asof_tolerance: Option<Setting<Duration>>,
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
const TOLERANCE: Kind =
    Kind { name: "asof_tolerance", set: |o, given| set(&mut o.asof_tolerance, given, duration::parse, A_DURATION) };
const HOLD: Kind = Kind { name: "hold", set: |o, given| set(&mut o.hold, given, duration::parse, A_DURATION) };

/// Of a query.
pub(super) const QUERY: [Kind; 5] = [DELAY, SKEW, IDLE, TOLERANCE, HOLD];
/// Of a stream.
pub(super) const STREAM: [Kind; 3] = [DELAY, SKEW, IDLE];

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

    pub(crate) fn hold(&self) -> Duration {
        self.hold.map_or(Duration::from_secs(86_400), |setting| setting.value)
    }

    /// Those of them that say how long to wait, with their names.
    pub(crate) fn patience(&self) -> impl Iterator<Item = (&'static str, Setting<Duration>)> {
        let values = [self.watermark_delay, self.max_future_skew, self.idle_timeout];
        [DELAY.name, SKEW.name, IDLE.name].into_iter().zip(values).filter_map(|(name, setting)| Some((name, setting?)))
    }

    /// These, and where nothing is set, those of a stream.
    pub(crate) fn over(&self, stream: &Options) -> Options {
        Options {
            watermark_delay: self.watermark_delay.or(stream.watermark_delay),
            max_future_skew: self.max_future_skew.or(stream.max_future_skew),
            idle_timeout: self.idle_timeout.or(stream.idle_timeout),
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

const A_DURATION: (&str, &str) = ("a duration", "write '250ms', '5s' or '2m'");
