//! The HTTP API: what the gateway shows and takes, for the command line, consoles and other programs.
//!
//! Nothing but health answers without the gateway's token. Requests are read strictly (unknown keys are refused),
//! bodies are at most 64 KiB, and every refusal is a problem (RFC 9457) that says what would be right. The whole of it
//! is described at `/api/v1/openapi.json`.

mod access;
mod commands;
mod deadletters;
mod devices;
mod document;
mod drivers;
mod health;
mod input;
mod links;
mod live;
mod models;
mod problem;
mod queries;
mod routes;
mod scenes;
mod status;
mod value;

pub(crate) use commands::{CallBody, CommandView, SetBody, WITHIN_DEFAULT};
pub(crate) use deadletters::{LetterList, LetterView, Redriven, WhichLetters};
pub(crate) use devices::{DeviceList, DeviceSummary, DeviceView, PropertyView};
pub(crate) use drivers::{DriverList, DriverView};
pub(crate) use links::{LinkList, LinkView};
pub(crate) use live::Lost;
pub(crate) use problem::Problem;
pub(crate) use queries::{QueryList, QueryView, ReloadBody, ReloadView};
pub(crate) use routes::{AccountView, RouteLedger, RouteList, RouteTest, RouteView, SeekBody};
pub(crate) use scenes::{DecisionList, SceneList, SceneReloadView, SceneView, ShownView, WhyNotView, WhyView};
pub(crate) use status::{ClassView, StatusView};

use crate::app::{State, Token};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::error;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How long requests that are under way may take once the gateway stops.
const GRACE: Duration = Duration::from_secs(1);

/// What the handlers share.
#[derive(Clone)]
struct Surface {
    state: Arc<State>,
    stop: CancellationToken,
    /// A permit for each reader of live messages.
    readers: Arc<Semaphore>,
    /// The OpenAPI document.
    document: Arc<str>,
}

impl FromRef<Surface> for Arc<State> {
    fn from_ref(surface: &Surface) -> Self {
        surface.state.clone()
    }
}

/// Serves the API until told to stop. Requests that are under way are answered if that is quick; event streams end.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, token: Token, stop: CancellationToken) {
    let metrics = state.metrics.clone();
    let router = router(state, token, stop.clone());
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let cut_off = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = served.into_future() => if let Err(error) = ended {
            error!(%error, "The API has ended; restart the gateway.");
        },
        () = metrics.sum_up() => {}
        () = cut_off => {}
    }
}

fn router(state: Arc<State>, token: Token, stop: CancellationToken) -> Router {
    let (_, document) = everything().split_for_parts();
    let document = document::complete(document).to_json().expect("the document serialises to memory");
    let readers = Arc::new(Semaphore::new(live::READERS_MAX));
    let guarded = Router::from(guarded())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(input::BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(token, access::require_token));
    Router::from(open()).merge(guarded).with_state(Surface { state, stop, readers, document: document.into() })
}

/// All routes with their description.
fn everything() -> OpenApiRouter<Surface> {
    OpenApiRouter::with_openapi(document::frame()).merge(open()).merge(guarded())
}

/// What answers without the token.
fn open() -> OpenApiRouter<Surface> {
    OpenApiRouter::new().routes(routes!(health::alive)).routes(routes!(health::ready))
}

/// What needs the token.
fn guarded() -> OpenApiRouter<Surface> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(status::show))
        .routes(routes!(devices::list))
        .routes(routes!(devices::show))
        .routes(routes!(devices::show_property, commands::set))
        .routes(routes!(commands::call))
        .routes(routes!(models::list))
        .routes(routes!(models::show))
        .routes(routes!(scenes::list))
        .routes(routes!(scenes::show))
        .routes(routes!(scenes::why))
        .routes(routes!(scenes::why_not))
        .routes(routes!(scenes::run))
        .routes(routes!(scenes::switch))
        .routes(routes!(scenes::shadow))
        .routes(routes!(scenes::reload))
        .routes(routes!(scenes::decisions))
        .routes(routes!(queries::list))
        .routes(routes!(queries::reload))
        .routes(routes!(routes::list))
        .routes(routes!(routes::show))
        .routes(routes!(routes::ledger))
        .routes(routes!(routes::pause))
        .routes(routes!(routes::resume))
        .routes(routes!(routes::seek))
        .routes(routes!(routes::test))
        .routes(routes!(deadletters::list))
        .routes(routes!(deadletters::show))
        .routes(routes!(deadletters::redrive))
        .routes(routes!(drivers::list))
        .routes(routes!(drivers::show))
        .routes(routes!(links::list))
        .routes(routes!(links::show))
        .routes(routes!(live::follow))
        .routes(routes!(document::show));
    OpenApiRouter::new().routes(routes!(health::metrics)).nest("/api/v1", v1)
}

async fn unknown_path(uri: Uri) -> Problem {
    let problem = Problem::new(StatusCode::NOT_FOUND, "unknown path", format!("there is nothing at `{}`", uri.path()));
    problem.help("all paths are described at `/api/v1/openapi.json`")
}

async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong method", detail)
        .help("all paths are described at `/api/v1/openapi.json`")
}
