//! What the texts mean for messages of one shape.

use super::gather::Gather;
use super::shape::{RowTypes, Shape};
use super::text::Texts;
use super::vocabulary::Vocabulary;
use super::{Part, Verdict};
use crate::answer::Reader;
use crate::catalog::Catalog;
use crate::df::sqlparser::ast::{
    CastKind, DataType as SqlType, Expr as SqlExpr, Value as SqlValue, VisitMut, VisitorMut,
};
use crate::df::sqlparser::dialect::GenericDialect;
use crate::df::sqlparser::parser::Parser;
use crate::df::{
    DFSchema, DFSchemaRef, DataFusionError, DataType, ExecutionProps, Expr, ExprSchemable, ExprSimplifier, Field,
    ParserOptions, PhysicalExpr, PhysicalPlanningContext, PlannerContext, RecordBatch, Result, ScalarValue, Schema,
    SimplifyContext, SqlToRel, create_physical_expr, plan_err,
};
use crate::dialect::At;
use crate::plan::{explain, sentence};
use crate::segment::sql_name;
use crate::segment::{Segment, mask, row_type};
use edgeway_sdk::{Problem, Value};
use edgeway_thing_models::{Message, Things};
use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

/// What is known besides the texts.
#[derive(Clone, Copy)]
pub(super) struct Around<'a> {
    pub(super) things: &'a Things,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) functions: &'a Catalog,
}

/// The texts for one shape.
pub(super) enum Program {
    /// The same for all messages.
    Constant(Verdict),
    Run(Box<Gather>, Work),
}

/// What is evaluated.
pub(super) enum Work {
    /// The condition alone.
    Filter(Arc<dyn PhysicalExpr>),
    /// The list, behind the condition if there is one.
    Select(Segment),
}

impl Program {
    pub(super) fn unfit(reason: String) -> Self {
        Program::Constant(Verdict::Failed(reason))
    }

    /// Takes in a message, whose verdict is written to `place`. Says whether it waits for [`finish`](Self::finish).
    pub(super) fn take_in(
        &mut self,
        place: usize,
        message: &Message,
        things: &Things,
        verdicts: &mut [Verdict],
    ) -> bool {
        match self {
            Program::Constant(verdict) => {
                verdicts[place] = verdict.clone();
                false
            }
            Program::Run(gather, _) => {
                gather.add(place, message, things);
                true
            }
        }
    }

    /// Writes the verdicts of what was taken in.
    pub(super) fn finish(&mut self, verdicts: &mut [Verdict]) {
        let Program::Run(gather, work) = self else { return };
        let (batch, places) = gather.take();
        run(work, &batch, &places, 0..places.len(), verdicts);
    }
}

/// One message for which an expression fails does not spoil its neighbours.
fn run(work: &Work, batch: &RecordBatch, places: &[usize], range: Range<usize>, verdicts: &mut [Verdict]) {
    if range.is_empty() {
        return;
    }
    let part = batch.slice(range.start, range.len());
    match work.run(&part) {
        Ok(passed) => {
            for (at, values) in passed {
                verdicts[places[range.start + at]] = Verdict::Pass(values);
            }
        }
        Err(error) if range.len() == 1 => verdicts[places[range.start]] = Verdict::Failed(reason(&error)),
        Err(_) => {
            let middle = range.start + range.len() / 2;
            run(work, batch, places, range.start..middle, verdicts);
            run(work, batch, places, middle..range.end, verdicts);
        }
    }
}

fn reason(error: &DataFusionError) -> String {
    let text = sentence(error);
    let text = text.strip_prefix("Arrow error: ").unwrap_or(&text);
    crate::dialect::lowercase_first(text)
}

impl Work {
    /// Which rows pass, with what the list makes of them.
    fn run(&self, batch: &RecordBatch) -> Result<Vec<(usize, Option<Vec<Value>>)>> {
        match self {
            Work::Filter(filter) => Ok(mask(filter, batch)?.values().set_indices().map(|at| (at, None)).collect()),
            Work::Select(segment) => {
                let (made, kept) = segment.run(batch)?;
                let readers = made.columns().iter().map(Reader::new).collect::<Result<Vec<_>>>()?;
                let values = |row| Some(readers.iter().map(|column| column.value(row)).collect());
                Ok(kept.into_iter().enumerate().map(|(row, at)| (at, values(row))).collect())
            }
        }
    }
}

