//! The statements of a file: `SELECT`, and what can be created.

use super::blocks::{self, Block};
use super::depth::{check_size, flatten};
use super::options::{self, Options};
use super::place::{self, At, Tokens, normal};
use crate::df::sqlparser::ast::{DataType as SqlType, Expr, Ident, Query};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use edgeway_sdk::Problem;

/// A statement that parsed and uses only what is supported.
#[derive(Debug)]
pub(crate) struct Statement {
    /// What it defines.
    pub(crate) name: String,
    /// Where the name stands; for a bare `SELECT`, where that does.
    pub(crate) at: At,
    pub(crate) what: What,
}

/// What a statement defines.
#[derive(Debug)]
pub(crate) enum What {
    Query(Definition),
    /// A table of messages, by another name and with its own patience.
    Stream(Table, Options),
    /// Rows that are there from the start.
    Lookup(Lookup),
    Function(Function),
}

/// A query.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) options: Options,
    /// As it was parsed, until functions are put in.
    pub(crate) query: Box<Query>,
    pub(crate) tokens: Tokens,
    /// A view tells no rows of its own.
    pub(crate) is_view: bool,
}

/// A name in the place of a table's.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) at: At,
}

/// `CREATE TABLE`.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) columns: Vec<LookupColumn>,
    pub(crate) source: Table,
}

/// A column of such a table.
#[derive(Debug)]
pub(crate) struct LookupColumn {
    pub(crate) name: String,
    pub(crate) at: At,
    pub(crate) sql_type: SqlType,
}

/// `CREATE FUNCTION`.
#[derive(Debug, Clone)]
pub(crate) struct Function {
    pub(crate) arguments: Vec<String>,
    pub(crate) body: Expr,
}

/// Reads a file. A `SELECT` without `CREATE` is the query that the file is called after.
///
/// # Errors
/// What the parser trips over, or all constructs that are not supported.
pub(crate) fn parse(text: &str, file_name: &str) -> Result<Vec<Statement>, Vec<Problem>> {
    let tokens = Tokens::read(text).map_err(|problem| vec![problem])?;
    check_size(&tokens).map_err(|problem| vec![problem])?;
    let parts = tokens.statements();
    if parts.is_empty() {
        return Err(vec![Problem::new("there is no statement in this file").help("write one SELECT")]);
    }
    let (mut statements, mut problems) = (vec![], vec![]);
    let alone = parts.len() == 1;
    for tokens in parts {
        match statement(tokens, file_name, alone) {
            Ok(statement) => statements.push(statement),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(statements) } else { Err(problems) }
}

impl Definition {
    /// The `SELECT`s of a query, each after those in its `FROM`; the last one is the query itself.
    ///
    /// # Errors
    /// One problem for every construct that is not supported.
    pub(crate) fn blocks(self, name: &str) -> Result<Vec<Block>, Vec<Problem>> {
        let mut query = self.query;
        flatten(&mut query).map_err(|problem| vec![problem])?;
        blocks::split(*query, name, &self.tokens)
    }
}

fn statement(tokens: Tokens, file_name: &str, alone: bool) -> Result<Statement, Vec<Problem>> {
    let one = |error: ParserError| vec![place::of_parser(&error)];
    let mut parser = tokens.parser();
    let mut problems = vec![];
    let begin = At::span(parser.peek_token_ref().span);
    let statement = if parser.parse_keyword(Keyword::CREATE) {
        created(&mut parser, tokens, &mut problems).map_err(one)?
    } else {
        let query = parser.parse_query().map_err(one)?;
        let definition = Definition { options: Options::default(), query, tokens, is_view: false };
        if !alone {
            let problem = begin.problem("of several statements in a file each needs a name");
            problems.push(problem.help("write CREATE QUERY name AS SELECT ..."));
        }
        Statement { name: file_name.to_owned(), at: begin, what: What::Query(definition) }
    };
    if alone && matches!(statement.what, What::Query(_)) && statement.name != file_name {
        let message = format!("the query calls itself `{}`, but its file makes it `{file_name}`", statement.name);
        problems
            .push(statement.at.problem(message).help(format!("write CREATE QUERY {file_name}, or rename the file")));
    }
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        let message = format!("`{}` does not belong here: the statement has ended", rest.token);
        problems.push(At::span(rest.span).problem(message).help("put `;` between statements"));
    }
    if problems.is_empty() { Ok(statement) } else { Err(problems) }
}

