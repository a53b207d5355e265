//! Functions that stand for something in the plan and are never called.

use crate::df::{
    ColumnarValue, DataType, Result, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TIME, TypeSignature,
    Volatility, internal_err,
};

/// `TUMBLE(ts, size [, offset])` in `GROUP BY`.
pub(crate) const TUMBLE: &str = "tumble";
/// `HOP(ts, step, size [, offset])` in `GROUP BY`.
pub(crate) const HOP: &str = "hop";
/// `CUMULATE(ts, step, size [, offset])` in `GROUP BY`.
pub(crate) const CUMULATE: &str = "cumulate";
/// `SESSION(ts, gap [, longest])` in `GROUP BY`.
pub(crate) const SESSION: &str = "session";
/// `COUNTWINDOW(rows [, every])` in `GROUP BY`.
pub(crate) const COUNT: &str = "countwindow";
/// `STATEWINDOW(begins [, ends])` in `GROUP BY`.
pub(crate) const STATE: &str = "statewindow";
/// All functions that make windows.
pub(crate) const WINDOWS: [&str; 6] = [TUMBLE, HOP, CUMULATE, SESSION, COUNT, STATE];
/// The start of the query's window.
pub(crate) const WINDOW_START: &str = "window_start";
/// The end of the query's window.
pub(crate) const WINDOW_END: &str = "window_end";

/// The columns of a window's row that say when it was.
pub(crate) const TIMES: [&str; 3] = [WINDOW_START, WINDOW_END, "ts"];

/// All markers. Volatile, so that nobody folds them into a constant or two of them into one.
pub(crate) fn all() -> [ScalarUDF; 8] {
    let bound = |name| Marker { name, signature: Signature::nullary(Volatility::Volatile) };
    let window = |name, least| {
        let arguments = vec![TypeSignature::Any(least), TypeSignature::Any(least + 1)];
        Marker { name, signature: Signature::one_of(arguments, Volatility::Volatile) }
    };
    let windows = [(TUMBLE, 2), (HOP, 3), (CUMULATE, 3), (SESSION, 2), (COUNT, 1), (STATE, 1)];
    let [tumble, hop, cumulate, session, count, state] = windows.map(|(name, least)| window(name, least));
    [tumble, hop, cumulate, session, count, state, bound(WINDOW_START), bound(WINDOW_END)].map(ScalarUDF::from)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Marker {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Marker {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(TIME)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("the planner replaces `{}`", self.name)
    }
}
