//! Who we are to a server: passwords, tokens, and tokens of a token server.

use crate::bench::{Bench, soon, wait_for};
use crate::peer::{Act, Asked, Peer, json as answered, reply};
use edgeway_sdk::{Fault, Json, Value};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::process::Command;

#[tokio::test]
async fn a_fixed_login_is_sent_each_time() {
    for (login, header) in [
        (json!({ "token": "abc" }), "Bearer abc"),
        (json!({ "username": "Aladdin", "password": "open sesame" }), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
    ] {
        let peer = Peer::start(|_| answered("7")).await;
        let bench = Bench::with(&peer.address(), login, json!({}), &[json!({})]).await;
        bench.good(0).await;
        assert_eq!(peer.asked()[0].header("authorization"), Some(header));
    }
}

/// A token server that gives `t1`, `t2`, ... for so many seconds.
async fn giver(expires_in: f64) -> Peer {
    Peer::start(move |asked| {
        let token = format!("t{}", asked.nth + 1);
        answered(&json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in }).to_string())
    })
    .await
}

fn oauth(giver: &Peer) -> Json {
    let url = format!("{}/token", giver.address());
    json!({ "oauth": { "token_url": url, "client_id": "gateway", "secret": "s3cret", "scope": "read write", "audience": "meters" } })
}

fn bearer(asked: &Asked) -> String {
    asked.header("authorization").unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let (giver, peer) = (giver(3600.0).await, Peer::start(|_| answered("7")).await);
    let bench = Bench::with(&peer.address(), oauth(&giver), json!({}), &[json!({})]).await;
    for _ in 0..3 {
        assert_eq!(bench.good(0).await, [Value::Int(7)]);
    }
    assert_eq!(peer.asked().iter().map(bearer).collect::<Vec<_>>(), ["Bearer t1"; 3]);
    let asked = &giver.asked()[..];
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line(), "POST /token");
    assert_eq!(asked[0].body, "grant_type=client_credentials&scope=read+write&audience=meters");
    assert_eq!(asked[0].header("authorization"), Some("Basic Z2F0ZXdheTpzM2NyZXQ="));
    assert_eq!(asked[0].header("content-type"), Some("application/x-www-form-urlencoded"));
}

/// Proxies of the environment count for a whole process, so another one asks.
#[tokio::test]
async fn no_proxy_of_the_environment_is_given_a_login() {
    let proxy = Peer::start(|_| answered("7")).await;
    let mut asking = Command::new(std::env::current_exe().unwrap());
    asking
        .args(["--exact", "logins::a_token_is_asked_for_once_and_kept"])
        .env_remove("NO_PROXY")
        .env_remove("no_proxy");
    asking.envs(["HTTP_PROXY", "http_proxy", "ALL_PROXY"].map(|name| (name, proxy.address())));
    let asked = asking.kill_on_drop(true).output().await.unwrap();
    let said = String::from_utf8_lossy(&asked.stdout);
    assert!(said.contains("1 passed"), "{said}");
    assert_eq!(proxy.asked(), []);
}

#[tokio::test]
async fn credentials_go_into_the_body_where_that_is_wanted() {
    let (giver, peer) = (giver(3600.0).await, Peer::start(|_| answered("7")).await);
    let mut options = oauth(&giver);
    options["oauth"]["credentials"] = json!("body");
    Bench::with(&peer.address(), options, json!({}), &[json!({})]).await.good(0).await;
    let asked = &giver.asked()[0];
    assert!(asked.body.ends_with("&client_id=gateway&client_secret=s3cret"), "{}", asked.body);
    assert_eq!(asked.header("authorization"), None);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let (giver, peer) = (giver(1.0).await, Peer::start(|_| answered("7")).await);
    let bench = Bench::with(&peer.address(), oauth(&giver), json!({}), &[json!({})]).await;
    wait_for("the next token", async || {
        bench.good(0).await;
        (peer.asked().last().map(bearer).as_deref() == Some("Bearer t2")).then_some(())
    })
    .await;
    assert!(giver.asked().len() <= 3, "one for each second, not for each request");
}

#[tokio::test]
async fn a_token_that_is_taken_back_is_renewed_once() {
    let giver = giver(3600.0).await;
    let good = Arc::new(AtomicUsize::new(1));
    let now = good.clone();
    let peer = Peer::start(move |asked| match bearer(asked) == format!("Bearer t{}", now.load(SeqCst)) {
        true => answered("7"),
        false => reply("401 Unauthorized", &[("www-authenticate", "Bearer")], ""),
    })
    .await;
    let options = |giver| {
        let mut options = oauth(giver);
        options["in_flight"] = json!(4);
        options
    };
    let bench = Bench::with(&peer.address(), options(&giver), json!({}), &[json!({})]).await;
    assert_eq!(bench.good(0).await, [Value::Int(7)]);
    good.store(2, SeqCst);
    let (a, b, c) = tokio::join!(bench.exec(0), bench.exec(0), bench.exec(0));
    assert!(a.is_ok() && b.is_ok() && c.is_ok(), "{a:?} {b:?} {c:?}");
    assert_eq!(giver.asked().len(), 2, "three refusals are one reason to ask");

    // One that is never right is not asked for again and again.
    good.store(99, SeqCst);
    assert!(bench.fault(0).await.contains("401 Unauthorized"));
    assert_eq!(giver.asked().len(), 3);
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_no_secret_is_told() {
    let acts = [
        (
            reply("401 Unauthorized", &[], r#"{"error": "invalid_client", "error_description": "who?"}"#),
            "invalid_client: who?",
        ),
        (reply("500 Internal Server Error", &[], "<html>"), "it answered 500 Internal Server Error"),
        (answered(r#"{"access_token": 7}"#), "it answered something that is no token"),
        (
            answered(r#"{"access_token": "t", "token_type": "mac"}"#),
            "it gives tokens of the type `mac`, and only `bearer` is known",
        ),
        (answered(&" ".repeat(70_000)), "it answered with more than 65536 bytes"),
        (reply("302 Found", &[("location", "/elsewhere")], ""), "it answered 302 Found"),
        (Act::Silent, ""),
        (Act::Last(vec![]), ""),
    ];
    for (act, reason) in acts {
        let told = act.clone();
        let giver = Peer::start(move |_| told.clone()).await;
        let peer = Peer::start(|_| answered("7")).await;
        let bench = Bench::apart(&peer.address(), oauth(&giver), json!({}), &[json!({})]).await;
        let Err(Fault::Link(said)) = bench.link.connect(soon()).await else {
            panic!("{act:?}: expected a fault of the link")
        };
        assert!(said.starts_with(&format!("no token from {}/token: ", giver.address())), "{said}");
        assert!(said.ends_with(reason), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(peer.asked(), []);
        assert_eq!(giver.asked().len(), 1);
    }
}

#[tokio::test]
async fn a_write_that_is_refused_for_its_token_is_sent_again_with_another() {
    let giver = giver(3600.0).await;
    let peer = Peer::start(|asked| match bearer(asked).as_str() {
        "Bearer t2" => answered("7"),
        _ => reply("401 Unauthorized", &[], ""),
    })
    .await;
    let point = json!({ "access": "read-write" });
    let bench = Bench::with(&peer.address(), oauth(&giver), json!({}), &[point]).await;
    assert_eq!(bench.write(0, 7).await, Ok(Some(Value::Int(7))));
    assert_eq!(peer.lines(), ["PUT /", "PUT /", "GET /"]);
}
