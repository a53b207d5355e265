//! Aggregate functions that devices need and DataFusion does not have.

mod circular;

use crate::df::AggregateUDF;
use std::sync::Arc;

/// All of them.
pub(crate) fn aggregates() -> Vec<Arc<AggregateUDF>> {
    circular::all().into_iter().map(|function| Arc::new(AggregateUDF::from(function))).collect()
}
