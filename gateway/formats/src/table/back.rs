//! From tables back to messages, as far as these say all: reports, events and status of devices that the site knows.
//! Times come back in milliseconds, values in the types of the model as it is now.

use super::cell::CellType;
use super::column::Column;
use super::names::snake_case;
use super::shape::{event_names, report_names};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{
    Body, DataType, Event, EventIx, Message, MessageId, ModelIx, Observation, Online, PropertyIx, Report, Status,
    Things,
};
use std::sync::Arc;

/// The messages that rows of the table of a name stand for, in their order. Tables of other kinds, and devices and models
/// that are no more, give none.
///
/// # Errors
/// What a table of its name does not have.
pub fn messages(name: &str, batch: &RecordBatch, things: &Things) -> Result<Vec<(MessageId, Message)>, String> {
    let rows = Rows::new(batch, things)?;
    let mut levels = name.split('/');
    let body: Bodies<'_> = match (levels.next(), levels.next(), levels.next()) {
        (Some("property"), Some(model), None) => match model_of(model, things) {
            Some(model) => rows.reports(model)?,
            None => return Ok(vec![]),
        },
        (Some("event"), Some(model), Some(event)) => match event_of(model, event, things) {
            Some((model, event)) => rows.events(model, event)?,
            None => return Ok(vec![]),
        },
        (Some("status"), None, None) => rows.statuses()?,
        _ => return Ok(vec![]),
    };
    let message = |at: usize| Some((rows.id(at), Message { time: rows.time(at), body: body(at, rows.device(at)?)? }));
    Ok((0..batch.num_rows()).filter_map(message).collect())
}

fn model_of(name: &str, things: &Things) -> Option<ModelIx> {
    things.current_models().find(|(_, model)| snake_case(&model.name) == name).map(|(ix, _)| ix)
}

fn event_of(model: &str, event: &str, things: &Things) -> Option<(ModelIx, EventIx)> {
    let model = model_of(model, things)?;
    let mut events = things.model(model).events.iter();
    let at = events.position(|known| snake_case(&known.identifier) == event)?;
    Some((model, EventIx(at as u16)))
}

/// The columns that every table of devices' messages begins with.
struct Rows<'a> {
    batch: &'a RecordBatch,
    things: &'a Things,
    ids: &'a ArrayRef,
    times: &'a ArrayRef,
    devices: &'a ArrayRef,
}

/// What the row at a place says of its device.
type Bodies<'a> = Box<dyn Fn(usize, DeviceIx) -> Option<Body> + 'a>;

/// A column of values.
struct Values {
    column: ArrayRef,
    data_type: DataType,
}

impl<'a> Rows<'a> {
    fn new(batch: &'a RecordBatch, things: &'a Things) -> Result<Self, String> {
        let named = |name| typed(batch, name, &column_type(name));
        let (ids, times) = (named("id")?, named("time")?);
        // Tables of the gateway's own messages have no devices.
        let devices = if batch.column_by_name("device").is_some() { named("device")? } else { ids };
        Ok(Rows { batch, things, ids, times, devices })
    }

    fn id(&self, at: usize) -> MessageId {
        let bytes = self.ids.as_fixed_size_binary().value(at).try_into().unwrap_or_default();
        MessageId::from_u128(u128::from_be_bytes(bytes))
    }

    fn time(&self, at: usize) -> Timestamp {
        time(self.times, at)
    }

    fn device(&self, at: usize) -> Option<DeviceIx> {
        self.things.device_ix(self.devices.as_string_opt::<i32>()?.value(at))
    }

