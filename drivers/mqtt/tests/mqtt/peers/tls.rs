//! TLS with certificates that are right, and with some that are not.

use super::broker::Broker;
use super::certificates::Certificates;
use crate::bench::Bench;
use edgeway_sdk::{Access, Fault, Json, Quality};
use serde_json::json;

const VERSIONS: [&str; 2] = ["5", "3.1.1"];

/// A broker with the certificate of this name, which wants one of its clients if `client` says so.
async fn broker(certificates: &Certificates, name: &str, client: &str) -> Broker {
    let path = |name: &str| certificates.path(name).display().to_string();
    let (ca, certificate, key) = (path("ca.pem"), path(&format!("{name}.pem")), path(&format!("{name}.key")));
    Broker::with(&format!("allow_anonymous true\ncafile {ca}\ncertfile {certificate}\nkeyfile {key}\n{client}")).await
}

async fn connected(broker: &Broker, version: &str, files: Json) -> (Bench, Result<(), Fault>) {
    let endpoint = format!("mqtts://127.0.0.1:{}", broker.port);
    let mut link = json!({ "endpoint": endpoint, "version": version, "timeout": "5s" });
    link.as_object_mut().unwrap().extend(files.as_object().unwrap().clone());
    let bench = Bench::new(link, json!({ "topic": "t" }), &[("v", json!({}), Access::ReadWrite)]).await;
    let connected = bench.connect().await;
    (bench, connected)
}

async fn fault(broker: &Broker, version: &str, files: Json) -> Fault {
    connected(broker, version, files).await.1.expect_err("they must not trust each other")
}

#[tokio::test]
async fn whom_to_trust_is_trusted() {
    let certificates = Certificates::new();
    let broker = broker(&certificates, "broker", "").await;
    for version in VERSIONS {
        let (bench, connected) = connected(&broker, version, json!({ "ca": certificates.path("ca.pem") })).await;
        connected.expect("the broker is to be trusted");
        let topic = json!({ "set": "t" });
        let own = Bench::new(
            json!({ "endpoint": format!("mqtts://127.0.0.1:{}", broker.port), "ca": certificates.path("ca.pem") }),
            json!({ "topic": "t" }),
            &[("v", topic, Access::Write)],
        )
        .await;
        own.connect().await.expect("the broker is to be trusted");
        own.write("v", 7).await.expect("the broker takes it");
        bench.told("v", 7, Quality::Good).await;
    }
}

#[tokio::test]
async fn whom_not_to_trust_is_told_with_the_reason() {
    let certificates = Certificates::new();
    let trusted = json!({ "ca": certificates.path("ca.pem") });
    for version in VERSIONS {
        let good = broker(&certificates, "broker", "").await;
        let unknown = fault(&good, version, json!({ "ca": certificates.path("stranger.pem") })).await;
        assert!(matches!(&unknown, Fault::Config(why) if why.contains("UnknownIssuer")), "{unknown:?}");
        let elsewhere = broker(&certificates, "elsewhere", "").await;
        let elsewhere = fault(&elsewhere, version, trusted.clone()).await;
        assert!(matches!(&elsewhere, Fault::Config(why) if why.contains("not valid for name")), "{elsewhere:?}");
        // It may be renewed, or the clock not set yet.
        let expired = broker(&certificates, "expired", "").await;
        let expired = fault(&expired, version, trusted.clone()).await;
        assert!(matches!(&expired, Fault::Link(why) if why.contains("expired")), "{expired:?}");
        let missing = fault(&good, version, json!({ "ca": "/nowhere/ca.pem" })).await;
        assert!(matches!(&missing, Fault::Config(why) if why.contains("/nowhere/ca.pem")), "{missing:?}");
    }
}

#[tokio::test]
async fn a_broker_that_wants_to_know_who_we_are_is_told() {
    let certificates = Certificates::new();
    let broker = broker(&certificates, "broker", "require_certificate true\n").await;
    let files = |name: &str| {
        let [cert, key] = ["pem", "key"].map(|end| certificates.path(&format!("{name}.{end}")));
        json!({ "ca": certificates.path("ca.pem"), "cert": cert, "key": key })
    };
    for version in VERSIONS {
        connected(&broker, version, files("gateway")).await.1.expect("the broker knows us");
        let nobody = fault(&broker, version, json!({ "ca": certificates.path("ca.pem") })).await;
        assert!(matches!(&nobody, Fault::Config(why) if why.contains("certificate")), "{nobody:?}");
        let stranger = fault(&broker, version, files("stranger")).await;
        assert!(matches!(&stranger, Fault::Config(why) if why.contains("certificate")), "{stranger:?}");
    }
}

/// Who speaks TLS to a broker that does not, or the other way round, is told soon.
#[tokio::test]
async fn tls_on_one_side_alone_is_no_connection() {
    let certificates = Certificates::new();
    let plain = Broker::start().await;
    let fault = fault(&plain, "5", json!({ "ca": certificates.path("ca.pem") })).await;
    assert!(matches!(fault, Fault::Link(_)), "{fault:?}");
    let tls = broker(&certificates, "broker", "").await;
    let bench =
        Bench::new(tls.link(json!({ "timeout": "1s" })), json!({ "topic": "t" }), &[("v", json!({}), Access::Read)])
            .await;
    let fault = bench.connect().await.expect_err("the broker speaks TLS");
    assert!(matches!(fault, Fault::Link(_)), "{fault:?}");
}
