//! Functions that a site declares: their calls are replaced by what they stand for, before anything else is looked at.

use super::names::function_name;
use super::place::{At, normal};
use super::statement::Function;
use crate::df::sqlparser::ast::{
    Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArguments, Query, Spanned, VisitMut, VisitorMut,
};
use edgeway_sdk::Problem;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// How often functions may call each other.
const LEVELS_MAX: usize = 16;

/// Puts the declared functions in.
///
/// # Errors
/// Calls with the wrong number of arguments, and functions that call themselves.
pub(crate) fn put_in(query: &mut Query, functions: &BTreeMap<String, Function>) -> Result<(), Vec<Problem>> {
    if functions.is_empty() {
        return Ok(());
    }
    let mut calls = Calls { functions, level: 0, problems: vec![] };
    let _ = query.visit(&mut calls);
    if calls.problems.is_empty() { Ok(()) } else { Err(calls.problems) }
}

struct Calls<'a> {
    functions: &'a BTreeMap<String, Function>,
    level: usize,
    problems: Vec<Problem>,
}

impl Calls<'_> {
    /// What a call stands for.
    fn expand(&mut self, call: &Call) -> Option<Expr> {
        let name = function_name(call);
        let function = self.functions.get(&name)?;
        let at = At::span(call.name.span());
        if self.level == LEVELS_MAX {
            self.problems
                .push(at.problem(format!("`{name}` calls itself, or calls go deeper than {LEVELS_MAX} levels")));
            return None;
        }
        let given = arguments(call);
        if given.as_ref().is_none_or(|given| given.len() != function.arguments.len()) {
            let expected = format!("{name}({})", function.arguments.join(", "));
            self.problems.push(at.problem(format!("`{name}` has other arguments")).help(format!("write {expected}")));
            return None;
        }
        let values = function.arguments.iter().cloned().zip(given?).collect();
        let mut body = function.body.clone();
        let _ = body.visit(&mut Arguments { values: &values });
        self.level += 1;
        let _ = body.visit(self);
        self.level -= 1;
        Some(Expr::Nested(Box::new(body)))
    }
}

impl VisitorMut for Calls<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(call) = expr
            && let Some(body) = self.expand(&call.clone())
        {
            *expr = body;
        }
        ControlFlow::Continue(())
    }
}

/// Puts values in the place of names.
struct Arguments<'a> {
    values: &'a BTreeMap<String, Expr>,
}

impl VisitorMut for Arguments<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Identifier(name) = expr
            && let Some(value) = self.values.get(&normal(name))
        {
            *expr = Expr::Nested(Box::new(value.clone()));
        }
        ControlFlow::Continue(())
    }
}

fn arguments(call: &Call) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = &call.args else { return None };
    let value = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    list.args.iter().map(value).collect()
}
