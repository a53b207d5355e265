//! Who may ask.

use super::problem::Problem;
use crate::app::Token;
use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Lets a request through that carries the token.
pub(super) async fn require_token(Shared(token): Shared<Token>, request: Request, next: Next) -> Response {
    match check(request.headers(), &token) {
        Ok(()) => next.run(request).await,
        Err(problem) => refuse(problem),
    }
}

fn check(headers: &HeaderMap, token: &Token) -> Result<(), Problem> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "token missing", "this request needs the gateway's token"));
    };
    match bearer(given) {
        Some(given) if token.is(given) => Ok(()),
        Some(_) => Err(Problem::new(StatusCode::UNAUTHORIZED, "token refused", "this is not the gateway's token")),
        None => Err(Problem::new(StatusCode::UNAUTHORIZED, "token refused", "only bearer tokens are understood")),
    }
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refuse(problem: Problem) -> Response {
    let help = "send `Authorization: Bearer TOKEN`; the token is in the file `token` in the site's data folder";
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (challenge, problem.help(help)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(header: Option<&'static str>) -> Result<(), String> {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|text| (header::AUTHORIZATION, HeaderValue::from_static(text))));
        check(&headers, &Token::new("secret")).map_err(|problem| problem.title)
    }

    #[test]
    fn only_the_token_opens_the_door() {
        assert_eq!(verdict(Some("Bearer secret")), Ok(()));
        assert_eq!(verdict(Some("bearer secret")), Ok(()));
        assert_eq!(verdict(None), Err("token missing".into()));
        for wrong in ["Bearer secre", "Bearer secrett", "Bearer ", "Basic secret", "secret"] {
            assert_eq!(verdict(Some(wrong)), Err("token refused".into()), "{wrong}");
        }
    }
}
