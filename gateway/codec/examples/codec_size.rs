//! What messages cost: bytes a value and nanoseconds a value, as a block and as plain postcard.
//!
//! `cargo run --release -p edgeway-codec --example codec_size`

use edgeway_codec::MessageCodec;
use edgeway_journal::{Class, Codec, Placement};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Device, Message, Observation, Property, PropertyIx, Report, Things, ready_made};
use std::sync::Arc;
use std::time::{Duration, Instant};

const PROPERTIES: u16 = 100;
const DEVICES: u32 = 100;

fn main() {
    let codec = MessageCodec::new(Arc::new(things()), Box::new(|_| Placement::Disk(Class::Normal)));
    println!("{:<44} {:>7} {:>17} {:>19} {:>19}", "", "", "bytes per value", "ns to write", "ns to read");
    println!(
        "{:<44} {:>7} {:>8} {:>8} {:>9} {:>9} {:>9} {:>9}",
        "frame", "values", "block", "postcard", "block", "postcard", "block", "postcard"
    );
    for (name, frame) in frames() {
        let (block, plain) = (measure_block(&codec, &frame), measure_postcard(&frame));
        println!(
            "{name:<44} {:>7} {:>8.2} {:>8.2} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
            values(&frame),
            block.bytes,
            plain.bytes,
            block.write_nanos,
            plain.write_nanos,
            block.read_nanos,
            plain.read_nanos
        );
    }
}

/// A turbine's numbers as a model of 100 properties would have them: wind, angles, powers, temperatures, counters.
fn turbine(random: &mut Random, property: u16) -> Value {
    let ranges = [(250, 1), (3600, 1), (20_000, 1), (2000, 2), (2200, 0), (900, 1), (69_000, 1), (999, 2)];
    let (high, places) = ranges[usize::from(property) * 5 % 8];
    Value::Float(random.below(high) as f64 / 10_f64.powi(places))
}

type Frame = Vec<Arc<Message>>;

fn frames() -> Vec<(&'static str, Frame)> {
    let decimal =
        |high, places| move |random: &mut Random, _: u16| Value::Float(random.below(high) as f64 / 10_f64.powi(places));
    let noise = |random: &mut Random, _: u16| Value::Float(f64::from((random.unit() * 2000.0) as f32));
    let double = |random: &mut Random, _: u16| Value::Float(random.unit() * 2000.0);
    let mixed = |random: &mut Random, property: u16| match property % 5 {
        0 => Value::Bool(random.below(20) == 0),
        1 => Value::Int(random.below(30) as i64),
        2 => Value::Float(f64::from(random.below(900) as f32 / 10.0)),
        3 => Value::Float(random.below(90_000) as f64 / 100.0),
        _ => Value::Text(["running", "stopped"][random.below(2) as usize].into()),
    };
    vec![
        ("1 report, turbine", independent(1, turbine)),
        ("1 report, 3 digits, 0..100, 1 decimal", independent(1, decimal(1000, 1))),
        ("1 report, 0..2000, 1 decimal", independent(1, decimal(20_000, 1))),
        ("1 report, 0..2000, 2 decimals", independent(1, decimal(200_000, 2))),
        ("1 report, f32 noise", independent(1, noise)),
        ("1 report, f64 noise", independent(1, double)),
        ("1 report, mixed types", independent(1, mixed)),
        ("100 turbines, one report each", independent(DEVICES, turbine)),
        ("100 turbines, f32 noise", independent(DEVICES, noise)),
        ("100 turbines, f64 noise", independent(DEVICES, double)),
        ("100 devices, mixed types", independent(DEVICES, mixed)),
        ("1 turbine, 100 reports that drift", drifting(100, 10.0)),
        ("1 device, 100 reports that drift, f32 noise", drifting(100, 0.0)),
        ("1 turbine, 100 reports, nothing changes", drifting(100, f64::INFINITY)),
    ]
}

/// A report of each device, a millisecond and some apart, with values that have nothing to do with each other.
fn independent(devices: u32, value: impl Fn(&mut Random, u16) -> Value) -> Frame {
    let mut random = Random(1);
    (0..devices).map(|device| report(device, device, &mut random, &value)).collect()
}

