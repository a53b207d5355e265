//! What a request brings, read strictly: a key that is misspelt is refused, not ignored.

use super::problem::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use edgeway_sdk::{Json, options};
use serde::de::DeserializeOwned;

/// The most bytes of a body.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// A JSON body. An empty one is taken for `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await.map_err(|refused| match refused.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                let detail = format!("the body is longer than {BODY_BYTES_MAX} bytes");
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large", detail)
            }
            _ => Problem::bad_request(refused.body_text()),
        })?;
        read(&bytes).map(Body)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let json: Json = match bytes {
        [] => Json::Object(Default::default()),
        bytes => serde_json::from_slice(bytes)
            .map_err(|error| Problem::bad_request(format!("the body is not JSON: {error}")))?,
    };
    Ok(options::parse(&json)?)
}

/// What stands behind the `?` of an address, each key at most once.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut keys = serde_json::Map::new();
        for (key, value) in pairs(parts)? {
            if keys.insert(key.clone(), value.into()).is_some() {
                return Err(Problem::bad_request(format!("`{key}` is given twice")));
            }
        }
        Ok(Params(options::parse(&Json::Object(keys))?))
    }
}

/// All keys behind the `?` with their values, in order.
pub(super) fn pairs(parts: &Parts) -> Result<Vec<(String, String)>, Problem> {
    match Query::try_from_uri(&parts.uri) {
        Ok(Query(pairs)) => Ok(pairs),
        Err(refused) => Err(Problem::bad_request(refused.body_text())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        model: Option<String>,
    }

    async fn params(uri: &str) -> Result<Wanted, String> {
        let (mut parts, ()) = http::Request::builder().uri(uri).body(()).expect("valid").into_parts();
        Params::from_request_parts(&mut parts, &()).await.map(|Params(wanted)| wanted).map_err(|problem| problem.detail)
    }

    #[tokio::test]
    async fn parameters_are_known_and_given_once() {
        assert_eq!(params("/x?model=wind%20turbine").await, Ok(Wanted { model: Some("wind turbine".into()) }));
        assert_eq!(params("/x").await, Ok(Wanted { model: None }));
        assert_eq!(params("/x?modle=a").await, Err("`modle`: unknown key `modle`".into()));
        assert_eq!(params("/x?model=a&model=b").await, Err("`model` is given twice".into()));
    }

    #[test]
    fn a_body_is_json_of_the_right_shape() {
        assert_eq!(read::<Wanted>(b"").map_err(|p| p.detail), Ok(Wanted { model: None }));
        assert!(read::<Wanted>(b"{").expect_err("cut off").detail.starts_with("the body is not JSON"));
        let problem = read::<Wanted>(br#"{"modl":"a"}"#).expect_err("misspelt");
        assert_eq!(problem.help.as_deref(), Some("did you mean `model`?"));
    }
}
