//! From raw values to reports and back.
//!
//! Names were resolved when the site was loaded: a point's number leads straight to its device, its property and its
//! scale. Nothing is allocated but the messages themselves.

mod convert;
mod scaling;

use crate::check::CheckError;
use crate::message::{Body, Message, Observation, Report};
use crate::things::{PropertyIx, Things};
use edgeway_sdk::{Batch, DeviceIx, PointIx, Quality, Timestamp, Value};
use scaling::Scaling;
use std::collections::HashMap;

/// What one point means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointBinding {
    /// The device that it belongs to.
    pub device: DeviceIx,
    /// The property that it holds.
    pub property: PropertyIx,
    /// The model's value is the raw one times this, plus `offset`. Finite and not 0; 1 leaves values as they are. It
    /// applies to bools and enums too: a contact that is closed when all is well has scale -1 and offset 1.
    pub scale: f64,
    /// Added after scaling, in the model's unit.
    pub offset: f64,
    /// Whether the point takes commands. If several points of a property do, the first of them gets them.
    pub writes: bool,
}

/// What all points of a site mean, by their numbers.
#[derive(Debug, Clone, Default)]
pub struct Binding {
    points: Vec<Option<Bond>>,
    writable: HashMap<(DeviceIx, PropertyIx), PointIx>,
}

#[derive(Debug, Clone, Copy)]
struct Bond {
    device: DeviceIx,
    property: PropertyIx,
    scaling: Scaling,
}

/// What [`Binding::bind`] made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bound {
    /// How many values the reports hold, or would hold if nothing were kept back.
    pub values: usize,
    /// How many of them are bad.
    pub bad: usize,
    /// How many of them were kept back.
    pub suppressed: usize,
    /// How many values had a good raw one of a type that the model does not take: see [`Binding::misfit`].
    pub misfits: usize,
}

impl Binding {
    /// Entry `i` is the meaning of point `i`; `None` for a point that is no property (an argument of a service).
    pub fn new(points: Vec<Option<PointBinding>>) -> Self {
        let mut writable = HashMap::new();
        for (at, point) in points.iter().enumerate() {
            if let Some(point) = point.filter(|point| point.writes) {
                let ix = PointIx(u32::try_from(at).expect("a site has fewer than 2^32 points"));
                writable.entry((point.device, point.property)).or_insert(ix);
            }
        }
        Binding { points: points.into_iter().map(|point| point.map(Bond::new)).collect(), writable }
    }

    /// Turns a batch into one report for each device in it, at the end of `out`.
    ///
    /// Values are converted to the model's type. What is not finite or outside the model's limits becomes
    /// [`Value::Null`] with [`Quality::BadOutOfRange`]; what has the wrong type, [`Value::Null`] with
    /// [`Quality::Bad`]. If a property comes twice, the last one counts. Points without a meaning are skipped.
    pub fn bind(&self, things: &Things, batch: &Batch, received: Timestamp, out: &mut Vec<Message>) -> Bound {
        self.bind_news(things, batch, received, out, |_, _| true)
    }

    /// Like [`Binding::bind`], but a report holds only values that are news. Every value is asked about, in the order of
    /// the batch, with the model's type and its final quality. A device without news has no report.
    pub fn bind_news(
        &self,
        things: &Things,
        batch: &Batch,
        received: Timestamp,
        out: &mut Vec<Message>,
        mut is_news: impl FnMut(DeviceIx, &Observation) -> bool,
    ) -> Bound {
        let start = out.len();
        let (mut at, mut kept_back, mut places) = (0, Bound::default(), Places::default());
        while at < batch.len() {
            let Some(Bond { device, .. }) = self.bond(batch.points[at]) else {
                at += 1;
                continue;
            };
            let run = self.run(*device, &batch.points[at..]);
            let news = self.observations(things, batch, at..at + run).filter_map(|(observation, is_misfit)| {
                kept_back.misfits += usize::from(is_misfit);
                let is_news = is_news(*device, &observation);
                if !is_news {
                    kept_back.values += 1;
                    kept_back.suppressed += 1;
                    kept_back.bad += usize::from(observation.quality.is_bad());
                }
                is_news.then_some(observation)
            });
            report(*device, received, run, &mut places, news, out);
            at += run;
        }
        count(&out[start..], kept_back)
    }

    /// What to write where, so that a property takes a value: the inverse of [`Binding::bind`]. The value is checked
    /// against the model once more.
    ///
    /// After scaling, a raw value that is a whole number but for floating-point noise is a [`Value::Int`]. One that is
    /// not stays a [`Value::Float`]: only the driver knows whether its device takes fractions.
    ///
    /// # Errors
    /// If no point takes the property, or the value does not fit the model.
    pub fn unbind(
        &self,
        things: &Things,
        device: DeviceIx,
        property: PropertyIx,
        value: &Value,
    ) -> Result<(PointIx, Value), CheckError> {
        let model = things.property(device, property);
        let found = self.writable.get(&(device, property)).and_then(|point| Some((*point, self.bond(*point)?)));
        let (point, bond) = found.ok_or_else(|| CheckError::NotMapped {
            name: model.identifier.to_string(),
            device: things.device(device).id.to_string(),
        })?;
        let value = model.data_type.coerce(value).map_err(|error| error.inside(&model.identifier))?;
        Ok((point, convert::to_raw(&bond.scaling, value)))
    }

