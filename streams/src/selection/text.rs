//! From the words of `where` and `select` to expressions with checked names.

use super::columns::LABELS;
use super::vocabulary::Vocabulary;
use super::{Part, SelectionError};
use crate::catalog::{Catalog, part_of};
use crate::df::sqlparser::ast::{Expr, Ident, Query, SelectItem, Spanned, Value as SqlValue, VisitMut, VisitorMut};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::parser::{Parser, ParserError};
use crate::df::sqlparser::tokenizer::Token;
use crate::dialect::{At, Tokens, check_size, flatten, function_name, normal, of_parser, unknown_function};
use edgeway_sdk::Problem;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Functions that stand for windows.
const WINDOWS: [&str; 6] = ["tumble", "hop", "session", "cumulate", "window_start", "window_end"];

/// Both texts, parsed. Every column is called by its plain name, in quotes.
pub(super) struct Texts {
    pub(super) filter: Option<Expr>,
    /// By name.
    pub(super) select: Option<Vec<(Arc<str>, Expr)>>,
    /// All columns that are named.
    pub(super) names: BTreeSet<String>,
}

impl Texts {
    pub(super) fn read(
        filter: Option<&str>,
        select: Option<&str>,
        vocabulary: &Vocabulary,
        functions: &Catalog,
    ) -> Result<Self, SelectionError> {
        let mut names = BTreeSet::new();
        let mut resolve = |part: Part, expr: &mut Expr| {
            let mut resolver = Resolver { vocabulary, functions, names: &mut names };
            match expr.visit(&mut resolver) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(problem) => Err(SelectionError::new(part, *problem)),
            }
        };
        let parsed = filter.map(|text| parse(text, Keyword::WHERE, condition)).transpose();
        let mut filter = parsed.map_err(|problem| SelectionError::new(Part::Where, problem))?;
        filter.iter_mut().try_for_each(|expr| resolve(Part::Where, expr))?;
        let parsed = select.map(|text| parse(text, Keyword::SELECT, list)).transpose();
        let mut select = parsed.map_err(|problem| SelectionError::new(Part::Select, problem))?;
        for (_, expr) in select.iter_mut().flatten() {
            resolve(Part::Select, expr)?;
        }
        Ok(Texts { filter, select, names })
    }

    pub(super) fn columns(&self) -> Option<Arc<[Arc<str>]>> {
        self.select.as_ref().map(|list| list.iter().map(|(name, _)| name.clone()).collect())
    }
}

/// Reads a text, all of it. `keyword` is what people write before such a text in a whole statement.
fn parse<T>(
    text: &str,
    keyword: Keyword,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let tokens = Tokens::read(text)?;
    check_size(&tokens)?;
    let mut parser = tokens.parser();
    let first = parser.peek_token();
    match &first.token {
        Token::EOF => return Err(At::new(1, 1).problem("there is no expression here")),
        Token::Word(word) if word.keyword == keyword => {
            let problem = At::span(first.span).problem(format!("`{word}` does not belong here"));
            return Err(problem.help("write what follows it"));
        }
        _ => {}
    }
    let read = read(&mut parser)?;
    let rest = parser.peek_token();
    match rest.token {
        Token::EOF => Ok(read),
        token => Err(At::span(rest.span).problem(format!("`{token}` does not belong here: the expression has ended"))),
    }
}

fn told(error: &ParserError) -> Problem {
    let problem = of_parser(error);
    Problem { message: problem.message.replace("the end of the file", "the end of the text"), ..problem }
}

fn condition(parser: &mut Parser<'_>) -> Result<Expr, Problem> {
    let mut expr = parser.parse_expr().map_err(|error| told(&error))?;
    flatten(&mut expr)?;
    Ok(expr)
}

fn list(parser: &mut Parser<'_>) -> Result<Vec<(Arc<str>, Expr)>, Problem> {
    let mut items = parser.parse_projection().map_err(|error| told(&error))?;
    flatten(&mut items)?;
    let mut list: Vec<(Arc<str>, Expr)> = vec![];
    for item in items {
        let at = At::span(item.span());
        let (name, expr) = named(item)?;
        if list.iter().any(|(other, _)| **other == *name) {
            return Err(at.problem(format!("a second column `{name}`")).help("give it another name with AS"));
        }
        list.push((name.into(), expr));
    }
    Ok(list)
}

