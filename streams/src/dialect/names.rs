//! Names in a `SELECT`: are they known, and what do `window_start` and `window_end` mean.

use super::place::{At, normal};
use super::{Block, TableName};
use crate::catalog::{Catalog, TS, Table, is_part, part_of, quality_of};
use crate::df::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr,
    Ident, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind, Spanned, Value, VisitMut, VisitorMut,
    WildcardAdditionalOptions, visit_expressions,
};
use crate::functions;
use crate::marker;
use crate::rows::Timing;
use edgeway_sdk::{Problem, Quality, did_you_mean};
use std::collections::BTreeSet;
use std::ops::ControlFlow;

/// The window in `GROUP BY`, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WindowCall(pub(crate) At);

/// A table that a block reads, as it is called there.
pub(crate) type Seen<'a> = (&'a TableName, &'a Table);

/// Checks every name, gives every column of the answer a name, and turns the window's bounds into markers.
///
/// # Errors
/// One problem for every name that is not known or stands where it has no meaning.
pub(crate) fn resolve(
    block: &mut Block,
    tables: &[&Table],
    catalog: &Catalog,
    is_bounded: bool,
) -> Result<Option<WindowCall>, Vec<Problem>> {
    let (Some(select), names) = (&mut block.select, &block.tables) else { return Ok(None) };
    let mut problems = vec![];
    let window = window_call(select, &mut problems);
    if window.is_none() && !is_bounded && !groups_by_time(select, tables) {
        problems.extend(missing_window(select, catalog, block.at));
    }
    let mut names = Names {
        tables: names.iter().zip(tables.iter().copied()).collect(),
        catalog,
        windowed: window.is_some(),
        aliases: BTreeSet::new(),
        clause: Clause::Rows,
        qualify: false,
        aggregates: 0,
        problems,
    };
    names.select(select);
    if names.problems.is_empty() { Ok(window) } else { Err(names.problems) }
}

/// True if rows of windows are grouped by the window that they are of.
fn groups_by_time(select: &Select, tables: &[&Table]) -> bool {
    let is_time = |expr: &Expr| {
        let name = match expr {
            Expr::Identifier(name) => Some(name),
            Expr::CompoundIdentifier(parts) => parts.last(),
            _ => None,
        };
        name.is_some_and(|name| marker::TIMES.contains(&normal(name).as_str()))
    };
    tables.iter().any(|table| table.timing == Timing::WindowEnd) && group_by(select).iter().any(is_time)
}

/// True for `left.ts >= right.ts` and `right.ts <= left.ts`, where `right` is a table.
pub(super) fn is_not_newer(condition: &Expr, right: &[String]) -> bool {
    let Expr::BinaryOp { left, op, right: other } = condition else { return false };
    let (newer, older) = match op {
        BinaryOperator::GtEq => (left, other),
        BinaryOperator::LtEq => (other, left),
        _ => return false,
    };
    let time_of = |expr: &Expr| match expr {
        Expr::CompoundIdentifier(parts) => {
            let names: Vec<String> = parts.iter().map(normal).collect();
            names.split_last().filter(|(column, _)| *column == TS).map(|(_, table)| table.to_vec())
        }
        _ => None,
    };
    time_of(older).is_some_and(|table| table == right) && time_of(newer).is_some_and(|table| table != right)
}

fn group_by(select: &Select) -> &[Expr] {
    match &select.group_by {
        GroupByExpr::Expressions(keys, _) => keys,
        GroupByExpr::All(_) => &[],
    }
}

fn window_function(expr: &Expr) -> Option<&Function> {
    match expr {
        Expr::Function(function) if is_window(&function_name(function)) => Some(function),
        _ => None,
    }
}

fn is_window(function: &str) -> bool {
    marker::WINDOWS.contains(&function)
}

/// The last part of a function's name, in lower case.
pub(crate) fn function_name(function: &Function) -> String {
    function.name.0.last().and_then(|part| part.as_ident()).map(|ident| ident.value.to_lowercase()).unwrap_or_default()
}

