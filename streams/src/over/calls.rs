//! What is asked of each row.

use crate::df::{
    DataType, Field, FieldRef, PartitionEvaluator, PartitionEvaluatorArgs, PhysicalExpr, Result, ScalarValue,
    Signature, TypeSignature, Volatility, WindowUDF, WindowUDFFieldArgs, WindowUDFImpl, internal_err,
};
use crate::windows::Aggregate;
use std::sync::Arc;

/// The value `n` rows before.
pub(crate) const LAG: &str = "lag";
/// The newest value that is known.
pub(crate) const LATEST: &str = "latest";
/// Whether a value differs from the one before.
pub(crate) const HAD_CHANGED: &str = "had_changed";
/// The names of the columns that have changed.
pub(crate) const CHANGED_COLS: &str = "changed_cols";
pub(crate) const ROW_NUMBER: &str = "row_number";
pub(crate) const RANK: &str = "rank";
pub(crate) const DENSE_RANK: &str = "dense_rank";

/// A column that is made over rows of one key.
#[derive(Debug)]
pub(crate) struct Over {
    pub(crate) call: Call,
    pub(crate) data_type: DataType,
}

/// What is asked.
#[derive(Debug)]
pub(crate) enum Call {
    Lag(Lagging),
    Latest(Arc<dyn PhysicalExpr>),
    HadChanged(Arc<dyn PhysicalExpr>),
    /// With the names of the columns.
    ChangedCols(Vec<(String, Arc<dyn PhysicalExpr>)>),
    RowNumber,
    Rank,
    DenseRank,
    Aggregate(Box<Aggregate>, Frame),
}

/// How far back.
#[derive(Debug)]
pub(crate) struct Lagging {
    pub(crate) value: Arc<dyn PhysicalExpr>,
    pub(crate) back: usize,
    /// Before there are so many rows.
    pub(crate) default: ScalarValue,
    /// Whether only rows count in which it is known.
    pub(crate) ignores_nulls: bool,
}

/// Which rows before a row count, itself included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    All,
    Rows(usize),
    /// Not older than so many nanoseconds.
    Range(i64),
}

/// The functions that need `OVER`, as the planner knows them.
pub(crate) fn markers() -> Vec<Arc<WindowUDF>> {
    let any = |least: usize, most: usize| (least..=most).map(TypeSignature::Any).collect::<Vec<_>>();
    let one_of = |signatures| Signature::one_of(signatures, Volatility::Immutable);
    let nothing = || Signature::nullary(Volatility::Immutable);
    let marker = |name, answer, signature| Arc::new(WindowUDF::from(Marker { name, answer, signature }));
    vec![
        marker(LAG, Answer::AsFirst, one_of(any(1, 3))),
        marker(LATEST, Answer::AsFirst, one_of(any(1, 1))),
        marker(HAD_CHANGED, Answer::Bool, one_of(any(1, 1))),
        marker(CHANGED_COLS, Answer::Text, Signature::variadic_any(Volatility::Immutable)),
        marker(ROW_NUMBER, Answer::Int, nothing()),
        marker(RANK, Answer::Int, nothing()),
        marker(DENSE_RANK, Answer::Int, nothing()),
    ]
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Marker {
    name: &'static str,
    answer: Answer,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Answer {
    AsFirst,
    Bool,
    Text,
    Int,
}

impl WindowUDFImpl for Marker {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs) -> Result<Box<dyn PartitionEvaluator>> {
        internal_err!("the planner replaces `{}`", self.name)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        let data_type = match self.answer {
            Answer::AsFirst => args.get_input_field(0).map_or(DataType::Null, |field| field.data_type().clone()),
            Answer::Bool => DataType::Boolean,
            Answer::Text => DataType::Utf8,
            Answer::Int => DataType::Int64,
        };
        Ok(Arc::new(Field::new(args.name(), data_type, true)))
    }
}
