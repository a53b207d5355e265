//! Rows as wind turbines send them: in the order of time but for some 400 ms.

use crate::df::{
    ArrayRef, Field, Float64Array, Int32Array, RecordBatch, Schema, StringArray, TimestampNanosecondArray,
};
use crate::queries::Site;
use crate::ranks::{RANK, Ranks};
use crate::rows::Ids;
use crate::source::Taken;
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Device, PropertyIx, Things, ready_made};
use std::collections::BTreeMap;
use std::sync::Arc;

const START: i64 = 1_767_225_600_000_000_000;
const JITTER: i64 = 400_000_000;

/// Rows in batches.
pub(super) struct Stream {
    pub(super) site: Site,
    /// As queries that group by device get them.
    pub(super) batches: Vec<Taken>,
    /// The same with names, as a batch query gets them.
    pub(super) named: Vec<RecordBatch>,
}

/// Makes rows, batch by batch.
pub(super) struct Maker {
    pub(super) things: Arc<Things>,
    ranks: Ranks,
    devices: u32,
    /// Of their own time.
    per_second: u64,
    made: usize,
    random: u64,
}

impl Maker {
    pub(super) fn new(devices: u32, per_second: u64) -> Maker {
        let things = Arc::new(things(devices));
        let ranks = Ranks::new(&things);
        Maker { things, ranks, devices, per_second, made: 0, random: 7 }
    }

    /// The next rows, as queries that group by device get them.
    pub(super) fn taken(&mut self, rows: usize) -> Taken {
        let (from, made) = (self.made, self.rows(rows));
        taken(&self.things, &self.ranks, from, &made)
    }

    /// The next rows, with the names of their devices too.
    pub(super) fn with_names(&mut self, rows: usize) -> Taken {
        let (from, made) = (self.made, self.rows(rows));
        let taken = taken(&self.things, &self.ranks, from, &made);
        let named = with_names(&self.things, &made);
        let columns = named.columns().iter().chain(taken.batch.columns().last()).cloned().collect();
        let fields =
            named.schema().fields().iter().chain(taken.batch.schema().fields().last()).cloned().collect::<Vec<_>>();
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).expect("as long as each other");
        Taken { batch, ..taken }
    }

    fn rows(&mut self, rows: usize) -> Vec<Made> {
        let from = self.made;
        self.made += rows;
        (from..self.made).map(|at| self.row(at)).collect()
    }

    fn row(&mut self, at: usize) -> Made {
        let on_time = START + (at as i64 * 1_000_000_000) / self.per_second as i64;
        let ts = on_time - JITTER + self.random(2 * JITTER as u64) as i64;
        (self.random(self.devices.into()) as u32, ts, on_time + JITTER, self.random(2_000) as f64 / 100.0)
    }

    fn random(&mut self, most: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % most
    }
}

impl Stream {
    /// So many rows of so many devices, so many of them in a second of their own time, in batches.
    pub(super) fn new(rows: usize, devices: u32, per_second: u64, batch: usize) -> Stream {
        let mut maker = Maker::new(devices, per_second);
        let (mut batches, mut named) = (vec![], vec![]);
        for from in (0..rows).step_by(batch) {
            let made = maker.rows(batch.min(rows - from));
            batches.push(taken(&maker.things, &maker.ranks, from, &made));
            named.push(with_names(&maker.things, &made));
        }
        Stream { site: maker.things.into(), batches, named }
    }

    /// The property that the rows hold.
    pub(super) fn wind_speed(&self) -> PropertyIx {
        let model = self.site.things.model_of(DeviceIx(0));
        model.property("wind_speed").map(|(property, _)| property).expect("the model has it")
    }
}

fn things(devices: u32) -> Things {
    let mut things = Things::default();
    let model = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("the model is there");
    let model = things.add_model(Arc::new(model));
    for number in 0..devices {
        let id = format!("wind-turbine-{number:05}").into();
        things.add_device(Device { id, model, labels: BTreeMap::new() }).expect("a new id");
    }
    things
}

/// A row: its device, its time, when the gateway got it, and a wind speed.
type Made = (u32, i64, i64, f64);

fn taken(things: &Arc<Things>, ranks: &Ranks, from: usize, rows: &[Made]) -> Taken {
    let ts: Vec<i64> = rows.iter().map(|(_, ts, ..)| *ts).collect();
    let rank = |(device, ..): &Made| ranks.of(DeviceIx(*device));
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(rows.iter().map(rank)));
    Taken {
        batch: batch([("ts", times(rows)), ("wind_speed", speeds(rows)), (RANK, numbers)]),
        ts: Arc::new(ts),
        heard: rows.iter().map(|(_, _, heard, _)| *heard).collect(),
        offsets: Arc::new((from as u64..).take(rows.len()).collect()),
        ids: Ids::Devices(Arc::new(rows.iter().map(|(device, ..)| DeviceIx(*device)).collect()), things.clone()),
    }
}

fn with_names(things: &Things, rows: &[Made]) -> RecordBatch {
    let names = rows.iter().map(|(device, ..)| Some(&*things.device(DeviceIx(*device)).id));
    let names: ArrayRef = Arc::new(names.collect::<StringArray>());
    batch([("device", names), ("ts", times(rows)), ("wind_speed", speeds(rows))])
}

fn times(rows: &[Made]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(rows.iter().map(|(_, ts, ..)| *ts)))
}

fn speeds(rows: &[Made]) -> ArrayRef {
    Arc::new(rows.iter().map(|(.., value)| Some(*value)).collect::<Float64Array>())
}

fn batch(columns: [(&str, ArrayRef); 3]) -> RecordBatch {
    let fields = columns.iter().map(|(name, column)| Field::new(*name, column.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.map(|(_, column)| column).to_vec()).expect("as long as each other")
}
