//! `WITH (watermark_delay = '5s', ...)`.

use super::place::{At, normal};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use edgeway_sdk::options::duration;
use edgeway_sdk::{Problem, did_you_mean};
use std::time::Duration;

/// What can be set, in the order of [`Options`].
const KNOWN: [&str; 3] = ["watermark_delay", "max_future_skew", "idle_timeout"];

/// What a query's author has set.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Options {
    /// How long the query waits for rows that are older than the newest one. 2 s unless set.
    pub(crate) watermark_delay: Option<Setting>,
    /// How far a row's time may be ahead of the gateway's clock. 1 min unless set.
    pub(crate) max_future_skew: Option<Setting>,
    /// How long nothing may come before time goes on without rows. 10 s unless set.
    pub(crate) idle_timeout: Option<Setting>,
}

/// An option that is set, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) value: Duration,
    pub(crate) at: At,
}

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

    /// All that are set, with their names.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&'static str, Setting)> {
        let values = [self.watermark_delay, self.max_future_skew, self.idle_timeout];
        KNOWN.into_iter().zip(values).filter_map(|(name, setting)| Some((name, setting?)))
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Setting>> {
        match name {
            "watermark_delay" => Some(&mut self.watermark_delay),
            "max_future_skew" => Some(&mut self.max_future_skew),
            "idle_timeout" => Some(&mut self.idle_timeout),
            _ => None,
        }
    }
}

/// Reads the options if there are any. Wrong names and values are collected, wrong syntax ends it.
pub(super) fn parse(parser: &mut Parser<'_>, problems: &mut Vec<Problem>) -> Result<Options, ParserError> {
    let mut options = Options::default();
    if !parser.parse_keyword(Keyword::WITH) {
        return Ok(options);
    }
    parser.expect_token(&Token::LParen)?;
    while !parser.consume_token(&Token::RParen) {
        let name = parser.parse_identifier()?;
        parser.expect_token(&Token::Eq)?;
        let value = parser.next_token();
        let (name, at) = (normal(&name), At::span(name.span));
        problems.extend(set(&mut options, &name, at, &value.token, At::span(value.span)).err());
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    Ok(options)
}

fn set(options: &mut Options, name: &str, at: At, value: &Token, value_at: At) -> Result<(), Problem> {
    let Some(slot) = options.slot(name) else {
        return Err(at.problem(format!("unknown option `{name}`")).maybe_help(did_you_mean(name, KNOWN)));
    };
    if slot.is_some() {
        return Err(at.problem(format!("`{name}` is set twice")));
    }
    let text = match value {
        Token::SingleQuotedString(text) => text,
        other => {
            return Err(value_at.problem(format!("`{other}` is not a duration")).help("write '250ms', '5s' or '2m'"));
        }
    };
    let Some(value) = duration::parse(text) else {
        return Err(value_at.problem(format!("`{text}` is not a duration")).help("write '250ms', '5s' or '2m'"));
    };
    *slot = Some(Setting { value, at });
    Ok(())
}
