//! What a scene does: steps laid flat, with jumps in the place of blocks, so that a place in them is a number.

use super::{Clause, SceneIx, WaitIx};
use crate::scripts::Closure;
use edgeway_sdk::{DeviceIx, Value};
use edgeway_thing_models::{Action, EventIx, PropertyIx, ServiceIx, Things};
use std::sync::Arc;
use std::time::Duration;

/// The steps of a scene.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) steps: Vec<Step>,
}

/// A step with what traces show of it.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) doing: Doing,
    pub(crate) text: Arc<str>,
    /// In the script, from 1; 0 for what the engine adds.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
}

/// What a step does. Numbers are places in the program.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    Act(Act),
    Delay(Duration),
    WaitFor {
        wait: WaitIx,
        within: Duration,
        may_fail: bool,
    },
    RunScene(SceneIx),
    Run(Arc<Closure>),
    /// Goes on if the condition is true, else jumps.
    If {
        condition: Clause,
        otherwise: u32,
    },
    Jump(u32),
    /// Does what follows so many times; `Again` at its end goes back to the step behind this one.
    Repeat {
        times: u32,
    },
    Again {
        start: u32,
    },
    /// Does all of these at once, and goes on behind them when all have ended.
    Fork {
        branches: Vec<u32>,
        end: u32,
    },
    /// The end of a branch.
    End,
    /// From here on what is done is undone if something fails.
    Begin,
    Commit,
}

/// Something done to the world, and how.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(crate) deed: Deed,
    pub(crate) how: How,
}

/// Something done to the world.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Set { device: DeviceIx, property: PropertyIx, value: Computed<Value> },
    Invoke { device: DeviceIx, service: ServiceIx, input: Vec<(Arc<str>, Value)> },
    Notify { channel: Arc<str>, text: Computed<Arc<str>> },
    Emit { device: DeviceIx, event: EventIx, output: Vec<(Arc<str>, Value)> },
}

/// How something is done.
#[derive(Debug, Clone)]
pub(crate) struct How {
    /// Whether the next step waits for the device's answer.
    pub(crate) waits: bool,
    /// How long a command may take; a span of the gateway's unless set.
    pub(crate) within: Option<Duration>,
    /// How often it is tried again, and after which pause.
    pub(crate) retries: u32,
    pub(crate) pause: Duration,
    /// Whether the run goes on when it fails.
    pub(crate) may_fail: bool,
    /// What undoes it in a transaction. `None`: a property that was set gets back the value it had.
    pub(crate) undo: Option<Vec<Deed>>,
}

/// Known while loading, or asked of a script each time.
#[derive(Debug, Clone)]
pub(crate) enum Computed<T> {
    Fixed(T),
    Script(Arc<Closure>),
}

impl Program {
    pub(crate) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether anything that can be reached from this place writes to a device, as far as that is known: a script may.
    pub(crate) fn writes_from(&self, at: u32) -> bool {
        let (mut seen, mut open) = (vec![false; self.steps.len()], vec![at]);
        while let Some(at) = open.pop() {
            let Some(step) = self.steps.get(at as usize) else { continue };
            if std::mem::replace(&mut seen[at as usize], true) {
                continue;
            }
            match &step.doing {
                Doing::Run(_) | Doing::RunScene(_) => return true,
                Doing::Act(_) if step.deeds().any(Deed::writes) => return true,
                Doing::If { otherwise, .. } => open.extend([at + 1, *otherwise]),
                Doing::Jump(to) => open.push(*to),
                Doing::Again { start } => open.extend([start + 1, at + 1]),
                Doing::Fork { branches, end } => open.extend(branches.iter().copied().chain([*end])),
                Doing::End => {}
                _ => open.push(at + 1),
            }
        }
        false
    }
}

impl Step {
    /// What it may do to the world, undoing included.
    pub(crate) fn deeds(&self) -> impl Iterator<Item = &Deed> {
        let act = match &self.doing {
            Doing::Act(act) => Some(act),
            _ => None,
        };
        act.into_iter().flat_map(|act| std::iter::once(&act.deed).chain(act.how.undo.iter().flatten()))
    }
}

impl Doing {
    /// Whether the next step comes at another moment.
    pub(crate) fn takes_time(&self) -> bool {
        match self {
            Doing::Delay(_) | Doing::WaitFor { .. } => true,
            Doing::Act(act) => act.how.waits,
            _ => false,
        }
    }
}

impl Deed {
    pub(crate) fn writes(&self) -> bool {
        matches!(self, Deed::Set { .. } | Deed::Invoke { .. })
    }

    /// The closure that it asks, if it asks one.
    pub(crate) fn closure(&self) -> Option<&Arc<Closure>> {
        match self {
            Deed::Set { value: Computed::Script(closure), .. }
            | Deed::Notify { text: Computed::Script(closure), .. } => Some(closure),
            Deed::Set { .. } | Deed::Invoke { .. } | Deed::Notify { .. } | Deed::Emit { .. } => None,
        }
    }

    /// Whether the next step waits for it, unless the script says otherwise: a service is called for what it does.
    pub(crate) fn waits(&self) -> bool {
        matches!(self, Deed::Invoke { .. })
    }

    /// `set room-301.curtain = 100`, as traces and tests show it.
    pub(crate) fn text(&self, things: &Things) -> String {
        match self {
            Deed::Set { device, property, value: Computed::Fixed(value) } => {
                command_text(things, *device, &Action::Set { property: *property, value: value.clone() })
            }
            Deed::Set { device, property, value: Computed::Script(_) } => {
                format!("set {}.{} = ..", things.device(*device).id, things.property(*device, *property).identifier)
            }
            Deed::Invoke { device, service, input } => {
                command_text(things, *device, &Action::Invoke { service: *service, input: input.clone() })
            }
            Deed::Notify { channel, text: Computed::Fixed(text) } => format!("notify {channel}: {text}"),
            Deed::Notify { channel, text: Computed::Script(_) } => format!("notify {channel}: .."),
            Deed::Emit { device, event, output } => {
                let name = &things.model_of(*device).events[usize::from(event.0)].identifier;
                format!("emit {}.{name}({})", things.device(*device).id, named(output))
            }
        }
    }
}

impl How {
    pub(crate) fn of(deed: &Deed) -> Self {
        How { waits: deed.waits(), within: None, retries: 0, pause: Duration::ZERO, may_fail: false, undo: None }
    }

    /// Whether nothing was said about it.
    pub(crate) fn is_plain(&self, deed: &Deed) -> bool {
        let How { waits, within, retries, pause: _, may_fail, undo } = self;
        *waits == deed.waits() && within.is_none() && *retries == 0 && !may_fail && undo.is_none()
    }
}

/// `set room-301.curtain = 100 %`, `invoke wt-01.stop(mode: "normal")`.
pub fn command_text(things: &Things, device: DeviceIx, action: &Action) -> String {
    let id = &things.device(device).id;
    match action {
        Action::Set { property, value } => {
            let property = things.property(device, *property);
            format!("set {id}.{} = {}", property.identifier, super::show(&property.data_type, value))
        }
        Action::Invoke { service, input } => {
            let name = &things.model_of(device).services[usize::from(service.0)].identifier;
            format!("invoke {id}.{name}({})", named(input))
        }
    }
}

fn named(values: &[(Arc<str>, Value)]) -> String {
    let mut values: Vec<String> = values.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    values.sort_unstable();
    values.join(", ")
}