/// # Errors
/// What does not fit together for this shape, and in which text.
pub(super) fn compile(
    texts: &Texts,
    shape: &Shape,
    types: &RowTypes,
    around: Around<'_>,
) -> Result<Program, (Part, Problem)> {
    let columns = shape.columns(&texts.names, types, around.things);
    let fields: Vec<Field> = columns.iter().map(|c| Field::new(&*c.name, c.data_type.clone(), true)).collect();
    let compiler = Compiler { shape, own: columns.iter().map(|column| &*column.name).collect(), around };
    let schema = Arc::new(Schema::new(fields));
    let told = |part: Part, error: &DataFusionError| (part, explain(error, At::new(1, 1)));
    let scope = DFSchema::try_from(schema.clone()).map(Arc::new).map_err(|error| told(Part::Where, &error))?;
    let filter = compiler.filter(texts, &scope).map_err(|error| told(Part::Where, &error))?;
    let outputs = compiler.outputs(texts, &scope).map_err(|error| told(Part::Select, &error))?;
    let work = match (filter, outputs) {
        (Filter::Never, _) => return Ok(Program::Constant(Verdict::Drop)),
        (Filter::Always, None) => return Ok(Program::Constant(Verdict::Pass(None))),
        (Filter::Sometimes(filter), None) => Work::Filter(filter),
        (Filter::Always, Some((outputs, schema))) => Work::Select(Segment { filter: None, outputs, schema }),
        (Filter::Sometimes(filter), Some((outputs, schema))) => {
            Work::Select(Segment { filter: Some(filter), outputs, schema })
        }
    };
    Ok(Program::Run(Box::new(Gather::new(columns, schema)), work))
}

/// What a condition means for a shape.
enum Filter {
    Always,
    Never,
    Sometimes(Arc<dyn PhysicalExpr>),
}

type Outputs = (Vec<Arc<dyn PhysicalExpr>>, Arc<Schema>);

struct Compiler<'a> {
    shape: &'a Shape,
    /// Columns that messages of the shape have.
    own: BTreeSet<&'a str>,
    around: Around<'a>,
}

impl Compiler<'_> {
    fn filter(&self, texts: &Texts, scope: &DFSchemaRef) -> Result<Filter> {
        let Some(condition) = &texts.filter else { return Ok(Filter::Always) };
        let expr = self.logical(condition, scope)?;
        if let Expr::Literal(value, _) = &expr
            && (value.is_null() || matches!(value, ScalarValue::Boolean(_)))
        {
            return Ok(if *value == ScalarValue::Boolean(Some(true)) { Filter::Always } else { Filter::Never });
        }
        match expr.get_type(scope)? {
            DataType::Boolean => Ok(Filter::Sometimes(physical(&expr, scope)?)),
            other => plan_err!("a condition is true or false, and this is of type {other}"),
        }
    }

    fn outputs(&self, texts: &Texts, scope: &DFSchemaRef) -> Result<Option<Outputs>> {
        let Some(list) = &texts.select else { return Ok(None) };
        let (mut outputs, mut fields) = (vec![], vec![]);
        for (name, expr) in list {
            let expr = self.logical(expr, scope)?;
            let found = expr.get_type(scope)?;
            let data_type = if found == DataType::Null { Some(DataType::Utf8) } else { row_type(&found) };
            let Some(data_type) = data_type else {
                return plan_err!("column `{name}` is of type {found}, which a message cannot hold; CAST it");
            };
            fields.push(Field::new(&**name, data_type, true));
            outputs.push(physical(&expr, scope)?);
        }
        Ok(Some((outputs, Arc::new(Schema::new(fields)))))
    }

    /// Typed and simplified.
    fn logical(&self, expr: &SqlExpr, scope: &DFSchemaRef) -> Result<Expr> {
        let mut expr = expr.clone();
        let _ = expr.visit(&mut Constants(self));
        let options = ParserOptions::new().with_collect_spans(true).with_map_string_types_to_utf8view(false);
        let planner = SqlToRel::new_with_options(self.around.functions, options);
        let expr = planner.sql_to_expr(expr, scope, &mut PlannerContext::new())?;
        let simplifier = ExprSimplifier::new(SimplifyContext::builder().with_schema(scope.clone()).build());
        simplifier.simplify(simplifier.coerce(expr, scope)?)
    }

    /// What takes a column's place where it is the same for all messages.
    fn constant(&self, name: &str) -> Option<SqlExpr> {
        if let Some(text) = self.shape.constant(name, self.around.things) {
            return Some(SqlExpr::value(SqlValue::SingleQuotedString(text)));
        }
        if self.own.contains(name) {
            return None;
        }
        let null = SqlExpr::value(SqlValue::Null);
        Some(match self.around.vocabulary.data_type(name).and_then(sql_type) {
            Some(data_type) => {
                SqlExpr::Cast { kind: CastKind::Cast, expr: Box::new(null), data_type, array: false, format: None }
            }
            None => null,
        })
    }
}

/// Unknown, of the type that the column has elsewhere.
fn sql_type(data_type: &DataType) -> Option<SqlType> {
    let mut parser = Parser::new(&GenericDialect {}).try_with_sql(&sql_name(data_type)).ok()?;
    parser.parse_data_type().ok()
}

/// Puts constants in the place of columns.
struct Constants<'a>(&'a Compiler<'a>);

impl VisitorMut for Constants<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<()> {
        if let SqlExpr::Identifier(name) = expr
            && let Some(constant) = self.0.constant(&name.value)
        {
            *expr = constant;
        }
        ControlFlow::Continue(())
    }
}

fn physical(expr: &Expr, scope: &DFSchemaRef) -> Result<Arc<dyn PhysicalExpr>> {
    create_physical_expr(expr, scope, &ExecutionProps::new(), &PhysicalPlanningContext::default())
}
