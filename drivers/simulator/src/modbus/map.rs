//! Which property lies at which address.

use super::form::Form::{self, Bit, F32, F32Cdab, F64, I16, I32, U16, U32, U64};
use crate::Error;
use crate::world::{Kind, PropertyAt, Thing};
use Table::{Coil, Discrete, Holding, Input};
use std::sync::LazyLock;
use tokio_modbus::ExceptionCode;

/// The four address spaces of Modbus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Coil,
    Discrete,
    Input,
    Holding,
}

impl Table {
    /// The most addresses that one request may read.
    fn count_max(self) -> u16 {
        match self {
            Coil | Discrete => 2000,
            Input | Holding => 125,
        }
    }
}

/// A line of the map: table, address, form, register units per unit of the property, property.
type Line = (Table, u16, Form, f64, &'static str);

/// A property without a name: the address exists and answers 0.
const UNUSED: &str = "";

const TURBINE: &[Line] = &[
    (Holding, 100, F32, 1.0, "wind_speed"),
    (Holding, 102, F32, 1.0, "wind_direction"),
    (Holding, 104, F32, 1.0, "nacelle_direction"),
    (Holding, 106, I32, 10.0, "active_power"),
    (Holding, 108, U16, 100.0, "rotor_speed"),
    (Holding, 109, U16, 1.0, "generator_speed"),
    (Holding, 110, I16, 10.0, "pitch_angle"),
    (Holding, 111, I16, 10.0, "gear_oil_temperature"),
    (Holding, 112, I16, 10.0, "ambient_temperature"),
    (Holding, 113, U16, 1.0, "state"),
    (Holding, 114, U16, 1.0, "alarm_code"),
    (Holding, 115, U16, 1.0, UNUSED),
    (Holding, 116, U64, 10.0, "energy_total"),
    (Holding, 200, U16, 1.0, "power_limit"),
    (Holding, 201, U16, 1.0, "command"),
];

const MAST: &[Line] = &[
    (Input, 0, F32Cdab, 1.0, "wind_speed"),
    (Input, 2, F32Cdab, 1.0, "wind_direction"),
    (Input, 4, F32Cdab, 1.0, "ambient_temperature"),
    (Input, 6, F32Cdab, 1.0, "humidity"),
    (Input, 8, F32Cdab, 1.0, "air_pressure"),
];

const ROOM: &[Line] = &[
    (Discrete, 0, Bit, 1.0, "key_card"),
    (Discrete, 1, Bit, 1.0, "window_open"),
    (Discrete, 2, Bit, 1.0, "presence"),
    (Coil, 0, Bit, 1.0, "main_power"),
    (Coil, 1, Bit, 1.0, "ac_power"),
    (Input, 0, I16, 10.0, "temperature"),
    (Input, 1, U16, 10.0, "humidity"),
    (Input, 2, U32, 10.0, "power"),
    (Input, 4, U64, 1000.0, "energy_total"),
    (Holding, 0, U16, 10.0, "setpoint"),
    (Holding, 1, U16, 1.0, "ac_mode"),
    (Holding, 2, U16, 1.0, "light_level"),
    (Holding, 3, U16, 1.0, "light_scene"),
    (Holding, 4, U16, 1.0, "curtain"),
    (Holding, 5, U16, 1.0, "identify"),
];

const METER: &[Line] = &[
    (Holding, 0, F32, 1.0, "voltage_l1"),
    (Holding, 2, F32, 1.0, "voltage_l2"),
    (Holding, 4, F32, 1.0, "voltage_l3"),
    (Holding, 6, F32, 1.0, "current_l1"),
    (Holding, 8, F32, 1.0, "current_l2"),
    (Holding, 10, F32, 1.0, "current_l3"),
    (Holding, 12, F32, 1.0, "active_power"),
    (Holding, 14, F32, 1.0, "power_factor"),
    (Holding, 16, F32, 1.0, "frequency"),
    (Holding, 20, F64, 1.0, "energy_import"),
    (Holding, 24, F64, 1.0, "energy_export"),
];

static MAPS: LazyLock<[Map; 4]> = LazyLock::new(|| Kind::ALL.map(Map::new));

/// The addresses of one kind of thing.
pub(crate) struct Map {
    registers: Vec<Register>,
}

/// A line with its property found.
struct Register {
    table: Table,
    address: u16,
    form: Form,
    per_unit: f64,
    property: Option<PropertyAt>,
}

impl Map {
    pub(crate) fn of(kind: Kind) -> &'static Map {
        &MAPS[kind as usize]
    }

    fn new(kind: Kind) -> Map {
        let lines = match kind {
            Kind::Turbine => TURBINE,
            Kind::Mast => MAST,
            Kind::Room => ROOM,
            Kind::Meter => METER,
        };
        let register = |&(table, address, form, per_unit, name): &Line| {
            let property = (name != UNUSED).then(|| kind.find(name).expect("the map names properties that exist"));
            Register { table, address, form, per_unit, property }
        };
        Map { registers: lines.iter().map(register).collect() }
    }

    /// The words from `address` on. A part of a longer number may be read.
    pub(crate) fn read(
        &self,
        thing: &dyn Thing,
        table: Table,
        address: u16,
        count: u16,
    ) -> Result<Vec<u16>, ExceptionCode> {
        if count == 0 || count > table.count_max() {
            return Err(ExceptionCode::IllegalDataValue);
        }
        let end = address.checked_add(count).ok_or(ExceptionCode::IllegalDataAddress)?;
        let mut words = Vec::with_capacity(usize::from(count));
        let mut at = address;
        while at < end {
            let register = self.register(table, at)?;
            let skipped = usize::from(at - register.address);
            let taken = (register.form.len() - skipped as u16).min(end - at);
            words.extend_from_slice(&register.words(thing)[skipped..skipped + usize::from(taken)]);
            at += taken;
        }
        Ok(words)
    }

    /// Sets one property for each word, or none if any of them is refused. Answers how many.
    pub(crate) fn write(
        &self,
        thing: &mut dyn Thing,
        table: Table,
        address: u16,
        words: &[u16],
    ) -> Result<u16, ExceptionCode> {
        let count = u16::try_from(words.len()).map_err(|_| ExceptionCode::IllegalDataValue)?;
        if count == 0 {
            return Err(ExceptionCode::IllegalDataValue);
        }
        address.checked_add(count).ok_or(ExceptionCode::IllegalDataAddress)?;
        let writes = (address..).zip(words).map(|(at, word)| self.register(table, at)?.written(*word));
        let writes = writes.collect::<Result<Vec<_>, _>>()?;
        for (property, number) in &writes {
            thing.check(*property, *number).map_err(exception)?;
        }
        for (property, number) in writes {
            thing.set(property, number).map_err(exception)?;
        }
        Ok(count)
    }

    fn register(&self, table: Table, at: u16) -> Result<&Register, ExceptionCode> {
        let covers = |register: &&Register| {
            register.table == table && (register.address..register.address + register.form.len()).contains(&at)
        };
        self.registers.iter().find(covers).ok_or(ExceptionCode::IllegalDataAddress)
    }
}

