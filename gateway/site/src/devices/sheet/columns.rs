//! What the columns of a sheet are, and what the cells below them hold.

use super::cells::{Cell, Grid};
use crate::devices::point;
use crate::report::{Mark, Report};
use crate::tree::{Entry, Item, Node, Table};
use edgeway_sdk::{Driver, Json, Problem, did_you_mean};
use std::sync::Arc;

/// Columns of a device; what stands in them is the same in all rows of one.
pub(super) const OF_DEVICE: [&str; 4] = ["device", "template", "model", "link"];
pub(super) const PROPERTY: &str = "property";
/// Before the name of a label.
pub(super) const LABELS: &str = "labels";
/// Before an option of a point that is called like another column.
pub(super) const POINT: &str = "point";

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    /// One of [`OF_DEVICE`].
    OfDevice(&'static str),
    Property,
    Label(Arc<str>),
    /// An option of a device, `unit` of `modbus`.
    DeviceOption {
        driver: usize,
        path: Arc<str>,
    },
    /// One of the gateway's own keys of a point.
    Host(&'static str),
    /// An option of a point, of whatever driver the row's link has.
    PointOption(Arc<str>),
    /// Reported.
    Unknown,
}

impl Column {
    /// Whether it says the same in all rows of a device.
    pub(super) fn is_of_device(&self) -> bool {
        matches!(self, Column::OfDevice(_) | Column::Label(_) | Column::DeviceOption { .. })
    }
}

/// Says what the columns are. Unknown ones and those that come twice are reported.
pub(super) fn columns(grid: &Grid, drivers: &[Arc<dyn Driver>], report: &mut Report) -> Vec<Column> {
    let mut columns = Vec::with_capacity(grid.header.len());
    for (at, cell) in grid.header.iter().enumerate() {
        let mark = Mark { within: "".into(), ..cell.mark.clone() };
        let second = !cell.text.is_empty() && grid.header[..at].iter().any(|other| other.text == cell.text);
        let column = column(&cell.text, drivers);
        if second {
            report.add(&mark, Problem::new(format!("a second column `{}`", cell.text)));
        } else if column == Column::Unknown && !cell.text.is_empty() {
            let problem = Problem::new(format!("unknown column `{}`", cell.text));
            let known = known(drivers);
            report.add(&mark, problem.maybe_help(did_you_mean(&cell.text, known.iter().map(String::as_str))));
        }
        columns.push(if second { Column::Unknown } else { column });
    }
    columns
}

fn column(name: &str, drivers: &[Arc<dyn Driver>]) -> Column {
    let own = |names: &[&'static str]| names.iter().copied().find(|own| *own == name);
    if let Some(own) = own(&OF_DEVICE) {
        return Column::OfDevice(own);
    }
    if let Some(own) = own(&point::HOST) {
        return Column::Host(own);
    }
    match name.split_once('.') {
        _ if name == PROPERTY => return Column::Property,
        Some((LABELS, label)) if !label.is_empty() => return Column::Label(label.into()),
        Some((POINT, option)) if !option.is_empty() => return Column::PointOption(option.into()),
        Some((head, path)) if !path.is_empty() => {
            if let Some(driver) = drivers.iter().position(|driver| driver.manifest().name == head) {
                let is_known = takes(&drivers[driver].manifest().options.device, path);
                return if is_known { Column::DeviceOption { driver, path: path.into() } } else { Column::Unknown };
            }
        }
        _ => {}
    }
    let is_option = |driver: &Arc<dyn Driver>| takes(&driver.manifest().options.point, name);
    if !name.is_empty() && drivers.iter().any(is_option) { Column::PointOption(name.into()) } else { Column::Unknown }
}

/// Whether there may be such an option. A driver that does not describe its options says itself what is wrong.
fn takes(schema: &Json, path: &str) -> bool {
    !schema["properties"].is_object() || option(schema, path).is_some()
}

/// The names of all columns that there could be, as far as drivers describe them.
fn known(drivers: &[Arc<dyn Driver>]) -> Vec<String> {
    let keys = |schema: &Json| {
        let properties = schema["properties"].as_object().into_iter().flatten();
        properties.map(|(key, _)| key.clone()).collect::<Vec<_>>()
    };
    let of_driver = |driver: &Arc<dyn Driver>| {
        let manifest = driver.manifest();
        let device = keys(&manifest.options.device).into_iter().map(|key| format!("{}.{key}", manifest.name));
        device.chain(keys(&manifest.options.point)).collect::<Vec<_>>()
    };
    let own = OF_DEVICE.iter().chain(&[PROPERTY]).chain(&point::HOST).map(|name| (*name).to_owned());
    own.chain(drivers.iter().flat_map(of_driver)).collect()
}

/// What a column's cells hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, even if it looks like a number.
    Text,
    Number,
    Bool,
    /// What it looks like.
    Any,
}

impl Column {
    /// What stands in its cells, in rows of this driver.
    pub(super) fn kind(&self, driver: Option<&dyn Driver>) -> Kind {
        match self {
            Column::Host("scale" | "offset") => Kind::Number,
            Column::Host("write") => Kind::Bool,
            Column::Host("deadband") => Kind::Any,
            Column::DeviceOption { path, .. } => {
                of_schema(driver.map(|driver| &driver.manifest().options.device), path)
            }
            Column::PointOption(path) => of_schema(driver.map(|driver| &driver.manifest().options.point), path),
            _ => Kind::Text,
        }
    }
}

fn of_schema(schema: Option<&Json>, path: &str) -> Kind {
    schema.and_then(|root| Some(kind(option(root, path)?, root))).unwrap_or(Kind::Any)
}

/// The schema of an option, by its path in dots. Where any name may stand it is that of all of them.
fn option<'s>(root: &'s Json, path: &str) -> Option<&'s Json> {
    let step = |schema: &'s Json, key: &str| {
        let schema = resolved(schema, root);
        let of_any = || schema.get("additionalProperties").filter(|any| **any != Json::Bool(false));
        schema["properties"].get(key).or_else(of_any)
    };
    path.split('.').try_fold(root, step)
}

