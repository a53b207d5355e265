//! From messages to batches: one per table that is read, with only those columns that are.

use crate::answer;
use crate::catalog::DEVICE;
use crate::catalog::{Feed, QUALITY, TS, Table, quality_of};
use crate::df::{
    ArrayRef, BooleanBuilder, DataType, Float64Builder, Int32Builder, Int64Builder, RecordBatch, Schema, SchemaRef,
    StringBuilder, TimestampNanosecondArray, TimestampNanosecondBuilder,
};
use crate::ranks::{RANK, Ranks};
use crate::rows::Ids;
use crate::selection::{KindRows, device_of, source_time};
use crate::source::Taken;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Event, Message, Report, Things};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const NANOS_PER_MILLI: i64 = 1_000_000;

/// Collects the rows of one table.
pub(crate) struct Intake {
    schema: SchemaRef,
    columns: Vec<Builder>,
    /// The column of each value: by property number, or by place among an event's outputs.
    slots: Vec<Option<usize>>,
    /// The column of each property's quality.
    qualities: Vec<Option<usize>>,
    /// The same by name, for events.
    names: HashMap<Arc<str>, usize>,
    ts: Vec<i64>,
    heard: Vec<i64>,
    offsets: Vec<u64>,
    devices: Vec<DeviceIx>,
    things: Arc<Things>,
    ranks: Arc<Ranks>,
    /// For messages of another kind.
    kind: Option<KindIntake>,
}

/// Collects messages of a kind, and what they are called.
struct KindIntake {
    rows: KindRows,
    ids: Vec<Arc<str>>,
}

/// Collects the values of one column.
pub(crate) enum Builder {
    Device(StringBuilder),
    /// The device's number.
    Rank(Int32Builder),
    /// Made from the rows' times.
    Time,
    Quality(StringBuilder),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Date(TimestampNanosecondBuilder),
}

impl Intake {
    /// For these columns of a table.
    pub(crate) fn new(table: &Table, read: &BTreeSet<usize>, things: &Arc<Things>, ranks: &Arc<Ranks>) -> Self {
        let fields: Vec<_> = read.iter().map(|&at| table.schema.fields()[at].clone()).collect();
        let slot = |name: &str| fields.iter().position(|field| field.name() == name && !is_base(name));
        let (slots, qualities, names) = match table.feed {
            Feed::Reports(model) => {
                let properties = || things.model(model).properties.iter().map(|property| &property.identifier);
                (
                    properties().map(|name| slot(name)).collect(),
                    properties().map(|name| slot(&quality_of(name))).collect(),
                    HashMap::new(),
                )
            }
            Feed::Events(model, event) => {
                let outputs = &things.model(model).events[usize::from(event.0)].output;
                (
                    vec![],
                    vec![],
                    outputs.iter().filter_map(|o| Some((o.identifier.clone(), slot(&o.identifier)?))).collect(),
                )
            }
            _ => (vec![], vec![], HashMap::new()),
        };
        Intake {
            columns: fields.iter().map(|field| Builder::new(field.name(), field.data_type())).collect(),
            schema: Arc::new(Schema::new(fields)),
            slots,
            qualities,
            names,
            ts: vec![],
            heard: vec![],
            offsets: vec![],
            devices: vec![],
            things: things.clone(),
            ranks: ranks.clone(),
            kind: match table.feed {
                Feed::Kind(kind) => {
                    Some(KindIntake { rows: KindRows::new(kind, &table.schema, read, things), ids: vec![] })
                }
                _ => None,
            },
        }
    }

    /// A message of another kind. Its row is called after its device, or after its subject.
    pub(crate) fn other(&mut self, things: &Things, offset: u64, message: &Message) {
        let Some(kind) = &mut self.kind else { return };
        kind.rows.add(message, things);
        let ts = source_time(message);
        let name = match device_of(message) {
            Some(device) => things.device(device).id.to_string(),
            None => message.subject(things).as_str().rsplit('/').next().unwrap_or_default().to_owned(),
        };
        kind.ids.push(answer::message_id(&name, ts.as_nanos(), offset).into());
        self.ts.push(ts.as_nanos());
        self.heard.push(message.time.as_nanos());
        self.offsets.push(offset);
    }

    pub(crate) fn report(&mut self, things: &Things, offset: u64, message: &Message, report: &Report) {
        let ts = report.values.iter().map(|value| value.source_time).max().unwrap_or(message.time);
        let quality = report.values.iter().map(|value| value.quality).max().unwrap_or(Quality::Good);
        self.begin(things, offset, message, report.device, ts, quality);
        for seen in &report.values {
            let at = usize::from(seen.property.0);
            if let Some(slot) = self.slots.get(at).copied().flatten().filter(|_| seen.quality.is_good()) {
                self.set(slot, &seen.value);
            }
            if let Some(slot) = self.qualities.get(at).copied().flatten() {
                self.set(slot, &Value::from(seen.quality.class()));
            }
        }
        self.end();
    }

    pub(crate) fn event(&mut self, things: &Things, offset: u64, message: &Message, event: &Event) {
        self.begin(things, offset, message, event.device, event.source_time, Quality::Good);
        for (name, value) in &event.output {
            if let Some(&slot) = self.names.get(name) {
                self.set(slot, value);
            }
        }
        self.end();
    }

