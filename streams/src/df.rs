//! The only place that knows where DataFusion and Arrow keep things. An upgrade starts here.

pub(crate) use arrow::array::builder::{NullBufferBuilder, OffsetBufferBuilder};
pub(crate) use arrow::array::{
    Array, ArrayBuilder, ArrayRef, AsArray, BinaryArray, BooleanArray, BooleanBuilder, Float64Array, Float64Builder,
    Int32Array, Int32Builder, Int64Array, Int64Builder, IntervalMonthDayNanoArray, ListArray, ListBuilder, RecordBatch,
    RecordBatchOptions, StringArray, StringBuilder, StructArray, TimestampNanosecondArray, TimestampNanosecondBuilder,
    UInt32Array, UInt64Array,
};
pub(crate) use arrow::array::{new_empty_array, new_null_array};
pub(crate) use arrow::compute::{
    SortColumn, and, cast, concat_batches, filter_record_batch, interleave_record_batch, lexsort_to_indices,
    prep_null_mask_filter, take, take_record_batch,
};
pub(crate) use arrow::compute::{SortOptions, concat, filter, partition};
pub(crate) use arrow::datatypes::{BinaryType, Int32Type};
pub(crate) use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Float64Type, Int64Type, Schema, SchemaRef, TimeUnit, TimestampNanosecondType,
    UInt64Type,
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
pub(crate) use datafusion_expr::planner::{ContextProvider, ExprPlanner, PlannerResult, RawBinaryExpr};
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
pub(crate) use datafusion_functions_nested::planner::{FieldAccessPlanner, NestedFunctionPlanner};
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
    use super::{ArrayRef, AsArray, DataType, Float64Array};
    use arrow::datatypes::{IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit};
    use std::sync::Arc;

    const NANOS_PER_DAY: i64 = 86_400_000_000_000;

    pub(crate) const TYPE: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

    /// Lengths of time as seconds; of a month of 30 days.
    pub(crate) fn seconds(column: &ArrayRef) -> ArrayRef {
        let lengths = column.as_primitive::<IntervalMonthDayNanoType>();
        let days = |length: IntervalMonthDayNano| f64::from(length.months) * 30.0 + f64::from(length.days);
        let seconds = |length: IntervalMonthDayNano| days(length) * 86_400.0 + length.nanoseconds as f64 / 1e9;
        Arc::new(lengths.iter().map(|length| length.map(seconds)).collect::<Float64Array>())
    }

    /// Whole days are days, so that lengths compare with what people write.
    pub(crate) fn of_nanos(nanos: i64) -> IntervalMonthDayNano {
        IntervalMonthDayNano::new(0, (nanos / NANOS_PER_DAY) as i32, nanos % NANOS_PER_DAY)
    }
}

/// Functions over arrays.
pub(crate) mod arrays {
    pub(crate) use datafusion_functions_nested::array_avg::array_avg_udf as avg;
    pub(crate) use datafusion_functions_nested::array_has::array_has_udf as has;
    pub(crate) use datafusion_functions_nested::array_sum::array_sum_udf as sum;
    pub(crate) use datafusion_functions_nested::cardinality::cardinality_udf as cardinality;
    pub(crate) use datafusion_functions_nested::extract::{array_element_udf as element, array_slice_udf as slice};
    pub(crate) use datafusion_functions_nested::length::array_length_udf as length;
    pub(crate) use datafusion_functions_nested::make_array::make_array_udf as make;
    pub(crate) use datafusion_functions_nested::min_max::{array_max_udf as max, array_min_udf as min};
    pub(crate) use datafusion_functions_nested::position::array_position_udf as position;
    pub(crate) use datafusion_functions_nested::set_ops::array_distinct_udf as distinct;
    pub(crate) use datafusion_functions_nested::sort::array_sort_udf as sort;
    pub(crate) use datafusion_functions_nested::string::array_to_string_udf as to_text;
    pub(crate) use datafusion_functions_nested::string::string_to_array_udf as of_text;
}

/// What a batch query is made of, to compare with.
pub(crate) mod batch {
    use super::AggregateUDF;
    pub(crate) use datafusion_execution::TaskContext;
    use datafusion_functions_aggregate::{average, count as counting, min_max};
    pub(crate) use datafusion_physical_expr::aggregate::AggregateExprBuilder;
    pub(crate) use datafusion_physical_expr::expressions::{binary, col, lit};
    pub(crate) use datafusion_physical_plan::aggregates::{AggregateExec, AggregateMode, PhysicalGroupBy};
    pub(crate) use datafusion_physical_plan::collect;
    pub(crate) use datafusion_physical_plan::test::TestMemoryExec;
    use std::sync::Arc;

    pub(crate) fn avg() -> Arc<AggregateUDF> {
        average::avg_udaf()
    }

    pub(crate) fn max() -> Arc<AggregateUDF> {
        min_max::max_udaf()
    }

    pub(crate) fn count() -> Arc<AggregateUDF> {
        counting::count_udaf()
    }
}
