//! A statement over messages that have an end: the same words, asked of the past.

use crate::df::sqlparser::ast::{Expr, LimitClause, OrderByKind, Query, Value as SqlValue};
use crate::dialect::{self, At, Statement, What, normal};
use crate::queries::{FileProblem, Queries, Site, Source, load};
use edgeway_sdk::{Problem, Timestamp, Value, did_you_mean};
use edgeway_thing_models::{Body, Message, Row};
use std::cmp::Ordering;
use std::sync::Arc;

/// What the statement is called, and the file that its mistakes are in.
const NAME: &str = "sql";

/// A statement, ready to be run over messages that have an end.
///
/// Beside what a continuous query can say it may aggregate without a window, which is over all rows, and order and limit its
/// answer.
#[derive(Debug)]
pub struct History {
    queries: Queries,
    columns: Arc<[Arc<str>]>,
    times: Arc<[bool]>,
    order: Vec<Order>,
    skip: usize,
    most: usize,
    rows: Vec<Row>,
}

/// A column that the answer is ordered by.
#[derive(Debug, Clone, Copy)]
struct Order {
    column: usize,
    is_descending: bool,
}

/// `ORDER BY` and `LIMIT` as they are written.
struct Behind {
    order: Vec<(Expr, bool)>,
    skip: usize,
    most: usize,
}

impl History {
    /// Reads and plans a statement. It can name the site's queries.
    ///
    /// # Errors
    /// All mistakes, in it and in the site's queries.
    pub fn new(site: &Site, queries: &[Source], text: &str) -> Result<History, Vec<FileProblem>> {
        let file: Arc<str> = NAME.into();
        let located = |problem| FileProblem { file: file.clone(), problem };
        let statements =
            dialect::parse(text, NAME).map_err(|problems| problems.into_iter().map(located).collect::<Vec<_>>())?;
        let (statement, behind) = taken_apart(statements).map_err(|problem| vec![located(problem)])?;
        let source = Source { file: file.clone(), name: file.clone(), text: text.to_owned() };
        let mut queries = load::bounded(site, queries, source, statement)?;
        queries.keep_only(NAME);
        let info = queries.list().into_iter().find(|info| &*info.name == NAME);
        let (columns, times) = info.map(|info| (info.columns, info.times)).unwrap_or_default();
        let place = |(expr, is_descending): &(Expr, bool)| {
            Ok(Order { column: place(expr, &columns)?, is_descending: *is_descending })
        };
        let order =
            behind.order.iter().map(place).collect::<Result<_, _>>().map_err(|problem| vec![located(problem)])?;
        Ok(History { queries, columns, times, order, skip: behind.skip, most: behind.most, rows: vec![] })
    }

    /// The names of the answer's columns.
    pub fn columns(&self) -> &[Arc<str>] {
        &self.columns
    }

    /// Which columns are times, in milliseconds since 1970.
    pub fn times(&self) -> &[bool] {
        &self.times
    }

    /// Takes in messages, in the order of the journal.
    pub fn push(&mut self, entries: &[(u64, Arc<Message>)]) {
        let now = entries.last().map_or(Timestamp::from_nanos(0), |(_, message)| message.time);
        let mut out = vec![];
        self.queries.push(now, entries, &mut out);
        self.keep(out);
    }

    /// The answer, now that all messages have come. Windows that are not over are told as they are.
    pub fn finish(mut self) -> Vec<Row> {
        let mut out = vec![];
        self.queries.finish(&mut out);
        self.keep(out);
        let order = std::mem::take(&mut self.order);
        if !order.is_empty() {
            self.rows.sort_by(|one, other| compare(&order, one, other));
        }
        self.rows.into_iter().skip(self.skip).take(self.most).collect()
    }

    fn keep(&mut self, messages: Vec<Message>) {
        let rows = messages.into_iter().filter_map(|message| match message.body {
            Body::Row(row) if &*row.query == NAME => Some(row),
            _ => None,
        });
        self.rows.extend(rows);
        // Without an order the first rows are the answer.
        if self.order.is_empty() {
            self.rows.truncate(self.skip.saturating_add(self.most));
        }
    }
}

/// The statement that is asked, without what is done with its answer.
fn taken_apart(mut statements: Vec<Statement>) -> Result<(Statement, Behind), Problem> {
    let (Some(mut statement), true) = (statements.pop(), statements.is_empty()) else {
        return Err(Problem::new("one statement is asked at a time"));
    };
    let What::Query(definition) = &mut statement.what else {
        return Err(statement.at.problem("only a SELECT can be asked").help("put definitions into the site's queries"));
    };
    let behind = behind(&mut definition.query, statement.at)?;
    NAME.clone_into(&mut statement.name);
    Ok((statement, behind))
}

fn behind(query: &mut Query, at: At) -> Result<Behind, Problem> {
    let mut behind = Behind { order: vec![], skip: 0, most: usize::MAX };
    if let Some(order) = query.order_by.take() {
        let OrderByKind::Expressions(exprs) = order.kind else {
            return Err(at.problem("ORDER BY ALL is not supported"));
        };
        behind.order = exprs.into_iter().map(|by| (by.expr, by.options.asc == Some(false))).collect();
    }
    match query.limit_clause.take() {
        None => {}
        Some(LimitClause::LimitOffset { limit, offset, limit_by }) if limit_by.is_empty() => {
            behind.most = limit.map_or(Ok(usize::MAX), |limit| number(&limit, at))?;
            behind.skip = offset.map_or(Ok(0), |offset| number(&offset.value, at))?;
        }
        Some(_) => return Err(at.problem("LIMIT is a number of rows").help("write LIMIT 10 OFFSET 20")),
    }
    Ok(behind)
}

fn number(expr: &Expr, at: At) -> Result<usize, Problem> {
    let number = match expr {
        Expr::Value(value) => match &value.value {
            SqlValue::Number(number, _) => number.parse().ok(),
            _ => None,
        },
        _ => None,
    };
    number.ok_or_else(|| at.problem(format!("`{expr}` is not a number of rows")))
}

/// A column by its name or its number, from 1.
fn place(expr: &Expr, columns: &[Arc<str>]) -> Result<usize, Problem> {
    let unknown = |text: String| {
        let help = did_you_mean(&text, columns.iter().map(|column| &**column));
        Problem::new(format!("ORDER BY `{text}`: the answer has no such column")).maybe_help(help)
    };
    let name = match expr {
        Expr::Identifier(name) => normal(name),
        Expr::Value(_) => {
            let number = number(expr, At::default())?;
            return number.checked_sub(1).filter(|at| *at < columns.len()).ok_or_else(|| unknown(expr.to_string()));
        }
        other => other.to_string(),
    };
    columns.iter().position(|column| **column == *name).ok_or_else(|| unknown(name))
}

fn compare(order: &[Order], one: &Row, other: &Row) -> Ordering {
    let by = |order: &Order| {
        let found = values(&one.values[order.column], &other.values[order.column]);
        if order.is_descending { found.reverse() } else { found }
    };
    order.iter().map(by).find(|found| found.is_ne()).unwrap_or(Ordering::Equal)
}

/// What is not known comes last.
fn values(one: &Value, other: &Value) -> Ordering {
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
        _ => None,
    };
    match (one, other) {
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ => number(one).partial_cmp(&number(other)).unwrap_or(Ordering::Equal),
    }
}
