//! A wind turbine of 3 MW: what it does, and what can be asked of it.

mod gearbox;
mod rotor;
mod yaw;

use super::random::Random;
use super::thing::{Described, Kind, Property};
use super::weather::Air;
use gearbox::Gearbox;
use rotor::{Demand, Rotor};
use yaw::Yaw;

pub(crate) const RATED_KW: f64 = 3000.0;
const RATED_MPS: f64 = 12.0;
const CUT_IN_MPS: f64 = 3.0;
const CUT_OUT_MPS: f64 = 25.0;
/// After a storm the wind has to fall this far before the turbine starts again.
const RESTART_MPS: f64 = 22.0;
/// Below this the rotor costs more than it brings.
const TOO_CALM_MPS: f64 = 2.5;

const ROTOR_RPM: f64 = 15.3;
const GENERATOR_RPM: f64 = 1500.0;
/// What the turbine draws from the grid while it stands.
const OWN_USE_KW: f64 = 15.0;

const OIL_WARM: u16 = 1000;
const OIL_TOO_HOT: u16 = 1001;
const CONVERTER_TRIPPED: u16 = 3002;

/// Mean time between trips of the converter, and between blockages of the oil cooler.
const TRIP_INTERVAL_S: f64 = 6.0 * 3600.0;
const BLOCKAGE_INTERVAL_S: f64 = 4.0 * 3600.0;
/// How long a fault stays before someone comes, and how long the repair takes.
const CALL_OUT_S: f64 = 900.0;
const REPAIR_S: f64 = 300.0;

/// As the model numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped = 0,
    Starting = 1,
    Production = 2,
    Derated = 3,
    Fault = 4,
    Maintenance = 5,
}

/// What the operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Run,
    Stop,
    EmergencyStop,
}

pub(crate) struct Turbine {
    random: Random,
    air: Air,
    /// The wind speed without what is over in half a minute.
    steady_mps: f64,
    yaw: Yaw,
    rotor: Rotor,
    gearbox: Gearbox,
    state: State,
    state_age_s: f64,
    wish: Wish,
    alarm: u16,
    limit_kw: f64,
    energy_kwh: f64,
}

