//! Points to requests. Pure: the same points give the same requests.

use crate::codec::{self, Format};
use crate::config::{BITS_MAX, DeviceOptions, LinkOptions, Point, Table};
use edgeway_sdk::{Access, Batch, DeviceIx, DeviceSpec, Fault, PointIx, PointSpec, Problem, Quality, Timestamp, Value};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// A gap of one register costs as many bytes as one of this many bits.
const BITS_PER_GAP_REGISTER: u16 = 16;

/// A point, ready to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) point: PointIx,
    pub(crate) device: DeviceIx,
    pub(crate) access: Access,
    pub(crate) place: Place,
    pub(crate) format: Format,
    period: Duration,
    limits: Limits,
}

/// Neighbouring entries of a table of a unit. Shown as `unit 7, holding:100 to 109`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) unit: u8,
    pub(crate) table: Table,
    pub(crate) start: u16,
    pub(crate) count: u16,
}

/// How far a request may reach.
#[derive(Debug, Clone, Copy)]
struct Limits {
    count_max: u16,
    gap_max: u16,
}

/// What one step asks for.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) device: DeviceIx,
    pub(crate) period: Duration,
    pub(crate) place: Place,
    pub(crate) items: Vec<Item>,
}

/// A point's part of an answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) point: PointIx,
    offset: u16,
    format: Format,
}

/// What a unit answered: exactly as many entries as were asked for.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Bits(Vec<bool>),
    Registers(Vec<u16>),
}

/// Points with everything that their devices and their link add to them.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    pub(crate) accepted: Vec<Target>,
    /// With the reason.
    pub(crate) rejected: Vec<(PointIx, String)>,
}

impl Targets {
    /// Resolves points.
    ///
    /// # Errors
    /// [`Fault::Config`] if options are wrong that should have been checked before.
    pub(crate) fn resolve(link: &LinkOptions, devices: &[DeviceSpec], points: &[PointSpec]) -> Result<Self, Fault> {
        let devices = devices
            .iter()
            .map(|spec| Ok((spec.ix, DeviceOptions::parse(&spec.options).map_err(|problems| wrong(&problems))?)))
            .collect::<Result<HashMap<_, _>, Fault>>()?;
        let mut targets = Targets::default();
        for spec in points {
            let device =
                devices.get(&spec.device).ok_or_else(|| Fault::Config(format!("point {} has no device", spec.ix.0)))?;
            targets.add(target(link, device, spec)?);
        }
        Ok(targets)
    }

    fn add(&mut self, target: Target) {
        let (needs, most) = (target.place.count, target.limits.count_max);
        if needs > most {
            let reason = format!("its {needs} registers do not fit one request of {most} (`max_registers`)");
            self.rejected.push((target.point, reason));
        } else {
            self.accepted.push(target);
        }
    }
}

