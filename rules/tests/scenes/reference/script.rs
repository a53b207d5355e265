//! A set of scenes as plain data: what the script is written from, and what the reference evaluates.

mod strategy;
mod text;

pub(super) use strategy::{devices, scene_sets, value_of};

use edgeway_sdk::Value;

/// All scenes of a site, in the order in which the script declares them.
#[derive(Debug, Clone)]
pub(super) struct SceneSet {
    pub(super) scenes: Vec<Scene>,
    /// How many `held` conditions there are, counted by [`Condition::Held::id`].
    pub(super) helds: usize,
}

/// Names in no order, so that the order of names is not the order of the script.
pub(super) const NAMES: [&str; 12] = ["m", "c", "x", "a", "t", "g", "p", "b", "z", "k", "e", "s"];

#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) priority: i64,
    pub(super) mode: Mode,
    pub(super) per_device: bool,
    pub(super) cooldown_s: Option<u64>,
    pub(super) triggers: Vec<Trigger>,
    pub(super) conditions: Vec<Condition>,
    pub(super) then: Vec<Step>,
    pub(super) otherwise: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Single,
    Restart,
    Queue,
    Parallel,
}

#[derive(Debug, Clone)]
pub(super) enum Trigger {
    Edge(Condition),
    Level(Condition),
    Changed(Place),
    Event(Device),
    GoesOnline(Device),
    GoesOffline(Device),
}

#[derive(Debug, Clone)]
pub(super) enum Condition {
    Compare(Place, Op, Operand),
    Fresh(Place, u64),
    Stale(Place),
    /// Times of day in seconds.
    Between(u64, u64),
    /// Days as the script writes them, and whether each is meant, from Monday on.
    Days(&'static str, [bool; 7]),
    Online(Device),
    Held {
        id: usize,
        inner: Box<Condition>,
        dwell_s: u64,
    },
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    OrUnknown(Box<Condition>),
}

#[derive(Debug, Clone)]
pub(super) enum Operand {
    Value(Value),
    Place(Place),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Act(Act),
    Delay(u64),
    WaitFor {
        id: usize,
        condition: Condition,
        within_s: u64,
        may_fail: bool,
    },
    If {
        condition: Condition,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Parallel(Vec<Vec<Step>>),
    Repeat(u32, Vec<Step>),
    Transaction(Vec<Step>),
    /// A place in [`SceneSet::scenes`].
    RunScene(usize),
}

#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) deed: Deed,
    pub(super) confirmed: bool,
    /// How often it is tried again, and after how many seconds.
    pub(super) retry: Option<(u32, u64)>,
    pub(super) within_s: Option<u64>,
    pub(super) may_fail: bool,
    pub(super) undo: Option<Vec<Deed>>,
}

#[derive(Debug, Clone)]
pub(super) enum Deed {
    Set(Place, Value),
    Invoke(Device, &'static str),
    Notify(u8),
    Emit(Device),
}

/// A device's id.
pub(super) type Device = &'static str;

/// A property of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) device: Device,
    pub(super) property: &'static str,
    pub(super) kind: Kind,
}

/// What a property holds; the values that are used of it are few, so that they meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Flag,
    Limit,
    Percent,
    Code,
    Speed,
    Celsius,
    State,
    AcMode,
}

const TURBINE: [(&str, Kind); 4] =
    [("wind_speed", Kind::Speed), ("state", Kind::State), ("power_limit", Kind::Limit), ("alarm_code", Kind::Code)];
const MAST: [(&str, Kind); 2] = [("wind_speed", Kind::Speed), ("ambient_temperature", Kind::Celsius)];
const ROOM: [(&str, Kind); 6] = [
    ("key_card", Kind::Flag),
    ("temperature", Kind::Celsius),
    ("setpoint", Kind::Celsius),
    ("ac_power", Kind::Flag),
    ("ac_mode", Kind::AcMode),
    ("light_level", Kind::Percent),
];
/// Properties that a scene can set.
const SETTABLE: [&str; 5] = ["power_limit", "setpoint", "ac_power", "ac_mode", "light_level"];
pub(super) const TURBINES: [Device; 8] = ["wt-01", "wt-02", "wt-03", "wt-04", "wt-05", "wt-06", "wt-07", "wt-08"];
const ROOMS: [Device; 2] = ["room-301", "room-302"];