/// An expression without a name is called by its text, a label by its own name, a field of a struct by both names.
fn named(item: SelectItem) -> Result<(String, Expr), Problem> {
    let at = At::span(item.span());
    match item {
        SelectItem::ExprWithAlias { expr, alias } => Ok((normal(&alias), expr)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Ok((normal(&name), Expr::Identifier(name))),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => {
            let names: Vec<String> = parts.iter().map(normal).collect();
            let name = names.strip_prefix(&[LABELS.to_owned()]).unwrap_or(&names).join(".");
            Ok((name, Expr::CompoundIdentifier(parts)))
        }
        SelectItem::UnnamedExpr(expr) => Ok((expr.to_string(), expr)),
        SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
            let problem = at.problem("`*` has no meaning here: messages of different kinds have different columns");
            Err(problem.help("name the columns; without `select` everything is sent"))
        }
        SelectItem::ExprWithAliases { .. } => Err(at.problem("several names for one column are not supported")),
    }
}

/// Checks names and makes them plain.
struct Resolver<'a> {
    vocabulary: &'a Vocabulary,
    functions: &'a Catalog,
    names: &'a mut BTreeSet<String>,
}

impl Resolver<'_> {
    fn column(&mut self, name: String, of: &Ident) -> Result<Expr, Problem> {
        self.vocabulary.check(&name, At::span(of.span))?;
        self.names.insert(name.clone());
        Ok(Expr::Identifier(Ident { value: name, quote_style: Some('"'), span: of.span }))
    }

    /// A label, or a field of a struct.
    fn compound(&mut self, parts: &[Ident]) -> Result<Option<Expr>, Problem> {
        let [of, part] = parts else { return Err(qualified(parts)) };
        let (of_name, part) = (normal(of), normal(part));
        let name = part_of(&of_name, &part);
        if of_name == LABELS || self.vocabulary.has_part_of(&of_name) {
            return self.column(name, of).map(Some);
        }
        Err(qualified(parts))
    }

    fn function(&self, name: &str, at: At) -> Result<(), Problem> {
        if WINDOWS.contains(&name) {
            return Err(at.problem("a message has no window").help("write a query, and a route for its rows"));
        }
        if self.functions.is_aggregate(name) {
            let problem = at.problem(format!("`{name}` is over many messages, and this is about one"));
            return Err(problem.help("write a query, and a route for its rows"));
        }
        if self.functions.is_known(name) { Ok(()) } else { Err(unknown_function(name, at, self.functions)) }
    }

    /// What takes the place of an expression, if anything does.
    fn expression(&mut self, expr: &Expr) -> Result<Option<Expr>, Problem> {
        let at = At::span(expr.span());
        match expr {
            Expr::Identifier(name) => self.column(normal(name), name).map(Some),
            Expr::CompoundIdentifier(parts) => self.compound(parts),
            Expr::Function(function) if function.over.is_some() => Err(at.problem("OVER is not supported")),
            Expr::Function(function) => self.function(&function_name(function), at).map(|()| None),
            Expr::Value(value) if matches!(value.value, SqlValue::Placeholder(_)) => {
                Err(at.problem(format!("`{value}` stands for nothing here")))
            }
            _ => Ok(None),
        }
    }
}

fn qualified(parts: &[Ident]) -> Problem {
    let text = parts.iter().map(normal).collect::<Vec<_>>().join(".");
    let at = parts.first().map_or(At::default(), |first| At::span(first.span));
    at.problem(format!("`{text}` is not a column")).help("columns stand alone, labels are `labels.NAME`")
}

impl VisitorMut for Resolver<'_> {
    type Break = Box<Problem>;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Box<Problem>> {
        ControlFlow::Break(Box::new(At::span(query.body.span()).problem("a sub-query is not supported")))
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<Problem>> {
        match self.expression(expr) {
            Ok(Some(plain)) => *expr = plain,
            Ok(None) => {}
            Err(problem) => return ControlFlow::Break(Box::new(problem)),
        }
        ControlFlow::Continue(())
    }
}
