//! The OpenAPI document.

use super::problem::{PROBLEM_JSON, Problem};
use super::{Surface, live};
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};

/// What the document says before any route has been added.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Edgeway",
        description = "The API of one gateway.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem, live::Lost)),
    security(("token" = [])),
    modifiers(&Token),
    tags(
        (name = "devices", description = "Devices and their values."),
        (name = "commands", description = "Setting properties and calling services."),
        (name = "models", description = "What kinds of devices mean."),
        (name = "scenes", description = "Linkage rules."),
        (name = "queries", description = "Continuous SQL."),
        (name = "messages", description = "What flows through the gateway."),
        (name = "gateway", description = "The gateway itself."),
        (name = "routes", description = "What leaves the gateway, and what became of it."),
        (name = "health", description = "For whatever watches over the gateway."),
    ),
)]
struct Frame;

/// The document without routes.
pub(super) fn frame() -> OpenApi {
    Frame::openapi()
}

/// The security scheme of all routes but health.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut OpenApi) {
        let description = "The content of the file `token` in the site's data folder.";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(description)).build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Adds the answer to a missing or wrong token to every operation that needs one.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        if operation.security.is_none() {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let refused =
                ResponseBuilder::new().description("The token is missing or wrong.").content(PROBLEM_JSON, content);
            operation.responses.responses.insert("401".to_owned(), refused.build().into());
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post].into_iter().flatten()
}

/// Shows this document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "show_openapi",
    tag = "gateway",
    responses(
        (status = 200, description = "The OpenAPI 3.1 document.", body = Object, content_type = "application/json"),
    ),
)]
pub(super) async fn show(Shared(surface): Shared<Surface>) -> impl IntoResponse {
    let text = surface.document.as_ref().to_owned();
    ([(header::CONTENT_TYPE, "application/json")], text)
}

#[cfg(test)]
mod tests {
    use serde_json::Value as Json;

    fn document() -> Json {
        let (_, document) = crate::api::everything().split_for_parts();
        serde_json::to_value(super::complete(document)).expect("serialises")
    }

    fn operations(document: &Json) -> Vec<(String, Json)> {
        let paths = document["paths"].as_object().expect("paths");
        let methods = |(path, item): (&String, &Json)| {
            let item = item.as_object().expect("an item").clone();
            let path = path.clone();
            item.into_iter().map(move |(method, operation)| (format!("{method} {path}"), operation))
        };
        paths.iter().flat_map(methods).collect()
    }

    #[test]
    fn every_route_is_in_the_document() {
        let mut found: Vec<String> = operations(&document()).into_iter().map(|(name, _)| name).collect();
        found.sort();
        assert_eq!(
            found,
            [
                "get /api/v1/deadletters",
                "get /api/v1/deadletters/{number}",
                "get /api/v1/decisions",
                "get /api/v1/devices",
                "get /api/v1/devices/{id}",
                "get /api/v1/devices/{id}/properties/{property}",
                "get /api/v1/drivers",
                "get /api/v1/drivers/{driver}",
                "get /api/v1/links",
                "get /api/v1/links/{link}",
                "get /api/v1/messages/live",
                "get /api/v1/models",
                "get /api/v1/models/{name}",
                "get /api/v1/openapi.json",
                "get /api/v1/queries",
                "get /api/v1/routes",
                "get /api/v1/routes/{name}",
                "get /api/v1/routes/{name}/ledger",
                "get /api/v1/scenes",
                "get /api/v1/scenes/{name}",
                "get /api/v1/scenes/{name}/why",
                "get /api/v1/scenes/{name}/why-not",
                "get /api/v1/status",
                "get /healthz",
                "get /metrics",
                "get /readyz",
                "post /api/v1/deadletters/redrive",
                "post /api/v1/devices/{id}/services/{service}",
                "post /api/v1/queries/reload",
                "post /api/v1/routes/{name}/pause",
                "post /api/v1/routes/{name}/resume",
                "post /api/v1/routes/{name}/seek",
                "post /api/v1/routes/{name}/test",
                "post /api/v1/scenes/reload",
                "post /api/v1/scenes/{name}/run",
                "post /api/v1/scenes/{name}/shadow",
                "post /api/v1/scenes/{name}/switch",
                "put /api/v1/devices/{id}/properties/{property}",
            ]
        );
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let operations = operations(&document());
        let names = operations.iter().map(|(_, operation)| operation["operationId"].as_str().expect("a name"));
        assert_eq!(names.collect::<std::collections::BTreeSet<_>>().len(), operations.len());
    }

    #[test]
    fn only_health_answers_without_the_token() {
        let document = document();
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
        assert_eq!(document["security"], serde_json::json!([{"token": []}]));
        for (name, operation) in operations(&document) {
            let open = name == "get /healthz" || name == "get /readyz";
            assert_eq!(operation.get("security").is_some(), open, "{name}");
            assert_eq!(operation["responses"].get("401").is_some(), !open, "{name}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_every_parameter_is_described() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            let pointer = reference.trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        for (name, operation) in operations(&document) {
            assert!(operation["summary"].is_string(), "{name} has no summary");
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            assert!(parameters.iter().all(|parameter| parameter["description"].is_string()), "{name}");
            let braces = name.matches('{').count();
            assert_eq!(parameters.iter().filter(|parameter| parameter["in"] == "path").count(), braces, "{name}");
        }
    }
}
