//! Which constructs are supported. Every field of the parser's tree is named here, so that what a new version of it can
//! parse does not slip through.

use super::place::{At, Tokens, normal};
use crate::df::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Join, JoinConstraint, JoinOperator, Query, Select, SelectFlavor, SetExpr, Spanned,
    TableFactor, TableWithJoins, Visit, Visitor,
};
use edgeway_sdk::Problem;
use std::ops::ControlFlow;

/// Collects the constructs that are not supported.
pub(super) struct Refused<'a> {
    tokens: &'a Tokens,
    pub(super) problems: Vec<Problem>,
}

/// A table in `FROM`, as it is written.
pub(super) struct Named {
    pub(super) parts: Vec<String>,
    pub(super) alias: Option<String>,
    pub(super) at: At,
}

impl<'a> Refused<'a> {
    pub(super) fn new(tokens: &'a Tokens) -> Self {
        Refused { tokens, problems: vec![] }
    }

    /// Looks at a `SELECT` whose sub-queries in `FROM` have been taken out.
    pub(super) fn check(&mut self, select: &Select) {
        self.select(select);
        let _ = select.visit(self);
    }

    /// Where a query begins.
    pub(super) fn place_of(&self, query: &Query) -> At {
        match query.body.as_select() {
            Some(select) => At::span(select.select_token.0.span),
            None => At::span(query.body.span()),
        }
    }

    /// Notes a construct that is there and that begins with `keyword`.
    fn note(&mut self, is_there: impl Into<Presence>, keyword: &str, construct: &str) {
        if is_there.into() == Presence::There {
            self.at(self.tokens.keyword(keyword), construct);
        }
    }

    fn at(&mut self, at: At, construct: &str) {
        self.problems.push(at.problem(format!("{construct} is not supported")).maybe_help(advice(construct)));
    }

    /// What may stand around a `SELECT`.
    pub(super) fn query(&mut self, query: &Query) {
        let Query {
            with: _,
            body: _,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        self.note(order_by, "ORDER", "ORDER BY");
        let keyword = if self.tokens.keyword("LIMIT") == At::default() { "OFFSET" } else { "LIMIT" };
        self.note(limit_clause, keyword, keyword);
        self.note(fetch, "FETCH", "FETCH");
        self.note(locks, "FOR", "FOR UPDATE");
        self.note(for_clause, "FOR", "FOR");
        self.note(settings, "SETTINGS", "SETTINGS");
        self.note(format_clause, "FORMAT", "FORMAT");
        self.note(pipe_operators, "", "the pipe operator");
    }

    pub(super) fn body(&mut self, body: &SetExpr) {
        let at = At::span(body.span());
        match body {
            SetExpr::SetOperation { op, .. } => self.at(self.tokens.keyword(&op.to_string()).or(at), &op.to_string()),
            SetExpr::Query(_) => self.at(at, "a SELECT in parentheses"),
            SetExpr::Values(_) => self.at(at, "VALUES"),
            _ => self.at(at, "any statement but SELECT"),
        }
    }

    fn select(&mut self, select: &Select) {
        let Select {
            select_token: _,
            optimizer_hints: _,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection: _,
            exclude,
            into,
            from: _,
            lateral_views,
            prewhere,
            selection: _,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having: _,
            named_window,
            qualify: _,
            window_before_qualify: _,
            value_table_mode,
            flavor,
        } = select;
        self.note(distinct.as_ref().filter(|d| !matches!(d, Distinct::All)), "DISTINCT", "SELECT DISTINCT");
        self.note(select_modifiers, "SELECT", "a modifier of SELECT");
        self.note(top, "TOP", "TOP");
        self.note(exclude, "EXCLUDE", "EXCLUDE");
        self.note(into, "INTO", "INTO");
        self.note(lateral_views, "LATERAL", "LATERAL VIEW");
        self.note(prewhere, "PREWHERE", "PREWHERE");
        self.note(connect_by, "CONNECT", "CONNECT BY");
        self.note(cluster_by, "CLUSTER", "CLUSTER BY");
        self.note(distribute_by, "DISTRIBUTE", "DISTRIBUTE BY");
        self.note(sort_by, "SORT", "SORT BY");
        self.note(named_window, "WINDOW", "WINDOW");
        self.note(value_table_mode, "SELECT", "SELECT AS");
        self.note((*flavor != SelectFlavor::Standard).then_some(()), "FROM", "FROM before SELECT");
        match group_by {
            GroupByExpr::All(_) => self.at(self.tokens.keyword("GROUP"), "GROUP BY ALL"),
            GroupByExpr::Expressions(_, modifiers) => self.note(modifiers, "GROUP", "a modifier of GROUP BY"),
        }
    }

    /// The tables of `FROM`: the first, and those that are joined to it.
    pub(super) fn from<'t>(&mut self, from: &'t mut [TableWithJoins]) -> Option<&'t mut TableWithJoins> {
        let at = from.get(1).map_or(self.tokens.keyword("SELECT"), |second| At::span(second.relation.span()));
        match from {
            [table] => return Some(table),
            [] => {
                self.problems.push(at.problem("there is no FROM").help("name the table whose rows the query reads"));
            }
            _ => self.at(at, "a second table in FROM"),
        }
        None
    }

    /// How a table is joined, if that is supported.
    pub(super) fn join<'t>(&mut self, join: &'t Join) -> Option<(super::How, &'t Expr)> {
        let at = At::span(join.relation.span());
        let (how, constraint) = match &join.join_operator {
            JoinOperator::Join(on) | JoinOperator::Inner(on) => (super::How::Inner, on),
            JoinOperator::Left(on) | JoinOperator::LeftOuter(on) => (super::How::Left, on),
            JoinOperator::AsOf { constraint, .. } => (super::How::AsOf, constraint),
            _ => {
                self.at(at, "any join but JOIN, LEFT JOIN and ASOF JOIN");
                return None;
            }
        };
        match constraint {
            JoinConstraint::On(condition) if !join.global => Some((how, condition)),
            _ => {
                self.at(at, "a JOIN without ON");
                None
            }
        }
    }

    pub(super) fn named(&mut self, relation: &TableFactor) -> Option<Named> {
        let at = At::span(relation.span());
        let TableFactor::Table {
            name,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } = relation
        else {
            self.at(at, "anything but a table's name or a sub-query after FROM");
            return None;
        };
        let parts: Option<Vec<String>> = name.0.iter().map(|part| part.as_ident().map(normal)).collect();
        let extras = [!with_hints.is_empty(), *with_ordinality, !partitions.is_empty(), !index_hints.is_empty()];
        let columns = alias.as_ref().is_some_and(|alias| !alias.columns.is_empty() || alias.at.is_some());
        let plain = version.is_none() && json_path.is_none() && sample.is_none() && !columns && !extras.contains(&true);
        match parts {
            _ if args.is_some() => self.at(at, "a function after FROM"),
            _ if !plain => self.at(at, "anything but a name and an alias after FROM"),
            None => self.at(at, "a computed table name"),
            Some(parts) => {
                let alias = alias.as_ref().map(|alias| normal(&alias.name));
                return Some(Named { parts, alias, at });
            }
        }
        None
    }
}

