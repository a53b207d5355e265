//! Finding out what is there.

use crate::bench::{Bench, soon};
use crate::peer::{Peer, json as answered, reply};
use edgeway_driver_http::Http;
use edgeway_sdk::{Access, DeviceIx, Discovered, Driver, Fault, Holds, Json};
use serde_json::json;
use tokio::sync::mpsc;

async fn lamp() -> Peer {
    let thing = json!({
        "@context": "https://www.w3.org/2022/wot/td/v1.1",
        "title": "Lamp",
        "properties": {
            "level": { "type": "integer", "minimum": 0, "maximum": 100, "unit": "%", "forms": [{ "href": "/level" }] },
            "on": { "type": "boolean", "readOnly": true, "forms": [{ "href": "/on" }] },
        },
    });
    Peer::start(move |asked| match asked.path.as_str() {
        "/.well-known/wot" => reply("200 OK", &[("content-type", "application/td+json")], &thing.to_string()),
        "/level" => answered("40"),
        "/on" => answered("true"),
        _ => reply("200 OK", &[("server", "lamp/1.0"), ("content-type", "text/html")], "<html>"),
    })
    .await
}

async fn found(hint: Json) -> Result<Vec<Discovered>, Fault> {
    let (sender, mut found) = mpsc::channel(8);
    Http.discover(hint, sender, soon()).await?;
    let mut all = vec![];
    while let Some(device) = found.recv().await {
        all.push(device);
    }
    Ok(all)
}

#[tokio::test]
async fn what_answers_at_an_address_is_found_with_what_it_says_of_itself() {
    let lamp = lamp().await;
    let found = found(json!({ "endpoint": lamp.address() })).await.expect("it is there");
    let said = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].options, json!({}));
    let identity =
        [said("status", "200"), said("server", "lamp/1.0"), said("type", "text/html"), said("title", "Lamp")];
    assert_eq!(found[0].identity, identity);
}

#[tokio::test]
async fn where_nobody_is_nothing_is_found() {
    let free = edgeway_conformance::free_port();
    assert!(matches!(found(json!({ "endpoint": format!("http://127.0.0.1:{free}") })).await, Err(Fault::Link(_))));
    assert!(matches!(found(json!({ "endpont": "x" })).await, Err(Fault::Config(_))));
    assert!(matches!(found(json!({ "endpoint": "listen://127.0.0.1:80" })).await, Err(Fault::Unsupported(_))));
}

/// What a thing says of itself can be used as it stands.
#[tokio::test]
async fn a_thing_that_describes_itself_offers_its_properties() {
    let lamp = lamp().await;
    let bench = Bench::new(&lamp.address(), &[]).await;
    let found = bench.link.browse(DeviceIx(0), None, soon()).await.expect("it is there");
    assert_eq!(found.len(), 2);
    let level = found[0].offer.clone().expect("an offer");
    assert_eq!((level.name.as_str(), level.unit.as_str(), level.access), ("level", "%", Access::ReadWrite));
    assert_eq!(level.holds, Holds::Int { min: Some(0), max: Some(100) });
    let points: Vec<Json> = found.into_iter().map(|point| point.options).collect();
    let bench = Bench::new(&lamp.address(), &points).await;
    assert_eq!(bench.good(0).await, [40.into()]);
    assert_eq!(bench.good(1).await, [true.into()]);
}

#[tokio::test]
async fn a_payload_offers_what_is_in_it() {
    const STATUS: &str = r#"{"power": {"total": 1250.5}, "on": true, "name": "Meter"}"#;
    let peer = Peer::start(|asked| match asked.path.as_str() {
        "/meter" | "/meter/status" => reply("200 OK", &[("content-type", "text/plain")], STATUS),
        _ => reply("404 Not Found", &[], ""),
    })
    .await;
    let device = json!({ "path": "/meter" });
    let bench = Bench::with(&peer.address(), json!({}), device.clone(), &[]).await;
    for at in [None, Some("status")] {
        let found = bench.link.browse(DeviceIx(0), at, soon()).await.expect("it is there");
        let points: Vec<Json> = found.iter().map(|point| point.options.clone()).collect();
        assert_eq!(points.len(), 3, "{points:?}");
        assert!(found.iter().all(|point| point.offer.is_some()));
        let bench = Bench::with(&peer.address(), json!({}), device.clone(), &points).await;
        assert_eq!(bench.plan.steps.len(), 1);
        let mut values: Vec<String> = bench.good(0).await.iter().map(|value| value.to_string()).collect();
        values.sort();
        assert_eq!(values, ["1250.5", "Meter", "true"]);
    }
    let gone = bench.link.browse(DeviceIx(0), Some("gone"), soon()).await.expect_err("not there");
    assert!(gone.to_string().ends_with("/meter/gone answered 404 Not Found"), "{gone}");
}

#[tokio::test]
async fn what_cannot_be_read_offers_nothing() {
    let peer = Peer::start(|_| reply("200 OK", &[("content-type", "text/html")], "<html>")).await;
    let bench = Bench::new(&peer.address(), &[]).await;
    let fault = bench.link.browse(DeviceIx(0), None, soon()).await.expect_err("a page");
    assert!(matches!(fault, Fault::Device(_)), "{fault:?}");
}
