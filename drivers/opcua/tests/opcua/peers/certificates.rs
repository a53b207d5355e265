//! Certificates for tests, made by a script.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) const GATEWAY: &str = "urn:edgeway:gateway";
pub(crate) const SERVER: &str = "urn:lab:server";

/// A folder with certificates of the gateway, a user and a server, and nobody trusted.
pub(crate) struct Certificates {
    folder: TempDir,
}

/// What is special about a server's certificate.
pub(crate) struct Special<'a> {
    pub(crate) host: &'a str,
    pub(crate) uri: &'a str,
    /// From when it is valid and until when, in days from now.
    pub(crate) days: (i32, i32),
}

impl Default for Special<'_> {
    fn default() -> Self {
        Special { host: "127.0.0.1", uri: SERVER, days: (-1, 30) }
    }
}

impl Certificates {
    pub(crate) async fn make(server: Special<'_>) -> Certificates {
        let certificates = Certificates { folder: tempfile::tempdir().unwrap() };
        for folder in ["pki/own", "pki/private", "pki/trusted", "pki/rejected"] {
            std::fs::create_dir_all(certificates.path(folder)).unwrap();
        }
        let ours = Special { uri: GATEWAY, ..Special::default() };
        certificates.one("pki/own/cert.der", "pki/private/private.pem", &ours).await;
        certificates.one("user.der", "user.pem", &Special { uri: "urn:user", ..Special::default() }).await;
        certificates.one("server.der", "server.pem", &server).await;
        certificates
    }

    pub(crate) async fn one(&self, cert: &str, key: &str, special: &Special<'_>) {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(repository.join(".venv/bin/python"));
        command.arg(repository.join("tests/peers/opcua_certificate.py"));
        command.args([self.path(cert), self.path(key)]).args([special.uri, special.host]);
        command.args([special.days.0.to_string(), special.days.1.to_string()]);
        let status = command.status().await.expect("Python is there; tests/run installs it");
        assert!(status.success());
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Whatever is in `rejected` is moved to `trusted`, as a person would do it.
    pub(crate) fn trust(&self) {
        let rejected = files(&self.path("pki/rejected"));
        assert_eq!(rejected.len(), 1, "{rejected:?}");
        let name = rejected[0].file_name().unwrap();
        std::fs::rename(&rejected[0], self.path("pki/trusted").join(name)).unwrap();
    }

    /// What a link needs for this security.
    pub(crate) fn options(&self, security: &str, mode: &str) -> Json {
        serde_json::json!({ "security": security, "mode": mode, "pki": self.text("pki") })
    }

    /// What the server needs for these policies.
    pub(crate) fn server(&self, policies: &str) -> Vec<String> {
        let [cert, key] = [self.text("server.der"), self.text("server.pem")];
        ["--cert", &cert, "--key", &key, "--uri", SERVER, "--policies", policies].map(str::to_owned).into()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}
