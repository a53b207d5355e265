//! `UNION ALL`: the rows of several `SELECT`s.

use super::lower::{Columns, Lowering, Place};
use super::{Around, Plan, Units, Upstream};
use crate::catalog::TS;
use crate::df::SchemaRef;
use crate::dialect::{Block, TableName};
use crate::join::{Join, Union, UnionOfWindows};
use crate::query::{Step, Work};
use crate::rows::Timing;
use crate::segment::sql_name;
use edgeway_sdk::Problem;
use std::sync::Arc;

/// Plans a block that has the rows of its tables.
///
/// # Errors
/// If they do not have the same columns.
pub(super) fn union(block: &Block, around: Around<'_>) -> Result<Plan, Problem> {
    let columns = around.tables.iter().map(|upstream| (0..upstream.told).collect()).collect();
    let place = Place { at: block.at, names: &block.tables, window: None };
    let mut lowering = Lowering::new(around, place, Columns { columns, ..Columns::default() });
    let (first, others) = around.tables.split_first().ok_or_else(|| lowering.unsupported())?;
    lowering.timing = first.table.timing;
    lowering.read(0)?;
    let schema: SchemaRef =
        Arc::new(first.table.schema.project(&lowering.columns[0]).map_err(|error| lowering.explain(&error.into()))?);
    for (at, (upstream, name)) in others.iter().zip(&block.tables[1..]).enumerate() {
        fits(first, upstream, name)?;
        lowering.read(at + 1)?;
        lowering.fingerprint = lowering.fingerprint.with("union");
        let (schema, number) = (schema.clone(), at + 2);
        let join: Box<dyn Join> = match first.table.timing {
            Timing::Moment => Box::new(Union::new(schema, number)),
            Timing::WindowEnd => {
                Box::new(UnionOfWindows::new(schema, number, lowering.bytes_max(), around.site.things.clone()))
            }
        };
        lowering.steps.push(Step { fingerprint: lowering.fingerprint.0, work: Work::Meet(at + 1, join) });
    }
    let units: Units = first.table.units.clone();
    Ok(Plan { units, ..lowering.finish(schema)? })
}

/// Whether rows of both can stand in one answer.
fn fits(first: &Upstream<'_>, other: &Upstream<'_>, name: &TableName) -> Result<(), Problem> {
    let problem = |message: String| name.at.problem(message);
    if first.told != other.told {
        let (one, two) = (first.told, other.told);
        let problem = problem(format!("this SELECT has {two} columns, and the first of the UNION has {one}"));
        return Err(problem.help("write CAST(NULL AS DOUBLE) AS name where one has nothing to say"));
    }
    if first.table.timing != other.table.timing {
        let problem = problem("rows of windows and single messages do not make one stream".to_owned());
        return Err(problem.help("give both a window, or none"));
    }
    let fields = first.table.schema.fields().iter().zip(other.table.schema.fields()).take(first.told);
    for (one, two) in fields {
        if one.name() == TS && two.name() != TS {
            let message = format!("`{}` is not the time of the row, as `{TS}` of the first SELECT is", two.name());
            return Err(problem(message).help(format!("select {TS} here too, or call it something else there")));
        }
        if one.data_type() != two.data_type() {
            let (here, there) = (sql_name(two.data_type()), sql_name(one.data_type()));
            let message = format!("`{}` is {here}, and `{}` of the first SELECT is {there}", two.name(), one.name());
            return Err(problem(message).help(format!("write CAST({} AS {there})", two.name())));
        }
        let unit = |of: &Upstream<'_>, name: &str| of.table.units.get(name).cloned();
        if let (Some(here), Some(there)) = (unit(other, two.name()), unit(first, one.name()))
            && here != there
        {
            let message =
                format!("`{}` is in `{here}`, and `{}` of the first SELECT in `{there}`", two.name(), one.name());
            return Err(problem(message).help("convert one of them, as in `speed / 3.6`"));
        }
    }
    Ok(())
}
