//! Certificates: right, unknown, expired, of another name, and our own.

use crate::bench::{Bench, soon};
use crate::peer::{Peer, json as answered};
use edgeway_sdk::{Fault, Value};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use serde_json::{Value as Json, json};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// An authority, with the files that people would have.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        // By their names authorities are told apart.
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params
    }

    /// A server with a certificate of this authority, which wants one of ours if `clients` are known.
    async fn server(&self, params: CertificateParams, clients: Option<&Authority>) -> Peer {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.issuer.der().clone()).unwrap();
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap(),
                )
            }
        };
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Peer::tls(TlsAcceptor::from(Arc::new(config)), |_| answered("7")).await
    }

    fn client_files(&self) -> (PathBuf, PathBuf) {
        self.issue("gateway", "gateway")
    }

    /// `FILE.pem` and `FILE.key`, for somebody of this name.
    pub(crate) fn issue(&self, file: &str, name: &str) -> (PathBuf, PathBuf) {
        let [certificate_file, key_file] = ["pem", "key"].map(|end| self.file(&format!("{file}.{end}")));
        let key = KeyPair::generate().unwrap();
        let certificate = Authority::params(name).signed_by(&key, &self.issuer).unwrap();
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }
}

async fn apart(peer: &Peer, host: &str, options: Json) -> Bench {
    Bench::apart(&format!("https://{host}:{}", peer.port()), options, json!({}), &[json!({})]).await
}

/// Why there is no connection.
async fn refusal(peer: &Peer, options: Json) -> String {
    match apart(peer, "127.0.0.1", options).await.link.connect(soon()).await {
        Err(Fault::Link(reason)) => reason,
        other => panic!("expected a fault of the link, got {other:?}"),
    }
}

#[tokio::test]
async fn a_server_of_a_trusted_authority_is_asked() {
    let authority = Authority::new("ours");
    let peer = authority.server(Authority::params("127.0.0.1"), None).await;
    let bench = apart(&peer, "127.0.0.1", json!({ "ca": authority.file("ca.pem") })).await;
    bench.link.connect(soon()).await.expect("trusted");
    assert_eq!(bench.good(0).await, [Value::Int(7)]);
    assert_eq!(peer.lines(), ["GET /"], "connecting alone asks nothing");
}

#[tokio::test]
async fn whom_nobody_trusts_is_asked_nothing_and_it_is_said_why() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let ca = json!({ "ca": authority.file("ca.pem") });
    let unknown = stranger.server(Authority::params("127.0.0.1"), None).await;
    let reason = refusal(&unknown, ca.clone()).await;
    assert!(reason.contains("UnknownIssuer"), "{reason}");

    let mut params = Authority::params("127.0.0.1");
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let expired = authority.server(params, None).await;
    let reason = refusal(&expired, ca.clone()).await;
    assert!(reason.contains("expired"), "{reason}");

    let other = authority.server(Authority::params("other.example"), None).await;
    let reason = refusal(&other, ca.clone()).await;
    assert!(reason.contains("not valid for"), "{reason}");

    let plain = Peer::start(|_| answered("7")).await;
    refusal(&plain, ca).await;
    for peer in [unknown, expired, other, plain] {
        assert_eq!(peer.asked(), []);
    }
}

#[tokio::test]
async fn who_wants_to_know_us_is_shown_our_certificate() {
    let (authority, stranger) = (Authority::new("ours"), Authority::new("theirs"));
    let peer = authority.server(Authority::params("127.0.0.1"), Some(&authority)).await;
    let ca = authority.file("ca.pem");
    let (cert, key) = authority.client_files();
    let bench = apart(&peer, "127.0.0.1", json!({ "ca": ca, "cert": cert, "key": key })).await;
    bench.link.connect(soon()).await.expect("both are trusted");
    assert_eq!(bench.good(0).await, [Value::Int(7)]);

    let (cert, key) = stranger.client_files();
    for options in [json!({ "ca": ca }), json!({ "ca": ca, "cert": cert, "key": key })] {
        let bench = apart(&peer, "127.0.0.1", options).await;
        // With TLS 1.3 a server may say so only after the connection is there.
        let connected = bench.link.connect(soon()).await;
        let fault = match connected {
            Ok(_) => bench.exec(0).await.map(drop),
            Err(fault) => Err(fault),
        };
        assert!(matches!(&fault, Err(Fault::Link(_))), "{fault:?}");
    }
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named() {
    let authority = Authority::new("ours");
    let peer = authority.server(Authority::params("127.0.0.1"), None).await;
    std::fs::write(authority.file("empty.pem"), "").unwrap();
    for name in ["missing.pem", "empty.pem"] {
        let bench = apart(&peer, "127.0.0.1", json!({ "ca": authority.file(name) })).await;
        match bench.link.connect(soon()).await {
            Err(Fault::Config(reason)) => assert!(reason.contains(name), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn certificates_are_read_anew_at_each_connect() {
    let (old, new) = (Authority::new("ours"), Authority::new("theirs"));
    let peer = new.server(Authority::params("127.0.0.1"), None).await;
    let bench = apart(&peer, "127.0.0.1", json!({ "ca": old.file("ca.pem") })).await;
    assert!(matches!(bench.link.connect(soon()).await, Err(Fault::Link(_))));
    std::fs::copy(new.file("ca.pem"), old.file("ca.pem")).unwrap();
    bench.link.connect(soon()).await.expect("trusted now");
    assert_eq!(bench.good(0).await, [Value::Int(7)]);
}
