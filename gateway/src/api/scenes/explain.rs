//! What a scene is, why it did what it did, why it does not, and what all of them decide.

use super::{SceneDecision, SceneRead, SceneView, WhyView, all, texts, unknown, view};
use crate::api::input::Params;
use crate::api::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use axum::Json;
use axum::extract::{Path, State as Shared};
use edgeway_rules::{NeedView, Scenes, Shown, WhyNot};
use edgeway_sdk::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The most decisions of one answer.
const DECISIONS_MAX: usize = 1_000;

/// A scene as it was understood, and how it stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ShownView {
    /// How it stands.
    pub(crate) scene: SceneView,
    /// What has to be true: all of these.
    pub(crate) only_if: Vec<String>,
    /// What it does then, a line each, inner steps indented.
    pub(crate) then: Vec<String>,
    /// What it does when some condition was not true.
    pub(crate) otherwise: Vec<String>,
    /// Mode, cooldown, priority and the like, as far as they are set.
    pub(crate) manner: Vec<String>,
    /// All of it as text of several lines.
    pub(crate) text: String,
}

/// Why a scene does not run now, and what it would take.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WhyNotView {
    /// The scene.
    pub(crate) scene: String,
    /// What keeps it from deciding at all.
    pub(crate) held_back: Vec<String>,
    /// What would set it off; one is enough.
    pub(crate) triggers: Vec<SceneNeed>,
    /// What has to be true then; all of them.
    pub(crate) conditions: Vec<SceneNeed>,
    /// What became of it when it was last set off, if it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<String>,
    /// All of it as text of several lines.
    pub(crate) text: String,
}

/// A trigger or a condition as it stands.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneNeed {
    /// In words.
    pub(crate) text: String,
    /// `true`, `false`, `unknown` or `waits`.
    #[schema(example = "false")]
    pub(crate) now: String,
    /// What it would take; empty if nothing.
    pub(crate) takes: Vec<String>,
    /// What it sees.
    pub(crate) reads: Vec<SceneRead>,
}

/// Decisions of all scenes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DecisionList {
    /// In order.
    pub(crate) decisions: Vec<SceneDecision>,
    /// The number of the last decision of any scene: ask for what is behind it next.
    pub(crate) last: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct AtTime {
    at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Behind {
    after: Option<String>,
    scene: Option<String>,
}

/// Shows a scene as it was understood.
#[utoipa::path(
    get,
    path = "/scenes/{name}",
    operation_id = "show_scene",
    tag = "scenes",
    params(("name" = String, Path, description = "The scene.")),
    responses(
        (status = 200, description = "What it waits for, what it does, how it stands.", body = ShownView),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<ShownView>, Problem> {
    let shown = gateway.scenes.with(|scenes| scenes.show(&name));
    let (Some(shown), Some(scene)) = (shown, view(&gateway, &name)) else { return Err(unknown(&gateway, &name)) };
    Ok(Json(shown_view(shown, scene)))
}

/// Tells why a scene did what it did, or did nothing.
#[utoipa::path(
    get,
    path = "/scenes/{name}/why",
    operation_id = "explain_scene",
    tag = "scenes",
    params(
        ("name" = String, Path, description = "The scene."),
        ("at" = Option<String>, Query, description = "Without the decisions since this time, as in RFC 3339."),
    ),
    responses(
        (status = 200, description = "Its triggers as they stand and its last decisions.", body = WhyView),
        (status = 400, description = "`at` is no time.", body = Problem, content_type = PROBLEM_JSON),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn why(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
    Params(AtTime { at }): Params<AtTime>,
) -> Result<Json<WhyView>, Problem> {
    let now = Timestamp::now();
    let at = at.as_deref().map_or(Ok(now), |at| {
        let wrong = || Problem::bad_request(format!("`at`: `{at}` is no time")).help("write 2026-11-26T10:00:00Z");
        Timestamp::parse(at).ok_or_else(wrong)
    })?;
    let why = gateway.scenes.with(|scenes| scenes.why_at(&name, now, at));
    why.map(|why| Json(why.into())).ok_or_else(|| unknown(&gateway, &name))
}

/// Tells why a scene does not run now, and what it would take.
#[utoipa::path(
    get,
    path = "/scenes/{name}/why-not",
    operation_id = "explain_idle_scene",
    tag = "scenes",
    params(("name" = String, Path, description = "The scene.")),
    responses(
        (status = 200, description = "Each trigger and condition as it stands.", body = WhyNotView),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn why_not(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<WhyNotView>, Problem> {
    let why = gateway.scenes.with(|scenes| scenes.why_not(&name, Timestamp::now()));
    why.map(|why| Json(why.into())).ok_or_else(|| unknown(&gateway, &name))
}

/// Tells what scenes have decided lately: of the last 4,096 decisions those that their scenes still remember.
#[utoipa::path(
    get,
    path = "/decisions",
    operation_id = "list_decisions",
    tag = "scenes",
    params(
        ("after" = Option<u64>, Query, description = "Only those behind the decision of this number."),
        ("scene" = Option<String>, Query, description = "Only those of this scene."),
    ),
    responses(
        (status = 200, description = "The decisions, the last 1,000 at most.", body = DecisionList),
        (status = 400, description = "`after` is no number.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn decisions(
    Shared(gateway): Shared<Arc<State>>,
    Params(Behind { after, scene }): Params<Behind>,
) -> Result<Json<DecisionList>, Problem> {
    let after = after.as_deref().map_or(Ok(0), |after| {
        after.parse::<u64>().map_err(|_| Problem::bad_request(format!("`after`: `{after}` is no number")))
    })?;
    let look =
        |scenes: &Scenes| (scenes.decisions_after(after, scene.as_deref(), DECISIONS_MAX), scenes.last_decision());
    let (decisions, last) = gateway.scenes.with(look);
    Ok(Json(DecisionList { decisions: all(decisions), last }))
}

fn shown_view(shown: Shown, scene: SceneView) -> ShownView {
    let text = shown.to_string();
    let Shown { only_if, then, otherwise, manner, .. } = shown;
    ShownView { scene, only_if: texts(only_if), then, otherwise, manner, text }
}

impl From<WhyNot> for WhyNotView {
    fn from(why: WhyNot) -> Self {
        WhyNotView {
            text: why.to_string(),
            scene: why.scene.to_string(),
            held_back: why.held_back,
            triggers: all(why.triggers),
            conditions: all(why.conditions),
            last: why.last,
        }
    }
}

impl From<NeedView> for SceneNeed {
    fn from(need: NeedView) -> Self {
        let NeedView { text, now, takes, reads } = need;
        SceneNeed { text: text.to_string(), now: now.to_owned(), takes, reads: all(reads) }
    }
}
