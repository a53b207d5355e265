//! A floor of a hotel: rooms with guests, the weather outside, and the meter.

use super::daytime::Daytime;
use super::guest::Guest;
use super::meter::PHASES;
use super::random::{Drift, Random};
use super::room::Outdoor;
use super::{Meter, Room, Thing, place};

pub(crate) const METER_UNIT: u8 = 50;

/// A guest's day at the usual pace: every room has a past when it is first seen.
const WARM_UP_S: f64 = 1440.0;
const TICK_S: f64 = super::TICK.as_millis() as f64 / 1000.0;
const GUEST_PACE: f64 = 60.0;

pub(crate) struct Hotel {
    /// How many times as fast as the world's time guests live.
    pub(crate) guest_pace: f64,
    random: Random,
    day: Daytime,
    outdoor_drift: Drift,
    rooms: Vec<(Guest, Room)>,
    meter: Meter,
}

impl Hotel {
    pub(crate) fn new(seed: u64, rooms: u8) -> Self {
        let mut random = Random::new(seed, 0);
        let mut hotel = Hotel {
            guest_pace: GUEST_PACE,
            day: Daytime::default(),
            outdoor_drift: Drift::new(2.0, 4.0 * 3600.0, &mut random),
            rooms: (1..=u64::from(rooms)).map(|room| (Guest::new(seed, room), Room::new(seed, 1000 + room))).collect(),
            meter: Meter::new(seed, 999),
            random,
        };
        (0..(WARM_UP_S / TICK_S) as u32).for_each(|_| hotel.step(TICK_S));
        hotel
    }

    pub(crate) fn step(&mut self, dt_s: f64) {
        self.day.step(dt_s);
        self.outdoor_drift.step(dt_s, &mut self.random);
        let outdoor = self.outdoor();
        let mut phases_w = [0.0; PHASES];
        for (at, (guest, room)) in self.rooms.iter_mut().enumerate() {
            guest.step(dt_s * self.guest_pace / 3600.0, room);
            room.step(dt_s, outdoor);
            phases_w[at % PHASES] += room.power_w();
        }
        self.meter.step(dt_s, phases_w);
    }

    fn outdoor(&self) -> Outdoor {
        let wave = self.day.wave();
        Outdoor { temperature_c: 12.0 + 6.0 * wave + self.outdoor_drift.value(), sun: wave.max(0.0) }
    }

    pub(crate) fn thing(&self, unit: u8) -> Option<&dyn Thing> {
        if unit == METER_UNIT {
            return Some(&self.meter);
        }
        self.rooms.get(place(unit)?).map(|(_, room)| room as &dyn Thing)
    }

    pub(crate) fn thing_mut(&mut self, unit: u8) -> Option<&mut dyn Thing> {
        if unit == METER_UNIT {
            return Some(&mut self.meter);
        }
        self.rooms.get_mut(place(unit)?).map(|(_, room)| room as &mut dyn Thing)
    }
}
