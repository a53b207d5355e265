//! Points to requests. Pure: the same points give the same requests.

use crate::codec::{self, Format};
use crate::config::{BITS_MAX, BitsWith, DeviceOptions, Framing, LinkOptions, Point, Table, WriteWith};
use crate::wire::EVERYBODY;
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
    /// All that is read for it.
    pub(crate) place: Place,
    pub(crate) value: Part,
    pub(crate) write_with: WriteWith,
    pub(crate) bits_with: BitsWith,
    period: Duration,
    limits: Limits,
    /// Nobody answers.
    pub(crate) unheard: bool,
}

/// Where in a place a value is, in registers from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) offset: u16,
    pub(crate) format: Format,
    /// Where its power of ten is.
    pub(crate) exponent: Option<u16>,
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
    value: Part,
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
        if target.unheard && target.access.reads() {
            let reason = "unit 0 is everybody on this line, who hear and do not answer (make the point `write`-only)";
            self.rejected.push((target.point, reason.into()));
        }
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
    let value = Place { unit: device.unit, table, start: point.address.number, count: format.kind.registers() };
    let exponent = point.exponent.map(|start| Place { start, count: 1, ..value });
    let place = exponent.map_or(value, |exponent| value.min(exponent).through(value.max(exponent)));
    Ok(Target {
        point: spec.ix,
        device: spec.device,
        access: spec.access,
        place,
        value: Part {
            offset: value.start - place.start,
            format,
            exponent: exponent.map(|exponent| exponent.start - place.start),
        },
        write_with: device.write_with,
        bits_with: device.bits_with,
        period: spec.period,
        limits: Limits::of(table, link, device),
        unheard: link.framing != Framing::Tcp && device.unit == EVERYBODY,
    })
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
    targets.retain(|target| target.access.reads() && !target.unheard);
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
        let item = Item { point: target.point, value: target.value };
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
        let value = target.value.moved(target.place.start - self.place.start);
        self.items.push(Item { point: target.point, value });
        self.place = self.place.through(target.place);
    }

    /// Puts the value of every point into the batch.
    pub(crate) fn unpack(&self, answer: &[u8], out: &mut Batch, time: Timestamp) {
        for item in &self.items {
            let (value, quality) = item.value.of(self.place.table, answer);
            out.push(item.point, value, quality, time);
        }
    }

    /// How long question and answer take on the wire, if it is a serial line.
    pub(crate) fn wire_time(&self, link: &LinkOptions) -> Duration {
        const QUESTION_PDU: usize = 5;
        const ANSWER_HEAD: usize = 2;
        let Some(serial) = link.serial else { return Duration::ZERO };
        let data = self.place.bytes();
        let characters = link.framing.characters(QUESTION_PDU) + link.framing.characters(ANSWER_HEAD + data);
        serial.takes(characters as f64) + 2 * serial.silence().max(link.pause)
    }
}

impl Place {
    /// How many bytes its entries take in an answer.
    fn bytes(self) -> usize {
        usize::from(if self.table.holds_bits() { self.count.div_ceil(8) } else { self.count * 2 })
    }
}

impl Part {
    /// The same in a place that starts so much earlier.
    fn moved(self, by: u16) -> Part {
        Part { offset: self.offset + by, exponent: self.exponent.map(|exponent| exponent + by), ..self }
    }

    /// The same in a place that holds nothing else.
    pub(crate) fn alone(self) -> Part {
        Part { offset: 0, exponent: None, ..self }
    }

    /// The value in an answer.
    pub(crate) fn of(self, table: Table, answer: &[u8]) -> (Value, Quality) {
        if table.holds_bits() {
            let at = usize::from(self.offset);
            return (Value::Bool(answer[at / 8] >> (at % 8) & 1 == 1), Quality::Good);
        }
        let registers = |offset: u16, count: u16| &answer[usize::from(offset) * 2..usize::from(offset + count) * 2];
        let (value, quality) = codec::decode(registers(self.offset, self.format.kind.registers()), self.format);
        let Some(at) = self.exponent.filter(|_| !quality.is_bad()) else { return (value, quality) };
        match codec::exponent(registers(at, 1)).map(|exponent| codec::scaled(&value, exponent)) {
            None | Some(Value::Null) => (Value::Null, Quality::BadOutOfRange),
            Some(scaled) => (scaled, quality),
        }
    }
}

#[cfg(test)]
mod tests;
