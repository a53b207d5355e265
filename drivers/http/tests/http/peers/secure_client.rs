//! Python's `urllib` and `ssl` as a device that sends with TLS, with openssl's certificates.

use super::certificates::{Certificates, Kind};
use super::python;
use crate::bench::wait_for;
use crate::hooks::{Desk, WARM, warm};
use serde_json::json;
use tokio::process::Command;

const SCRIPT: &str = r#"
import ssl, sys, urllib.error, urllib.request
url, body, ca, identity, version = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if identity:
    context.load_cert_chain(identity + ".pem", identity + ".key")
if version:
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("DEFAULT@SECLEVEL=0")
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
try:
    print(opener.open(urllib.request.Request(url, body.encode(), method="POST"), timeout=20).status)
except (urllib.error.URLError, OSError) as error:
    print(error)
"#;

/// A device in Python.
#[derive(Clone, Copy)]
struct Python<'a> {
    trusts: &'a Certificates,
    shows: Option<&'a Certificates>,
    /// The only one that it speaks, as Python calls it.
    version: &'a str,
    host: &'a str,
}

impl<'a> Python<'a> {
    fn trusting(trusts: &'a Certificates) -> Self {
        Python { trusts, shows: None, version: "", host: "127.0.0.1" }
    }

    /// The status of the answer, or in words why there is none.
    async fn send(self, desk: &Desk) -> String {
        let mut command = Command::new(python());
        let url = format!("https://{}:{}/hook", self.host, desk.port);
        let identity = self.shows.map_or_else(Default::default, |shows| shows.path("device"));
        let command = command.args(["-c", SCRIPT, &url, WARM]);
        let sent = command.arg(self.trusts.path("ca.pem")).arg(identity).arg(self.version).output().await;
        let sent = sent.expect("Python; tests/run installs it");
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        String::from_utf8(sent.stdout).expect("plain text").trim().to_owned()
    }

    async fn is_heard(self, desk: &Desk) {
        assert_eq!(self.send(desk).await, "204");
        assert_eq!(desk.told(), warm());
    }

    async fn is_refused(self, desk: &Desk, reason: &str) {
        let said = self.send(desk).await;
        assert!(said.parse::<u16>().is_err() && said.to_lowercase().contains(reason), "{said}");
        assert_eq!(desk.told(), []);
    }
}

async fn desk(of: &Certificates, client_ca: Option<&Certificates>) -> Desk {
    let mut link = json!({ "cert": of.path("gateway.pem"), "key": of.path("gateway.key"), "timeout": "5s" });
    if let Some(clients) = client_ca {
        link["client_ca"] = json!(clients.path("ca.pem"));
    }
    Desk::new(link, json!({})).await
}

#[tokio::test]
async fn python_trusts_the_right_authority_and_name_alone() {
    let (ours, theirs) = (Certificates::new("ours"), Certificates::new("theirs"));
    ours.issue("gateway", "IP:127.0.0.1", Kind::Rsa);
    let desk = desk(&ours, None).await;
    let device = Python::trusting(&ours);
    device.is_heard(&desk).await;
    Python::trusting(&theirs).is_refused(&desk, "certificate verify failed").await;
    Python { host: "localhost", ..device }.is_refused(&desk, "hostname mismatch").await;
    wait_for("both to be counted", async || (desk.counted("hooks_handshakes_failed") == 2).then_some(())).await;
}

#[tokio::test]
async fn python_speaks_tls_1_2_and_1_3_and_nothing_older() {
    let ours = Certificates::new("ours");
    ours.issue("gateway", "IP:127.0.0.1", Kind::Ec);
    let desk = desk(&ours, None).await;
    let device = Python::trusting(&ours);
    for version in ["TLSv1_2", "TLSv1_3"] {
        Python { version, ..device }.is_heard(&desk).await;
    }
    Python { version: "TLSv1_1", ..device }.is_refused(&desk, "alert handshake failure").await;
}

#[tokio::test]
async fn python_has_to_show_a_certificate() {
    let (ours, theirs) = (Certificates::new("ours"), Certificates::new("theirs"));
    ours.issue("gateway", "IP:127.0.0.1", Kind::Ed25519);
    ours.issue("device", "DNS:device", Kind::Ec);
    theirs.issue("device", "DNS:device", Kind::Rsa);
    let desk = desk(&ours, Some(&theirs)).await;
    let bare = Python::trusting(&ours);
    for version in ["TLSv1_2", "TLSv1_3"] {
        let bare = Python { version, ..bare };
        Python { shows: Some(&theirs), ..bare }.is_heard(&desk).await;
        bare.is_refused(&desk, "").await;
        Python { shows: Some(&ours), ..bare }.is_refused(&desk, "").await;
    }
    assert_eq!(desk.counted("hooks_handshakes_failed"), 4);
}

#[tokio::test]
async fn python_meets_the_renewed_certificate_without_a_restart() {
    let (old, new) = (Certificates::new("old"), Certificates::new("new"));
    old.issue("gateway", "IP:127.0.0.1", Kind::Ec);
    new.issue("gateway", "IP:127.0.0.1", Kind::Rsa);
    let desk = desk(&old, None).await;
    Python::trusting(&old).is_heard(&desk).await;
    Python::trusting(&new).is_refused(&desk, "certificate verify failed").await;
    for name in ["gateway.pem", "gateway.key"] {
        std::fs::copy(new.path(name), old.path(name)).expect("copied");
    }
    Python::trusting(&new).is_heard(&desk).await;
    Python::trusting(&old).is_refused(&desk, "certificate verify failed").await;
}
