//! What turbines, masts, rooms and meters have in common: an address, and properties with names.

use super::{Mast, Meter, Room, Turbine};
use crate::Error;
use edgeway_sdk::Value;
use std::fmt;

/// What a simulated thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A wind turbine of 3 MW.
    Turbine,
    /// A met mast.
    Mast,
    /// A hotel room.
    Room,
    /// An energy meter of three phases.
    Meter,
}

impl Kind {
    /// Every kind there is.
    pub(crate) const ALL: [Kind; 4] = [Kind::Turbine, Kind::Mast, Kind::Room, Kind::Meter];

    /// What its properties are, in order; a [`PropertyAt`] is a place in this list.
    pub(crate) fn properties(self) -> Vec<&'static About> {
        match self {
            Kind::Turbine => about::<Turbine>(),
            Kind::Mast => about::<Mast>(),
            Kind::Room => about::<Room>(),
            Kind::Meter => about::<Meter>(),
        }
    }

    /// Where a property is.
    pub(crate) fn find(self, name: &str) -> Option<PropertyAt> {
        self.properties().iter().position(|about| about.name == name).map(PropertyAt)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Turbine => "turbine",
            Kind::Mast => "mast",
            Kind::Room => "room",
            Kind::Meter => "meter",
        })
    }
}

fn about<T: Described>() -> Vec<&'static About> {
    T::PROPERTIES.iter().map(|property| &property.about).collect()
}

/// A property's place in its thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PropertyAt(usize);

/// What is known of a property without looking at a thing.
#[derive(Debug)]
pub(crate) struct About {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// The numbers it takes; none if it can only be read.
    pub(crate) takes: Option<(f64, f64)>,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// True is 1.
    Flag,
    /// Without a fraction.
    Whole,
    /// With a fraction.
    Real,
    /// A whole number that makes something happen when written; reads 0.
    Command,
}

impl Form {
    fn value(self, number: f64) -> Value {
        match self {
            Form::Flag => Value::Bool(number != 0.0),
            Form::Whole | Form::Command => Value::Int(number as i64),
            Form::Real => Value::Float(number),
        }
    }
}

impl About {
    /// Checks a number before it is set.
    fn check(&self, number: f64) -> Result<(), Error> {
        let property = self.name;
        let (min, max) = self.takes.ok_or(Error::ReadOnly(property))?;
        if !(min..=max).contains(&number) {
            return Err(Error::OutOfRange { property, min, max, found: number });
        }
        if self.form != Form::Real && number.fract() != 0.0 {
            return Err(Error::NotWhole { property, found: number });
        }
        Ok(())
    }
}

/// A property of a `T`. Everything is a number inside: that is what the physics and the registers work with.
pub(crate) struct Property<T: 'static> {
    about: About,
    get: fn(&T) -> f64,
    set: fn(&mut T, f64),
}

impl<T> Property<T> {
    const fn new(name: &'static str, form: Form, get: fn(&T) -> f64) -> Self {
        Property { about: About { name, form, takes: None }, get, set: |_, _| {} }
    }

    pub(crate) const fn real(name: &'static str, get: fn(&T) -> f64) -> Self {
        Property::new(name, Form::Real, get)
    }

    pub(crate) const fn whole(name: &'static str, get: fn(&T) -> f64) -> Self {
        Property::new(name, Form::Whole, get)
    }

    pub(crate) const fn flag(name: &'static str, get: fn(&T) -> f64) -> Self {
        Property::new(name, Form::Flag, get)
    }

    pub(crate) const fn command(name: &'static str, min: f64, max: f64, set: fn(&mut T, f64)) -> Self {
        Property::new(name, Form::Command, |_| 0.0).takes(min, max, set)
    }

    pub(crate) const fn takes(mut self, min: f64, max: f64, set: fn(&mut T, f64)) -> Self {
        self.about.takes = Some((min, max));
        self.set = set;
        self
    }
}

/// A thing as its author writes it: a kind, and a table of properties.
pub(crate) trait Described: Sized + Send + 'static {
    const KIND: Kind;
    const PROPERTIES: &'static [Property<Self>];
}

/// A thing as servers and drivers see it.
pub(crate) trait Thing: Send {
    fn kind(&self) -> Kind;
    /// The property as a number.
    fn number(&self, at: PropertyAt) -> f64;
    /// The property as a value.
    fn value(&self, at: PropertyAt) -> Value;
    /// Whether `set` would take this number.
    fn check(&self, at: PropertyAt, number: f64) -> Result<(), Error>;
    /// Sets a property.
    fn set(&mut self, at: PropertyAt, number: f64) -> Result<(), Error>;
    /// What is known of a property.
    fn about(&self, at: PropertyAt) -> &'static About;
}

impl<T: Described> Thing for T {
    fn kind(&self) -> Kind {
        T::KIND
    }

    fn number(&self, at: PropertyAt) -> f64 {
        (T::PROPERTIES[at.0].get)(self)
    }

    fn value(&self, at: PropertyAt) -> Value {
        self.about(at).form.value(self.number(at))
    }

    fn check(&self, at: PropertyAt, number: f64) -> Result<(), Error> {
        self.about(at).check(number)
    }

    fn set(&mut self, at: PropertyAt, number: f64) -> Result<(), Error> {
        self.check(at, number)?;
        (T::PROPERTIES[at.0].set)(self, number);
        Ok(())
    }

    fn about(&self, at: PropertyAt) -> &'static About {
        &T::PROPERTIES[at.0].about
    }
}

/// True is 1, false is 0.
pub(crate) fn flag(on: bool) -> f64 {
    f64::from(u8::from(on))
}
