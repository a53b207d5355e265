//! A certificate authority of the test's own, made with openssl.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `ca.pem`, and for the broker and the gateway a certificate and a key each.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// Makes all of them, good for a day.
    ///
    /// # Panics
    /// If openssl fails.
    pub fn new() -> Certificates {
        let certificates = Certificates { folder: tempfile::tempdir().expect("a temporary folder") };
        // mosquitto gives up root's rights before it reads them.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(certificates.folder.path(), open).expect("our own folder");
        let ca = ["req", "-x509", "-subj", "/CN=test", "-days", "1", "-out", "ca.pem", "-keyout", "ca.key"];
        certificates.openssl(&[&ca[..], &KEY].concat());
        certificates.issue("broker", "subjectAltName=IP:127.0.0.1");
        certificates.issue("gateway", "extendedKeyUsage=clientAuth");
        certificates
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn issue(&self, name: &str, extension: &str) {
        let (key, request, certificate) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        let subject = format!("/CN={name}");
        let ask = ["req", "-subj", &subject, "-out", &request, "-keyout", &key];
        self.openssl(&[&ask[..], &KEY].concat());
        std::fs::write(self.path("extension"), extension).expect("a writable folder");
        let authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "extension"];
        let sign = ["x509", "-req", "-in", &request, "-days", "1", "-out", &certificate];
        self.openssl(&[&sign[..], &authority].concat());
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        std::fs::set_permissions(self.path(&key), readable).expect("our own file");
    }

    fn openssl(&self, arguments: &[&str]) {
        let mut command = Command::new("openssl");
        let folder: &Path = self.folder.path();
        let done = command.args(arguments).current_dir(folder).stderr(Stdio::null()).stdout(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success()), "openssl {arguments:?} failed; tests/run installs it");
    }
}

/// How keys are made: quickly, and without a password.
const KEY: [&str; 5] = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}