    fn reports(&self, model: ModelIx) -> Result<Bodies<'a>, String> {
        let properties = &self.things.model(model).properties;
        let mut columns = vec![];
        for (at, (property, names)) in properties.iter().zip(report_names(self.things.model(model))).enumerate() {
            // A file from before the property was there does not have it.
            if self.batch.column_by_name(&names[0]).is_none() {
                continue;
            }
            let Some(values) = Values::new(self.batch, &names[0], &property.data_type) else { continue };
            let quality = typed(self.batch, &names[1], &CellType::Text)?.clone();
            let source_time = typed(self.batch, &names[2], &CellType::Time)?.clone();
            columns.push((PropertyIx(at as u16), values, quality, source_time));
        }
        let things = self.things;
        Ok(Box::new(move |at, device| {
            if things.device(device).model != model {
                return None;
            }
            let seen = columns.iter().filter(|(_, _, quality, _)| quality.is_valid(at));
            let seen = seen.filter_map(|(property, values, quality, source_time)| {
                let quality = quality_of(quality.as_string::<i32>().value(at))?;
                Some(Observation {
                    property: *property,
                    value: values.value(at),
                    quality,
                    source_time: time(source_time, at),
                })
            });
            Some(Body::Report(Report { device, values: seen.collect() }))
        }))
    }

    fn events(&self, model: ModelIx, event: EventIx) -> Result<Bodies<'a>, String> {
        let known = &self.things.model(model).events[usize::from(event.0)];
        let source_times = typed(self.batch, "source_time", &CellType::Time)?.clone();
        let outputs = known.output.iter().zip(event_names(known)).filter_map(|(field, name)| {
            Some((field.identifier.clone(), Values::new(self.batch, &name, &field.data_type)?))
        });
        let outputs: Vec<(Arc<str>, Values)> = outputs.collect();
        let things = self.things;
        Ok(Box::new(move |at, device| {
            if things.device(device).model != model {
                return None;
            }
            let output = outputs.iter().map(|(name, values)| (name.clone(), values.value(at)));
            let output = output.filter(|(_, value)| *value != Value::Null).collect();
            Some(Body::Event(Event { device, event, output, source_time: time(&source_times, at) }))
        }))
    }

    fn statuses(&self) -> Result<Bodies<'a>, String> {
        let [states, reasons] = ["state", "reason"].map(|name| typed(self.batch, name, &CellType::Text).cloned());
        let (states, reasons) = (states?, reasons?);
        Ok(Box::new(move |at, device| {
            let online = online_of(states.as_string::<i32>().value(at))?;
            Some(Body::Status(Status { device, online, reason: reasons.as_string::<i32>().value(at).into() }))
        }))
    }
}

impl Values {
    /// `None` if the model was of another type when the file was written.
    fn new(batch: &RecordBatch, name: &str, data_type: &DataType) -> Option<Values> {
        let column = typed(batch, name, &CellType::of(data_type)).ok()?.clone();
        Some(Values { column, data_type: data_type.clone() })
    }

    fn value(&self, at: usize) -> Value {
        if self.column.is_null(at) {
            return Value::Null;
        }
        match CellType::of(&self.data_type) {
            CellType::Int => Value::Int(self.column.as_primitive::<Int64Type>().value(at)),
            CellType::Float => Value::Float(self.column.as_primitive::<Float64Type>().value(at)),
            CellType::Bool => Value::Bool(self.column.as_boolean().value(at)),
            CellType::Time => Value::Int(self.column.as_primitive::<TimestampMillisecondType>().value(at)),
            CellType::Json => self.parsed(self.column.as_string::<i32>().value(at)),
            CellType::Text | CellType::Id => Value::from(self.column.as_string::<i32>().value(at)),
        }
    }

    /// A struct or an array.
    fn parsed(&self, text: &str) -> Value {
        let value = serde_json::from_str(text).map_or(Value::Null, |json| Value::from_json(&json));
        self.data_type.coerce(&value).unwrap_or(value)
    }
}

fn column_type(name: &str) -> CellType {
    match name {
        "id" => CellType::Id,
        "time" => CellType::Time,
        _ => CellType::Text,
    }
}

/// A column, if it has the type that a table of ours gives it.
fn typed<'a>(batch: &'a RecordBatch, name: &str, cell_type: &CellType) -> Result<&'a ArrayRef, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("it has no column `{name}`"))?;
    let expected = Column::type_of(*cell_type);
    if *column.data_type() == expected {
        return Ok(column);
    }
    Err(format!("its column `{name}` is of type {}, and not {expected}", column.data_type()))
}

fn time(column: &ArrayRef, at: usize) -> Timestamp {
    Timestamp::from_millis(column.as_primitive::<TimestampMillisecondType>().value(at))
}

fn quality_of(text: &str) -> Option<Quality> {
    Quality::ALL.into_iter().find(|quality| quality.as_str() == text)
}

fn online_of(text: &str) -> Option<Online> {
    [Online::Unknown, Online::Online, Online::Degraded, Online::Offline]
        .into_iter()
        .find(|state| state.as_str() == text)
}
