//! Drivers that dial in from elsewhere, over TLS.

use crate::house::*;
use edgeway_driver_host::{DriverHost, Listen, ProcessDriver, manifest};
use edgeway_sdk::*;
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::process::{Child, Command};

const TOKEN: &str = "a-token-of-the-operators";

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_on_another_machine_dials_in_with_its_certificate() {
    let files = Files::new();
    let (driver, host) = host(&files).await;
    let child = dial(&host, &files, "driver", 1);
    let link = driver.open(json!({ "endpoint": "x" })).unwrap();
    let plan = eventually("a plan", || async { link.plan(&devices(), &points(), Split::Nothing).await.ok() }).await;
    connected(&link).await;
    assert_eq!(values(&link, &plan.steps[0]).await.unwrap().len(), 2);

    drop(child);
    eventually("the link to be lost", || async { values(&link, &plan.steps[0]).await.err() }).await;
    let reason = eventually("the reason", || async { driver.status().condition.reason() }).await;
    assert_eq!(reason, "has not dialled in yet");
    let _child = dial(&host, &files, "driver", 2);
    connected(&link).await;
    assert_eq!(values(&link, &plan.steps[0]).await.unwrap().len(), 2);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_with_a_certificate_of_another_authority() {
    let files = Files::new();
    let (driver, host) = host(&files).await;
    let child = dial(&host, &files, "stranger", 1);
    let output = tokio::time::timeout(WITHIN, child.wait_with_output()).await.expect("it gives up").unwrap();
    assert!(!output.status.success());
    assert_eq!(driver.status().condition.word(), "awaited");
    host.stop().await;
}

async fn host(files: &Files) -> (Arc<ProcessDriver>, DriverHost) {
    let manifest = manifest(&launch(files.0.path().to_owned())).unwrap();
    let driver = Arc::new(ProcessDriver::remote(manifest, TOKEN.into()).unwrap());
    let listen = Listen {
        address: "127.0.0.1:0".parse().unwrap(),
        ca: files.path("ca.pem"),
        cert: files.path("gateway.pem"),
        key: files.path("gateway.key"),
    };
    let host = DriverHost::start(files.0.path(), std::slice::from_ref(&driver), Some(&listen)).await.unwrap();
    (driver, host)
}

fn dial(host: &DriverHost, files: &Files, name: &str, epoch: u64) -> Child {
    let mut command = Command::new(&launch("/".into()).command[0]);
    let port = host.address().unwrap().port();
    command.env("EDGEWAY_SOCKET", format!("https://localhost:{port}")).env("EDGEWAY_TOKEN", TOKEN);
    command.env("EDGEWAY_EPOCH", epoch.to_string()).env("EDGEWAY_TLS_CA", files.path("ca.pem"));
    command.env("EDGEWAY_TLS_CERT", files.path(&format!("{name}.pem")));
    command.env("EDGEWAY_TLS_KEY", files.path(&format!("{name}.key")));
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap()
}

/// An authority, what it has signed, and a stranger.
struct Files(TempDir);

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let ours = authority();
        let other = authority();
        write(&folder.path().join("ca.pem"), &ours.pem());
        for (name, issuer) in [("gateway", &ours), ("driver", &ours), ("stranger", &other)] {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            let signed: Certificate = params.signed_by(&key, issuer).unwrap();
            write(&folder.path().join(format!("{name}.pem")), &signed.pem());
            write(&folder.path().join(format!("{name}.key")), &key.serialize_pem());
        }
        Files(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    // A leaf of the same name would be taken for self-signed by some.
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}
