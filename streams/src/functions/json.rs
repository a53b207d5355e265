//! Functions over text that holds JSON. They are called as those of `datafusion-functions-json`, which needs all of
//! DataFusion; `->` and `->>` mean what they mean in PostgreSQL.
//!
//! What is not JSON, or has nothing at the path, is `NULL`. A path is made of names and of places that count from 0.

use crate::df::{
    Array, ArrayRef, AsArray, BooleanArray, ColumnarValue, DFSchema, DataType, Expr, ExprPlanner, Float64Array,
    Int64Array, Int64Type, ListBuilder, PlannerResult, RawBinaryExpr, Result, ScalarFunction, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, ScalarValue, Signature, StringArray, StringBuilder, Volatility, cast, plan_err,
    sqlparser,
};
use serde_json::Value as Json;
use sqlparser::ast::BinaryOperator;
use std::sync::Arc;

/// All of them.
pub(super) fn all() -> Vec<Arc<ScalarUDF>> {
    KINDS.iter().map(|kind| Arc::new(ScalarUDF::from(Function::new(*kind)))).collect()
}

/// What is made of what stands at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Its JSON.
    Json,
    /// The same, but of a text the text itself.
    Text,
    /// The text, if it is one.
    Str,
    Int,
    Float,
    Bool,
    /// The elements, as JSON each.
    Array,
    /// How many elements or fields.
    Length,
    /// Whether there is anything.
    Contains,
}

const KINDS: [Kind; 9] =
    [Kind::Json, Kind::Text, Kind::Str, Kind::Int, Kind::Float, Kind::Bool, Kind::Array, Kind::Length, Kind::Contains];

#[derive(Debug, PartialEq, Eq, Hash)]
struct Function {
    kind: Kind,
    signature: Signature,
}

/// A part of a path: a column of names or of places, with a value for each row or one for all.
enum Part {
    Names(ArrayRef),
    Places(ArrayRef),
}

impl Function {
    fn new(kind: Kind) -> Function {
        Function { kind, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Json => "json_get_json",
            Kind::Text => "json_as_text",
            Kind::Str => "json_get_str",
            Kind::Int => "json_get_int",
            Kind::Float => "json_get_float",
            Kind::Bool => "json_get_bool",
            Kind::Array => "json_get_array",
            Kind::Length => "json_length",
            Kind::Contains => "json_contains",
        }
    }

    fn data_type(self) -> DataType {
        match self {
            Kind::Json | Kind::Text | Kind::Str => DataType::Utf8,
            Kind::Int | Kind::Length => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool | Kind::Contains => DataType::Boolean,
            Kind::Array => DataType::new_list(DataType::Utf8, true),
        }
    }

    /// The answers for the JSON found in each row.
    fn column(self, found: Vec<Option<Json>>) -> ArrayRef {
        let found = found.into_iter();
        match self {
            Kind::Json => Arc::new(found.map(|json| json.map(|json| json.to_string())).collect::<StringArray>()),
            Kind::Text => Arc::new(found.map(|json| json.and_then(text)).collect::<StringArray>()),
            Kind::Str => {
                let text = |json: Json| json.as_str().map(str::to_owned);
                Arc::new(found.map(|json| json.and_then(text)).collect::<StringArray>())
            }
            Kind::Int => Arc::new(found.map(|json| json?.as_i64()).collect::<Int64Array>()),
            Kind::Float => Arc::new(found.map(|json| json?.as_f64()).collect::<Float64Array>()),
            Kind::Bool => Arc::new(found.map(|json| json?.as_bool()).collect::<BooleanArray>()),
            Kind::Length => Arc::new(found.map(|json| length(&json?)).collect::<Int64Array>()),
            Kind::Contains => Arc::new(found.map(|json| Some(json.is_some())).collect::<BooleanArray>()),
            Kind::Array => {
                let mut lists = ListBuilder::new(StringBuilder::new());
                for json in found {
                    match json {
                        Some(Json::Array(items)) => {
                            items.iter().for_each(|item| lists.values().append_value(item.to_string()));
                            lists.append(true);
                        }
                        _ => lists.append(false),
                    }
                }
                Arc::new(lists.finish())
            }
        }
    }
}

