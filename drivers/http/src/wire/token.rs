//! Tokens of a token server: OAuth 2.0 client credentials (RFC 6749, section 4.4).

use super::{Failure, failure};
use crate::config::{ClientOptions, OAuth, Where, encoded};
use edgeway_sdk::Deadline;
use edgeway_tls::Files;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Client, Response, Url};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An answer of a token server is shorter than this.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// A token is renewed so long before it ends, or when a tenth of its life is left.
const BEFORE_ITS_END: Duration = Duration::from_secs(60);
/// How long a token is used that does not say how long it lives.
const LIFE: Duration = Duration::from_secs(3600);
/// The longest life that is believed.
const LIFE_MAX: Duration = Duration::from_secs(30 * 86_400);

/// The token that is in use.
pub(super) struct Tokens {
    client: Client,
    oauth: OAuth,
    /// Held while a token is asked for, so that it is asked for once.
    current: tokio::sync::Mutex<Option<Token>>,
}

struct Token {
    value: HeaderValue,
    until: Instant,
}

/// What a token server answers (RFC 6749, section 5.1). What else is in it is not looked at.
#[derive(serde::Deserialize)]
struct Given {
    access_token: String,
    token_type: String,
    expires_in: Option<f64>,
}

/// How it refuses (section 5.2).
#[derive(serde::Deserialize)]
struct Refused {
    error: String,
    error_description: Option<String>,
}