fn window_call(select: &Select, problems: &mut Vec<Problem>) -> Option<WindowCall> {
    let mut windows = group_by(select).iter().filter_map(window_function).map(|f| At::span(f.span()));
    let first = windows.next()?;
    problems.extend(windows.map(|at| at.problem("a second window in GROUP BY").help("a query has one window")));
    Some(WindowCall(first))
}

/// Aggregates and groups need a window: over rows that never end they would never have an answer.
fn missing_window(select: &Select, catalog: &Catalog, fallback: At) -> Option<Problem> {
    let advice = "add TUMBLE(ts, INTERVAL '10 seconds') to GROUP BY";
    if let Some(key) = group_by(select).first() {
        return Some(
            At::span(key.span()).or(fallback).problem("GROUP BY without a window never has an answer").help(advice),
        );
    }
    if let Some(having) = &select.having {
        return Some(At::span(having.span()).or(fallback).problem("HAVING without GROUP BY").help("use WHERE"));
    }
    let aggregate = first_aggregate(&select.projection, catalog)?;
    let message = format!("`{}` over rows that never end never has an answer", function_name(&aggregate));
    Some(
        At::span(aggregate.span()).or(fallback).problem(message).help("add GROUP BY TUMBLE(ts, INTERVAL '10 seconds')"),
    )
}

fn first_aggregate(items: &Vec<SelectItem>, catalog: &Catalog) -> Option<Function> {
    let found = crate::df::sqlparser::ast::visit_expressions(items, |expr| match expr {
        Expr::Function(f) if f.over.is_none() && catalog.is_aggregate(&function_name(f)) => {
            ControlFlow::Break(f.clone())
        }
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
}

/// Which part of the `SELECT` is being looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clause {
    /// `WHERE`, and everything in a query without a window.
    Rows,
    /// `GROUP BY`.
    Keys,
    /// `SELECT` and `HAVING` of a query with a window.
    Groups,
}

struct Names<'a> {
    tables: Vec<Seen<'a>>,
    catalog: &'a Catalog,
    windowed: bool,
    aliases: BTreeSet<String>,
    clause: Clause,
    /// Whether `QUALIFY` is being looked at, which may name columns of the answer.
    qualify: bool,
    /// How many aggregate functions the visitor is in.
    aggregates: usize,
    problems: Vec<Problem>,
}

