//! Certificates made with openssl: some to be trusted, some not.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `ca` and `stranger` are authorities; `broker`, `elsewhere` (of another host), `expired` and `gateway` are issued by `ca`. Each
/// is NAME.pem with NAME.key.
pub(crate) struct Certificates {
    folder: tempfile::TempDir,
}

const KEY: [&str; 5] = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

impl Certificates {
    pub(crate) fn new() -> Certificates {
        let certificates = Certificates { folder: tempfile::tempdir().expect("a temporary folder") };
        // mosquitto gives up root's rights before it reads them.
        std::fs::set_permissions(certificates.folder.path(), PermissionsExt::from_mode(0o755)).expect("our own folder");
        certificates.authority("ca");
        certificates.authority("stranger");
        certificates.issue("broker", "subjectAltName=IP:127.0.0.1", &["-days", "1"]);
        certificates.issue("elsewhere", "subjectAltName=DNS:elsewhere.example", &["-days", "1"]);
        certificates.issue(
            "expired",
            "subjectAltName=IP:127.0.0.1",
            &["-not_after", "20200102000000Z", "-not_before", "20200101000000Z"],
        );
        certificates.issue("gateway", "extendedKeyUsage=clientAuth", &["-days", "1"]);
        certificates
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn authority(&self, name: &str) {
        let (subject, certificate, key) = (format!("/CN={name}"), format!("{name}.pem"), format!("{name}.key"));
        self.openssl(
            &[&["req", "-x509", "-subj", &subject, "-days", "1", "-out", &certificate, "-keyout", &key], &KEY[..]]
                .concat(),
        );
    }

    fn issue(&self, name: &str, extension: &str, valid: &[&str]) {
        let [key, request, certificate] = ["key", "csr", "pem"].map(|end| format!("{name}.{end}"));
        let subject = format!("/CN={name}");
        self.openssl(&[&["req", "-subj", &subject, "-out", &request, "-keyout", &key], &KEY[..]].concat());
        std::fs::write(self.path("extension"), format!("{extension}\n")).expect("a writable folder");
        if valid.len() == 2 {
            let by = ["x509", "-req", "-in", &request, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
            self.openssl(&[&by[..], &["-extfile", "extension", "-out", &certificate], valid].concat());
        } else {
            self.issue_between(&request, &certificate, valid);
        }
        std::fs::set_permissions(self.path(&key), PermissionsExt::from_mode(0o644)).expect("our own file");
    }

    /// Only `openssl ca` of OpenSSL 3.0 can say when a certificate begins.
    fn issue_between(&self, request: &str, certificate: &str, valid: &[&str]) {
        let settings = "[ca]\ndefault_ca=a\n[a]\ndatabase=index\nserial=number\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n";
        for (name, text) in [("ca.conf", settings), ("index", ""), ("number", "01\n")] {
            std::fs::write(self.path(name), text).expect("a writable folder");
        }
        let times = ["-enddate", valid[1], "-startdate", valid[3]];
        let by = ["ca", "-batch", "-notext", "-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key"];
        self.openssl(&[&by[..], &["-in", request, "-out", certificate, "-extfile", "extension"], &times].concat());
    }

    fn openssl(&self, arguments: &[&str]) {
        let folder: &Path = self.folder.path();
        let mut command = Command::new("openssl");
        let done = command.args(arguments).current_dir(folder).stderr(Stdio::null()).stdout(Stdio::null()).status();
        assert!(done.is_ok_and(|status| status.success()), "openssl {arguments:?} failed; tests/run installs it");
    }
}
