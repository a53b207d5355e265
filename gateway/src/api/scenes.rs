//! Scenes: what they do, why they did it, and running one by hand.

mod control;
mod explain;

pub(crate) use control::SceneReloadView;
pub(super) use control::{__path_reload, __path_shadow, __path_switch, reload, shadow, switch};
pub(super) use explain::{__path_decisions, __path_show, __path_why, __path_why_not, decisions, show, why, why_not};
pub(crate) use explain::{DecisionList, ShownView, WhyNotView};

use super::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use edgeway_rules::{ConditionView, DecisionView, ReadView, RunError, SceneInfo, StepView, TriggerView, Why};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// All scenes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneList {
    /// The highest priority first, then by name.
    pub(crate) scenes: Vec<SceneView>,
}

/// A scene. Counters count from the start of the gateway.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneView {
    /// Its name.
    #[schema(example = "welcome")]
    pub(crate) name: String,
    /// What it does, in words; may be empty.
    pub(crate) title: String,
    /// The script.
    #[schema(example = "scenes/welcome.rhai")]
    pub(crate) file: String,
    /// The line in the script, from 1.
    pub(crate) line: usize,
    /// What sets it off.
    pub(crate) triggers: Vec<String>,
    /// The greater goes first.
    pub(crate) priority: i64,
    /// Whether it is under way: it waits in a `delay`, for a condition or for a device.
    pub(crate) running: bool,
    /// Whether it decides and sends nothing.
    #[serde(default)]
    pub(crate) shadow: bool,
    /// Why it does not act, if it is switched off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) off: Option<String>,
    /// How often it would have run, had it not been in shadow.
    #[serde(default)]
    pub(crate) would_have_fired: u64,
    /// How often it ran.
    pub(crate) fired: u64,
    /// How often it was set off and did not run.
    pub(crate) declined: u64,
    /// How many scripts of it failed, and chains of causes were stopped at it.
    pub(crate) errors: u64,
    /// When it ran last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) last_fired: Option<String>,
}

/// Why a scene did what it did, or did nothing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WhyView {
    /// The scene.
    pub(crate) scene: String,
    /// What it does, in words; may be empty.
    pub(crate) title: String,
    /// The script.
    pub(crate) file: String,
    /// The line in the script, from 1.
    pub(crate) line: usize,
    /// Each trigger as it stands.
    pub(crate) triggers: Vec<SceneTrigger>,
    /// The last decisions, at most 32, the newest first.
    pub(crate) decisions: Vec<SceneDecision>,
    /// All of it as text of several lines.
    pub(crate) text: String,
}

/// A trigger as it stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneTrigger {
    /// What it waits for.
    #[schema(example = "room-301.key_card == true")]
    pub(crate) text: String,
    /// In words: whether it is armed, and why not.
    pub(crate) state: String,
    /// Whether the next value, event or moment that fits sets the scene off.
    pub(crate) armed: bool,
    /// When it last set the scene off, in the site's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) fired: Option<String>,
    /// When its time comes, in the site's time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    pub(crate) due: Option<String>,
    /// What it sees now.
    pub(crate) reads: Vec<SceneRead>,
}

/// A decision of a scene.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneDecision {
    /// Counted over all scenes since the gateway started, from 1.
    #[serde(default)]
    pub(crate) number: u64,
    /// The scene.
    #[serde(default)]
    pub(crate) scene: String,
    /// When, in the site's time zone.
    #[schema(format = DateTime)]
    pub(crate) time: String,
    /// What set the scene off.
    pub(crate) cause: String,
    /// The scenes that led here, outermost first.
    pub(crate) chain: Vec<String>,
    /// `fired`, `shadow`, `queued`, `declined`, `otherwise`, `cooling`, `running`, `off`, `resting`, `loop`, `missed`,
    /// `failed`, `resumed` or `abandoned`.
    #[schema(example = "fired")]
    pub(crate) verdict: String,
    /// More on the verdict; may be empty.
    pub(crate) detail: String,
    /// In the order of the script.
    pub(crate) conditions: Vec<SceneCondition>,
    /// What was done, in order, at most 64 steps.
    #[serde(default)]
    pub(crate) steps: Vec<SceneStep>,
    /// What scripts printed.
    pub(crate) printed: Vec<String>,
    /// All of it as text of several lines.
    #[serde(default)]
    pub(crate) text: String,
}

/// A step that was done, or could not be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneStep {
    /// When, in the site's time zone.
    #[schema(format = DateTime)]
    pub(crate) time: String,
    /// What.
    #[schema(example = "set room-301.curtain = 100 %")]
    pub(crate) text: String,
    /// The id of its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<String>,
    /// `done`, `sent`, `applied`, `failed`, `lost` or `shadow`.
    #[schema(example = "applied")]
    pub(crate) result: String,
    /// Why it failed, or to which scene it lost; may be empty.
    pub(crate) detail: String,
}