/// Reports of one device whose values move a little, in steps of one part in `per_unit`; 0: as 32 bits allow.
fn drifting(reports: u32, per_unit: f64) -> Frame {
    let mut random = Random(1);
    let mut values: Vec<f64> = (0..PROPERTIES).map(|_| random.unit() * 500.0).collect();
    let mut frame = vec![];
    for at in 0..reports {
        if per_unit.is_finite() {
            values.iter_mut().for_each(|value| *value += random.unit() - 0.5);
        }
        let stepped = |value: f64| match per_unit {
            0.0 => f64::from(value as f32),
            finite if finite.is_finite() => (value * finite).round() / finite,
            _ => value.round(),
        };
        frame.push(report(0, at, &mut random, |_, property| Value::Float(stepped(values[usize::from(property)]))));
    }
    frame
}

fn report(device: u32, at: u32, random: &mut Random, value: impl Fn(&mut Random, u16) -> Value) -> Arc<Message> {
    let nanos = 1_800_000_000_123_456_789 + i64::from(at) * 1_234_567 + random.below(100_000) as i64;
    let source_time = Timestamp::from_nanos(nanos - 3_000_000 - random.below(500_000) as i64);
    let values = (0..PROPERTIES).map(|property| Observation {
        property: PropertyIx(property),
        value: value(random, property),
        quality: Quality::Good,
        source_time,
    });
    let report = Report { device: DeviceIx(device), values: values.collect() };
    Arc::new(Message { time: Timestamp::from_nanos(nanos), body: Body::Report(report) })
}

struct Figures {
    bytes: f64,
    write_nanos: f64,
    read_nanos: f64,
}

fn measure_block(codec: &MessageCodec, frame: &Frame) -> Figures {
    let decoder = codec.decoder(&codec.preamble()).expect("own preamble");
    let mut bytes = vec![];
    let write = fastest(|| {
        bytes.clear();
        codec.encode(frame, &mut bytes);
    });
    let read = fastest(|| assert!(decoder.decode(&bytes, frame.len()).is_some()));
    figures(frame, bytes.len(), write, read)
}

fn measure_postcard(frame: &Frame) -> Figures {
    let mut bytes = vec![];
    let write = fastest(|| {
        bytes.clear();
        postcard::to_io(frame, &mut bytes).map(drop).expect("messages go to memory");
    });
    let read = fastest(|| assert!(postcard::from_bytes::<Vec<Message>>(&bytes).is_ok()));
    figures(frame, bytes.len(), write, read)
}

fn figures(frame: &Frame, bytes: usize, write: Duration, read: Duration) -> Figures {
    let values = values(frame) as f64;
    let each = |time: Duration| time.as_nanos() as f64 / values;
    Figures { bytes: bytes as f64 / values, write_nanos: each(write), read_nanos: each(read) }
}

/// The shortest of many runs: the one that nobody disturbed.
fn fastest(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    let begin = Instant::now();
    let mut best = time(&mut run);
    while begin.elapsed() < Duration::from_millis(200) {
        best = best.min(time(&mut run));
    }
    best
}

fn values(frame: &Frame) -> usize {
    let count = |message: &Arc<Message>| match &message.body {
        Body::Report(report) => report.values.len(),
        _ => 0,
    };
    frame.iter().map(count).sum()
}

/// A site of 100 devices with 100 properties: a ready-made model's first property, a hundred times.
fn things() -> Things {
    let mut model = ready_made().swap_remove(0);
    let property = model.properties[0].clone();
    let numbered = |at| Property { identifier: format!("p{at}").into(), ..property.clone() };
    model.properties = (0..PROPERTIES).map(numbered).collect();
    let mut things = Things::default();
    let model = things.add_model(Arc::new(model));
    for device in 0..DEVICES {
        things.add_device(Device { id: format!("wt-{device}").into(), model, labels: Default::default() });
    }
    things
}

/// A linear congruential generator: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn unit(&mut self) -> f64 {
        self.next() as f64 / (1_u64 << 53) as f64
    }
}
