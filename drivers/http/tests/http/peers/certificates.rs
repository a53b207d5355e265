//! Certificates made with openssl, with keys of several kinds.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// An authority with who it vouches for, each NAME.pem with NAME.key.
pub(super) struct Certificates {
    folder: TempDir,
}

/// How a key is made.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// RSA with 2048 bits.
    Rsa,
    /// On the curve P-256.
    Ec,
    /// Ed25519.
    Ed25519,
}

impl Kind {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Kind::Rsa => &["-newkey", "rsa:2048"],
            Kind::Ec => &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            Kind::Ed25519 => &["-newkey", "ed25519"],
        }
    }
}

impl Certificates {
    /// An authority, `ca`.
    pub(super) fn new(name: &str) -> Certificates {
        let certificates = Certificates { folder: tempfile::tempdir().expect("a temporary folder") };
        let subject = format!("/CN={name}");
        let by_itself = ["-x509", "-subj", &subject, "-days", "1", "-out", "ca.pem", "-keyout", "ca.key"];
        certificates.openssl(&[&["req", "-nodes"], &by_itself[..], Kind::Ec.arguments()].concat());
        certificates
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Vouches for somebody with this name: `IP:127.0.0.1`.
    pub(super) fn issue(&self, file: &str, name: &str, kind: Kind) {
        let [key, request, certificate] = ["key", "csr", "pem"].map(|end| format!("{file}.{end}"));
        let ask = ["req", "-nodes", "-subj", "/CN=x", "-out", &request, "-keyout", &key];
        self.openssl(&[&ask[..], kind.arguments()].concat());
        std::fs::write(self.path("extension"), format!("subjectAltName={name}\n")).expect("a writable folder");
        let by = ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
        self.openssl(&[&by[..], &["-extfile", "extension", "-days", "1", "-out", &certificate]].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        let command = command.args(arguments).current_dir(self.folder.path());
        let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success()), "openssl {arguments:?} failed; tests/run installs it");
    }
}
