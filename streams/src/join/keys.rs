//! Keys as bytes, so that rows of two tables can be compared.

use crate::df::{ArrayRef, PhysicalExpr, RecordBatch, Result, RowConverter, Schema, SortField};
use crate::segment::evaluate;
use std::sync::Arc;

/// What rows are compared by. Keys of two tables have the same types.
#[derive(Debug)]
pub(crate) struct Keys {
    exprs: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
}

/// The key of a row; `None` if a part of it is not known, which is equal to nothing.
pub(crate) type Key = Option<Arc<[u8]>>;

impl Keys {
    /// # Errors
    /// If a key is of a type that cannot be compared.
    pub(crate) fn new(exprs: Vec<Arc<dyn PhysicalExpr>>, schema: &Schema) -> Result<Keys> {
        let fields = exprs.iter().map(|expr| Ok(SortField::new(expr.data_type(schema)?)));
        let converter = RowConverter::new(fields.collect::<Result<Vec<_>>>()?)?;
        Ok(Keys { exprs, converter })
    }

    /// The key of every row.
    ///
    /// # Errors
    /// If an expression fails.
    pub(crate) fn of(&self, batch: &RecordBatch) -> Result<Vec<Key>> {
        let columns: Vec<ArrayRef> = self.exprs.iter().map(|expr| evaluate(expr, batch)).collect::<Result<_>>()?;
        if columns.is_empty() {
            return Ok(vec![Some(Arc::from([])); batch.num_rows()]);
        }
        let rows = self.converter.convert_columns(&columns)?;
        let is_known = |at: usize| columns.iter().all(|column| !column.is_null(at));
        Ok((0..batch.num_rows()).map(|at| is_known(at).then(|| Arc::from(rows.row(at).as_ref()))).collect())
    }
}
