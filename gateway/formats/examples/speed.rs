//! How many messages a second each format encodes, on one core: `cargo run --release -p edgeway-formats --example speed`.
//!
//! A message is a report of a wind turbine with five values, as a JSON payload of some 500 bytes.

use edgeway_formats::{Content, Format, Item, Surroundings, format, table_format};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_site::FormatSite;
use edgeway_thing_models::{
    Body, ClockState, Device, GatewayId, Message, MessageId, Observation, PropertyIx, Report, Things, ready_made,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const BATCH: usize = 100;
const VALUES: u16 = 5;
const RUN: Duration = Duration::from_secs(1);

fn main() {
    let around = around();
    let items: Vec<Item> = (0..BATCH as u64).map(item).collect();
    let sparkplug = FormatSite::SparkplugB { group: "farm".into(), node: "gateway".into() };
    let template = FormatSite::Template { text: "{{ message.device }}".into(), content_type: "text/plain".into() };
    let sites = [
        ("json, one by one", FormatSite::Json, 1),
        ("json, arrays of 100", FormatSite::Json, BATCH),
        ("json lines", FormatSite::JsonLines, BATCH),
        ("csv", FormatSite::Csv, BATCH),
        ("arrow", FormatSite::ArrowIpc, BATCH),
        ("protobuf", FormatSite::Protobuf, BATCH),
        ("sparkplug b", sparkplug, BATCH),
        ("alink", FormatSite::Alink { product_keys: BTreeMap::new() }, BATCH),
        ("template", template, BATCH),
    ];
    for (name, site, batch) in sites {
        measure(name, &mut *format(&site, batch, &around), &items);
    }
    measure("tables", &mut *table_format(&around), &items);
}

fn measure(name: &str, format: &mut dyn Format, items: &[Item]) {
    let (begin, mut messages, mut bytes) = (Instant::now(), 0, 0);
    while begin.elapsed() < RUN {
        let payloads = format.encode(items).expect("the format can say reports");
        bytes += payloads.iter().map(|payload| size(&payload.content)).sum::<usize>();
        messages += items.len();
    }
    let rate = messages as f64 / begin.elapsed().as_secs_f64();
    println!("{name:20} {rate:>10.0} messages/s {:>6} bytes/message", bytes / messages);
}

fn size(content: &Content) -> usize {
    match content {
        Content::Bytes(bytes, _) => bytes.len(),
        Content::Table(table) => table.batch.get_array_memory_size(),
    }
}

fn around() -> Surroundings {
    let mut things = Things::default();
    let turbine = ready_made().into_iter().find(|model| &*model.name == "wind-turbine").expect("shipped");
    let model = things.add_model(Arc::new(turbine));
    things.add_device(Device { id: "wt-07".into(), model, labels: BTreeMap::default() });
    Surroundings { things: Arc::new(things), site: "farm".into(), gateway: "farm-1".into() }
}

fn item(offset: u64) -> Item {
    let time = Timestamp::from_millis(1_795_424_400_500 + offset as i64);
    let seen = |property| Observation {
        property: PropertyIx(property),
        value: Value::Float(f64::from(7.1_f32) + offset as f64),
        quality: Quality::Good,
        source_time: time,
    };
    let body = Body::Report(Report { device: DeviceIx(0), values: (0..VALUES).map(seen).collect() });
    Item {
        message: Arc::new(Message { time, body }),
        id: MessageId { gateway: GatewayId::of("farm-1"), epoch: 7, offset },
        clock: ClockState::Set,
        selected: None,
        late: false,
    }
}
