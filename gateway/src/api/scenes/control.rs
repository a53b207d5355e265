//! What a person changes about scenes: switching, shadow, reloading.

use super::{SceneView, unknown, view};
use crate::api::input::Body;
use crate::api::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use crate::scenes::{ReloadError, Reloaded, SceneHost};
use axum::Json;
use axum::extract::{Path, State as Shared};
use axum::http::StatusCode;
use edgeway_rules::RunError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// On or off.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchBody {
    /// Whether it is to be on.
    pub(crate) on: bool,
}

/// What came of a reload, by the names of scenes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SceneReloadView {
    /// They were not there before.
    pub(crate) added: Vec<String>,
    /// They are gone, and their runs with them.
    pub(crate) removed: Vec<String>,
    /// Their words have changed.
    pub(crate) changed: Vec<String>,
    /// They go on as if nothing had happened.
    pub(crate) kept: Vec<String>,
    /// Scenes whose runs have ended, and why.
    pub(crate) abandoned: Vec<AbandonedRun>,
    /// What is probably not meant that way.
    pub(crate) warnings: Vec<String>,
}

/// A run that does not go on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AbandonedRun {
    /// Its scene.
    pub(crate) scene: String,
    /// Why.
    pub(crate) reason: String,
}

/// Switches a scene on or off, also for after a restart. Switched off it decides nothing, and its runs end.
#[utoipa::path(
    post,
    path = "/scenes/{name}/switch",
    operation_id = "switch_scene",
    tag = "scenes",
    params(("name" = String, Path, description = "The scene.")),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "It is switched.", body = SceneView),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn switch(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
    Body(body): Body<SwitchBody>,
) -> Result<Json<SceneView>, Problem> {
    change(&gateway, &name, |scenes| scenes.switch(&name, body.on))
}

/// Puts a scene into shadow, where it decides, traces and sends nothing, or takes it out; also for after a restart.
#[utoipa::path(
    post,
    path = "/scenes/{name}/shadow",
    operation_id = "shadow_scene",
    tag = "scenes",
    params(("name" = String, Path, description = "The scene.")),
    request_body = SwitchBody,
    responses(
        (status = 200, description = "It is in shadow, or out of it.", body = SceneView),
        (status = 404, description = "There is no such scene.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn shadow(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
    Body(body): Body<SwitchBody>,
) -> Result<Json<SceneView>, Problem> {
    change(&gateway, &name, |scenes| scenes.set_shadow(&name, body.on))
}

fn change(
    gateway: &State,
    name: &str,
    act: impl FnOnce(&SceneHost) -> Result<(), RunError>,
) -> Result<Json<SceneView>, Problem> {
    act(&gateway.scenes).map_err(|_| unknown(gateway, name))?;
    view(gateway, name).map(Json).ok_or_else(|| unknown(gateway, name))
}

/// Takes in the scenes of the site's folder as they are now. If there is a mistake, all stays as it is. Scenes whose
/// words have not changed go on with their runs, clocks and counters.
#[utoipa::path(
    post,
    path = "/scenes/reload",
    operation_id = "reload_scenes",
    tag = "scenes",
    responses(
        (status = 200, description = "They run.", body = SceneReloadView),
        (status = 409, description = "There are mistakes; nothing has changed.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(in crate::api) async fn reload(Shared(gateway): Shared<Arc<State>>) -> Result<Json<SceneReloadView>, Problem> {
    let queries = gateway.queries.with(|queries| queries.list());
    // Compiling takes a second for some thousand scenes.
    let done = tokio::task::spawn_blocking(move || gateway.scenes.reload(&gateway.root, &queries)).await;
    match done {
        Ok(Ok(reloaded)) => Ok(Json(reloaded.into())),
        Ok(Err(error)) => Err(error.into()),
        Err(error) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not reloaded", error.to_string())),
    }
}

impl From<Reloaded> for SceneReloadView {
    fn from(reloaded: Reloaded) -> Self {
        let texts = |names: Vec<Arc<str>>| names.iter().map(ToString::to_string).collect();
        let abandoned =
            reloaded.abandoned.into_iter().map(|(scene, reason)| AbandonedRun { scene: scene.to_string(), reason });
        SceneReloadView {
            added: texts(reloaded.added),
            removed: texts(reloaded.removed),
            changed: texts(reloaded.changed),
            kept: texts(reloaded.kept),
            abandoned: abandoned.collect(),
            warnings: reloaded.warnings.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        let help = match error {
            ReloadError::Mistakes(_) => "mend the files and reload again; the scenes of before go on meanwhile",
            ReloadError::UnderWay => "try again a little later",
        };
        Problem::new(StatusCode::CONFLICT, "not reloaded", error.to_string()).help(help)
    }
}
