//! The tables and functions that SQL can name.

use crate::df::{
    AggregateFunctionPlanner, AggregateUDF, ConfigOptions, ContextProvider, CoreFunctionPlanner, DataType,
    DatetimeFunctionPlanner, ExprPlanner, Field, FieldAccessPlanner, HigherOrderUDF, NestedFunctionPlanner,
    RecordBatch, Result, ScalarUDF, Schema, SchemaRef, TIME, TableReference, TableSource, Volatility, WindowUDF,
    all_default_aggregate_functions, all_default_functions, plan_err,
};
use crate::dialect::Options;
use crate::functions;
use crate::marker;
use crate::over;
use crate::plan::Units;
use crate::ranks::RANK;
use crate::rows::Timing;
use crate::selection::Kind;
use edgeway_thing_models::{DataType as ModelType, EventIx, EventModel, Field as ModelField, Model, ModelIx, Things};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The time of a row.
pub(crate) const TS: &str = "ts";
/// The device that a message is about.
pub(crate) const DEVICE: &str = "device";
/// The worst quality in a report.
pub(crate) const QUALITY: &str = "quality";

/// The column for the quality of one property: `wind_speed.quality`, which is `NULL` if the report does not have it.
pub(crate) fn quality_of(property: &str) -> String {
    format!("{property}.{QUALITY}")
}

/// The column for a field of a struct: `grid.frequency`.
pub(crate) fn part_of(name: &str, field: &str) -> String {
    format!("{name}.{field}")
}

/// Whether a column is a field of a struct.
pub(crate) fn is_part(column: &str, of: &str) -> bool {
    column.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'))
}

/// Where the rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Feed {
    /// The reports of a model's devices.
    Reports(ModelIx),
    /// The events of a model's devices.
    Events(ModelIx, EventIx),
    /// Messages of another kind.
    Kind(Kind),
    /// The rows of a query, by its place among the loaded ones.
    Query(usize),
    /// No messages: rows that are there from the start.
    Lookup,
    /// The elements of an array, which come with the row that it is in.
    Elements,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) feed: Feed,
    pub(crate) timing: Timing,
    pub(crate) schema: SchemaRef,
    /// Of its columns, as far as they are known.
    pub(crate) units: Units,
    /// How many of the columns `*` means. The others are the qualities of single properties and the number of the device.
    pub(crate) shown: usize,
    /// What the author of a stream has set.
    pub(crate) options: Options,
    /// The rows, if they are there from the start.
    pub(crate) rows: Option<RecordBatch>,
}

impl Table {
    /// Whether it has rows that come as time goes on.
    pub(crate) fn is_stream(&self) -> bool {
        !matches!(self.feed, Feed::Lookup | Feed::Elements)
    }

    /// The columns that `*` means.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &str> {
        self.schema.fields()[..self.shown].iter().map(|field| field.name().as_str())
    }
}

/// All tables and functions.
pub(crate) struct Catalog {
    tables: BTreeMap<String, Table>,
    scalars: HashMap<String, Arc<ScalarUDF>>,
    aggregates: HashMap<String, Arc<AggregateUDF>>,
    overs: HashMap<String, Arc<WindowUDF>>,
    planners: Vec<Arc<dyn ExprPlanner>>,
    options: ConfigOptions,
}

impl Catalog {
    /// The tables of the models, and all functions that give the same answer whenever they are asked: a window that is
    /// made again after a restart must come out the same.
    pub(crate) fn new(things: &Things) -> Self {
        let mut catalog = Self::functions();
        catalog.tables = things.models().flat_map(|(ix, model)| model_tables(things, ix, model)).collect();
        for kind in Kind::ALL {
            let free = !catalog.tables.contains_key(kind.name());
            catalog.tables.extend(free.then(|| (kind.name().to_owned(), kind_table(kind, things))));
        }
        catalog.scalars.extend(named(marker::all().map(Arc::new), |f| (f.name(), f.aliases())));
        catalog
    }

