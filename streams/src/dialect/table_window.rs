//! `FROM TUMBLE(wind_turbine, ts, INTERVAL '10 minutes') GROUP BY device, window_start`: the window behind `FROM`, as Flink and
//! RisingWave write it. It means `FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 minutes')`.

use super::place::{At, normal};
use crate::df::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList, FunctionArguments, GroupByExpr, ObjectName,
    Select, Spanned, TableFactor,
};
use crate::marker;
use edgeway_sdk::Problem;

/// Moves a window from behind `FROM` into `GROUP BY`.
///
/// # Errors
/// If it names no table, or its window is not grouped by.
pub(super) fn take_in(select: &mut Select) -> Result<(), Problem> {
    let Some(from) = select.from.first_mut() else { return Ok(()) };
    let at = At::span(from.relation.span());
    let Some((table, window)) = window(&mut from.relation) else { return Ok(()) };
    let function = window.name.to_string().to_uppercase();
    let TableFactor::Table { name, .. } = &mut from.relation else { return Ok(()) };
    *name = table.ok_or_else(|| {
        let problem = at.problem(format!("{function} behind FROM begins with a table"));
        problem.help(format!("write FROM {function}(table, ts, INTERVAL '10 seconds')"))
    })?;
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return Ok(()) };
    let before = keys.len();
    keys.retain(|key| !is_bound(key));
    if keys.len() == before {
        let problem = at.problem(format!("{function} behind FROM needs its window in GROUP BY"));
        return Err(problem.help("add GROUP BY window_start"));
    }
    keys.push(Expr::Function(window));
    Ok(())
}

/// The window behind `FROM`, if there is one, and the table in it.
fn window(relation: &mut TableFactor) -> Option<(Option<ObjectName>, Function)> {
    let TableFactor::Table { name, args, .. } = relation else { return None };
    let is_window = |name: &ObjectName| marker::WINDOWS.contains(&name.to_string().to_lowercase().as_str());
    let taken = args.take_if(|_| is_window(name))?;
    let mut args = taken.args;
    let table = (!args.is_empty()).then(|| args.remove(0)).and_then(table_name);
    let list = FunctionArgumentList { duplicate_treatment: None, args, clauses: vec![] };
    let window = Function {
        name: name.clone(),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: vec![],
    };
    Some((table, window))
}

fn table_name(argument: FunctionArg) -> Option<ObjectName> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(name))) => Some(ObjectName::from(vec![name])),
        FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::CompoundIdentifier(parts))) => Some(ObjectName::from(parts)),
        _ => None,
    }
}

/// `window_start` or `window_end`, perhaps of the table's alias.
fn is_bound(key: &Expr) -> bool {
    let name = match key {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    };
    name.is_some_and(|name| [marker::WINDOW_START, marker::WINDOW_END].contains(&normal(name).as_str()))
}