/// The device of an id.
pub(super) fn device(id: &str) -> Device {
    let mut all = TURBINES.iter().chain(&ROOMS).chain(&["mast-01"]);
    all.find(|known| **known == id).expect("a device of the site")
}

/// The properties of a device that take part.
pub(super) fn places_of(device: Device) -> Vec<Place> {
    let properties = match device {
        "mast-01" => &MAST[..],
        room if ROOMS.contains(&room) => &ROOM,
        _ => &TURBINE,
    };
    properties.iter().map(|(property, kind)| Place { device, property, kind: *kind }).collect()
}

impl Kind {
    /// The values that are used.
    pub(super) fn values(self) -> Vec<Value> {
        match self {
            Kind::Flag => vec![Value::Bool(false), Value::Bool(true)],
            Kind::Limit => [500, 1000, 2000].map(Value::Int).to_vec(),
            Kind::Percent => [0, 50, 100].map(Value::Int).to_vec(),
            Kind::Code => [0, 7, 12].map(Value::Int).to_vec(),
            Kind::Speed => [4.0, 10.0, 12.5].map(Value::Float).to_vec(),
            Kind::Celsius => [18.0, 21.5, 28.0].map(Value::Float).to_vec(),
            Kind::State => [0, 2, 4].map(Value::Int).to_vec(),
            Kind::AcMode => [0, 1, 2].map(Value::Int).to_vec(),
        }
    }

    /// The labels of an enum, by number.
    fn labels(self) -> Option<&'static [&'static str]> {
        match self {
            Kind::State => Some(&["stopped", "starting", "production", "derated", "fault", "maintenance"]),
            Kind::AcMode => Some(&["auto", "cool", "heat", "fan"]),
            _ => None,
        }
    }

    fn has_order(self) -> bool {
        self != Kind::Flag && self.labels().is_none()
    }
}

impl Place {
    fn is_settable(self) -> bool {
        SETTABLE.contains(&self.property)
    }
}

impl Trigger {
    /// The properties that it reads, in the order in which it names them.
    pub(super) fn places(&self) -> Vec<Place> {
        match self {
            Trigger::Edge(condition) | Trigger::Level(condition) => condition.places(),
            Trigger::Changed(place) => vec![*place],
            Trigger::Event(_) | Trigger::GoesOnline(_) | Trigger::GoesOffline(_) => vec![],
        }
    }

    /// The devices that it reads, in the order in which it names them.
    pub(super) fn devices(&self) -> Vec<Device> {
        match self {
            Trigger::Edge(condition) | Trigger::Level(condition) => condition.devices(),
            Trigger::Changed(place) => vec![place.device],
            Trigger::Event(device) | Trigger::GoesOnline(device) | Trigger::GoesOffline(device) => vec![device],
        }
    }
}

impl Condition {
    fn places(&self) -> Vec<Place> {
        match self {
            Condition::Compare(left, _, Operand::Place(right)) => vec![*left, *right],
            Condition::Compare(place, ..) | Condition::Fresh(place, _) | Condition::Stale(place) => vec![*place],
            Condition::Between(..) | Condition::Days(..) | Condition::Online(_) => vec![],
            _ => self.parts().iter().flat_map(|part| part.places()).collect(),
        }
    }

    fn devices(&self) -> Vec<Device> {
        match self {
            Condition::Online(device) => vec![device],
            Condition::Compare(..) | Condition::Fresh(..) | Condition::Stale(_) => {
                self.places().iter().map(|place| place.device).collect()
            }
            _ => self.parts().iter().flat_map(|part| part.devices()).collect(),
        }
    }

