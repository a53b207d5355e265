//! Functions over arrays, which are DataFusion's. Those that make an array as long as somebody says are not among them: a
//! row must not be larger than the message that it came with.

use crate::df::{ScalarUDF, arrays};
use std::sync::Arc;

/// All of them.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    vec![
        arrays::avg(),
        arrays::sum(),
        arrays::min(),
        arrays::max(),
        arrays::length(),
        arrays::cardinality(),
        arrays::element(),
        arrays::slice(),
        arrays::has(),
        arrays::position(),
        arrays::sort(),
        arrays::distinct(),
        arrays::to_text(),
        arrays::of_text(),
        arrays::make(),
    ]
}
