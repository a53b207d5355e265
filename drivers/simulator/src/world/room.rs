//! A hotel room: its heat, its air conditioning, its lights.

use super::random::Random;
use super::thing::{Described, Kind, Property, flag};

/// Air, furniture and the skin of the walls.
const HEAT_J_PER_K: f64 = 4.0e5;
const WALL_W_PER_K: f64 = 35.0;
const WINDOW_W_PER_K: f64 = 300.0;
/// To the rest of the building, which is kept at the corridor's temperature.
const CORRIDOR_W_PER_K: f64 = 25.0;
const CORRIDOR_C: f64 = 21.0;
const BODY_W: f64 = 80.0;
/// Through open curtains with the sun at its highest.
const SUN_W: f64 = 250.0;

const AC_HEAT_W: f64 = 3500.0;
/// The inverter works harder the further the room is from its setpoint.
const AC_GAIN_W_PER_K: f64 = 2500.0;
/// Heat moved per electricity spent.
const AC_COP: f64 = 3.0;
const FAN_W: f64 = 40.0;
/// The controller and the door lock, which main power does not switch; refrigerator and television, which it does.
const ALWAYS_W: f64 = 5.0;
const STANDBY_W: f64 = 30.0;
const LIGHTS_W: f64 = 120.0;

/// The level that each scene sets: off, welcome, normal, night.
const SCENE_LEVELS: [f64; 4] = [0.0, 80.0, 100.0, 10.0];
pub(crate) const SCENE_OFF: u8 = 0;
pub(crate) const SCENE_NORMAL: u8 = 2;
pub(crate) const SCENE_NIGHT: u8 = 3;

/// What is outside the window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outdoor {
    pub(crate) temperature_c: f64,
    /// 0 to 1.
    pub(crate) sun: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AcMode {
    Auto = 0,
    Cool = 1,
    Heat = 2,
    Fan = 3,
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) key_card: bool,
    pub(crate) window_open: bool,
    pub(crate) presence: bool,
    pub(crate) setpoint_c: f64,
    pub(crate) main_power: bool,
    pub(crate) curtain_percent: f64,
    ac_power: bool,
    ac_mode: AcMode,
    light_percent: f64,
    scene: u8,
    identify_s: f64,
    temperature_c: f64,
    humidity_percent: f64,
    ac_heat_w: f64,
    energy_kwh: f64,
}

impl Room {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Random::new(seed, stream);
        Room {
            key_card: false,
            window_open: false,
            presence: false,
            setpoint_c: 22.0,
            main_power: true,
            curtain_percent: 100.0,
            ac_power: true,
            ac_mode: AcMode::Auto,
            light_percent: 0.0,
            scene: SCENE_OFF,
            identify_s: 0.0,
            temperature_c: random.between(20.0, 23.0),
            humidity_percent: random.between(40.0, 50.0),
            ac_heat_w: 0.0,
            energy_kwh: random.between(500.0, 4000.0),
        }
    }

    pub(crate) fn step(&mut self, dt_s: f64, outdoor: Outdoor) {
        self.ac_heat_w = self.ac_heat();
        self.temperature_c += (self.gains_w(outdoor) + self.ac_heat_w) * dt_s / HEAT_J_PER_K;
        self.drift_humidity(dt_s);
        self.energy_kwh += self.power_w() * dt_s / 3.6e6;
        self.identify_s = (self.identify_s - dt_s).max(0.0);
    }

    /// Heat that comes in by itself; negative if it goes out.
    fn gains_w(&self, outdoor: Outdoor) -> f64 {
        let openings = WALL_W_PER_K + if self.window_open { WINDOW_W_PER_K } else { 0.0 };
        openings * (outdoor.temperature_c - self.temperature_c)
            + CORRIDOR_W_PER_K * (CORRIDOR_C - self.temperature_c)
            + BODY_W * flag(self.presence)
            + SUN_W * outdoor.sun * self.curtain_percent / 100.0
            + self.lights_w()
    }

    /// Heat that the air conditioning brings in; negative if it takes out.
    fn ac_heat(&self) -> f64 {
        if !self.ac_runs() {
            return 0.0;
        }
        let wanted = (AC_GAIN_W_PER_K * (self.setpoint_c - self.temperature_c)).clamp(-AC_HEAT_W, AC_HEAT_W);
        match self.ac_mode {
            AcMode::Auto => wanted,
            AcMode::Cool => wanted.min(0.0),
            AcMode::Heat => wanted.max(0.0),
            AcMode::Fan => 0.0,
        }
    }

    fn drift_humidity(&mut self, dt_s: f64) {
        let (target, memory_s) = match (self.window_open, self.presence) {
            (true, _) => (68.0, 300.0),
            (false, true) => (52.0, 1200.0),
            (false, false) => (44.0, 1800.0),
        };
        self.humidity_percent += (target - self.humidity_percent) * dt_s / memory_s;
    }

    /// What the room draws.
    pub(crate) fn power_w(&self) -> f64 {
        let fan = if self.ac_runs() { FAN_W } else { 0.0 };
        ALWAYS_W + STANDBY_W * flag(self.main_power) + self.lights_w() + fan + self.ac_heat_w.abs() / AC_COP
    }

    fn ac_runs(&self) -> bool {
        self.main_power && self.ac_power
    }

    fn lights_w(&self) -> f64 {
        LIGHTS_W * flag(self.main_power) * self.light_level() / 100.0
    }

    /// While the room shows itself, the lights change every second.
    fn light_level(&self) -> f64 {
        match self.identify_s.ceil() as u64 {
            0 => self.light_percent,
            seconds => 100.0 * (seconds % 2) as f64,
        }
    }

    pub(crate) fn set_scene(&mut self, scene: u8) {
        self.scene = scene;
        self.light_percent = SCENE_LEVELS[usize::from(scene)];
    }

    pub(crate) fn scene(&self) -> u8 {
        self.scene
    }

    fn set_mode(&mut self, mode: u8) {
        self.ac_mode = match mode {
            1 => AcMode::Cool,
            2 => AcMode::Heat,
            3 => AcMode::Fan,
            _ => AcMode::Auto,
        };
    }
}

