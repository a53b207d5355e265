//! The files of a link with TLS, at either end.

use edgeway_sdk::Problem;
use edgeway_tls::{Files, ServerFiles};
use std::path::PathBuf;

/// What a link's table says of them.
pub(super) struct Given {
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) client_ca: Option<PathBuf>,
}

impl Given {
    /// Of a link that asks.
    pub(super) fn client(self, scheme: &str, problems: &mut Vec<Problem>) -> Files {
        if self.client_ca.is_some() {
            problems.push(Problem::key("client_ca", "it is for `listens://`").help("leave it out, or see `ca`"));
        }
        if scheme == "http" {
            for (name, _) in self.names().into_iter().filter(|(name, is_given)| *is_given && *name != "client_ca") {
                problems.push(Problem::key(name, "it has no meaning with `http://`").help("write `https://`"));
            }
        }
        let identity = match (self.cert, self.key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => {
                problems.push(Problem::key("key", "it is missing").help("`cert` needs one"));
                None
            }
            (None, Some(_)) => {
                problems.push(Problem::key("cert", "it is missing").help("`key` needs one"));
                None
            }
        };
        Files { ca: self.ca, identity }
    }

    /// Of a link that listens without TLS: none.
    pub(super) fn plain_listener(self, problems: &mut Vec<Problem>) {
        for (name, _) in self.names().into_iter().filter(|(_, is_given)| *is_given) {
            let help = if name == "ca" { "leave it out" } else { "write `listens://`" };
            problems.push(Problem::key(name, "it has no meaning with `listen://`").help(help));
        }
    }

    /// Of a link that listens with TLS.
    pub(super) fn listener(self, problems: &mut Vec<Problem>) -> Option<ServerFiles> {
        if self.ca.is_some() {
            let help = "`client_ca` is for the certificates of devices";
            problems.push(Problem::key("ca", "it has no meaning with `listens://`").help(help));
        }
        for (name, _) in [("cert", &self.cert), ("key", &self.key)].into_iter().filter(|(_, file)| file.is_none()) {
            problems.push(Problem::key(name, "it is missing").help("`listens://` needs `cert` and `key`"));
        }
        Some(ServerFiles { cert: self.cert?, key: self.key?, client_ca: self.client_ca })
    }

    /// Every key, and whether it was given.
    fn names(&self) -> [(&'static str, bool); 4] {
        [
            ("ca", self.ca.is_some()),
            ("cert", self.cert.is_some()),
            ("key", self.key.is_some()),
            ("client_ca", self.client_ca.is_some()),
        ]
    }
}
