//! Which constructs are supported. Every field of the parser's tree is named here, so that what a new version of it can
//! parse does not slip through.

use super::TableName;
use super::place::{At, Tokens, normal};
use crate::df::sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Query, Select, SelectFlavor, SetExpr, Spanned, TableFactor, TableWithJoins, Visit,
    Visitor,
};
use edgeway_sdk::Problem;
use std::ops::ControlFlow;

/// Takes a query apart.
///
/// # Errors
/// One problem for every construct that is not supported.
pub(super) fn check(query: Query, tokens: &Tokens) -> Result<(Select, TableName), Vec<Problem>> {
    let mut refused = Refused { tokens, problems: vec![] };
    refused.query(&query);
    let SetExpr::Select(select) = *query.body else {
        refused.body(&query.body);
        return Err(refused.problems);
    };
    refused.select(&select);
    let _ = select.visit(&mut refused);
    let table = refused.table(&select.from);
    match table {
        Some(table) if refused.problems.is_empty() => Ok((*select, table)),
        _ => Err(refused.problems),
    }
}

struct Refused<'a> {
    tokens: &'a Tokens,
    problems: Vec<Problem>,
}

impl Refused<'_> {
    /// Notes a construct that is there and that begins with `keyword`.
    fn note(&mut self, is_there: impl Into<Presence>, keyword: &str, construct: &str) {
        if is_there.into() == Presence::There {
            self.at(self.tokens.keyword(keyword), construct);
        }
    }

    fn at(&mut self, at: At, construct: &str) {
        self.problems.push(at.problem(format!("{construct} is not supported")).maybe_help(advice(construct)));
    }

    fn query(&mut self, query: &Query) {
        let Query {
            with,
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
        self.note(with, "WITH", "WITH before SELECT");
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

    fn body(&mut self, body: &SetExpr) {
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
            qualify,
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
        self.note(qualify, "QUALIFY", "QUALIFY");
        self.note(value_table_mode, "SELECT", "SELECT AS");
        self.note((*flavor != SelectFlavor::Standard).then_some(()), "FROM", "FROM before SELECT");
        match group_by {
            GroupByExpr::All(_) => self.at(self.tokens.keyword("GROUP"), "GROUP BY ALL"),
            GroupByExpr::Expressions(_, modifiers) => self.note(modifiers, "GROUP", "a modifier of GROUP BY"),
        }
    }

    fn table(&mut self, from: &[TableWithJoins]) -> Option<TableName> {
        let [table] = from else {
            let at = from.get(1).map_or(self.tokens.keyword("SELECT"), |second| At::span(second.relation.span()));
            match from {
                [] => {
                    self.problems.push(at.problem("there is no FROM").help("name the table whose rows the query reads"))
                }
                _ => self.at(at, "a second table in FROM"),
            }
            return None;
        };
        self.note(&table.joins, "JOIN", "JOIN");
        self.named(&table.relation)
    }

    fn named(&mut self, relation: &TableFactor) -> Option<TableName> {
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
            // A sub-query has been noted by the visitor.
            if !matches!(relation, TableFactor::Derived { .. }) {
                self.at(at, "anything but a table's name after FROM");
            }
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
                let qualifier = alias.as_ref().map_or(parts.clone(), |alias| vec![normal(&alias.name)]);
                return Some(TableName { name: parts.join("."), qualifier, at });
            }
        }
        None
    }
}

/// Sub-queries can stand anywhere, window functions and grouping sets in any expression.
impl Visitor for Refused<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let at = match query.body.as_select() {
            Some(select) => At::span(select.select_token.0.span),
            None => At::span(query.body.span()),
        };
        self.at(at, "a sub-query");
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let at = At::span(expr.span());
        match expr {
            Expr::Function(function) if function.over.is_some() => self.at(at, "OVER"),
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
        "a sub-query" => "put it into a query of its own and read that by its name",
        "WITH before SELECT" => "put it into a query of its own; options stand between CREATE QUERY and AS",
        "UNION" => "write two queries",
        _ => return None,
    };
    Some(advice.to_owned())
}