impl Turbine {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::new(seed, stream);
        Turbine {
            air: Air::default(),
            steady_mps: 0.0,
            yaw: Yaw::default(),
            rotor: Rotor::default(),
            gearbox: Gearbox::default(),
            state: State::Stopped,
            state_age_s: 0.0,
            wish: Wish::Run,
            alarm: 0,
            limit_kw: RATED_KW,
            energy_kwh: random.between(1.0e7, 3.0e7),
            random,
        }
    }

    pub(crate) fn step(&mut self, dt_s: f64, air: Air) {
        self.air = air;
        self.steady_mps += (air.wind_mps - self.steady_mps) * (dt_s / 30.0);
        let caught = self.yaw.step(dt_s, air.direction_deg);
        self.rotor.step(dt_s, air.wind_mps * caught, self.demand());
        self.gearbox.step(dt_s, self.rotor.power_kw, air.temperature_c);
        self.energy_kwh += self.rotor.power_kw * dt_s / 3600.0;
        self.have_bad_luck(dt_s);
        self.watch_oil();
        self.state_age_s += dt_s;
        self.enter(self.next());
    }

    /// Takes back every mishap.
    pub(crate) fn spare(&mut self) {
        self.gearbox.unblock();
        if self.state == State::Fault {
            self.clear_alarm();
        }
    }

    fn demand(&self) -> Demand {
        match (self.state, self.wish) {
            (State::Starting | State::Production | State::Derated, _) => Demand::Run { limit_kw: self.limit_kw },
            (State::Fault, _) | (_, Wish::EmergencyStop) => Demand::Trip,
            _ => Demand::RunDown { limit_kw: self.limit_kw },
        }
    }

    fn next(&self) -> State {
        match self.state {
            State::Stopped if self.may_start() => State::Starting,
            State::Starting | State::Production | State::Derated if self.must_stop() => State::Stopped,
            State::Starting if !self.rotor.connected => State::Starting,
            State::Starting | State::Production | State::Derated if self.is_held_back() => State::Derated,
            State::Starting | State::Production | State::Derated => State::Production,
            State::Fault if self.state_age_s > CALL_OUT_S => State::Maintenance,
            State::Maintenance if self.state_age_s > REPAIR_S => State::Stopped,
            state => state,
        }
    }

    fn enter(&mut self, state: State) {
        if state == self.state {
            return;
        }
        if self.state == State::Maintenance {
            self.gearbox.unblock();
            self.alarm = 0;
        }
        self.state = state;
        self.state_age_s = 0.0;
    }

    fn may_start(&self) -> bool {
        self.wish == Wish::Run && (CUT_IN_MPS..RESTART_MPS).contains(&self.steady_mps)
    }

    fn must_stop(&self) -> bool {
        self.wish != Wish::Run || !(TOO_CALM_MPS..CUT_OUT_MPS).contains(&self.steady_mps)
    }

    /// True if the wind would bring more than the limit allows.
    fn is_held_back(&self) -> bool {
        let available = RATED_KW * (self.steady_mps / RATED_MPS).powi(3).min(1.0);
        available > self.limit_kw
    }

    fn have_bad_luck(&mut self, dt_s: f64) {
        if self.random.chance(dt_s / BLOCKAGE_INTERVAL_S) {
            self.gearbox.block();
        }
        if self.random.chance(dt_s / TRIP_INTERVAL_S) && self.rotor.connected {
            self.fail(CONVERTER_TRIPPED);
        }
    }

    fn watch_oil(&mut self) {
        match self.alarm {
            0 | OIL_WARM if self.gearbox.oil_c > gearbox::TOO_HOT_C => self.fail(OIL_TOO_HOT),
            0 if self.gearbox.oil_c > gearbox::WARM_C => self.alarm = OIL_WARM,
            OIL_WARM if self.gearbox.oil_c < gearbox::COOL_C => self.alarm = 0,
            _ => {}
        }
    }

    fn fail(&mut self, alarm: u16) {
        if self.state != State::Maintenance {
            self.alarm = alarm;
            self.enter(State::Fault);
        }
    }

    fn clear_alarm(&mut self) {
        self.alarm = 0;
        self.enter(State::Stopped);
    }

    /// 1 start, 2 stop, 3 emergency stop, 4 reset. A fault stays through a start, and through a reset of hot oil.
    fn command(&mut self, command: u8) {
        match command {
            1 => self.wish = Wish::Run,
            2 => self.wish = Wish::Stop,
            3 => self.wish = Wish::EmergencyStop,
            4 if self.state == State::Fault && self.gearbox.oil_c < gearbox::WARM_C => self.clear_alarm(),
            _ => {}
        }
        if self.must_stop() && matches!(self.state, State::Starting | State::Production | State::Derated) {
            self.enter(State::Stopped);
        }
    }

    fn set_limit(&mut self, limit_kw: f64) {
        self.limit_kw = limit_kw;
        self.rotor.power_kw = self.rotor.power_kw.min(limit_kw);
    }

    fn active_power_kw(&self) -> f64 {
        if self.rotor.connected { self.rotor.power_kw } else { -OWN_USE_KW }
    }
}

impl Described for Turbine {
    const KIND: Kind = Kind::Turbine;
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::real("wind_speed", |turbine| turbine.air.wind_mps),
        Property::real("wind_direction", |turbine| turbine.air.direction_deg),
        Property::real("nacelle_direction", |turbine| turbine.yaw.direction_deg),
        Property::real("active_power", Turbine::active_power_kw),
        Property::real("rotor_speed", |turbine| turbine.rotor.speed * ROTOR_RPM),
        Property::real("generator_speed", |turbine| turbine.rotor.speed * GENERATOR_RPM),
        Property::real("pitch_angle", |turbine| turbine.rotor.pitch_deg),
        Property::real("gear_oil_temperature", |turbine| turbine.gearbox.oil_c),
        Property::real("ambient_temperature", |turbine| turbine.air.temperature_c),
        Property::whole("state", |turbine| f64::from(turbine.state as u8)),
        Property::whole("alarm_code", |turbine| f64::from(turbine.alarm)),
        Property::real("energy_total", |turbine| turbine.energy_kwh),
        Property::<Turbine>::whole("power_limit", |turbine| turbine.limit_kw).takes(0.0, RATED_KW, Turbine::set_limit),
        Property::command("command", 1.0, 4.0, |turbine, command| turbine.command(command as u8)),
    ];
}

#[cfg(test)]
mod tests;