impl Register {
    fn words(&self, thing: &dyn Thing) -> [u16; 4] {
        self.form.encode(self.property.map_or(0.0, |property| thing.number(property) * self.per_unit))
    }

    /// The property and the number that a written word stands for.
    fn written(&self, word: u16) -> Result<(PropertyAt, f64), ExceptionCode> {
        let number = self.form.decode(word).ok_or(ExceptionCode::IllegalDataAddress)?;
        let property = self.property.ok_or(ExceptionCode::IllegalDataAddress)?;
        Ok((property, number / self.per_unit))
    }
}

fn exception(error: Error) -> ExceptionCode {
    match error {
        Error::ReadOnly(_) => ExceptionCode::IllegalDataAddress,
        _ => ExceptionCode::IllegalDataValue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_has_an_address_and_no_two_share_one() {
        for kind in Kind::ALL {
            let map = Map::of(kind);
            for about in kind.properties() {
                let property = kind.find(about.name);
                assert!(map.registers.iter().any(|register| register.property == property), "{kind} {}", about.name);
            }
            for pair in map.registers.windows(2).filter(|pair| pair[0].table == pair[1].table) {
                assert!(pair[0].address + pair[0].form.len() <= pair[1].address, "{kind} {}", pair[1].address);
            }
        }
    }
}