    /// Whether it reads this device's state.
    pub(super) fn asks_whether_online(&self, of: Device) -> bool {
        match self {
            Condition::Online(device) => *device == of,
            _ => self.parts().iter().any(|part| part.asks_whether_online(of)),
        }
    }

    /// The conditions inside it.
    pub(super) fn parts(&self) -> Vec<&Condition> {
        match self {
            Condition::Held { inner, .. } | Condition::Not(inner) | Condition::OrUnknown(inner) => vec![inner],
            Condition::All(parts) | Condition::Any(parts) => parts.iter().collect(),
            _ => vec![],
        }
    }
}

impl Scene {
    /// Visits all conditions of the scene, without those inside of them.
    pub(super) fn each_condition<'a>(&'a self, visit: &mut impl FnMut(&'a Condition)) {
        for trigger in &self.triggers {
            if let Trigger::Edge(condition) | Trigger::Level(condition) = trigger {
                visit(condition);
            }
        }
        self.conditions.iter().for_each(&mut *visit);
        each_condition_of(&self.then, visit);
        each_condition_of(&self.otherwise, visit);
    }
}

fn each_condition_of<'a>(steps: &'a [Step], visit: &mut impl FnMut(&'a Condition)) {
    for step in steps {
        match step {
            Step::WaitFor { condition, .. } => visit(condition),
            Step::If { condition, then, otherwise } => {
                visit(condition);
                each_condition_of(then, visit);
                each_condition_of(otherwise, visit);
            }
            Step::Parallel(branches) => branches.iter().for_each(|branch| each_condition_of(branch, visit)),
            Step::Repeat(_, body) | Step::Transaction(body) => each_condition_of(body, visit),
            Step::Act(_) | Step::Delay(_) | Step::RunScene(_) => {}
        }
    }
}

impl SceneSet {
    /// Scenes as drawn: they get their names, what is counted gets its number, and a scene that is run is one that exists.
    fn new(mut scenes: Vec<Scene>) -> Self {
        let mut numbers = Numbers { helds: 0, waits: 0, scenes: scenes.len() };
        for (scene, name) in scenes.iter_mut().zip(NAMES) {
            scene.name = name;
            numbers.scene(scene);
        }
        SceneSet { scenes, helds: numbers.helds }
    }
}

/// Numbers what has a memory of its own.
struct Numbers {
    helds: usize,
    waits: usize,
    scenes: usize,
}

impl Numbers {
    fn scene(&mut self, scene: &mut Scene) {
        for trigger in &mut scene.triggers {
            if let Trigger::Edge(condition) | Trigger::Level(condition) = trigger {
                self.condition(condition);
            }
        }
        scene.conditions.iter_mut().for_each(|condition| self.condition(condition));
        self.steps(&mut scene.then);
        self.steps(&mut scene.otherwise);
    }

    fn condition(&mut self, condition: &mut Condition) {
        match condition {
            Condition::Held { id, inner, .. } => {
                self.condition(inner);
                *id = next(&mut self.helds);
            }
            Condition::Not(inner) | Condition::OrUnknown(inner) => self.condition(inner),
            Condition::All(parts) | Condition::Any(parts) => parts.iter_mut().for_each(|part| self.condition(part)),
            _ => {}
        }
    }

    fn steps(&mut self, steps: &mut [Step]) {
        for step in steps {
            match step {
                Step::WaitFor { id, condition, .. } => {
                    self.condition(condition);
                    *id = next(&mut self.waits);
                }
                Step::If { condition, then, otherwise } => {
                    self.condition(condition);
                    self.steps(then);
                    self.steps(otherwise);
                }
                Step::Parallel(branches) => branches.iter_mut().for_each(|branch| self.steps(branch)),
                Step::Repeat(_, body) | Step::Transaction(body) => self.steps(body),
                Step::RunScene(scene) => *scene %= self.scenes,
                Step::Act(_) | Step::Delay(_) => {}
            }
        }
    }
}

fn next(count: &mut usize) -> usize {
    *count += 1;
    *count - 1
}