    /// The functions alone, without tables and windows.
    pub(crate) fn functions() -> Self {
        let scalars = all_default_functions().into_iter().filter(|f| f.signature().volatility == Volatility::Immutable);
        let mut aggregates = named(all_default_aggregate_functions().into_iter().chain(functions::aggregates()), |f| {
            (f.name(), f.aliases())
        });
        aggregates.remove("grouping");
        if let Some(percentile) = aggregates.get("approx_percentile_cont").cloned() {
            aggregates.insert("percentile".to_owned(), percentile);
        }
        Catalog {
            tables: BTreeMap::new(),
            scalars: named(scalars.chain(functions::scalars()), |f| (f.name(), f.aliases())),
            aggregates,
            overs: named(over::markers(), |f| (f.name(), f.aliases())),
            planners: vec![
                Arc::new(AggregateFunctionPlanner),
                Arc::new(CoreFunctionPlanner::default()),
                Arc::new(DatetimeFunctionPlanner),
                Arc::new(NestedFunctionPlanner),
                Arc::new(FieldAccessPlanner),
                Arc::new(functions::Arrows),
            ],
            options: ConfigOptions::default(),
        }
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    pub(crate) fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    pub(crate) fn add(&mut self, table: Table) {
        self.tables.insert(table.name.clone(), table);
    }

    /// Adds a table whose rows are there from the start.
    pub(crate) fn add_lookup(&mut self, name: &str, rows: RecordBatch) {
        self.add(Table {
            name: name.to_owned(),
            feed: Feed::Lookup,
            timing: Timing::Moment,
            units: Units::new(),
            shown: rows.num_columns(),
            schema: rows.schema(),
            options: Options::default(),
            rows: Some(rows),
        });
    }

    /// True for a function of any kind.
    pub(crate) fn is_known(&self, name: &str) -> bool {
        self.scalars.contains_key(name) || self.is_aggregate(name) || self.is_over(name)
    }

    /// True for a function that needs `OVER`.
    pub(crate) fn is_over(&self, name: &str) -> bool {
        self.overs.contains_key(name)
    }

    pub(crate) fn is_aggregate(&self, name: &str) -> bool {
        self.aggregates.contains_key(name)
    }

    pub(crate) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.scalars.keys().chain(self.aggregates.keys()).chain(self.overs.keys()).map(String::as_str)
    }
}

fn named<F>(
    functions: impl IntoIterator<Item = Arc<F>>,
    names: fn(&F) -> (&str, &[String]),
) -> HashMap<String, Arc<F>> {
    let mut map = HashMap::new();
    for function in functions {
        let (name, aliases) = names(&function);
        for name in aliases.iter().map(String::as_str).chain([name]) {
            map.insert(name.to_owned(), function.clone());
        }
    }
    map
}

/// `wind-turbine` as SQL has it, `wind_turbine`.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn model_tables(things: &Things, ix: ModelIx, model: &Model) -> Vec<(String, Table)> {
    if things.model_ix(&model.name) != Some(ix) {
        return vec![];
    }
    let name = snake(&model.name);
    let events = model.events.iter().enumerate().map(|(at, event)| {
        let name = format!("{name}.{}", event.identifier);
        (name.clone(), events_table(name, Feed::Events(ix, EventIx(at as u16)), event))
    });
    let mut tables: Vec<_> = events.collect();
    tables.push((name.clone(), reports_table(name, Feed::Reports(ix), model)));
    tables
}

fn reports_table(name: String, feed: Feed, model: &Model) -> Table {
    let base = [(DEVICE, DataType::Utf8), (TS, TIME), (QUALITY, DataType::Utf8)];
    message_table(name, feed, &base, model.properties.iter().map(|p| (&*p.identifier, &p.data_type)))
}

fn events_table(name: String, feed: Feed, event: &EventModel) -> Table {
    let base = [(DEVICE, DataType::Utf8), (TS, TIME)];
    message_table(name, feed, &base, event.output.iter().map(|field| (&*field.identifier, &field.data_type)))
}

fn kind_table(kind: Kind, things: &Things) -> Table {
    let fields = kind.fields(things);
    Table {
        name: kind.name().to_owned(),
        feed: Feed::Kind(kind),
        timing: Timing::Moment,
        units: Units::new(),
        shown: fields.len(),
        schema: Arc::new(Schema::new(fields)),
        options: Options::default(),
        rows: None,
    }
}

