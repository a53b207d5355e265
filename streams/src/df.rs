//! The only place that knows where DataFusion and Arrow keep things. An upgrade starts here.

pub(crate) use arrow::array::new_empty_array;
pub(crate) use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BinaryArray, BooleanArray, BooleanBuilder, Float64Array, Float64Builder,
    Int64Array, Int64Builder, IntervalMonthDayNanoArray, RecordBatch, RecordBatchOptions, StringArray, StringBuilder,
    TimestampNanosecondArray, TimestampNanosecondBuilder, UInt32Array, UInt64Array,
};
pub(crate) use arrow::compute::{
    SortColumn, and, cast, concat_batches, filter_record_batch, interleave_record_batch, lexsort_to_indices,
    prep_null_mask_filter, take, take_record_batch,
};
pub(crate) use arrow::compute::{SortOptions, concat, filter, partition};
pub(crate) use arrow::datatypes::BinaryType;
pub(crate) use arrow::datatypes::{
    DataType, Field, FieldRef, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType, UInt64Type,
};
pub(crate) use arrow::row::{RowConverter, SortField};
pub(crate) use datafusion_common::config::ConfigOptions;
pub(crate) use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
pub(crate) use datafusion_common::{
    Column, DFSchema, DFSchemaRef, DataFusionError, Diagnostic, Result, ScalarValue, TableReference, internal_err,
    plan_err,
};
pub(crate) use datafusion_expr::execution_props::ExecutionProps;
pub(crate) use datafusion_expr::expr::{AggregateFunction, NullTreatment, ScalarFunction, Sort, WindowFunction};
pub(crate) use datafusion_expr::function::{
    AccumulatorArgs, PartitionEvaluatorArgs, StateFieldsArgs, WindowUDFFieldArgs,
};
pub(crate) use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
pub(crate) use datafusion_expr::planner::{ContextProvider, ExprPlanner};
pub(crate) use datafusion_expr::utils::split_conjunction;
pub(crate) use datafusion_expr::{
    Accumulator, Aggregate as AggregatePlan, AggregateUDF, AggregateUDFImpl, BinaryExpr, ColumnarValue, EmitTo, Expr,
    ExprSchemable, GroupsAccumulator, HigherOrderUDF, Join, LogicalPlan, Operator, Projection, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, TableSource, TypeSignature, Volatility, WindowUDF,
};
pub(crate) use datafusion_expr::{
    PartitionEvaluator, Window, WindowFrameBound, WindowFrameUnits, WindowFunctionDefinition, WindowUDFImpl,
};
pub(crate) use datafusion_functions::all_default_functions;
pub(crate) use datafusion_functions::core::planner::CoreFunctionPlanner;
pub(crate) use datafusion_functions::datetime::planner::DatetimeFunctionPlanner;
pub(crate) use datafusion_functions_aggregate::all_default_aggregate_functions;
pub(crate) use datafusion_functions_aggregate::planner::AggregateFunctionPlanner;
pub(crate) use datafusion_functions_aggregate_common::order::AggregateOrderSensitivity;
pub(crate) use datafusion_optimizer::simplify_expressions::{ExprSimplifier, SimplifyContext, SimplifyExpressions};
pub(crate) use datafusion_optimizer::{Analyzer, Optimizer, OptimizerContext};
pub(crate) use datafusion_physical_expr::aggregate::{AggregateFunctionExpr, LoweredAggregateBuilder};
pub(crate) use datafusion_physical_expr::{GroupsAccumulatorAdapter, create_physical_expr};
pub(crate) use datafusion_physical_expr_common::physical_expr::PhysicalExpr;
pub(crate) use datafusion_physical_plan::aggregates::group_values::{GroupValues, new_group_values};
pub(crate) use datafusion_physical_plan::aggregates::order::GroupOrdering;
pub(crate) use datafusion_sql::planner::{ParserOptions, PlannerContext, SqlToRel};
pub(crate) use datafusion_sql::sqlparser;

/// The type of every time in a table.
pub(crate) const TIME: DataType = DataType::Timestamp(TimeUnit::Nanosecond, None);

/// Lengths of time.
pub(crate) mod interval {
    use super::DataType;
    use arrow::datatypes::{IntervalMonthDayNano, IntervalUnit};

    const NANOS_PER_DAY: i64 = 86_400_000_000_000;

    pub(crate) const TYPE: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

    /// Whole days are days, so that lengths compare with what people write.
    pub(crate) fn of_nanos(nanos: i64) -> IntervalMonthDayNano {
        IntervalMonthDayNano::new(0, (nanos / NANOS_PER_DAY) as i32, nanos % NANOS_PER_DAY)
    }
}
