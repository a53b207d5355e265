//! `[link.NAME]`.

use super::trouble::{self, Level};
use super::{ReplayOptions, Trouble, beneath, within};
use edgeway_sdk::{Json, Problem, options};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The slowest and the fastest that time may pass.
const SPEED: (f64, f64) = (0.001, 100.0);
/// A recording has no physics to work out.
const SPEED_OF_REPLAY: (f64, f64) = (0.001, 10_000.0);
const IN_FLIGHT: (u16, u16) = (1, 64);

/// The options of a link.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Simulator link")]
pub(crate) struct LinkOptions {
    /// What is simulated
    pub(crate) world: Choice,
    /// The same seed gives the same world
    pub(crate) seed: u64,
    /// How many times as fast as the clock its time passes, 0.001 to 100; of a replay up to 10000
    #[schemars(range(min = 0.001, max = 10_000.0))]
    pub(crate) speed: f64,
    /// How many requests run at the same time, 1 to 64
    #[schemars(range(min = 1, max = 64))]
    pub(crate) in_flight: u16,
    /// A recording that is played back, instead of a world
    pub(crate) replay: Option<ReplayOptions>,
    /// What goes wrong, and when, with the link and all of its devices
    pub(crate) faults: Vec<trouble::Written>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Choice {
    // No world: points are signals and registers.
    Waves,
    WindFarm,
    Hotel,
}

impl Default for LinkOptions {
    fn default() -> Self {
        LinkOptions { world: Choice::Waves, seed: 1, speed: 1.0, in_flight: 1, replay: None, faults: vec![] }
    }
}

impl LinkOptions {
    pub(crate) fn read(options: &Json) -> Result<Self, Vec<Problem>> {
        let link: LinkOptions = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        let speed = if link.replay.is_some() { SPEED_OF_REPLAY } else { SPEED };
        within("speed", link.speed, speed, &mut problems);
        within("in_flight", link.in_flight, IN_FLIGHT, &mut problems);
        if let Some(replay) = &link.replay {
            if link.world != Choice::Waves {
                let message = "a link either has a world or plays a recording back";
                problems.push(Problem::key("replay", message).help("leave one of `world` and `replay` out"));
            }
            problems.extend(beneath("replay", replay.problems()));
        }
        problems.extend(trouble::read(&link.faults, &options["faults"], Level::Link).err().unwrap_or_default());
        if problems.is_empty() { Ok(link) } else { Err(problems) }
    }

    /// What goes wrong, and when.
    pub(crate) fn troubles(&self, options: &Json) -> Vec<Trouble> {
        trouble::read(&self.faults, &options["faults"], Level::Link).unwrap_or_default()
    }

    /// Two links of one seed would be the same world twice, which is never meant.
    pub(crate) fn wire(&self) -> String {
        let world = match (&self.replay, self.world) {
            (Some(replay), _) => &format!("replay of {}", replay.file),
            (None, Choice::Waves) => "waves",
            (None, Choice::WindFarm) => "wind-farm",
            (None, Choice::Hotel) => "hotel",
        };
        format!("{world} of seed {}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        LinkOptions::read(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn a_link_without_options_is_waves() {
        assert_eq!(LinkOptions::read(&json!({})), Ok(LinkOptions::default()));
        assert_eq!(LinkOptions::default().wire(), "waves of seed 1");
    }

    #[test]
    fn a_link_names_its_limits() {
        assert_eq!(
            problems(json!({"speed": 0.0, "in_flight": 0})),
            ["`speed`: 0 is out of range (0.001 to 100)", "`in_flight`: 0 is out of range (1 to 64)"]
        );
        let unknown = "`world`: unknown choice `windfarm` (did you mean `wind-farm`?)";
        assert_eq!(problems(json!({"world": "windfarm"})), [unknown]);
    }

    #[test]
    fn a_recording_may_be_faster_than_a_world_but_not_in_one() {
        let replay = json!({"file": "a.csv"});
        assert!(LinkOptions::read(&json!({"speed": 5000.0, "replay": replay})).is_ok());
        assert_eq!(
            problems(json!({"world": "hotel", "replay": replay})),
            ["`replay`: a link either has a world or plays a recording back (leave one of `world` and `replay` out)"]
        );
    }

    #[test]
    fn a_fault_of_a_link_is_told_with_its_place() {
        assert_eq!(
            problems(json!({"faults": [{"kind": "offline"}, {"kind": "stuck", "for": "0s", "size": 3}]})),
            [
                "`faults[1].size`: `size` has no meaning for `stuck` (it takes `at`, `for`, `every`)",
                "`faults[1].for`: `0s` is not a duration above 0 (write \"250ms\", \"1s\" or \"5m\")",
            ]
        );
    }
}
