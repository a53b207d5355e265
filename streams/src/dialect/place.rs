//! Where something stands in the text.

use crate::df::sqlparser::ast::Ident;
use crate::df::sqlparser::dialect::GenericDialect;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};
use edgeway_sdk::{Place, Problem};

/// Levels that the parser goes down, of which a bracket takes one. In a build without optimisation a level takes some 80 KiB
/// of stack.
const PARSER_LEVELS_MAX: usize = 20;

/// A line and a column, from 1; `None` if the parser does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct At(Option<(usize, usize)>);

impl At {
    pub(crate) fn new(line: usize, column: usize) -> At {
        At((line > 0).then_some((line, column)))
    }

    pub(crate) fn span(span: Span) -> At {
        At::location(span.start)
    }

    fn location(location: Location) -> At {
        At::new(location.line as usize, location.column as usize)
    }

    /// This place, or another if this one is not known.
    pub(crate) fn or(self, other: At) -> At {
        At(self.0.or(other.0))
    }

    pub(crate) fn problem(self, message: impl Into<String>) -> Problem {
        let place = self.0.map_or(Place::Whole, |(line, column)| Place::Position { line, column });
        Problem { place, ..Problem::new(message) }
    }
}

/// The words of a file, or of a statement in it.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<TokenWithSpan>);

impl Tokens {
    pub(crate) fn read(text: &str) -> Result<Tokens, Problem> {
        match Tokenizer::new(&GenericDialect {}, text).tokenize_with_location() {
            Ok(tokens) => Ok(Tokens(tokens)),
            Err(error) => Err(At::location(error.location).problem(lowercase_first(&error.message))),
        }
    }

    /// Those of each statement, without what is empty.
    pub(crate) fn statements(self) -> Vec<Tokens> {
        let parts = self.0.split(|token| token.token == Token::SemiColon);
        let says_something = |part: &&[TokenWithSpan]| {
            part.iter().any(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
        };
        parts.filter(says_something).map(|part| Tokens(part.to_vec())).collect()
    }

    /// A parser of these words, which gives up before its stack does.
    pub(crate) fn parser(&self) -> Parser<'static> {
        let parser = Parser::new(&GenericDialect {}).with_recursion_limit(PARSER_LEVELS_MAX);
        parser.with_tokens_with_locations(self.0.clone())
    }

    pub(crate) fn all(&self) -> &[TokenWithSpan] {
        &self.0
    }

    /// Where a keyword first stands outside of parentheses.
    pub(crate) fn keyword(&self, keyword: &str) -> At {
        let mut depth = 0;
        for token in &self.0 {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                Token::Word(word) if depth == 0 && word.value.eq_ignore_ascii_case(keyword) => {
                    return At::span(token.span);
                }
                _ => {}
            }
        }
        At::default()
    }
}

/// An identifier as SQL compares it: in lower case unless it is quoted.
pub(crate) fn normal(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The parser puts the place behind its sentence.
pub(crate) fn of_parser(error: &ParserError) -> Problem {
    let text = match error {
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => text.as_str(),
        ParserError::RecursionLimitExceeded => "the expression is nested too deeply",
    };
    let (message, place) = text.split_once(" at Line: ").unwrap_or((text, ""));
    let at = place.split_once(", Column: ").and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
    let message = message.replace("Expected: ", "expected ").replace(", found: EOF", ", found the end of the file");
    At(at).problem(lowercase_first(&message.replace(", found: ", ", found ")))
}

/// DataFusion's and the parser's sentences begin with a capital.
pub(crate) fn lowercase_first(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| first.to_lowercase().chain(rest).collect())
}