/// What a condition came to.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneCondition {
    /// The condition.
    pub(crate) text: String,
    /// `pass`, `fail`, `unknown` or `skipped`.
    #[schema(example = "pass")]
    pub(crate) outcome: String,
    /// What it found.
    pub(crate) reads: Vec<SceneRead>,
    /// What went wrong in its script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// What a scene has read.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneRead {
    /// A property of a device, or the id of a device for its state.
    #[schema(example = "wt-07.state")]
    pub(crate) name: String,
    /// As people read it, with label or unit.
    #[schema(example = "2 (production)")]
    pub(crate) shown: String,
    /// In the model's type and unit.
    pub(crate) value: serde_json::Value,
    /// `good`, `stale`, `bad:timeout`, ...; `missing` if it was never reported; empty for a device's state.
    #[schema(example = "good")]
    pub(crate) quality: String,
    /// How old the value was then, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) age_seconds: Option<u64>,
}

/// Lists the scenes.
#[utoipa::path(
    get,
    path = "/scenes",
    operation_id = "list_scenes",
    tag = "scenes",
    responses(
        (status = 200, description = "The scenes.", body = SceneList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<SceneList> {
    Json(SceneList { scenes: views(&gateway) })
}

/// Sets a scene off. Its conditions and its cooldown apply as ever.
#[utoipa::path(
    post,
    path = "/scenes/{name}/run",
    operation_id = "run_scene",
    tag = "scenes",
    params(
        ("name" = String, Path, description = "The scene."),
    ),
    responses(
        (status = 200, description = "It runs; the commands that it gives are on their way.", body = SceneView),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
        (status = 409, description = "It decided not to run.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn run(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<SceneView>, Problem> {
    match gateway.scenes.run(&name) {
        Ok(()) => view(&gateway, &name).map(Json).ok_or_else(|| unknown(&gateway, &name)),
        Err(RunError::UnknownScene { .. }) => Err(unknown(&gateway, &name)),
        Err(declined) => {
            let problem = Problem::new(StatusCode::CONFLICT, "scene did not run", declined.to_string());
            Err(problem.help(format!("`/api/v1/scenes/{name}/why` tells everything it looked at")))
        }
    }
}

/// All scenes as they are now.
pub(super) fn views(gateway: &State) -> Vec<SceneView> {
    gateway.scenes.with(|scenes| scenes.list()).into_iter().map(SceneView::from).collect()
}

fn view(gateway: &State, name: &str) -> Option<SceneView> {
    gateway.scenes.with(|scenes| scenes.scene(name)).map(SceneView::from)
}

fn unknown(gateway: &State, name: &str) -> Problem {
    let scenes = gateway.scenes.with(|scenes| scenes.list());
    Problem::unknown("scene", name, scenes.iter().map(|scene| &*scene.name))
}

fn texts(texts: Vec<Arc<str>>) -> Vec<String> {
    texts.iter().map(|text| text.to_string()).collect()
}

fn all<From, To: std::convert::From<From>>(items: Vec<From>) -> Vec<To> {
    items.into_iter().map(To::from).collect()
}

impl From<SceneInfo> for SceneView {
    fn from(scene: SceneInfo) -> Self {
        SceneView {
            name: scene.name.to_string(),
            title: scene.title,
            file: scene.file.to_string(),
            line: scene.line,
            triggers: texts(scene.triggers),
            priority: scene.priority,
            running: scene.running,
            shadow: scene.shadow,
            off: scene.off.map(|reason| reason.to_string()),
            would_have_fired: scene.would_have_fired,
            fired: scene.fired,
            declined: scene.declined,
            errors: scene.errors,
            last_fired: scene.last_fired.map(|time| time.to_string()),
        }
    }
}

impl From<Why> for WhyView {
    fn from(why: Why) -> Self {
        WhyView {
            text: why.to_string(),
            scene: why.scene.to_string(),
            title: why.title,
            file: why.file.to_string(),
            line: why.line,
            triggers: all(why.triggers),
            decisions: all(why.decisions),
        }
    }
}

impl From<TriggerView> for SceneTrigger {
    fn from(trigger: TriggerView) -> Self {
        let TriggerView { text, state, armed, fired, due, reads } = trigger;
        SceneTrigger { text: text.to_string(), state, armed, fired, due, reads: all(reads) }
    }
}

impl From<DecisionView> for SceneDecision {
    fn from(decision: DecisionView) -> Self {
        SceneDecision {
            text: decision.to_string(),
            number: decision.number,
            scene: decision.scene.to_string(),
            time: decision.time,
            cause: decision.cause,
            chain: texts(decision.chain),
            verdict: decision.verdict.to_owned(),
            detail: decision.detail,
            conditions: all(decision.conditions),
            steps: all(decision.steps),
            printed: decision.printed,
        }
    }
}

impl From<StepView> for SceneStep {
    fn from(step: StepView) -> Self {
        let StepView { time, text, command, result, detail } = step;
        let command = command.map(|id| id.to_string());
        SceneStep { time, text: text.to_string(), command, result: result.to_owned(), detail }
    }
}

impl From<ConditionView> for SceneCondition {
    fn from(condition: ConditionView) -> Self {
        let ConditionView { text, outcome, reads, error } = condition;
        SceneCondition { text: text.to_string(), outcome: outcome.to_owned(), reads: all(reads), error }
    }
}

impl From<ReadView> for SceneRead {
    fn from(read: ReadView) -> Self {
        let ReadView { name, shown, value, quality, age_seconds } = read;
        SceneRead { name, shown, value, quality: quality.to_owned(), age_seconds }
    }
}
