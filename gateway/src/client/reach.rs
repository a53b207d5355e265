//! Where the gateway is, and the token that it wants.
//!
//! What the command line says goes before the environment (`EDGEWAY_URL`, `EDGEWAY_TOKEN`), and that before the current
//! folder, if it is a site. The token of the current folder's site is for the address of that site only.

use super::error::ClientError;
use crate::app::{TOKEN_FILE, Token};
use crate::cli::ReachOptions;
use crate::program;
use edgeway_site::Site;
use reqwest::Url;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Where a gateway listens if nobody says anything.
const URL_DEFAULT: &str = "http://127.0.0.1:8080";

/// What the surroundings say.
pub(super) struct Surroundings {
    pub(super) url: Option<String>,
    pub(super) token: Option<String>,
    pub(super) folder: PathBuf,
}

impl Surroundings {
    pub(super) fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
        let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Surroundings { url: variable("EDGEWAY_URL"), token: variable("EDGEWAY_TOKEN"), folder }
    }
}

/// A gateway to talk to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) url: Url,
    pub(super) token: Token,
}

impl Found {
    pub(super) fn find(reach: &ReachOptions, around: &Surroundings) -> Result<Found, ClientError> {
        let named = reach.site.as_deref().map(NamedSite::read).transpose()?;
        let said =
            reach.url.clone().or_else(|| named.as_ref().map(|site| site.url.clone())).or_else(|| around.url.clone());
        let here = match (&said, &named) {
            (None, None) => NamedSite::read(&around.folder).ok(),
            _ => None,
        };
        let url = said.or_else(|| here.as_ref().map(|site| site.url.clone())).unwrap_or_else(|| URL_DEFAULT.to_owned());
        let url = parse(&url)?;
        let token = match (&reach.token_file, &named, &around.token, &here) {
            (Some(file), ..) | (None, Some(NamedSite { token: file, .. }), ..) => read_token(file)?,
            (None, None, Some(token), _) => Token::new(token),
            (None, None, None, Some(site)) => read_token(&site.token)?,
            (None, None, None, None) => return Err(ClientError::NoToken { url: shown(&url) }),
        };
        Ok(Found { url, token })
    }

    /// The address as people write it.
    pub(super) fn shown(&self) -> String {
        shown(&self.url)
    }
}

fn shown(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn parse(text: &str) -> Result<Url, ClientError> {
    let wrong = |reason: &str| ClientError::Address { url: text.to_owned(), reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    match (url.scheme(), url.has_host()) {
        ("http", true) => Ok(url),
        ("https", _) => Err(wrong("the API speaks plain HTTP")),
        _ => Err(wrong("it must begin with `http://`")),
    }
}

fn read_token(path: &Path) -> Result<Token, ClientError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ClientError::TokenFile { path: path.to_owned(), source })?;
    Ok(Token::new(&text))
}

/// What a site's folder says of its gateway.
struct NamedSite {
    url: String,
    token: PathBuf,
}

impl NamedSite {
    /// A site with mistakes in it still says where its gateway is, which may be running from before.
    fn read(folder: &Path) -> Result<Self, ClientError> {
        let no_site = || ClientError::NoSite { path: folder.to_owned() };
        if !folder.join("edgeway.toml").is_file() {
            return Err(no_site());
        }
        let site: Site = match edgeway_site::load(folder, &program::drivers()) {
            Ok(loaded) => loaded.site,
            Err(failed) => *failed.partial.ok_or_else(no_site)?,
        };
        Ok(NamedSite { url: format!("http://{}", reachable(site.api)), token: site.data.join(TOKEN_FILE) })
    }
}

/// An address to connect to: what listens everywhere also listens here.
fn reachable(mut api: SocketAddr) -> SocketAddr {
    match api.ip() {
        std::net::IpAddr::V4(ip) if ip.is_unspecified() => api.set_ip(Ipv4Addr::LOCALHOST.into()),
        std::net::IpAddr::V6(ip) if ip.is_unspecified() => api.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    api
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(api: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!("version = 1\nname = \"farm\"\n\n[api]\nlisten = \"{api}\"\n");
        std::fs::write(folder.path().join("edgeway.toml"), text).expect("written");
        std::fs::create_dir(folder.path().join("data")).expect("made");
        std::fs::write(folder.path().join("data/token"), "of-the-site\n").expect("written");
        folder
    }

    fn around(folder: &Path) -> Surroundings {
        Surroundings { url: None, token: None, folder: folder.to_owned() }
    }

    fn nothing() -> ReachOptions {
        ReachOptions { site: None, url: None, token_file: None, output: Default::default() }
    }

    fn found(reach: &ReachOptions, around: &Surroundings) -> (String, String) {
        let found = Found::find(reach, around).expect("found");
        (found.shown(), found.token.reveal().to_owned())
    }

    #[test]
    fn the_current_folder_may_be_the_site() {
        let folder = site("0.0.0.0:9090");
        let expected = ("http://127.0.0.1:9090".to_owned(), "of-the-site".to_owned());
        assert_eq!(found(&nothing(), &around(folder.path())), expected);
        let elsewhere = tempfile::tempdir().expect("a temporary folder");
        let named = ReachOptions { site: Some(folder.path().to_owned()), ..nothing() };
        assert_eq!(found(&named, &around(elsewhere.path())), expected);
    }

    #[test]
    fn what_is_said_goes_before_the_environment_and_that_before_the_folder() {
        let folder = site("127.0.0.1:9090");
        let mut around = around(folder.path());
        (around.url, around.token) = (Some("http://env:1/".into()), Some("of-env".into()));
        assert_eq!(found(&nothing(), &around), ("http://env:1".into(), "of-env".into()));
        let said = ReachOptions { url: Some("http://said:2".into()), ..nothing() };
        assert_eq!(found(&said, &around), ("http://said:2".into(), "of-env".into()));
        let file = ReachOptions { token_file: Some(folder.path().join("data/token")), ..said };
        assert_eq!(found(&file, &around), ("http://said:2".into(), "of-the-site".into()));
    }

    #[test]
    fn the_token_of_this_folder_is_not_sent_to_another_address() {
        let folder = site("127.0.0.1:9090");
        let said = ReachOptions { url: Some("http://other:2".into()), ..nothing() };
        let error = Found::find(&said, &around(folder.path())).expect_err("no token for that");
        assert!(matches!(&error, ClientError::NoToken { url } if url == "http://other:2"), "{error}");
    }

    #[test]
    fn a_folder_that_is_no_site_and_a_missing_token_are_told_apart() {
        let folder = site("127.0.0.1:9090");
        let empty = tempfile::tempdir().expect("a temporary folder");
        let named = ReachOptions { site: Some(empty.path().to_owned()), ..nothing() };
        assert!(matches!(Found::find(&named, &around(folder.path())), Err(ClientError::NoSite { .. })));
        std::fs::remove_file(folder.path().join("data/token")).expect("removed");
        let error = Found::find(&nothing(), &around(folder.path())).expect_err("no token");
        assert!(error.help().expect("advice").contains("edgeway run"), "{error}");
    }

    #[test]
    fn only_plain_http_is_an_address() {
        assert!(parse("http://[::1]:8080").is_ok());
        for (wrong, reason) in
            [("https://x", "plain HTTP"), ("ftp://x", "must begin"), ("127.0.0.1:8080", ""), ("localhost:80", "")]
        {
            let error = parse(wrong).expect_err(wrong).to_string();
            assert!(error.contains(wrong) && error.contains(reason), "{error}");
        }
    }
}
