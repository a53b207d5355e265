//! From options to the sources of values.

use crate::clock::Clock;
use crate::config::{Point, Shape, SignalOptions, What};
use crate::signals::{Place, Signal, Source, States, Walk};
use crate::waves::{Wave, phase, salt};
use crate::world::mix;
use edgeway_sdk::{DeviceIx, PointIx, did_you_mean};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What every source of a link depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maker {
    pub(crate) seed: u64,
    pub(crate) clock: Clock,
}

/// A point that is to get a source.
pub(crate) struct Wanted {
    pub(crate) point: PointIx,
    pub(crate) device: DeviceIx,
    pub(crate) options: Point,
}

/// The source of each point, or why it has none.
pub(crate) type Sources = HashMap<PointIx, Result<Arc<Source>, String>>;

/// How the formulas and services of a device find its points.
pub(crate) type Names = HashMap<(DeviceIx, String), Arc<Source>>;

impl Maker {
    /// The sources of points; registers that are `kept` are taken over with what was written to them.
    pub(crate) fn sources(
        &self,
        wanted: Vec<Wanted>,
        kept: &HashMap<PointIx, Arc<Source>>,
        named: &mut Names,
    ) -> Sources {
        let mut sources = Sources::new();
        let mut formulas = vec![];
        let mut taken: HashMap<(DeviceIx, String), PointIx> = HashMap::new();
        for wanted in wanted {
            let Wanted { point, device, options } = wanted;
            if let Some(name) = &options.name
                && taken.insert((device, name.clone()), point).is_some()
            {
                sources.insert(point, Err(format!("the device has two points with the name `{name}`")));
                continue;
            }
            match self.plain(point, &options, kept) {
                Some(source) => {
                    note(named, device, options.name.as_deref(), source.as_ref().ok());
                    sources.insert(point, source);
                }
                None => formulas.push(Wanted { point, device, options }),
            }
        }
        self.resolve(formulas, named, &mut sources);
        sources
    }

    /// The sources of what an event or a service carries; their formulas see the points of the device.
    pub(crate) fn outputs(
        &self,
        device: DeviceIx,
        of: &str,
        outputs: Vec<(String, Point)>,
        named: &Names,
    ) -> Result<Vec<(String, Arc<Source>)>, String> {
        let mut made = vec![];
        for (field, options) in outputs {
            // Numbers that no point has; the text keeps the fields of a device apart.
            let salt = mix(mix(self.seed) ^ mix(u64::from(device.0) << 32 ^ hash(of) ^ hash(&field).rotate_left(7)));
            let What::Signal(signal) = options.what else { continue };
            let source = match formula_points(&signal) {
                Some(names) => self.formula(&signal, salt, known(&names, device, named)?),
                None => self.signal(&signal, salt),
            };
            made.push((field, source));
        }
        Ok(made)
    }

    /// A source that depends on no other; `None` if it is a formula.
    fn plain(
        &self,
        point: PointIx,
        options: &Point,
        kept: &HashMap<PointIx, Arc<Source>>,
    ) -> Option<Result<Arc<Source>, String>> {
        Some(match &options.what {
            What::Signal(SignalOptions { shape: Shape::Formula(_), .. }) => return None,
            What::Signal(signal) => Ok(self.signal(signal, salt(self.seed, point))),
            What::Register { value } => Ok(kept.get(&point).cloned().unwrap_or_else(|| {
                let signal = Signal::Register(Mutex::new(value.clone()));
                Arc::new(Source { signal, jitter: 0.0, resolution: None, salt: 0 })
            })),
            What::Property { name } => Err(format!("`{name}` needs a link with `world = \"wind-farm\"` or \"hotel\"")),
            What::Column(column) => Err(format!("column `{}` needs a link with `replay`", column.name)),
            What::Switch(_) => Err("a switch has no source".into()),
        })
    }

    /// Makes formulas whose points are known until no further one can be made.
    fn resolve(&self, mut formulas: Vec<Wanted>, named: &mut Names, sources: &mut Sources) {
        loop {
            let before = formulas.len();
            formulas.retain(|wanted| {
                let What::Signal(signal) = &wanted.options.what else { return false };
                let names = formula_points(signal).unwrap_or_default();
                let Ok(points) = known(&names, wanted.device, named) else { return true };
                let source = self.formula(signal, salt(self.seed, wanted.point), points);
                note(named, wanted.device, wanted.options.name.as_deref(), Some(&source));
                sources.insert(wanted.point, Ok(source));
                false
            });
            if formulas.len() == before {
                break;
            }
        }
        let waiting: Vec<(DeviceIx, Option<String>)> =
            formulas.iter().map(|wanted| (wanted.device, wanted.options.name.clone())).collect();
        for wanted in formulas {
            let What::Signal(signal) = &wanted.options.what else { continue };
            let names = formula_points(signal).unwrap_or_default();
            let reason = unresolved(&names, wanted.device, named, &waiting);
            sources.insert(wanted.point, Err(reason));
        }
    }

