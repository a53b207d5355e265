//! Keeps expressions flat: whoever walks them goes down one call for each level, and the stack is finite.

use super::place::{At, Tokens};
use crate::df::sqlparser::ast::{BinaryOperator, Expr, VisitMut, VisitorMut};
use crate::df::sqlparser::keywords::Keyword;
use crate::df::sqlparser::tokenizer::Token;
use edgeway_sdk::Problem;
use std::ops::ControlFlow;

/// The most words of a text. A tree of so many levels can still be taken down again.
const WORDS_MAX: usize = 4_000;
/// The most levels of an expression, once long chains of `AND` and `OR` are flat. So many fit into the 2 MiB stack of a
/// thread even in a build without optimisation.
const LEVELS_MAX: usize = 32;

/// The most brackets and `CASE`s within each other. The parser needs more stack for them than anybody after it.
const BRACKETS_MAX: usize = 16;

/// # Errors
/// If the text is longer or nested more deeply than any that a person writes.
pub(crate) fn check_size(tokens: &Tokens) -> Result<(), Problem> {
    let mut open = 0_usize;
    let words = tokens.all().iter().filter(|token| !matches!(token.token, Token::Whitespace(_)));
    for (at, word) in words.enumerate() {
        let place = At::span(word.span);
        match nesting(&word.token) {
            Nesting::Opens => open += 1,
            Nesting::Closes => open = open.saturating_sub(1),
            Nesting::Neither => {}
        }
        if at == WORDS_MAX {
            let problem = place.problem(format!("this text has more than {WORDS_MAX} words"));
            return Err(problem.help("use IN for long lists"));
        }
        if open > BRACKETS_MAX {
            let problem = place.problem(format!("more than {BRACKETS_MAX} brackets are nested here"));
            return Err(problem.help("a query can name parts of it, and be read by another"));
        }
    }
    Ok(())
}

enum Nesting {
    Opens,
    Closes,
    Neither,
}

fn nesting(token: &Token) -> Nesting {
    match token {
        Token::LParen | Token::LBracket | Token::LBrace => Nesting::Opens,
        Token::RParen | Token::RBracket | Token::RBrace => Nesting::Closes,
        Token::Word(word) if word.keyword == Keyword::CASE => Nesting::Opens,
        Token::Word(word) if word.keyword == Keyword::END => Nesting::Closes,
        _ => Nesting::Neither,
    }
}

/// Makes chains of `AND` and `OR` as flat as they can be, and refuses what is too deep all the same.
///
/// # Errors
/// If an expression is nested too deeply.
pub(crate) fn flatten(tree: &mut impl VisitMut) -> Result<(), Problem> {
    match tree.visit(&mut Flatten { level: 0 }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(at) => {
            let problem = at.problem(format!("this expression is nested more than {LEVELS_MAX} levels deep"));
            Err(problem.help("a query can name parts of it, and be read by another"))
        }
    }
}

struct Flatten {
    level: usize,
}

impl VisitorMut for Flatten {
    type Break = At;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<At> {
        self.level += cost(expr);
        if self.level > LEVELS_MAX {
            return ControlFlow::Break(first_place(expr));
        }
        if let Some(op) = chained(expr) {
            let whole = std::mem::replace(expr, Expr::value(crate::df::sqlparser::ast::Value::Null));
            *expr = balanced(operands(whole, &op), &op);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<At> {
        self.level -= cost(expr);
        ControlFlow::Continue(())
    }
}

/// How many levels an expression counts for: the planner goes deeper for calls.
fn cost(expr: &Expr) -> usize {
    match expr {
        Expr::Function(_) | Expr::Case { .. } => 2,
        _ => 1,
    }
}

/// Where an expression begins, if that can be told without walking all of it.
fn first_place(mut expr: &Expr) -> At {
    while let Expr::BinaryOp { left: inner, .. } | Expr::IsNull(inner) | Expr::Cast { expr: inner, .. } = expr {
        expr = inner;
    }
    match expr {
        Expr::Identifier(name) => At::span(name.span),
        _ => At::default(),
    }
}

/// The operator, if its chains mean the same however they are bracketed.
fn chained(expr: &Expr) -> Option<BinaryOperator> {
    match expr {
        Expr::BinaryOp { op: op @ (BinaryOperator::And | BinaryOperator::Or), .. } => Some(op.clone()),
        _ => None,
    }
}

/// The operands of a chain, in order.
fn operands(whole: Expr, chain: &BinaryOperator) -> Vec<Expr> {
    let (mut found, mut left_to_do) = (vec![], vec![whole]);
    while let Some(expr) = left_to_do.pop() {
        match expr {
            Expr::BinaryOp { left, op, right } if op == *chain => left_to_do.extend([*right, *left]),
            other => found.push(other),
        }
    }
    found
}

/// The same chain with as few levels as possible. There is at least one operand.
fn balanced(mut operands: Vec<Expr>, op: &BinaryOperator) -> Expr {
    while operands.len() > 1 {
        let mut rest = operands.into_iter();
        let mut paired = vec![];
        while let Some(left) = rest.next() {
            paired.push(match rest.next() {
                Some(right) => Expr::BinaryOp { left: Box::new(left), op: op.clone(), right: Box::new(right) },
                None => left,
            });
        }
        operands = paired;
    }
    operands.pop().expect("a chain has operands")
}