/// Behind references and beside `null`.
fn resolved<'s>(schema: &'s Json, root: &'s Json) -> &'s Json {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.strip_prefix("#/$defs/")) {
        return resolved(&root["$defs"][name], root);
    }
    let several = schema["anyOf"].as_array().or_else(|| schema["oneOf"].as_array()).into_iter().flatten();
    let mut real = several.filter(|one| one["type"] != "null");
    match (real.next(), real.next()) {
        (Some(only), None) => resolved(only, root),
        _ => schema,
    }
}

fn kind(schema: &Json, root: &Json) -> Kind {
    let schema = resolved(schema, root);
    let types: Vec<&str> = match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(several) => several.iter().filter_map(Json::as_str).filter(|one| *one != "null").collect(),
        _ => vec![],
    };
    let choices = |key: &str| schema[key].as_array().is_some_and(|all| all.iter().all(is_word));
    match types.as_slice() {
        ["string"] => Kind::Text,
        ["integer" | "number"] => Kind::Number,
        ["boolean"] => Kind::Bool,
        [] if choices("enum") || choices("oneOf") => Kind::Text,
        _ => Kind::Any,
    }
}

fn is_word(choice: &Json) -> bool {
    choice.is_string() || choice["const"].is_string() || choice["type"] == "string"
}

/// What a cell holds; text if it is not what it should be, which whoever wants it then says.
pub(super) fn item(cell: &Cell, kind: Kind, decimal_comma: bool) -> Item {
    let text = || Item::Text(cell.text.clone());
    match kind {
        Kind::Text => text(),
        Kind::Number => number(&cell.text, decimal_comma).unwrap_or_else(text),
        Kind::Bool => bool(&cell.text).unwrap_or_else(text),
        Kind::Any => list_or_table(cell)
            .or_else(|| number(&cell.text, decimal_comma))
            .or_else(|| bool(&cell.text))
            .unwrap_or_else(text),
    }
}

fn number(text: &str, decimal_comma: bool) -> Option<Item> {
    if let Ok(int) = text.parse() {
        return Some(Item::Int(int));
    }
    let text = if decimal_comma { text.replace(',', ".") } else { text.to_owned() };
    text.parse().ok().filter(|float: &f64| float.is_finite()).map(Item::Float)
}

/// Spreadsheets write `TRUE`.
fn bool(text: &str) -> Option<Item> {
    text.to_ascii_lowercase().parse().ok().map(Item::Bool)
}

fn list_or_table(cell: &Cell) -> Option<Item> {
    let json = serde_json::from_str(&cell.text).ok().filter(|json: &Json| json.is_array() || json.is_object())?;
    Some(of_json(&json, &cell.mark))
}

fn of_json(json: &Json, mark: &Mark) -> Item {
    match json {
        Json::Null => Item::Text("".into()),
        Json::Bool(bool) => Item::Bool(*bool),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Item::Float(number.as_f64().unwrap_or_default()), Item::Int)
        }
        Json::String(text) => Item::Text(text.as_str().into()),
        Json::Array(items) => {
            Item::List(items.iter().map(|item| Node::bare(mark.clone(), of_json(item, mark))).collect())
        }
        Json::Object(object) => {
            let entry = |(name, value): (&String, &Json)| Entry {
                name: name.as_str().into(),
                mark: mark.clone(),
                node: Node::bare(mark.clone(), of_json(value, mark)),
            };
            Item::Table(Table { mark: mark.clone(), entries: object.iter().map(entry).collect() })
        }
    }
}
