//! Certificates, policies and users: right, and wrong.

use super::asyncua::Asyncua;
use super::certificates::{Certificates, Special};
use super::{lab, link, link_with, polled};
use crate::host::Host;
use crate::soon;
use edgeway_sdk::{Fault, Value};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tokio::time::Instant;

const ALL: &str = "Basic128Rsa15_Sign,Basic128Rsa15_SignAndEncrypt,Basic256_Sign,Basic256_SignAndEncrypt,\
                   Basic256Sha256_Sign,Basic256Sha256_SignAndEncrypt,Aes128Sha256RsaOaep_Sign,\
                   Aes128Sha256RsaOaep_SignAndEncrypt,Aes256Sha256RsaPss_Sign,Aes256Sha256RsaPss_SignAndEncrypt";

pub(super) async fn start(certificates: &Certificates, policies: &str, more: &[&str]) -> Asyncua {
    let mut options = certificates.server(policies);
    options.extend(more.iter().map(|&option| option.to_owned()));
    Asyncua::start(&options.iter().map(String::as_str).collect::<Vec<_>>()).await
}

pub(super) fn host(server: &Asyncua, options: Json) -> Host {
    Host::new(&link_with(server.port, options), lab(), &polled(&["WTG01.Name"]))
}

pub(super) fn with(mut options: Json, more: Json) -> Json {
    options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    options
}

