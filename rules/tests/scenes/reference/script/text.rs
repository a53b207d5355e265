//! How the scenes are written in a script.

use super::{Act, Condition, Deed, Kind, Mode, Op, Operand, Place, Scene, SceneSet, Step, Trigger};
use edgeway_sdk::Value;
use std::fmt::{self, Display};

impl Display for SceneSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scenes.iter().try_for_each(|scene| write_scene(f, scene, self))
    }
}

fn write_scene(f: &mut fmt::Formatter<'_>, scene: &Scene, set: &SceneSet) -> fmt::Result {
    // The breaker is not what is looked at here, and chains of scenes multiply.
    write!(f, "scene(\"{}\").at_most(1000000, \"10s\")", scene.name)?;
    if scene.priority != 0 {
        write!(f, ".priority({})", scene.priority)?;
    }
    if scene.mode != Mode::Single {
        write!(f, ".mode(\"{}\")", scene.mode)?;
    }
    if scene.per_device {
        write!(f, ".per_device()")?;
    }
    if let Some(cooldown) = scene.cooldown_s {
        write!(f, ".cooldown(\"{cooldown}s\")")?;
    }
    for trigger in &scene.triggers {
        write!(f, "\n    .when({trigger})")?;
    }
    for condition in &scene.conditions {
        write!(f, "\n    .only_if({condition})")?;
    }
    write!(f, "\n    .then({})", steps(&scene.then, set))?;
    if !scene.otherwise.is_empty() {
        write!(f, "\n    .otherwise({})", steps(&scene.otherwise, set))?;
    }
    writeln!(f, ";")
}

impl Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::Single => "single",
            Mode::Restart => "restart",
            Mode::Queue => "queue",
            Mode::Parallel => "parallel",
        })
    }
}

impl Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::Edge(condition) => write!(f, "{condition}"),
            Trigger::Level(condition) => write!(f, "level({condition})"),
            Trigger::Changed(place) => write!(f, "changed({place})"),
            Trigger::Event(device) => write!(f, "event(\"{device}\", \"alarm\")"),
            Trigger::GoesOnline(device) => write!(f, "goes_online(\"{device}\")"),
            Trigger::GoesOffline(device) => write!(f, "goes_offline(\"{device}\")"),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prop(\"{}\", \"{}\")", self.device, self.property)
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Compare(left, op, Operand::Place(right)) => write!(f, "({left} {op} {right})"),
            Condition::Compare(left, op, Operand::Value(value)) => {
                write!(f, "({left} {op} {})", literal(left.kind, value))
            }
            Condition::Fresh(place, within) => write!(f, "fresh({place}, \"{within}s\")"),
            Condition::Stale(place) => write!(f, "is_stale({place})"),
            Condition::Between(from, to) => write!(f, "time_between(\"{}\", \"{}\")", clock(*from), clock(*to)),
            Condition::Days(days, _) => write!(f, "on_days(\"{days}\")"),
            Condition::Online(device) => write!(f, "is_online(\"{device}\")"),
            Condition::Held { inner, dwell_s, .. } => write!(f, "held({inner}, \"{dwell_s}s\")"),
            Condition::All(parts) => write!(f, "all({})", list(parts)),
            Condition::Any(parts) => write!(f, "any({})", list(parts)),
            Condition::Not(inner) => write!(f, "not({inner})"),
            Condition::OrUnknown(inner) => write!(f, "or_unknown({inner})"),
        }
    }
}

impl Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Op::Equal => "==",
            Op::NotEqual => "!=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
        })
    }
}

fn list<T: Display>(items: &[T]) -> String {
    format!("[{}]", items.iter().map(T::to_string).collect::<Vec<_>>().join(", "))
}

fn clock(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

fn literal(kind: Kind, value: &Value) -> String {
    match (value, kind.labels()) {
        (Value::Int(number), Some(labels)) => format!("\"{}\"", labels[usize::try_from(*number).expect("a label")]),
        // A number with a fraction keeps its point.
        (Value::Float(number), _) => format!("{number:?}"),
        _ => value.to_string(),
    }
}

fn steps(steps: &[Step], set: &SceneSet) -> String {
    list(&steps.iter().map(|step| step_text(step, set)).collect::<Vec<_>>())
}

fn step_text(step: &Step, set: &SceneSet) -> String {
    match step {
        Step::Act(act) => act.to_string(),
        Step::Delay(seconds) => format!("delay(\"{seconds}s\")"),
        Step::WaitFor { condition, within_s, may_fail, .. } => {
            let may_fail = if *may_fail { ".may_fail()" } else { "" };
            format!("wait_for({condition}, \"{within_s}s\"){may_fail}")
        }
        Step::If { condition, then, otherwise } => {
            let text = format!("if_true({condition}, {})", steps(then, set));
            if otherwise.is_empty() { text } else { format!("{text}.otherwise({})", steps(otherwise, set)) }
        }
        Step::Parallel(branches) => {
            format!("parallel({})", list(&branches.iter().map(|branch| steps(branch, set)).collect::<Vec<_>>()))
        }
        Step::Repeat(times, body) => format!("repeat({times}, {})", steps(body, set)),
        Step::Transaction(body) => format!("transaction({})", steps(body, set)),
        Step::RunScene(scene) => format!("run_scene(\"{}\")", set.scenes[*scene].name),
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.deed)?;
        if !self.deed.asks_a_device() {
            return Ok(());
        }
        if self.confirmed {
            write!(f, ".confirmed()")?;
        }
        if let Some((times, pause)) = self.retry {
            write!(f, ".retry({times}, \"{pause}s\")")?;
        }
        if let Some(within) = self.within_s {
            write!(f, ".within(\"{within}s\")")?;
        }
        if self.may_fail {
            write!(f, ".may_fail()")?;
        }
        if let Some(undo) = &self.undo {
            write!(f, ".undo({})", list(undo))?;
        }
        Ok(())
    }
}

impl Deed {
    /// Whether a command comes of it, so that the words about how it is done may follow.
    pub(in crate::reference) fn asks_a_device(&self) -> bool {
        matches!(self, Deed::Set(..) | Deed::Invoke(..))
    }
}

impl Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Deed::Set(place, value) => {
                write!(f, "set(\"{}\", \"{}\", {})", place.device, place.property, literal(place.kind, value))
            }
            Deed::Invoke(device, service) => write!(f, "invoke(\"{device}\", \"{service}\")"),
            Deed::Notify(number) => write!(f, "notify(\"n\", \"{number}\")"),
            Deed::Emit(device) => write!(f, "emit(\"{device}\", \"alarm\", #{{ code: 7 }})"),
        }
    }
}