/// All problems in one fault, for options that should have been checked before.
pub(crate) fn wrong(problems: &[Problem]) -> Fault {
    Fault::Config(problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; "))
}

fn target(link: &LinkOptions, device: &DeviceOptions, spec: &PointSpec) -> Result<Target, Fault> {
    let point = Point::parse(&spec.options, spec.access).map_err(|problems| wrong(&problems))?;
    let format = point.format(device.order);
    let table = point.address.table;
    let place = Place { unit: device.unit, table, start: point.address.number, count: format.kind.registers() };
    let limits = Limits::of(table, link, device);
    Ok(Target { point: spec.ix, device: spec.device, access: spec.access, place, format, period: spec.period, limits })
}

impl Limits {
    fn of(table: Table, link: &LinkOptions, device: &DeviceOptions) -> Self {
        if table.holds_bits() {
            let gap_max = (link.gap_registers_max * BITS_PER_GAP_REGISTER).min(BITS_MAX);
            return Limits { count_max: link.bits_max, gap_max };
        }
        Limits { count_max: device.registers_max.unwrap_or(link.registers_max), gap_max: link.gap_registers_max }
    }
}

impl Place {
    /// The first entry after it, which for the last of a table is past all of them.
    fn end(self) -> u32 {
        u32::from(self.start) + u32::from(self.count)
    }

    /// From the start of this to the end of the later one.
    fn through(self, later: Place) -> Place {
        let count = self.end().max(later.end()) - u32::from(self.start);
        Place { count: u16::try_from(count).expect("targets lie within a table of 65,536 entries"), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { unit, table, start, count } = *self;
        write!(f, "unit {unit}, {table}:{start}")?;
        if count > 1 { write!(f, " to {}", self.end() - 1) } else { Ok(()) }
    }
}

/// The fewest requests that read these points, taking each as long as limits allow. Points share a request if they are
/// of one device, period and table, and the gap between them is not too wide. A value is never cut in two.
pub(crate) fn requests(mut targets: Vec<Target>) -> Vec<Request> {
    targets.retain(|target| target.access.reads());
    targets.sort_by_key(|target| (target.device, target.period, target.place, target.point));
    let mut requests: Vec<Request> = vec![];
    for target in targets {
        match requests.last_mut() {
            Some(request) if request.takes(&target) => request.push(&target),
            _ => requests.push(Request::of(&target)),
        }
    }
    requests
}

/// Two requests for the points of one that was refused; one if there is one point. The cut is at the widest gap, where
/// most likely the device has a hole, and of several such at the one nearest to the middle.
pub(crate) fn halves(mut targets: Vec<Target>) -> Vec<Request> {
    targets.sort_by_key(|target| (target.place, target.point));
    let (low, high) = targets.split_at(cut(&targets));
    [low, high].into_iter().filter_map(whole).collect()
}

fn cut(targets: &[Target]) -> usize {
    let mut end = 0;
    let mut best = None;
    for (at, target) in targets.iter().enumerate() {
        let gap = i64::from(target.place.start) - i64::from(end);
        let evenness = at.min(targets.len() - at);
        if at > 0 {
            best = best.max(Some((gap, evenness, at)));
        }
        end = end.max(target.place.end());
    }
    best.map_or(0, |(.., at)| at)
}

fn whole(targets: &[Target]) -> Option<Request> {
    let (first, rest) = targets.split_first()?;
    let mut request = Request::of(first);
    rest.iter().for_each(|target| request.push(target));
    Some(request)
}

impl Request {
    fn of(target: &Target) -> Self {
        let item = Item { point: target.point, offset: 0, format: target.format };
        Request { device: target.device, period: target.period, place: target.place, items: vec![item] }
    }

    /// Whether a target that does not start before this request can join it.
    fn takes(&self, target: &Target) -> bool {
        let same =
            self.device == target.device && self.period == target.period && self.place.table == target.place.table;
        let gap = u32::from(target.place.start).saturating_sub(self.place.end());
        let length = self.place.end().max(target.place.end()) - u32::from(self.place.start.min(target.place.start));
        same && gap <= u32::from(target.limits.gap_max) && length <= u32::from(target.limits.count_max)
    }

    fn push(&mut self, target: &Target) {
        let offset = target.place.start - self.place.start;
        self.items.push(Item { point: target.point, offset, format: target.format });
        self.place = self.place.through(target.place);
    }

    /// Puts the value of every point into the batch.
    pub(crate) fn unpack(&self, answer: &Answer, out: &mut Batch, time: Timestamp) {
        for item in &self.items {
            let (value, quality) = answer.value(item.offset, item.format);
            out.push(item.point, value, quality, time);
        }
    }
}

impl Answer {
    /// The value that starts at an offset.
    pub(crate) fn value(&self, offset: u16, format: Format) -> (Value, Quality) {
        let start = usize::from(offset);
        match self {
            Answer::Bits(bits) => (Value::Bool(bits[start]), Quality::Good),
            Answer::Registers(registers) => {
                codec::decode(&registers[start..start + usize::from(format.kind.registers())], format)
            }
        }
    }
}

#[cfg(test)]
mod tests;