    /// The model's value for a raw one that was read back; [`Value::Null`] with its quality if it does not fit.
    pub fn from_raw(&self, point: PointIx, things: &Things, raw: &Value) -> (Value, Quality) {
        match self.bond(point) {
            Some(bond) => bond.to_model(things, raw, Quality::Good),
            None => (Value::Null, Quality::Bad),
        }
    }

    /// Why the model takes no value of this type, in words. `None` if it does: the value fits, or is merely outside the model's limits.
    pub fn misfit(&self, point: PointIx, things: &Things, raw: &Value) -> Option<String> {
        let bond = self.bond(point)?;
        let data_type = &things.property(bond.device, bond.property).data_type;
        match convert::to_model(data_type, &bond.scaling, raw) {
            Err(Quality::Bad) => Some(convert::misfit(data_type, raw)),
            _ => None,
        }
    }

    fn bond(&self, point: PointIx) -> Option<&Bond> {
        self.points.get(point.0 as usize)?.as_ref()
    }

    /// How many points from the first on belong to the same device.
    fn run(&self, device: DeviceIx, points: &[PointIx]) -> usize {
        points.iter().take_while(|point| self.bond(**point).is_some_and(|bond| bond.device == device)).count()
    }

    /// What the points of a run hold, in the model's terms, and whether that is of a type that the model does not take.
    fn observations<'a>(
        &'a self,
        things: &'a Things,
        batch: &'a Batch,
        run: std::ops::Range<usize>,
    ) -> impl Iterator<Item = (Observation, bool)> + 'a {
        run.filter_map(move |at| {
            let bond = self.bond(batch.points[at])?;
            let raw = batch.qualities[at];
            let (value, quality) = bond.to_model(things, &batch.values[at], raw);
            let is_misfit = quality == Quality::Bad && !raw.is_bad();
            let source_time = batch.source_times[at];
            Some((Observation { property: bond.property, value, quality, source_time }, is_misfit))
        })
    }
}

impl Bond {
    fn new(point: PointBinding) -> Self {
        Bond { device: point.device, property: point.property, scaling: Scaling::new(point.scale, point.offset) }
    }

    fn to_model(self, things: &Things, raw: &Value, quality: Quality) -> (Value, Quality) {
        if quality.is_bad() {
            return (Value::Null, quality);
        }
        match convert::to_model(&things.property(self.device, self.property).data_type, &self.scaling, raw) {
            Ok(value) => (value, quality),
            Err(bad) => (Value::Null, bad),
        }
    }
}

/// Where the reports of one batch are. Devices tell thousands at once, so they are not searched for.
type Places = HashMap<DeviceIx, usize>;

/// Puts what a run of a device brought into its report. Nothing makes none.
fn report(
    device: DeviceIx,
    received: Timestamp,
    run: usize,
    places: &mut Places,
    values: impl Iterator<Item = Observation>,
    out: &mut Vec<Message>,
) {
    let mut values = values.peekable();
    if values.peek().is_none() {
        return;
    }
    let report = report_of(device, received, run, places, out);
    let mut seen = Seen::of(report);
    values.for_each(|observation| seen.put(report, observation));
}

/// The values of the device's report: of the one already made from this batch, or of a new one with room for a run.
fn report_of<'o>(
    device: DeviceIx,
    received: Timestamp,
    run: usize,
    places: &mut Places,
    out: &'o mut Vec<Message>,
) -> &'o mut Vec<Observation> {
    let at = *places.entry(device).or_insert(out.len());
    if at == out.len() {
        let values = Vec::with_capacity(run);
        out.push(Message { time: received, body: Body::Report(Report { device, values }) });
    }
    match &mut out[at].body {
        Body::Report(report) => &mut report.values,
        _ => unreachable!("the message was found or made as a report"),
    }
}

fn count(messages: &[Message], kept_back: Bound) -> Bound {
    let reports = messages.iter().filter_map(|message| match &message.body {
        Body::Report(report) => Some(&report.values),
        _ => None,
    });
    reports.fold(kept_back, |bound, values| Bound {
        values: bound.values + values.len(),
        bad: bound.bad + values.iter().filter(|observation| observation.quality.is_bad()).count(),
        ..bound
    })
}

/// Which properties a report holds already: a bit each for the first 1,024, a search for the rest.
struct Seen([u64; 16]);

impl Seen {
    fn of(values: &[Observation]) -> Self {
        let mut seen = Seen([0; 16]);
        for observation in values {
            seen.insert(observation.property);
        }
        seen
    }

    /// Notes a property; true if it may have been there before.
    fn insert(&mut self, property: PropertyIx) -> bool {
        let Some(word) = self.0.get_mut(usize::from(property.0 / 64)) else { return true };
        let bit = 1 << (property.0 % 64);
        let before = *word & bit != 0;
        *word |= bit;
        before
    }

    fn put(&mut self, values: &mut Vec<Observation>, observation: Observation) {
        if self.insert(observation.property)
            && let Some(old) = values.iter_mut().find(|old| old.property == observation.property)
        {
            *old = observation;
        } else {
            values.push(observation);
        }
    }
}

#[cfg(test)]
mod tests;