impl Names<'_> {
    fn select(&mut self, select: &mut Select) {
        self.spell_out(select);
        self.visit(Clause::Rows, &mut select.from);
        self.visit(Clause::Rows, &mut select.selection);
        let groups = if self.windowed { Clause::Groups } else { Clause::Rows };
        select.projection.iter_mut().for_each(|item| self.item(item));
        self.visit(groups, &mut select.projection);
        self.visit(Clause::Keys, &mut select.group_by);
        self.visit(groups, &mut select.having);
        self.qualify = true;
        self.visit(groups, &mut select.qualify);
    }

    fn visit(&mut self, clause: Clause, part: &mut impl VisitMut) {
        self.clause = clause;
        let _ = part.visit(self);
    }

    /// Puts columns in the place of `*`.
    fn spell_out(&self, select: &mut Select) {
        if self.windowed {
            return;
        }
        let mut items = vec![];
        for item in std::mem::take(&mut select.projection) {
            match &item {
                SelectItem::Wildcard(options) if is_plain(options) => {
                    items.extend(self.tables.iter().flat_map(|seen| columns_of(*seen)));
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                    let names: Vec<String> = name.0.iter().filter_map(|part| part.as_ident().map(normal)).collect();
                    match self.tables.iter().find(|(table, _)| table.qualifier == names) {
                        Some(seen) => items.extend(columns_of(*seen)),
                        None => items.push(item),
                    }
                }
                _ => items.push(item),
            }
        }
        select.projection = items;
    }

    /// A computed column without a name is called by its text.
    fn item(&mut self, item: &mut SelectItem) {
        match item {
            SelectItem::UnnamedExpr(Expr::CompoundIdentifier(_)) => {}
            SelectItem::UnnamedExpr(Expr::Identifier(name)) if !self.is_bound(name) => {}
            SelectItem::UnnamedExpr(expr) => {
                let alias = Ident::with_quote('"', expr.to_string());
                *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
            }
            SelectItem::ExprWithAlias { alias, .. } => drop(self.aliases.insert(normal(alias))),
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) if self.windowed => {
                let problem = At::span(item.span()).problem("`*` has no meaning in a query with a window");
                self.problems.push(problem.help("name keys, aggregates, window_start and window_end"));
            }
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {}
            SelectItem::ExprWithAliases { .. } => {
                self.problems.push(At::span(item.span()).problem("several names for one column are not supported"));
            }
        }
    }

    /// A value that stands until the next report ends with one that is bad, and not with a report that says nothing of it.
    /// Both are `NULL`, so such functions are told which it is: by whether a property that they read is there and is not good.
    fn tell_what_is_bad(&self, function: &mut Function) {
        let FunctionArguments::List(list) = &mut function.args else { return };
        let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(value))) = list.args.first() else { return };
        let mut qualities = vec![];
        let _ = visit_expressions(value, |expr| {
            qualities.extend(self.quality_column(expr));
            ControlFlow::<()>::Continue(())
        });
        let binary = |one: Expr, op: BinaryOperator, other: Expr| Expr::BinaryOp {
            left: Box::new(one),
            op,
            right: Box::new(other),
        };
        let text = |class: &str| Expr::value(Value::SingleQuotedString(class.to_owned()));
        let is_bad = |(property, quality, worst): (Expr, Expr, Quality)| {
            let differs = |class| binary(quality.clone(), BinaryOperator::NotEq, text(class));
            let admitted = classes_up_to(worst).map(differs);
            // Where bad values count, one that is reported without a value does not.
            let unknown = worst.is_bad().then(|| Expr::IsNull(Box::new(property)));
            admitted.chain(unknown).reduce(|one, other| binary(one, BinaryOperator::And, other))
        };
        let any = qualities.into_iter().filter_map(is_bad).reduce(|one, other| binary(one, BinaryOperator::Or, other));
        let any = any.unwrap_or_else(|| Expr::value(Value::Boolean(false)));
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(any)));
    }

    /// If an expression is a property, that, the column that holds its quality, and the worst that is not bad.
    fn quality_column(&self, expr: &Expr) -> Option<(Expr, Expr, Quality)> {
        let (column, qualifier) = match expr {
            Expr::Identifier(column) => (column, &[][..]),
            Expr::CompoundIdentifier(parts) => parts.split_last()?,
            _ => return None,
        };
        let column = normal(column);
        let property = column.split_once('.').map_or(&*column, |(property, _)| property);
        let quality = quality_of(property);
        let names: Vec<String> = qualifier.iter().map(normal).collect();
        let is_meant = |name: &TableName| names.is_empty() || name.qualifier == names;
        let (name, table) = self.tables.iter().find(|(name, table)| is_meant(name) && has_column(table, &quality))?;
        let parts = name.qualifier.iter().chain([&quality]).map(|part| Ident::with_quote('"', part));
        Some((expr.clone(), Expr::CompoundIdentifier(parts.collect()), table.options.quality()))
    }

    fn is_aggregate(&self, function: &Function) -> bool {
        function.over.is_none() && self.catalog.is_aggregate(&function_name(function))
    }

    /// True if the name means a bound of the query's own window.
    fn is_bound(&self, name: &Ident) -> bool {
        self.windowed && [marker::WINDOW_START, marker::WINDOW_END].contains(&normal(name).as_str())
    }

    fn identifier(&mut self, name: &Ident) -> Option<Expr> {
        let column = normal(name);
        if self.clause == Clause::Groups && self.is_bound(name) {
            if self.aggregates == 0 {
                return Some(marker_call(name));
            }
            if !self.has_column(&column) {
                let problem = At::span(name.span).problem(format!("`{column}` is the same for all rows of a window"));
                self.problems.push(problem.help("take it out of the aggregate"));
                return None;
            }
        }
        let may_be_alias = self.clause != Clause::Rows || self.qualify;
        let is_alias = may_be_alias && self.aliases.contains(&column);
        if !is_alias {
            self.column(&column, At::span(name.span));
        }
        None
    }

    /// A field of a struct, `grid.frequency` or `w.grid.frequency`: a column with a dot in its name.
    fn part(&self, parts: &[Ident]) -> Option<Expr> {
        let names: Vec<String> = parts.iter().map(normal).collect();
        let (qualifier, [of, field]) = names.split_last_chunk()?;
        let column = part_of(of, field);
        let holds = |(name, table): &Seen<'_>| {
            (qualifier.is_empty() || name.qualifier == qualifier) && table.shown().any(|shown| shown == column)
        };
        let is_qualified = self.tables.iter().any(|(name, _)| name.qualifier == names[..names.len() - 1]);
        if is_qualified || !self.tables.iter().any(holds) {
            return None;
        }
        let column = Ident { value: column, quote_style: Some('"'), span: parts[qualifier.len()].span };
        Some(match qualifier {
            [] => Expr::Identifier(column),
            _ => Expr::CompoundIdentifier(parts[..qualifier.len()].iter().cloned().chain([column]).collect()),
        })
    }

    fn compound(&mut self, parts: &[Ident]) {
        let Some((column, qualifier)) = parts.split_last() else { return };
        let names: Vec<String> = qualifier.iter().map(normal).collect();
        let (column, at) = (normal(column), At::span(column.span));
        match self.tables.iter().find(|(name, _)| name.qualifier == names) {
            Some(&seen) if !has_column(seen.1, &column) => {
                self.problems.push(self.unknown_column(&column, &[seen], at))
            }
            Some(_) => {}
            None => {
                let expected = self.tables.iter().map(|(name, _)| format!("`{}`", name.qualifier.join(".")));
                let help = format!("this query reads {}", expected.collect::<Vec<_>>().join(" and "));
                let problem = At::span(parts[0].span).problem(format!("unknown table `{}`", names.join(".")));
                self.problems.push(problem.help(help));
            }
        }
    }

    fn has_column(&self, column: &str) -> bool {
        self.tables.iter().any(|(_, table)| has_column(table, column))
    }

    fn column(&mut self, column: &str, at: At) {
        let holders: Vec<Seen<'_>> =
            self.tables.iter().copied().filter(|(_, table)| has_column(table, column)).collect();
        match &*holders {
            [_] => {}
            [] => self.problems.push(self.unknown_column(column, &self.tables, at)),
            [(name, _), ..] => {
                let problem = at.problem(format!("`{column}` is a column of several tables"));
                self.problems.push(problem.help(format!("write {}.{column}", name.qualifier.join("."))));
            }
        }
    }

    fn unknown_column(&self, column: &str, tables: &[Seen<'_>], at: At) -> Problem {
        let parts = tables.iter().flat_map(|(_, table)| table.shown()).filter(|name| is_part(name, column));
        let parts: Vec<String> = parts.map(|name| format!("`{name}`")).collect();
        if !parts.is_empty() {
            let problem = at.problem(format!("`{column}` is a struct, which is not a column"));
            return problem.help(format!("name its fields: {}", parts.join(", ")));
        }
        if [marker::WINDOW_START, marker::WINDOW_END].contains(&column) {
            let place = if self.windowed { "in SELECT and HAVING" } else { "with a window in GROUP BY" };
            return at.problem(format!("`{column}` is known only {place}"));
        }
        let names: Vec<String> = tables.iter().map(|(name, _)| format!("`{}`", name.shown())).collect();
        let known = tables.iter().flat_map(|(_, table)| table.shown());
        let problem = at.problem(format!("unknown column `{column}` in {}", names.join(" and ")));
        problem.maybe_help(did_you_mean(column, known))
    }

    fn function(&mut self, function: &Function) {
        let name = function_name(function);
        let at = At::span(function.span());
        if is_window(&name) && self.clause != Clause::Keys {
            let problem = at.problem(format!("{} stands in GROUP BY only", name.to_uppercase()));
            self.problems.push(problem.help("select window_start and window_end"));
        } else if [marker::WINDOW_START, marker::WINDOW_END].contains(&name.as_str()) {
            self.problems.push(at.problem(format!("`{name}` is a column")).help("write it without parentheses"));
        } else if self.catalog.is_over(&name) && function.over.is_none() {
            let problem = at.problem(format!("`{name}` is over rows of a key"));
            self.problems.push(problem.help(format!("write {name}(...) OVER (PARTITION BY device)")));
        } else if !self.catalog.is_known(&name) {
            self.problems.push(unknown_function(&name, at, self.catalog));
        }
    }
}