impl Tokens {
    pub(super) fn new(oauth: &OAuth, link: &ClientOptions) -> Result<Self, Failure> {
        let files = Files { ca: oauth.ca.clone().or_else(|| link.files.ca.clone()), identity: None };
        let tls = edgeway_tls::client(&files).map_err(|error| Failure::Files(error.to_string()))?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .connect_timeout(link.connect_timeout)
            .timeout(link.timeout)
            .pool_max_idle_per_host(0)
            // Our secret goes to nobody else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .retry(reqwest::retry::never())
            .user_agent(concat!("edgeway/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Failure::Files(failure::chain(&error)))?;
        Ok(Tokens { client, oauth: oauth.clone(), current: tokio::sync::Mutex::default() })
    }

    /// The token in use, or a new one if that is about to end.
    ///
    /// # Errors
    /// [`Failure::Unreached`]: without a token nothing is sent.
    pub(super) async fn current(&self, by: Deadline) -> Result<HeaderValue, Failure> {
        self.unless(|token| token.until > Instant::now(), by).await
    }

    /// Another token than this, which was refused.
    pub(super) async fn renewed(&self, refused: &HeaderValue, by: Deadline) -> Result<HeaderValue, Failure> {
        self.unless(|token| token.value != refused, by).await
    }

    async fn unless(&self, good: impl Fn(&Token) -> bool, by: Deadline) -> Result<HeaderValue, Failure> {
        let asking = async {
            let mut current = self.current.lock().await;
            if let Some(token) = current.as_ref().filter(|token| good(token)) {
                return Ok(token.value.clone());
            }
            let token = self.ask().await?;
            let value = token.value.clone();
            *current = Some(token);
            Ok(value)
        };
        match timeout_at(by, asking).await {
            Ok(token) => {
                token.map_err(|reason: String| Failure::Unreached(format!("no token from {}: {reason}", self.place())))
            }
            Err(_) => Err(Failure::Unreached(format!("{} did not give a token in time", self.place()))),
        }
    }

    fn place(&self) -> &Url {
        &self.oauth.token_url
    }

    async fn ask(&self) -> Result<Token, String> {
        let OAuth { client_id, secret, .. } = &self.oauth;
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(self.oauth.scope.as_deref().map(|scope| ("scope", scope)));
        form.extend(self.oauth.audience.as_deref().map(|audience| ("audience", audience)));
        let mut request = self.client.post(self.place().clone()).header(ACCEPT, "application/json");
        match self.oauth.credentials {
            Where::Header => request = request.header(AUTHORIZATION, login(client_id, secret)),
            Where::Body => form.extend([("client_id", client_id.as_str()), ("client_secret", secret)]),
        }
        let answer = request.form(&form).send().await.map_err(|error| plain(&error))?;
        let is_given = answer.status().is_success();
        let status = answer.status();
        let body = body(answer).await?;
        if is_given { given(&body) } else { Err(refused(&body).unwrap_or_else(|| format!("it answered {status}"))) }
    }
}

/// Both are encoded as in a form before they are put together (section 2.3.1).
fn login(client_id: &str, secret: &str) -> HeaderValue {
    let encode = |text: &str| {
        let mut url = Url::parse("x:").expect("an address");
        url.query_pairs_mut().append_key_only(text);
        url.query().unwrap_or_default().to_owned()
    };
    let text = format!("Basic {}", encoded(&encode(client_id), &encode(secret)));
    let mut value = HeaderValue::from_str(&text).expect("base64 is plain text");
    value.set_sensitive(true);
    value
}

async fn body(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = vec![];
    while let Some(piece) = answer.chunk().await.map_err(|error| plain(&error))? {
        body.extend_from_slice(&piece);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(format!("it answered with more than {ANSWER_BYTES_MAX} bytes"));
        }
    }
    Ok(body)
}

fn given(body: &[u8]) -> Result<Token, String> {
    // What is wrong with the answer is not quoted: it may hold a token.
    let given: Given = serde_json::from_slice(body).map_err(|_| "it answered something that is no token".to_owned())?;
    if !given.token_type.eq_ignore_ascii_case("bearer") {
        return Err(format!("it gives tokens of the type `{}`, and only `bearer` is known", given.token_type));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {}", given.access_token))
        .map_err(|_| "its token has a character that no header may have".to_owned())?;
    value.set_sensitive(true);
    let life =
        given.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LIFE).min(LIFE_MAX);
    Ok(Token { value, until: Instant::now() + life - BEFORE_ITS_END.min(life / 10) })
}

fn refused(body: &[u8]) -> Option<String> {
    let refused: Refused = serde_json::from_slice(body).ok()?;
    let plain = |text: String| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    Some(match refused.error_description {
        Some(description) => format!("{}: {}", plain(refused.error), plain(description)),
        None => plain(refused.error),
    })
}

fn plain(error: &reqwest::Error) -> String {
    edgeway_tls::refusal(error).map_or_else(|| Failure::of(error).to_string(), |refusal| refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_secrets_are_encoded_before_they_are_put_together() {
        let login = login("a:b", "c d+é");
        assert_eq!(login.to_str().ok(), Some(format!("Basic {}", encoded("a%3Ab", "c+d%2B%C3%A9")).as_str()));
        assert!(login.is_sensitive());
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let life = |body: &str| given(body.as_bytes()).expect("a token").until.duration_since(Instant::now()).as_secs();
        assert!((3530..=3540).contains(&life(r#"{"access_token": "t", "token_type": "Bearer", "expires_in": 3600}"#)));
        assert!((8..=9).contains(&life(r#"{"access_token": "t", "token_type": "bearer", "expires_in": 10}"#)));
        assert!((3530..=3540).contains(&life(r#"{"access_token": "t", "token_type": "bearer"}"#)));
    }

    #[test]
    fn what_is_no_token_is_not_quoted() {
        let reason = |body: &str| given(body.as_bytes()).err().expect("no token");
        assert_eq!(reason(r#"{"token": "secret"}"#), "it answered something that is no token");
        assert!(reason(r#"{"access_token": "secret", "token_type": "mac"}"#).contains("`mac`"));
        assert!(!reason(r#"{"access_token": "sec\nret", "token_type": "bearer"}"#).contains("ret"));
    }

    #[test]
    fn a_refusal_says_why() {
        let body = br#"{"error": "invalid_client", "error_description": "no such\nclient"}"#;
        assert_eq!(refused(body).as_deref(), Some("invalid_client: no suchclient"));
        assert_eq!(refused(b"<html>"), None);
    }
}