fn message_table<'a>(
    name: String,
    feed: Feed,
    base: &[(&str, DataType)],
    values: impl Iterator<Item = (&'a str, &'a ModelType)>,
) -> Table {
    let mut fields: Vec<_> = base.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect();
    let (mut qualities, mut units) = (vec![], Units::new());
    let hidden = |name: &str| name == QUALITY || base.iter().any(|(taken, _)| *taken == name);
    for (name, model_type) in values.filter(|(name, _)| !hidden(name)) {
        qualities.push(quality_of(name));
        for (name, model_type) in columns_of(name, model_type) {
            units.extend(units_of(&name, model_type));
            fields.extend(column_type(model_type).map(|data_type| Field::new(name, data_type, true)));
        }
    }
    let shown = fields.len();
    if matches!(feed, Feed::Reports(_)) {
        // A field of a struct that is called so hides it.
        qualities.retain(|quality| !fields.iter().any(|field| field.name() == quality));
        fields.extend(qualities.into_iter().map(|quality| Field::new(quality, DataType::Utf8, true)));
    }
    fields.push(Field::new(RANK, DataType::Int32, true));
    Table {
        name,
        feed,
        timing: Timing::Moment,
        schema: Arc::new(Schema::new(fields)),
        units,
        shown,
        options: Options::default(),
        rows: None,
    }
}

/// The unit of a value, or of the elements of an array and their fields.
fn units_of(name: &str, model_type: &ModelType) -> Units {
    match model_type {
        ModelType::Array { item, .. } => {
            columns_of(name, item).into_iter().flat_map(|(name, part)| units_of(&name, part)).collect()
        }
        one => one.unit().map(|unit| (name.to_owned(), unit.clone())).into_iter().collect(),
    }
}

/// A value's columns: one, or one for each field of a struct.
pub(crate) fn columns_of<'a>(name: &str, model_type: &'a ModelType) -> Vec<(String, &'a ModelType)> {
    match model_type {
        ModelType::Struct(fields) => {
            fields.iter().map(|field| (part_of(name, &field.identifier), &field.data_type)).collect()
        }
        one => vec![(name.to_owned(), one)],
    }
}

/// The type of a value in SQL; `None` for what models do not have, as a struct in a struct.
pub(crate) fn column_type(model_type: &ModelType) -> Option<DataType> {
    match model_type {
        ModelType::Int(_) | ModelType::Enum(_) => Some(DataType::Int64),
        ModelType::Float(_) | ModelType::Double(_) => Some(DataType::Float64),
        ModelType::Bool { .. } => Some(DataType::Boolean),
        ModelType::Text { .. } => Some(DataType::Utf8),
        ModelType::Date => Some(TIME),
        ModelType::Array { item, .. } => Some(DataType::new_list(item_type(item)?, true)),
        ModelType::Struct(_) => None,
    }
}

/// The type of an array's elements.
fn item_type(item: &ModelType) -> Option<DataType> {
    let ModelType::Struct(fields) = item else { return column_type(item) };
    let field = |field: &ModelField| Some(Field::new(&*field.identifier, column_type(&field.data_type)?, true));
    Some(DataType::Struct(fields.iter().map(field).collect::<Option<Vec<_>>>()?.into()))
}

/// A table as the planner sees it. It takes no filters: what `WHERE` says stays in the plan.
struct Source(SchemaRef);

impl TableSource for Source {
    fn schema(&self) -> SchemaRef {
        self.0.clone()
    }
}

impl ContextProvider for Catalog {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.table(&name.to_string()) {
            Some(table) => Ok(Arc::new(Source(table.schema.clone()))),
            None => plan_err!("unknown table `{name}`"),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        &self.planners
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.scalars.get(name).cloned()
    }

    fn get_higher_order_meta(&self, _: &str) -> Option<Arc<HigherOrderUDF>> {
        None
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.aggregates.get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.overs.get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        &self.options
    }

    fn udf_names(&self) -> Vec<String> {
        self.scalars.keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        vec![]
    }

    fn udaf_names(&self) -> Vec<String> {
        self.aggregates.keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.overs.keys().cloned().collect()
    }
}