/// The classes of quality that are good enough.
fn classes_up_to(worst: Quality) -> impl Iterator<Item = &'static str> {
    let classes = [Quality::Good, Quality::Uncertain, Quality::Stale].into_iter();
    classes.filter(move |class| *class <= worst).map(Quality::class)
}

/// `*` without anything behind it.
fn is_plain(options: &WildcardAdditionalOptions) -> bool {
    let WildcardAdditionalOptions {
        wildcard_token: _,
        opt_ilike,
        opt_exclude,
        opt_except,
        opt_replace,
        opt_rename,
        opt_alias,
    } = options;
    opt_ilike.is_none()
        && opt_exclude.is_none()
        && opt_except.is_none()
        && opt_replace.is_none()
        && opt_rename.is_none()
        && opt_alias.is_none()
}

/// The columns of a table, as `*` means them.
fn columns_of((name, table): Seen<'_>) -> Vec<SelectItem> {
    let quoted = |part: &str| Ident::with_quote('"', part);
    let column = |column: &str| {
        let parts = name.qualifier.iter().map(|part| quoted(part)).chain([quoted(column)]);
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts.collect()))
    };
    table.shown().map(column).collect()
}

fn has_column(table: &Table, column: &str) -> bool {
    table.schema.column_with_name(column).is_some()
}

