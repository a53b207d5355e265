//! Who we are to a server, or who a sender has to be.

use super::headers::header_value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edgeway_sdk::Problem;
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::path::PathBuf;

/// Who we are to a server, or who a sender has to be.
#[derive(Clone)]
pub(crate) enum Login {
    /// Anybody.
    Nobody,
    /// The same `Authorization` each time.
    Fixed(HeaderValue),
    /// A token of a token server.
    OAuth(Box<OAuth>),
}

/// Client credentials (RFC 6749, section 4.4), checked.
#[derive(Clone)]
pub(crate) struct OAuth {
    pub(crate) token_url: Url,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) scope: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) credentials: Where,
    pub(crate) ca: Option<PathBuf>,
}

/// Client credentials, as written.
#[derive(serde::Deserialize, schemars::JsonSchema, Clone)]
#[serde(deny_unknown_fields)]
#[schemars(title = "OAuth 2.0 client credentials")]
pub(crate) struct Written {
    /// Where tokens are given out, `https://...`
    token_url: String,
    /// Who we are to the token server
    client_id: String,
    /// Our secret there
    secret: String,
    /// What is asked for; several words with spaces between them
    scope: Option<String>,
    /// Whom the token is for, where the token server wants to know
    audience: Option<String>,
    /// Where `client_id` and `secret` are put
    #[serde(default)]
    credentials: Where,
    /// Certificates to trust at the token server, in PEM. Default: the link's `ca`
    #[schemars(extend("format" = "path"))]
    ca: Option<PathBuf>,
}

/// Where `client_id` and `secret` are put.
#[derive(serde::Deserialize, schemars::JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Where {
    /// In the header `Authorization`
    #[default]
    Header,
    /// In the body
    Body,
}

/// What a link's table says of the login.
pub(super) struct Given {
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    pub(super) token: Option<String>,
    pub(super) oauth: Option<Written>,
}

impl Given {
    /// The one login that was written.
    pub(super) fn login(self, problems: &mut Vec<Problem>) -> Login {
        let basic = self.username.is_some() || self.password.is_some();
        if [basic, self.token.is_some(), self.oauth.is_some()].into_iter().filter(|given| *given).count() > 1 {
            let key = if self.oauth.is_some() { "oauth" } else { "token" };
            let help = "one of `username` with `password`, `token` and `oauth`";
            problems.push(Problem::key(key, "there is more than one login").help(help));
        }
        if let Some(oauth) = self.oauth {
            return oauth.checked(problems);
        }
        let text = match (self.token, self.username, self.password) {
            (Some(token), ..) => Ok(("token", format!("Bearer {token}"))),
            (None, Some(name), Some(password)) => Ok(("password", format!("Basic {}", encoded(&name, &password)))),
            (None, None, None) => return Login::Nobody,
            (None, Some(_), None) => Err(Problem::key("password", "it is missing").help("`username` needs one")),
            (None, None, Some(_)) => Err(Problem::key("username", "it is missing").help("`password` needs one")),
        };
        match text.and_then(|(key, text)| header_value(key, &text)) {
            Ok(value) => Login::Fixed(value),
            Err(problem) => {
                problems.push(problem);
                Login::Nobody
            }
        }
    }
}

/// Name and password as RFC 7617 has them.
pub(crate) fn encoded(name: &str, password: &str) -> String {
    STANDARD.encode(format!("{name}:{password}"))
}

impl Written {
    pub(super) fn client_id(&self) -> &str {
        &self.client_id
    }

    fn checked(self, problems: &mut Vec<Problem>) -> Login {
        let url = Url::parse(&self.token_url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(token_url) = url else {
            let problem = Problem::key("oauth.token_url", format!("`{}` is not an address", self.token_url));
            problems.push(problem.help("`https://login.example/token`"));
            return Login::Nobody;
        };
        Login::OAuth(Box::new(OAuth {
            token_url,
            client_id: self.client_id,
            secret: self.secret,
            scope: self.scope,
            audience: self.audience,
            credentials: self.credentials,
            ca: self.ca,
        }))
    }
}