/// Sub-queries can stand anywhere, grouping sets in any expression.
impl Visitor for Refused<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.at(self.place_of(query), "a sub-query");
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let at = At::span(expr.span());
        match expr {
            Expr::GroupingSets(_) => self.at(at.or(self.tokens.keyword("GROUPING")), "GROUPING SETS"),
            Expr::Cube(_) => self.at(at.or(self.tokens.keyword("CUBE")), "CUBE"),
            Expr::Rollup(_) => self.at(at.or(self.tokens.keyword("ROLLUP")), "ROLLUP"),
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Whether a clause is in the text.
#[derive(PartialEq, Eq)]
enum Presence {
    There,
    Absent,
}

impl<T> From<Option<T>> for Presence {
    fn from(clause: Option<T>) -> Self {
        clause.map_or(Presence::Absent, |_| Presence::There)
    }
}

impl<T> From<&Option<T>> for Presence {
    fn from(clause: &Option<T>) -> Self {
        Presence::from(clause.as_ref())
    }
}

impl<T> From<&Vec<T>> for Presence {
    fn from(clauses: &Vec<T>) -> Self {
        Presence::from(clauses.first())
    }
}

fn advice(construct: &str) -> Option<String> {
    let advice = match construct {
        "ORDER BY" => "rows come ordered by the end of their window, then by key",
        "LIMIT" | "OFFSET" | "FETCH" | "TOP" => "a query has no end; choose rows with WHERE or HAVING",
        "SELECT DISTINCT" => "group by the columns and TUMBLE(ts, INTERVAL '10 seconds')",
        "a sub-query" => "put it behind FROM or JOIN",
        "a JOIN without ON" => "write JOIN table ON a.column = b.column",
        "UNION" => "write UNION ALL; to leave out rows that repeat, group by their columns and a window",
        _ => return None,
    };
    Some(advice.to_owned())
}
