//! Faults that are switched on and off by writing a point.

use super::state::{Device, State};
use crate::config::{Effect, Form, Kind, Point, Switch, What};
use crate::driver::sentence;
use edgeway_sdk::{Batch, DeviceIx, Fault, PointSpec, Quality, Timestamp, Value, WriteOp, did_you_mean};
use std::sync::LazyLock;
use std::time::Duration;
use tokio::time::Instant;

/// The word, and the number 0, for a device without a fault.
const NONE: &str = "none";

/// A switch that is planned.
#[derive(Debug, Clone)]
pub(super) struct Thrown {
    /// Whose fault it switches.
    device: DeviceIx,
    /// The device that the switch is a point of.
    pub(super) of_step: DeviceIx,
    lasts: Option<Duration>,
    form: Form,
}

/// A fault that has been switched on.
#[derive(Debug, Clone)]
pub(super) struct Switched {
    kind: Kind,
    /// `None`: until another one is. A cut of the wire without an end is told once.
    pub(super) until: Option<Instant>,
}

impl Switched {
    pub(super) fn is_on(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

pub(super) fn is_switch(point: &PointSpec) -> bool {
    point.options["at"] == "fault"
}

/// The effects of faults that are switched on, without further options.
static USUAL: LazyLock<[Effect; 11]> = LazyLock::new(|| Kind::ALL.map(|(_, kind)| Effect::usual(kind)));

impl Device {
    /// What is switched on.
    pub(super) fn switched_effect(&self) -> Option<&'static Effect> {
        self.switched_kind().map(|kind| &USUAL[kind as usize])
    }

    fn switched_kind(&self) -> Option<Kind> {
        let switched = self.switched.lock().expect("no thread panics while it holds this lock");
        switched.as_ref().filter(|switched| switched.is_on()).map(|switched| switched.kind)
    }
}

impl State {
    /// Finds whose fault a switch switches.
    pub(super) fn switch(&self, point: &PointSpec) -> Result<Thrown, String> {
        let options = Point::read(&point.options, point.access).map_err(|problems| sentence(&problems))?;
        let What::Switch(Switch { of, lasts, form }) = options.what else { return Err("this is no switch".into()) };
        let device = of.map_or(Ok(point.device), |of| self.device_named(&of))?;
        Ok(Thrown { device, of_step: point.device, lasts, form })
    }

    fn device_named(&self, name: &str) -> Result<DeviceIx, String> {
        let mut found = self.named().filter(|(_, known)| *known == name).map(|(device, _)| device);
        match (found.next(), found.next()) {
            (Some(device), None) => Ok(device),
            (Some(_), Some(_)) => Err(format!("several devices of the link have the `name` `{name}`")),
            (None, _) => {
                let mut names: Vec<&str> = self.named().map(|(_, name)| name).collect();
                names.sort_unstable();
                let help = did_you_mean(name, names).map(|help| format!(" ({help})")).unwrap_or_default();
                Err(format!("no device of the link has the `name` `{name}`{help}"))
            }
        }
    }

    /// Throws a switch and says what it then shows; `None` if the point is none.
    ///
    /// # Errors
    /// [`Fault::Point`] if the value is no fault.
    pub(super) fn throw(&self, op: &WriteOp) -> Result<Option<Value>, Fault> {
        let Some(thrown) = self.switches.get(&op.point) else { return Ok(None) };
        let kind = kind_of(&op.value).map_err(|reason| Fault::Point {
            point: op.point,
            quality: Quality::BadOutOfRange,
            reason,
        })?;
        let until = thrown.lasts.map(|lasts| Instant::now() + lasts);
        let switched = kind.map(|kind| Switched { kind, until });
        let place = match kind {
            // It is the wire that is cut, whoever has done it.
            Some(Kind::LinkLoss) => &self.cut,
            _ => match self.device(thrown.device) {
                Some(device) => &device.switched,
                None => return Err(Fault::Config("the device of this switch is not planned".into())),
            },
        };
        *place.lock().expect("no thread panics while it holds this lock") = switched;
        Ok(Some(shown(kind, thrown.form)))
    }

    /// Reads the switches of a step.
    pub(super) fn show_switches(&self, at: u32, out: &mut Batch) -> Result<(), Fault> {
        let step = self.switch_steps.get(at as usize).ok_or_else(|| Fault::Step("the step is not planned".into()))?;
        let now = Timestamp::now();
        for (point, ()) in step {
            let Some(thrown) = self.switches.get(point) else { continue };
            let kind = self.device(thrown.device).and_then(Device::switched_kind);
            out.good(*point, shown(kind, thrown.form), now);
        }
        Ok(())
    }
}

fn shown(kind: Option<Kind>, form: Form) -> Value {
    match form {
        Form::Word => kind.map_or(NONE, Kind::word).into(),
        Form::Number => Value::Int(kind.map_or(0, |kind| kind as i64 + 1)),
    }
}

/// The fault that a word or a number means; `None` is none.
fn kind_of(value: &Value) -> Result<Option<Kind>, String> {
    let words = || Kind::ALL.iter().map(|(word, _)| *word).chain([NONE]);
    let by_number = |number: f64| match number {
        0.0 => Some(None),
        number if number.fract() == 0.0 && number > 0.0 => {
            Kind::ALL.get(number as usize - 1).map(|(_, kind)| Some(*kind))
        }
        _ => None,
    };
    if let Some(number) = value.as_f64() {
        return by_number(number).ok_or_else(|| format!("{number} is no fault (0 to {})", Kind::ALL.len()));
    }
    let word = value.as_str().unwrap_or_default();
    let found = Kind::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| Some(*kind));
    found.or_else(|| [NONE, ""].contains(&word).then_some(None)).ok_or_else(|| {
        let help = did_you_mean(word, words()).map(|help| format!(" ({help})")).unwrap_or_default();
        format!("`{value}` is no fault{help}")
    })
}