fn created(parser: &mut Parser<'_>, tokens: Tokens, problems: &mut Vec<Problem>) -> Result<Statement, ParserError> {
    let word = parser.next_token();
    let kind = match &word.token {
        Token::Word(found) => found.value.to_lowercase(),
        _ => String::new(),
    };
    let name = match kind.as_str() {
        "query" | "view" | "stream" | "table" | "function" => parser.parse_identifier()?,
        _ => return parser.expected("QUERY, VIEW, STREAM, TABLE or FUNCTION after CREATE", word),
    };
    let what = match kind.as_str() {
        "stream" => stream(parser, problems)?,
        "table" => lookup(parser, problems)?,
        "function" => function(parser)?,
        _ => {
            let options = options::parse(parser, problems, &options::QUERY)?;
            parser.expect_keyword_is(Keyword::AS)?;
            let query = parser.parse_query()?;
            What::Query(Definition { options, query, tokens, is_view: kind == "view" })
        }
    };
    Ok(Statement { name: normal(&name), at: At::span(name.span), what })
}

/// `FROM wind_turbine [WITH (...)]`; `FROM THING 'wind-turbine' [EVENT 'overheat']` says the same.
fn stream(parser: &mut Parser<'_>, problems: &mut Vec<Problem>) -> Result<What, ParserError> {
    parser.expect_keyword_is(Keyword::FROM)?;
    let at = At::span(parser.peek_token_ref().span);
    let name = if word(parser, "thing") {
        let model = parser.parse_literal_string()?;
        let event = if word(parser, "event") { Some(parser.parse_literal_string()?) } else { None };
        let model = model.replace('-', "_");
        event.map_or_else(|| model.clone(), |event| format!("{model}.{event}"))
    } else {
        let name = parser.parse_object_name(false)?;
        let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident().map(normal)).collect();
        parts.join(".")
    };
    Ok(What::Stream(Table { name, at }, options::parse(parser, problems, &options::STREAM)?))
}

/// `(device TEXT, rated_kw DOUBLE) WITH (source = 'devices')`.
fn lookup(parser: &mut Parser<'_>, problems: &mut Vec<Problem>) -> Result<What, ParserError> {
    let mut columns = vec![];
    parser.expect_token(&Token::LParen)?;
    loop {
        let name = parser.parse_identifier()?;
        let sql_type = parser.parse_data_type()?;
        // A key is whatever a JOIN compares.
        if word(parser, "primary") && !word(parser, "key") {
            let next = parser.peek_token();
            return parser.expected("KEY after PRIMARY", next);
        }
        columns.push(LookupColumn { name: normal(&name), at: At::span(name.span), sql_type });
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    let (source, at) = options::parse_source(parser, problems)?;
    Ok(What::Lookup(Lookup { columns, source: Table { name: source, at } }))
}

/// `(celsius [DOUBLE], ...) AS celsius * 1.8 + 32`.
fn function(parser: &mut Parser<'_>) -> Result<What, ParserError> {
    let mut arguments = vec![];
    parser.expect_token(&Token::LParen)?;
    while !parser.consume_token(&Token::RParen) {
        arguments.push(normal(&argument(parser)?));
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            break;
        }
    }
    parser.expect_keyword_is(Keyword::AS)?;
    Ok(What::Function(Function { arguments, body: parser.parse_expr()? }))
}

fn argument(parser: &mut Parser<'_>) -> Result<Ident, ParserError> {
    let name = parser.parse_identifier()?;
    if !matches!(parser.peek_token_ref().token, Token::Comma | Token::RParen) {
        parser.parse_data_type()?;
    }
    Ok(name)
}

/// Takes a word that is not a keyword of the parser.
fn word(parser: &mut Parser<'_>, expected: &str) -> bool {
    let is_it =
        matches!(&parser.peek_token_ref().token, Token::Word(word) if word.value.eq_ignore_ascii_case(expected));
    if is_it {
        parser.next_token();
    }
    is_it
}