fn text(json: Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

fn length(json: &Json) -> Option<i64> {
    match json {
        Json::Array(items) => Some(items.len() as i64),
        Json::Object(fields) => Some(fields.len() as i64),
        _ => None,
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.kind.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let name = self.name();
        let [json, path @ ..] = arguments else { return plan_err!("`{name}` needs a text that holds JSON") };
        if !is_text(json) {
            return plan_err!("`{name}` reads JSON in a text, and not {json}");
        }
        if let Some(part) = path.iter().find(|part| !is_text(part) && !part.is_integer()) {
            return plan_err!("a path of `{name}` is made of names and places, and not of {part}");
        }
        Ok(self.kind.data_type())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_one = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if is_one { 1 } else { args.number_rows };
        let columns = args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<Result<Vec<_>>>()?;
        let Some((texts, path)) = columns.split_first() else { return plan_err!("no arguments") };
        let texts = cast(texts, &DataType::Utf8)?;
        let path = path.iter().map(Part::new).collect::<Result<Vec<_>>>()?;
        let texts = texts.as_string::<i32>();
        let found = (0..rows).map(|at| find(texts.is_valid(at).then(|| texts.value(at))?, &path, at)).collect();
        let answers = self.kind.column(found);
        Ok(if is_one { ScalarValue::try_from_array(&answers, 0)?.into() } else { ColumnarValue::Array(answers) })
    }
}

fn is_text(found: &DataType) -> bool {
    matches!(found, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null)
}

/// What stands at a path.
fn find(text: &str, path: &[Part], row: usize) -> Option<Json> {
    let json: Json = serde_json::from_str(text).ok()?;
    path.iter().try_fold(json, |json, part| part.of(json, row))
}

impl Part {
    fn new(column: &ArrayRef) -> Result<Part> {
        Ok(match column.data_type() {
            found if found.is_integer() => Part::Places(cast(column, &DataType::Int64)?),
            _ => Part::Names(cast(column, &DataType::Utf8)?),
        })
    }

    fn of(&self, json: Json, row: usize) -> Option<Json> {
        match (self, json) {
            (Part::Names(names), Json::Object(mut fields)) if names.is_valid(row) => {
                fields.remove(names.as_string::<i32>().value(row))
            }
            (Part::Places(places), Json::Array(mut items)) if places.is_valid(row) => {
                let place = usize::try_from(places.as_primitive::<Int64Type>().value(row)).ok()?;
                (place < items.len()).then(|| items.swap_remove(place))
            }
            _ => None,
        }
    }
}

/// Turns `->` and `->>` into calls.
#[derive(Debug)]
pub(crate) struct Arrows;

impl ExprPlanner for Arrows {
    fn plan_binary_op(&self, expr: RawBinaryExpr, _: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let kind = match expr.op {
            BinaryOperator::Arrow => Kind::Json,
            BinaryOperator::LongArrow => Kind::Text,
            _ => return Ok(PlannerResult::Original(expr)),
        };
        let function = Arc::new(ScalarUDF::from(Function::new(kind)));
        let call = ScalarFunction::new_udf(function, vec![expr.left, expr.right]);
        Ok(PlannerResult::Planned(Expr::ScalarFunction(call)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_through_fields_and_places() {
        let name = |name: &str| Part::Names(Arc::new(StringArray::from(vec![name])));
        let place = |place: i64| Part::Places(Arc::new(Int64Array::from(vec![place])));
        let text = r#"{"a": [1, {"b": null}]}"#;
        assert_eq!(find(text, &[name("a"), place(0)], 0), Some(Json::from(1)));
        assert_eq!(find(text, &[name("a"), place(1), name("b")], 0), Some(Json::Null));
        for missing in [vec![name("b")], vec![place(0)], vec![name("a"), place(-1)], vec![name("a"), place(2)]] {
            assert_eq!(find(text, &missing, 0), None);
        }
        assert_eq!(find("{", &[], 0), None);
    }
}
