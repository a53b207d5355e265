//! From the text of a file to one checked `SELECT` with its options.

mod depth;
mod names;
mod options;
mod place;
mod shape;

pub(crate) use depth::{check_size, flatten};
pub(crate) use names::{function_name, resolve, unknown_function};
pub(crate) use options::{Options, Setting};
pub(crate) use place::{At, Tokens, lowercase_first, normal, of_parser};

use crate::df::sqlparser::ast::{Ident, Query, Select};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use crate::progress::Fingerprint;
use edgeway_sdk::Problem;

/// A file that parsed and uses only what is supported.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) options: Options,
    pub(crate) select: Select,
    pub(crate) table: TableName,
    /// Where `SELECT` stands: the place of mistakes that have no better one.
    pub(crate) at: At,
    /// Of the words alone.
    pub(crate) fingerprint: Fingerprint,
}

/// The table after `FROM`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName {
    /// As the catalog has it: `wind_turbine`, `wind_turbine.alarm`.
    pub(crate) name: String,
    /// What columns can be qualified with: the alias if there is one, or else the name.
    pub(crate) qualifier: Vec<String>,
    pub(crate) at: At,
}

/// Reads a file that is to hold the query `name`.
///
/// # Errors
/// What the parser trips over, or all constructs that are not supported.
pub(crate) fn parse(text: &str, name: &str) -> Result<Statement, Vec<Problem>> {
    let tokens = Tokens::read(text).map_err(|problem| vec![problem])?;
    check_size(&tokens).map_err(|problem| vec![problem])?;
    let mut parser = tokens.parser();
    let (options, mut query) = statement(&mut parser, name)?;
    flatten(&mut query).map_err(|problem| vec![problem])?;
    let (select, table) = shape::check(*query, &tokens)?;
    let at = At::span(select.select_token.0.span);
    Ok(Statement { options, select, table, at, fingerprint: tokens.fingerprint() })
}

/// `CREATE QUERY name [WITH (...)] AS SELECT ...` or `SELECT ...`, and nothing behind it.
fn statement(parser: &mut Parser<'_>, name: &str) -> Result<(Options, Box<Query>), Vec<Problem>> {
    let one = |error: ParserError| vec![place::of_parser(&error)];
    let mut problems = vec![];
    let mut options = Options::default();
    if parser.parse_keyword(Keyword::CREATE) {
        let given = header(parser).map_err(one)?;
        problems.extend(wrong_name(&given, name));
        options = options::parse(parser, &mut problems).map_err(one)?;
        parser.expect_keyword_is(Keyword::AS).map_err(one)?;
    }
    if parser.peek_token_ref().token == Token::EOF {
        problems.push(Problem::new("there is no statement in this file").help("write one SELECT"));
        return Err(problems);
    }
    let query = parser.parse_query().map_err(one)?;
    while parser.consume_token(&Token::SemiColon) {}
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let problem =
            At::span(rest.span).problem(format!("`{}` does not belong here: the statement has ended", rest.token));
        problems.push(problem.help("one file holds one statement"));
    }
    if problems.is_empty() { Ok((options, query)) } else { Err(problems) }
}

fn header(parser: &mut Parser<'_>) -> Result<Ident, ParserError> {
    let word = parser.next_token();
    match &word.token {
        Token::Word(found) if found.value.eq_ignore_ascii_case("query") => parser.parse_identifier(),
        _ => parser.expected("QUERY after CREATE", word),
    }
}

fn wrong_name(given: &Ident, name: &str) -> Option<Problem> {
    let found = place::normal(given);
    (found != name).then(|| {
        let message = format!("the query calls itself `{found}`, but its file makes it `{name}`");
        At::span(given.span).problem(message).help(format!("write CREATE QUERY {name}, or rename the file"))
    })
}
