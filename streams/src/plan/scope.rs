//! The columns that expressions are made over.

use crate::catalog::DEVICE;
use crate::df::{
    AggregateOrderSensitivity, AggregatePlan, Column, DFSchema, DFSchemaRef, ExecutionProps, Expr, Field,
    LoweredAggregateBuilder, PhysicalExpr, PhysicalPlanningContext, Result, Schema, TableReference,
    create_physical_expr, plan_err,
};
use crate::functions;
use crate::ranks::{RANK, Ranks};
use crate::windows::{Aggregate, Grouping};
use std::collections::HashMap;
use std::sync::Arc;

/// Columns with their tables.
#[derive(Debug, Clone)]
pub(super) struct Scope(pub(super) DFSchemaRef);

impl Scope {
    /// Some columns of a table.
    pub(super) fn of_table(name: &TableReference, schema: &Schema, columns: &[usize]) -> Result<Scope> {
        let fields = columns.iter().map(|&at| (Some(name.clone()), schema.fields()[at].clone()));
        Ok(Scope(Arc::new(DFSchema::new_with_metadata(fields.collect(), HashMap::new())?)))
    }

    /// The columns of both, one after the other.
    pub(super) fn join(&self, right: &Scope) -> Result<Scope> {
        Ok(Scope(Arc::new(self.0.join(&right.0)?)))
    }

    /// As plain fields; where a row finds no partner, there is nothing.
    pub(super) fn nullable(&self) -> Schema {
        let fields = self.0.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        Schema::new(fields.collect::<Vec<_>>())
    }

    pub(super) fn expr(&self, expr: &Expr) -> Result<Arc<dyn PhysicalExpr>> {
        create_physical_expr(expr, &self.0, &ExecutionProps::new(), &PhysicalPlanningContext::default())
    }

    pub(super) fn exprs(&self, exprs: &[Expr]) -> Result<Vec<Arc<dyn PhysicalExpr>>> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    /// Whether an expression reads these columns alone.
    pub(super) fn has_all(&self, expr: &Expr) -> bool {
        expr.column_refs().iter().all(|column| self.0.maybe_index_of_column(column).is_some())
    }

    /// A schema of plain fields for the values of expressions.
    pub(super) fn fields(&self, exprs: &[Arc<dyn PhysicalExpr>], prefix: &str) -> Result<Schema> {
        let field = |(at, expr): (usize, &Arc<dyn PhysicalExpr>)| {
            Ok(Field::new(format!("{prefix}{at}"), expr.data_type(self.0.as_arrow())?, true))
        };
        Ok(Schema::new(exprs.iter().enumerate().map(field).collect::<Result<Vec<_>>>()?))
    }

    /// `window_at` is the window's place among the keys, if there is one.
    pub(super) fn grouping(
        &self,
        filter: Option<&Expr>,
        plan: &AggregatePlan,
        window_at: Option<usize>,
        ranks: &Arc<Ranks>,
    ) -> Result<Grouping> {
        let keys = plan.group_expr.iter().enumerate().filter(|(at, _)| Some(*at) != window_at);
        let keys: Vec<(Expr, bool)> = keys.map(|(_, expr)| self.key(expr)).collect();
        let ranked = keys.iter().map(|(_, is_ranked)| is_ranked.then(|| ranks.clone())).collect();
        let keys = keys.iter().map(|(expr, _)| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        let key_schema = Arc::new(self.fields(&keys, "key")?);
        let aggregates = plan.aggr_expr.iter().map(|expr| self.aggregate(expr)).collect::<Result<_>>()?;
        let filter = filter.map(|expr| self.expr(expr)).transpose()?;
        Ok(Grouping { filter, keys, key_schema, ranked, window_at, aggregates })
    }

    /// A key, or the number of the device where the key is its name.
    fn key(&self, expr: &Expr) -> (Expr, bool) {
        if let Expr::Column(column) = expr
            && column.name == DEVICE
        {
            let rank = Column::new(column.relation.clone(), RANK);
            if self.0.maybe_index_of_column(&rank).is_some() {
                return (Expr::Column(rank), true);
            }
        }
        (expr.clone(), false)
    }

    pub(super) fn aggregate(&self, expr: &Expr) -> Result<Aggregate> {
        let (props, context) = (ExecutionProps::new(), PhysicalPlanningContext::default());
        let lowered = LoweredAggregateBuilder::new(expr, &self.0, self.0.as_arrow(), &props, &context).build()?;
        let function = lowered.aggregate;
        let name = function.fun().name();
        let sorted = !lowered.order_bys.is_empty() && !function.fun().supports_within_group_clause();
        if sorted && function.order_sensitivity() == AggregateOrderSensitivity::HardRequirement {
            return plan_err!("`{name}` with ORDER BY needs sorted rows, which a stream does not have");
        }
        let mut args = function.expressions();
        args.extend(lowered.order_bys.iter().map(|order| order.expr.clone()));
        let types = args.iter().map(|arg| arg.data_type(self.0.as_arrow())).collect::<Result<_>>()?;
        // Some functions say only now that they do not take these types.
        function.create_accumulator()?;
        Ok(Aggregate { timed: functions::timed(function.fun().name()), function, args, types, filter: lowered.filter })
    }
}