    /// What has been collected, if anything. Afterwards nothing is.
    pub(crate) fn take(&mut self) -> Option<Taken> {
        let ts = std::mem::take(&mut self.ts);
        if ts.is_empty() {
            return None;
        }
        if let Some(kind) = &mut self.kind {
            let ids = Ids::made(std::mem::take(&mut kind.ids));
            let (heard, offsets) = (std::mem::take(&mut self.heard), std::mem::take(&mut self.offsets));
            return Some(Taken { batch: kind.rows.take(), ts: Arc::new(ts), heard, offsets: Arc::new(offsets), ids });
        }
        let columns = self.columns.iter_mut().map(|column| column.finish(&ts)).collect();
        let batch =
            RecordBatch::try_new(self.schema.clone(), columns).expect("every column has one value for every row");
        Some(Taken {
            batch,
            ts: Arc::new(ts),
            heard: std::mem::take(&mut self.heard),
            offsets: Arc::new(std::mem::take(&mut self.offsets)),
            ids: Ids::Devices(Arc::new(std::mem::take(&mut self.devices)), self.things.clone()),
        })
    }

    fn begin(
        &mut self,
        things: &Things,
        offset: u64,
        message: &Message,
        device: DeviceIx,
        ts: Timestamp,
        quality: Quality,
    ) {
        let id = &things.device(device).id;
        for column in &mut self.columns {
            match column {
                Builder::Device(builder) => builder.append_value(id),
                Builder::Rank(builder) => builder.append_value(self.ranks.of(device)),
                Builder::Quality(builder) => builder.append_value(quality.class()),
                _ => {}
            }
        }
        self.ts.push(ts.as_nanos());
        self.heard.push(message.time.as_nanos());
        self.offsets.push(offset);
        self.devices.push(device);
    }

    /// Sets a column of the last row, unless it is set.
    fn set(&mut self, slot: usize, value: &Value) {
        let rows = self.ts.len();
        let column = &mut self.columns[slot];
        if column.len(rows) < rows {
            column.append(value);
        }
    }

    /// What has not been set is unknown.
    fn end(&mut self) {
        let rows = self.ts.len();
        for column in &mut self.columns {
            if column.len(rows) < rows {
                column.append(&Value::Null);
            }
        }
    }
}

fn is_base(name: &str) -> bool {
    [DEVICE, TS, QUALITY, RANK].contains(&name)
}

impl Builder {
    /// For values of a type, whatever the column is called.
    pub(crate) fn of(data_type: &DataType) -> Self {
        Builder::new("", data_type)
    }

    fn new(name: &str, data_type: &DataType) -> Self {
        match (name, data_type) {
            (DEVICE, _) => Builder::Device(StringBuilder::new()),
            (RANK, _) => Builder::Rank(Int32Builder::new()),
            (TS, _) => Builder::Time,
            (QUALITY, _) => Builder::Quality(StringBuilder::new()),
            (_, DataType::Boolean) => Builder::Bool(BooleanBuilder::new()),
            (_, DataType::Int64) => Builder::Int(Int64Builder::new()),
            (_, DataType::Float64) => Builder::Float(Float64Builder::new()),
            (_, DataType::Timestamp(..)) => Builder::Date(TimestampNanosecondBuilder::new()),
            _ => Builder::Text(StringBuilder::new()),
        }
    }

    /// How many values there are; `rows` for the time, which needs none.
    pub(crate) fn len(&self, rows: usize) -> usize {
        use crate::df::ArrayBuilder;
        match self {
            Builder::Time => rows,
            Builder::Device(b) | Builder::Quality(b) | Builder::Text(b) => b.len(),
            Builder::Rank(b) => b.len(),
            Builder::Bool(b) => b.len(),
            Builder::Int(b) => b.len(),
            Builder::Float(b) => b.len(),
            Builder::Date(b) => b.len(),
        }
    }

    /// Adds a value. One that is not of the column's type is unknown.
    pub(crate) fn append(&mut self, value: &Value) {
        match (self, value) {
            (Builder::Bool(b), Value::Bool(value)) => b.append_value(*value),
            (Builder::Int(b), Value::Int(value)) => b.append_value(*value),
            (Builder::Float(b), Value::Float(value)) => b.append_value(*value),
            (Builder::Float(b), Value::Int(value)) => b.append_value(*value as f64),
            (Builder::Text(b), Value::Text(value)) => b.append_value(value),
            (Builder::Date(b), Value::Int(millis)) => b.append_option(millis.checked_mul(NANOS_PER_MILLI)),
            (Builder::Rank(b), _) => b.append_null(),
            (Builder::Bool(b), _) => b.append_null(),
            (Builder::Int(b), _) => b.append_null(),
            (Builder::Float(b), _) => b.append_null(),
            (Builder::Date(b), _) => b.append_null(),
            (Builder::Text(b) | Builder::Device(b) | Builder::Quality(b), _) => b.append_null(),
            (Builder::Time, _) => {}
        }
    }

    /// Adds a time to a column of times.
    pub(crate) fn append_time(&mut self, time: Timestamp) {
        match self {
            Builder::Date(b) => b.append_value(time.as_nanos()),
            other => other.append(&Value::Null),
        }
    }

    pub(crate) fn finish(&mut self, ts: &[i64]) -> ArrayRef {
        match self {
            Builder::Time => Arc::new(TimestampNanosecondArray::from(ts.to_vec())),
            Builder::Device(b) | Builder::Quality(b) | Builder::Text(b) => Arc::new(b.finish()),
            Builder::Rank(b) => Arc::new(b.finish()),
            Builder::Bool(b) => Arc::new(b.finish()),
            Builder::Int(b) => Arc::new(b.finish()),
            Builder::Float(b) => Arc::new(b.finish()),
            Builder::Date(b) => Arc::new(b.finish()),
        }
    }
}
