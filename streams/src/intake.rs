//! From messages to batches: one per table that is read, with only those columns that are.

mod builder;

pub(crate) use builder::Builder;

use crate::answer;
use crate::catalog::{DEVICE, Feed, QUALITY, TS, Table, part_of, quality_of};
use crate::df::{RecordBatch, Schema, SchemaRef};
use crate::ranks::{RANK, Ranks};
use crate::rows::Ids;
use crate::selection::{KindRows, device_of, source_time};
use crate::source::Taken;
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, DataType as ModelType, Event, Message, Report, Things};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Collects the rows of one table.
pub(crate) struct Intake {
    schema: SchemaRef,
    columns: Vec<Builder>,
    /// Where the values of each property go.
    properties: Vec<Slots>,
    /// Where those of each of an event's outputs go.
    outputs: HashMap<Arc<str>, Slots>,
    ts: Vec<i64>,
    heard: Vec<i64>,
    offsets: Vec<u64>,
    devices: Vec<DeviceIx>,
    /// The worst quality whose values count.
    worst: Quality,
    things: Arc<Things>,
    ranks: Arc<Ranks>,
    /// For messages of another kind.
    kind: Option<KindIntake>,
}

/// Where a value goes.
struct Slots {
    value: Option<usize>,
    /// The columns of its fields, if it is a struct.
    parts: Vec<(Arc<str>, usize)>,
    /// Where its quality goes.
    quality: Option<usize>,
}

/// Collects messages of a kind, and what they are called.
struct KindIntake {
    rows: KindRows,
    ids: Vec<Arc<str>>,
}

impl Intake {
    /// For these columns of a table.
    pub(crate) fn new(
        table: &Table,
        read: &BTreeSet<usize>,
        worst: Quality,
        things: &Arc<Things>,
        ranks: &Arc<Ranks>,
    ) -> Self {
        let fields: Vec<_> = read.iter().map(|&at| table.schema.fields()[at].clone()).collect();
        let slot = |name: &str| fields.iter().position(|field| field.name() == name && !is_base(name));
        let slots = |name: &str, data_type: &ModelType| Slots {
            value: slot(name),
            parts: fields_of(data_type).filter_map(|part| Some((part.clone(), slot(&part_of(name, part))?))).collect(),
            quality: slot(&quality_of(name)),
        };
        let (mut properties, mut outputs) = (vec![], HashMap::new());
        match table.feed {
            Feed::Reports(model) => {
                let all = things.model(model).properties.iter();
                properties = all.map(|property| slots(&property.identifier, &property.data_type)).collect();
            }
            Feed::Events(model, event) => {
                let all = things.model(model).events[usize::from(event.0)].output.iter();
                outputs = all.map(|o| (o.identifier.clone(), slots(&o.identifier, &o.data_type))).collect();
            }
            _ => {}
        }
        Intake {
            columns: fields.iter().map(|field| Builder::new(field.name(), field.data_type())).collect(),
            schema: Arc::new(Schema::new(fields)),
            properties,
            outputs,
            ts: vec![],
            heard: vec![],
            offsets: vec![],
            devices: vec![],
            worst,
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

    /// A message of the table.
    pub(crate) fn take_in(&mut self, things: &Things, offset: u64, message: &Message) {
        match &message.body {
            Body::Report(report) => self.report(things, offset, message, report),
            Body::Event(event) => self.event(things, offset, message, event),
            _ => self.other(things, offset, message),
        }
    }

    /// A message of another kind. Its row is called after its device, or after its subject.
    fn other(&mut self, things: &Things, offset: u64, message: &Message) {
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

    fn report(&mut self, things: &Things, offset: u64, message: &Message, report: &Report) {
        let ts = report.values.iter().map(|value| value.source_time).max().unwrap_or(message.time);
        let quality = report.values.iter().map(|value| value.quality).max().unwrap_or(Quality::Good);
        self.begin(things, offset, message, report.device, ts, quality);
        let Intake { properties, columns, worst, .. } = self;
        let rows = self.ts.len();
        for seen in &report.values {
            let Some(slots) = properties.get(usize::from(seen.property.0)) else { continue };
            if seen.quality <= *worst {
                slots.set(columns, rows, &seen.value);
            }
            if let Some(slot) = slots.quality {
                set(columns, rows, slot, &Value::from(seen.quality.class()));
            }
        }
        self.end();
    }

    fn event(&mut self, things: &Things, offset: u64, message: &Message, event: &Event) {
        self.begin(things, offset, message, event.device, event.source_time, Quality::Good);
        let Intake { outputs, columns, .. } = self;
        let rows = self.ts.len();
        for (name, value) in &event.output {
            if let Some(slots) = outputs.get(name) {
                slots.set(columns, rows, value);
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

impl Slots {
    /// Sets the columns of the last row that a value is for.
    fn set(&self, columns: &mut [Builder], rows: usize, value: &Value) {
        if let Some(slot) = self.value {
            set(columns, rows, slot, value);
        }
        let Value::Struct(fields) = value else { return };
        for (part, slot) in &self.parts {
            if let Some((_, value)) = fields.iter().find(|(name, _)| name == part) {
                set(columns, rows, *slot, value);
            }
        }
    }
}

/// Sets a column of the last row, unless it is set.
fn set(columns: &mut [Builder], rows: usize, slot: usize, value: &Value) {
    let column = &mut columns[slot];
    if column.len(rows) < rows {
        column.append(value);
    }
}

/// The names of a struct's fields.
fn fields_of(data_type: &ModelType) -> impl Iterator<Item = &Arc<str>> {
    let fields = if let ModelType::Struct(fields) = data_type { &fields[..] } else { &[] };
    fields.iter().map(|field| &field.identifier)
}

fn is_base(name: &str) -> bool {
    [DEVICE, TS, QUALITY, RANK].contains(&name)
}