impl Described for Room {
    const KIND: Kind = Kind::Room;
    const PROPERTIES: &'static [Property<Self>] = &[
        Property::flag("key_card", |room| flag(room.key_card)),
        Property::flag("window_open", |room| flag(room.window_open)),
        Property::flag("presence", |room| flag(room.presence)),
        Property::real("temperature", |room| room.temperature_c),
        Property::real("humidity", |room| room.humidity_percent),
        Property::<Room>::real("setpoint", |room| room.setpoint_c).takes(16.0, 30.0, |room, to| room.setpoint_c = to),
        Property::<Room>::flag("ac_power", |room| flag(room.ac_power))
            .takes(0.0, 1.0, |room, on| room.ac_power = on != 0.0),
        Property::<Room>::whole("ac_mode", |room| f64::from(room.ac_mode as u8))
            .takes(0.0, 3.0, |room, mode| room.set_mode(mode as u8)),
        Property::<Room>::flag("main_power", |room| flag(room.main_power))
            .takes(0.0, 1.0, |room, on| room.main_power = on != 0.0),
        Property::<Room>::whole("light_level", Room::light_level).takes(0.0, 100.0, |room, to| room.light_percent = to),
        Property::<Room>::whole("light_scene", |room| f64::from(room.scene))
            .takes(0.0, 3.0, |room, scene| room.set_scene(scene as u8)),
        Property::<Room>::whole("curtain", |room| room.curtain_percent)
            .takes(0.0, 100.0, |room, to| room.curtain_percent = to),
        Property::real("power", Room::power_w),
        Property::real("energy_total", |room| room.energy_kwh),
        Property::command("identify", 1.0, 60.0, |room, seconds| room.identify_s = seconds),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTUMN: Outdoor = Outdoor { temperature_c: 8.0, sun: 0.0 };
    const SUMMER: Outdoor = Outdoor { temperature_c: 33.0, sun: 1.0 };

    fn room() -> Room {
        Room { temperature_c: 21.0, ..Room::new(1, 1) }
    }

    fn after(mut room: Room, outdoor: Outdoor, minutes: u32) -> Room {
        (0..minutes * 300).for_each(|_| room.step(0.2, outdoor));
        room
    }

    #[test]
    fn the_temperature_converges_to_the_setpoint() {
        for (outdoor, setpoint_c) in [(AUTUMN, 25.0), (AUTUMN, 18.0), (SUMMER, 20.0)] {
            let room = after(Room { setpoint_c, ..room() }, outdoor, 60);
            assert!((room.temperature_c - setpoint_c).abs() < 0.6, "{setpoint_c}: {}", room.temperature_c);
        }
    }

    #[test]
    fn an_open_window_lets_the_cold_in_and_costs_power() {
        let shut = after(room(), AUTUMN, 30);
        let open = after(Room { window_open: true, ..room() }, AUTUMN, 30);
        assert!(open.temperature_c < shut.temperature_c - 0.5, "{} {}", open.temperature_c, shut.temperature_c);
        assert!(open.power_w() > 2.0 * shut.power_w());
        assert!(open.humidity_percent > shut.humidity_percent + 5.0);
        let unheated = after(Room { window_open: true, ac_power: false, ..room() }, AUTUMN, 60);
        assert!(unheated.temperature_c < 12.0, "{}", unheated.temperature_c);
    }

    #[test]
    fn a_mode_does_what_it_says() {
        let in_mode =
            |ac_mode, outdoor| after(Room { ac_mode, setpoint_c: 22.0, ..room() }, outdoor, 120).temperature_c;
        assert!(in_mode(AcMode::Cool, AUTUMN) < 16.0, "cooling does not heat");
        assert!(in_mode(AcMode::Heat, SUMMER) > 28.0, "heating does not cool");
        assert!(in_mode(AcMode::Fan, SUMMER) > 28.0, "a fan moves no heat");
    }

    #[test]
    fn without_main_power_nearly_nothing_is_drawn() {
        let mut room = room();
        room.set_scene(SCENE_NORMAL);
        room.main_power = false;
        assert_eq!(after(room, AUTUMN, 1).power_w(), ALWAYS_W);
    }

    #[test]
    fn a_room_that_shows_itself_blinks_and_then_is_as_before() {
        let mut room = Room { light_percent: 30.0, identify_s: 3.0, ..room() };
        let levels: Vec<f64> = (0..4)
            .map(|_| {
                room.step(0.5, AUTUMN);
                let level = room.light_level();
                room.step(0.5, AUTUMN);
                level
            })
            .collect();
        assert_eq!(levels, [100.0, 0.0, 100.0, 30.0]);
    }
}