/// A function that is not known, or not wanted because it does not give the same answer each time.
pub(crate) fn unknown_function(name: &str, at: At, catalog: &Catalog) -> Problem {
    match name {
        "now" | "current_timestamp" | "current_date" | "current_time" | "localtime" | "localtimestamp" | "today" => at
            .problem(format!("`{name}` is not available: a query must give the same rows when it is run again"))
            .help("use `ts`, the time of the row"),
        "unnest" => {
            at.problem("`unnest` stands in FROM only").help("write FROM table AS t CROSS JOIN UNNEST(t.array) AS value")
        }
        "random" | "uuid" => {
            at.problem(format!("`{name}` is not available: a query must give the same rows when it is run again"))
        }
        _ => {
            let known = catalog.function_names();
            at.problem(format!("unknown function `{name}`")).maybe_help(did_you_mean(name, known))
        }
    }
}

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) => {
                if let Some(marker) = self.identifier(&name.clone()) {
                    *expr = marker;
                }
            }
            Expr::CompoundIdentifier(parts) => {
                if let Some(part) = self.part(parts) {
                    *expr = part;
                } else {
                    self.compound(parts);
                }
            }
            Expr::Function(function) => {
                self.function(function);
                self.aggregates += usize::from(self.is_aggregate(function));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr {
            if functions::timed(&function_name(function)).is_some() {
                self.tell_what_is_bad(function);
            }
            self.aggregates -= usize::from(self.is_aggregate(function));
        }
        ControlFlow::Continue(())
    }
}

fn marker_call(name: &Ident) -> Expr {
    let name = Ident { value: normal(name), quote_style: None, span: name.span };
    Expr::Function(Function {
        name: ObjectName::from(vec![name]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![],
            clauses: vec![],
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    })
}
