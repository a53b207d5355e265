//! How the API says no: problem details (RFC 9457) with advice.

use super::commands::CommandView;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The media type of a [`Problem`].
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    /// In two or three words, the same for every request that fails in this way.
    #[schema(example = "unknown device")]
    pub(crate) title: String,
    /// The status of the answer.
    #[schema(example = 404)]
    pub(crate) status: u16,
    /// What is wrong with this request.
    #[schema(example = "there is no device `wt-7`")]
    pub(crate) detail: String,
    /// What would be right.
    #[schema(example = "did you mean `wt-07`?")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) help: Option<String>,
    /// The command that was not applied, if the request was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Box<CommandView>>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &str, detail: impl Into<String>) -> Self {
        Problem { title: title.to_owned(), status: status.as_u16(), detail: detail.into(), help: None, command: None }
    }

    /// The request is not what the API takes.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad request", detail)
    }

    /// There is no such thing; `known` are those there are.
    pub(super) fn unknown<'a>(kind: &str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let help = edgeway_sdk::did_you_mean(name, known);
        Problem::new(StatusCode::NOT_FOUND, &format!("unknown {kind}"), format!("there is no {kind} `{name}`"))
            .maybe_help(help)
    }

    /// The same with advice.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        self.maybe_help(Some(help.into()))
    }

    /// The same with advice, if there is any.
    pub(super) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}

impl From<edgeway_sdk::Problem> for Problem {
    fn from(problem: edgeway_sdk::Problem) -> Self {
        let help = problem.help.clone();
        let plain = edgeway_sdk::Problem { help: None, ..problem };
        Problem::bad_request(plain.to_string()).maybe_help(help)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("a problem serialises to memory");
        let kind: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, PROBLEM_JSON)];
        (status, kind, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_comes_with_the_one_that_was_meant() {
        let problem = Problem::unknown("device", "wt-7", ["wt-07", "mast-01"]);
        assert_eq!(
            serde_json::to_value(&problem).expect("serialises"),
            serde_json::json!({
                "title": "unknown device",
                "status": 404,
                "detail": "there is no device `wt-7`",
                "help": "did you mean `wt-07`?",
            })
        );
    }

    #[test]
    fn a_mistake_in_a_body_keeps_its_key_and_its_advice() {
        let problem: Problem =
            edgeway_sdk::Problem::key("vale", "unknown key `vale`").help("did you mean `value`?").into();
        assert_eq!((problem.status, problem.detail.as_str()), (400, "`vale`: unknown key `vale`"));
        assert_eq!(problem.help.as_deref(), Some("did you mean `value`?"));
    }
}