    fn formula(&self, options: &SignalOptions, salt: u64, points: HashMap<String, Arc<Source>>) -> Arc<Source> {
        let salt = options.seed.map_or(salt, mix);
        let Shape::Formula(formula) = options.shape.clone() else { return self.signal(options, salt) };
        let signal = Signal::Formula { formula, points };
        Arc::new(Source { signal, jitter: options.jitter, resolution: options.resolution, salt })
    }

    fn signal(&self, options: &SignalOptions, salt: u64) -> Arc<Source> {
        let salt = options.seed.map_or(salt, mix);
        let signal = self.shape(&options.shape, salt);
        Arc::new(Source { signal, jitter: options.jitter, resolution: options.resolution, salt })
    }

    fn shape(&self, shape: &Shape, salt: u64) -> Signal {
        let drawn = |given: &Option<f64>| given.unwrap_or_else(|| phase(salt));
        match shape.clone() {
            Shape::Wave { shape, cycle, amplitude, base, phase: given, wrap } => {
                let (cycle_ns, phase) = (self.nanos(cycle), drawn(&given));
                Signal::Wave(Wave { shape, cycle_ns, phase, amplitude, base, wrap, salt })
            }
            Shape::Pulse { cycle, width, amplitude, base, phase } => {
                let share = width.as_secs_f64() / cycle.as_secs_f64();
                Signal::Pulse { cycle_ns: self.nanos(cycle), share, phase: drawn(&phase), amplitude, base }
            }
            Shape::Step { after, amplitude, base } => Signal::Step { after, amplitude, base },
            Shape::Gaussian { base, deviation } => Signal::Gaussian { base, deviation },
            Shape::Walk { base, min, max, step, every } => {
                let place = Mutex::new(Place { steps: 0, value: base });
                Signal::Walk(Walk { min, max, step, every, salt, place })
            }
            Shape::Total { base, rate_per_s, wrap } => Signal::Total { base, rate_per_s, wrap },
            Shape::States { values, lasts, phase } => {
                let lasts: Vec<Duration> = lasts.into_iter().map(|lasts| self.clock.shrunk(lasts)).collect();
                Signal::States(States::new(&values, &lasts, drawn(&phase)))
            }
            Shape::Constant(value) => Signal::Constant(value),
            Shape::Formula(formula) => Signal::Formula { formula, points: HashMap::new() },
        }
    }

    /// A cycle by the clock, at least a nanosecond.
    fn nanos(&self, cycle: Duration) -> i64 {
        i64::try_from(self.clock.shrunk(cycle).as_nanos()).unwrap_or(i64::MAX).max(1)
    }
}

/// A number for a text.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| mix(hash ^ u64::from(byte)))
}

fn note(named: &mut Names, device: DeviceIx, name: Option<&str>, source: Option<&Arc<Source>>) {
    if let (Some(name), Some(source)) = (name, source) {
        named.insert((device, name.to_owned()), source.clone());
    }
}

/// The names of points in a formula; `None` if the signal is none.
fn formula_points(signal: &SignalOptions) -> Option<Vec<String>> {
    let Shape::Formula(formula) = &signal.shape else { return None };
    Some(formula.points().map(str::to_owned).collect())
}

fn known(names: &[String], device: DeviceIx, named: &Names) -> Result<HashMap<String, Arc<Source>>, String> {
    let find = |name: &String| match named.get(&(device, name.clone())) {
        Some(source) => Ok((name.clone(), source.clone())),
        None => Err(unknown(name, device, named)),
    };
    names.iter().map(find).collect()
}

fn unknown(name: &str, device: DeviceIx, named: &Names) -> String {
    let all = named.keys().filter(|(of, _)| *of == device).map(|(_, name)| name.as_str());
    let mut all: Vec<&str> = all.chain(crate::formula::BUILT_IN).collect();
    all.sort_unstable();
    let help = did_you_mean(name, all).map(|help| format!(" ({help})")).unwrap_or_default();
    format!("the formula's `{name}` is the `name` of no point of the device{help}")
}

fn unresolved(names: &[String], device: DeviceIx, named: &Names, waiting: &[(DeviceIx, Option<String>)]) -> String {
    let is_waiting = |name: &String| waiting.iter().any(|(of, point)| *of == device && point.as_ref() == Some(name));
    let lacking = names.iter().filter(|name| !named.contains_key(&(device, (*name).clone())));
    match lacking.clone().find(|name| !is_waiting(name)) {
        Some(name) => unknown(name, device, named),
        None => format!(
            "the formula needs {}, which has no value without it or another formula that has none",
            lacking.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
        ),
    }
}