pub(super) async fn reason(host: &Host) -> String {
    match host.connect().await {
        Err(Fault::Link(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn works(host: &Host) {
    host.connect().await.unwrap();
    assert_eq!(host.values().await, [Value::from("WTG-01")]);
    host.close().await;
}

#[tokio::test]
async fn every_policy_and_mode_is_spoken() {
    let certificates = Certificates::make(Special::default()).await;
    let mut server = start(&certificates, ALL, &[]).await;
    let first = host(&server, certificates.options("basic256sha256", "sign"));
    reason(&first).await;
    certificates.trust();
    for security in ["basic128rsa15", "basic256", "basic256sha256", "aes128-sha256-rsaoaep", "aes256-sha256-rsapss"] {
        for mode in ["sign", "sign-and-encrypt"] {
            let host = host(&server, certificates.options(security, mode));
            host.connect().await.unwrap_or_else(|fault| panic!("{security}, {mode}: {fault}"));
            assert_eq!(host.values().await, [Value::from("WTG-01")], "{security}, {mode}");
            host.close().await;
        }
    }
    assert_eq!(server.load().await, (0, 0));
}

#[tokio::test]
async fn an_unknown_server_is_put_where_it_can_be_trusted_from() {
    let certificates = Certificates::make(Special::default()).await;
    let server = start(&certificates, "Basic256Sha256_SignAndEncrypt", &[]).await;
    let host = host(&server, certificates.options("basic256sha256", "sign-and-encrypt"));
    for _ in 0..2 {
        let reason = reason(&host).await;
        assert!(reason.contains("is not trusted"), "{reason}");
        assert!(reason.contains(&certificates.text("pki/rejected")), "the file to move is named: {reason}");
    }
    certificates.trust();
    works(&host).await;
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_told_what_is_wrong_with_it() {
    for (special, wrong) in [
        (Special { days: (-30, -1), ..Special::default() }, "has expired on"),
        (Special { days: (2, 30), ..Special::default() }, "is not valid before"),
        (Special { host: "plc-7", ..Special::default() }, "is for `plc-7`, not for the host `127.0.0.1`"),
        (Special { uri: "urn:somebody:else", ..Special::default() }, "is not for the application `urn:lab:server`"),
    ] {
        let certificates = Certificates::make(special).await;
        let server = start(&certificates, "Basic256Sha256_SignAndEncrypt", &[]).await;
        let host = host(&server, certificates.options("basic256sha256", "sign-and-encrypt"));
        reason(&host).await;
        certificates.trust();
        let reason = reason(&host).await;
        assert!(reason.contains(wrong), "{reason}");
    }
}

#[tokio::test]
async fn the_name_of_a_server_can_be_given_where_its_address_is_another() {
    let certificates = Certificates::make(Special { host: "plc-7", ..Special::default() }).await;
    let server = start(&certificates, "Basic256Sha256_SignAndEncrypt", &[]).await;
    let options = certificates.options("basic256sha256", "sign-and-encrypt");
    let host = host(&server, with(options, json!({ "server_name": "plc-7" })));
    reason(&host).await;
    certificates.trust();
    works(&host).await;
}

#[tokio::test]
async fn what_a_server_offers_is_told_where_it_lacks_what_is_wanted() {
    let certificates = Certificates::make(Special::default()).await;
    let server = start(&certificates, "Basic256Sha256_Sign", &[]).await;
    let host = host(&server, certificates.options("aes256-sha256-rsapss", "sign"));
    assert_eq!(
        reason(&host).await,
        "the server does not offer `aes256-sha256-rsapss` with `sign`; it offers `basic256sha256` with `sign`"
    );
}

#[tokio::test]
async fn a_user_with_a_password_or_a_certificate_is_let_in_and_others_are_not() {
    let certificates = Certificates::make(Special::default()).await;
    let user = certificates.text("user.der");
    let users = ["--user", "ada:secret", "--user-cert", &user, "--users-only"];
    let server = start(&certificates, "Basic256Sha256_Sign,Basic256Sha256_SignAndEncrypt", &users).await;
    for mode in ["sign", "sign-and-encrypt"] {
        let as_user = |more: Json| host(&server, with(certificates.options("basic256sha256", mode), more));
        let ada = as_user(json!({ "username": "ada", "password": "secret" }));
        if mode == "sign" {
            reason(&ada).await;
            certificates.trust();
        }
        works(&ada).await;
        works(&as_user(json!({ "user_cert": user, "user_key": certificates.text("user.pem") }))).await;
        let began = Instant::now();
        for wrong in [json!({ "username": "ada", "password": "wrong" }), json!({})] {
            let reason = reason(&as_user(wrong)).await;
            assert!(reason.contains("does not let the user in"), "{reason}");
        }
        assert!(began.elapsed() < Duration::from_secs(20), "a login that fails does not hang");
    }
}

#[tokio::test]
async fn a_password_is_not_shown_to_everybody_unless_that_is_wanted() {
    let server = Asyncua::start(&["--user", "ada:secret"]).await;
    let user = json!({ "username": "ada", "password": "secret" });
    let host =
        |more: Json| Host::new(&link_with(server.port, with(user.clone(), more)), lab(), &polled(&["WTG01.Name"]));
    let reason = reason(&host(json!({}))).await;
    assert!(reason.contains("only unencrypted"), "{reason}");
    works(&host(json!({ "clear_text_password": "send" }))).await;
}

#[tokio::test]
async fn files_of_the_gateways_own_that_cannot_be_used_are_a_matter_of_configuration() {
    let certificates = Certificates::make(Special::default()).await;
    let server = start(&certificates, "Basic256Sha256_Sign", &[]).await;
    let config = async |options: Json| {
        let host = host(&server, with(certificates.options("basic256sha256", "sign"), options));
        match host.link.connect(soon()).await {
            Err(Fault::Config(reason)) => reason,
            other => panic!("{other:?}"),
        }
    };
    let uri = config(json!({ "application_uri": "urn:other" })).await;
    assert!(uri.contains("it is not for the URI `urn:other`"), "{uri}");
    std::fs::write(certificates.path("text.pem"), "text").unwrap();
    let text = certificates.text("text.pem");
    let cert = config(json!({ "cert": text, "key": text })).await;
    assert!(cert.contains("holds no certificate"), "{cert}");
    let key = config(json!({ "cert": certificates.text("user.der"), "key": text })).await;
    assert!(key.contains("holds no private key"), "{key}");
}

#[tokio::test]
async fn the_gateway_makes_a_certificate_of_its_own_once() {
    let certificates = Certificates::make(Special::default()).await;
    for file in ["pki/own/cert.der", "pki/private/private.pem"] {
        std::fs::remove_file(certificates.path(file)).unwrap();
    }
    let server = start(&certificates, "Basic256Sha256_SignAndEncrypt", &[]).await;
    let host = host(&server, certificates.options("basic256sha256", "sign-and-encrypt"));
    reason(&host).await;
    certificates.trust();
    let made = std::fs::read(certificates.path("pki/own/cert.der")).unwrap();
    works(&host).await;
    assert_eq!(std::fs::read(certificates.path("pki/own/cert.der")).unwrap(), made);
    let key = std::fs::metadata(certificates.path("pki/private/private.pem")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&key.permissions()) & 0o077, 0, "nobody else reads the key");
}

#[tokio::test]
async fn a_link_without_security_needs_no_certificates() {
    let server = Asyncua::start(&[]).await;
    works(&Host::new(&link(server.port), lab(), &polled(&["WTG01.Name"]))).await;
}
