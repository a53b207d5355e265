//! What a turbine of a hundred float points, read once a second, takes on disk.

use super::{BYTES_PER_VALUE_MOST, Figure, figure};
use crate::spine::MessageJournal;
use edgeway_codec::MessageCodec;
use edgeway_journal::inspect::{self, Depth};
use edgeway_journal::{Class, Options, Placement};
use edgeway_sdk::{DeviceIx, Quality, Timestamp, Value};
use edgeway_thing_models::{Body, Device, Message, Model, Observation, PropertyIx, Report, Things};
use std::path::Path;
use std::sync::Arc;

const POINTS: u16 = 100;
/// Each in a group of its own, as at one reading a second.
const REPORTS: u64 = 2_000;
/// A float as devices hold it.
const PLAIN_BYTES_PER_VALUE: f64 = 4.0;

/// How values look.
#[derive(Debug, Clone, Copy)]
enum Look {
    /// Two decimals, as sensors have them.
    Decimals,
    /// All bits of a 32-bit float, as filters and calculations give them.
    Noise,
}

pub(super) fn run(folder: &Path) -> Result<Vec<Figure>, String> {
    let decimals = bytes_per_value(folder, Look::Decimals)?;
    let noise = bytes_per_value(folder, Look::Noise)?;
    let reference = ("32-bit floats without time, name or quality", PLAIN_BYTES_PER_VALUE);
    let decimals = figure("disk, 100 decimal float points at 1 Hz".into(), decimals, "bytes/value", reference)
        .goal("at most 3 bytes per value", decimals <= BYTES_PER_VALUE_MOST);
    Ok(vec![decimals, figure("disk, 100 full-noise float points at 1 Hz".into(), noise, "bytes/value", reference)])
}

fn bytes_per_value(folder: &Path, look: Look) -> Result<f64, String> {
    let dir = folder.join(format!("turbine-{look:?}"));
    let things = Arc::new(things()?);
    let codec = MessageCodec::new(things, Box::new(|_| Placement::Disk(Class::Normal)));
    let journal = MessageJournal::open(&dir, codec, Options::default()).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let written = runtime.block_on(async {
        let mut values = Walk::new();
        for second in 0..REPORTS {
            let offsets = journal.append(vec![report(second, &mut values, look)]).await?;
            journal.durable(offsets.start).await?;
        }
        journal.close().await
    });
    written.map_err(|error| error.to_string())?;
    let segments = inspect::segments(&dir, Depth::Headers).map_err(|error| error.to_string())?;
    let bytes: u64 = segments.iter().map(|segment| segment.bytes_on_disk).sum();
    Ok(bytes as f64 / (REPORTS * u64::from(POINTS)) as f64)
}

fn things() -> Result<Things, String> {
    let property = |at| {
        format!(
            r#"{{"identifier":"p{at}","name":"p{at}","accessMode":"r","dataType":{{"type":"float","specs":{{"min":"-10000","max":"10000","unit":"kW"}}}}}}"#
        )
    };
    let properties: Vec<String> = (0..POINTS).map(property).collect();
    let text = format!(r#"{{"properties":[{}],"events":[],"services":[]}}"#, properties.join(","));
    let model = Model::parse("turbine", &text).map_err(|problems| format!("{problems:?}"))?;
    let mut things = Things::default();
    let model = things.add_model(Arc::new(model));
    things.add_device(Device { id: "wt-01".into(), model, labels: Default::default() });
    Ok(things)
}

fn report(second: u64, values: &mut Walk, look: Look) -> Message {
    let at = Timestamp::from_millis(1_795_000_000_000 + second as i64 * 1000);
    let value = |property| {
        let value = f64::from(values.next(property, look));
        let (property, quality) = (PropertyIx(property), Quality::Good);
        Observation { property, value: Value::Float(value), quality, source_time: at }
    };
    let values = (0..POINTS).map(value).collect();
    Message { time: at, body: Body::Report(Report { device: DeviceIx(0), values }) }
}

/// Values that wander between 0 and 2,000.
struct Walk {
    values: Vec<f64>,
    noise: u64,
}

impl Walk {
    fn new() -> Self {
        let values = (0..POINTS).map(|at| 20.0 + f64::from(at) * 17.5).collect();
        Walk { values, noise: 0x9E37_79B9_7F4A_7C15 }
    }

    fn next(&mut self, property: u16, look: Look) -> f32 {
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        let step = (self.noise >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        let value = &mut self.values[usize::from(property)];
        *value = (*value + step * 4.0).clamp(0.0, 2000.0);
        match look {
            Look::Decimals => ((*value * 100.0).round() / 100.0) as f32,
            Look::Noise => *value as f32,
        }
    }
}
