//! Services.

use crate::bench::{Bench, soon};
use crate::peer::{Act, Peer, json as answered, reply};
use edgeway_sdk::{DeviceIx, Fault, Json};
use serde_json::json;

async fn bench(peer: &Peer) -> Bench {
    let services = json!({
        "boost": { "path": "/boost/{zone}", "payload": r#"{"minutes": {minutes}, "why": {why}}"#, "output": "$.until" },
        "plain": { "method": "put", "path": "plain" },
        "look": { "method": "get", "path": "look" },
    });
    Bench::with(&peer.address(), json!({}), json!({ "path": "heater", "services": services }), &[]).await
}

async fn call(bench: &Bench, service: &str, input: Json) -> Result<Json, Fault> {
    bench.link.call(DeviceIx(0), service, input, soon()).await
}

#[tokio::test]
async fn inputs_are_put_where_they_belong_and_nowhere_else() {
    let peer = Peer::start(|_| answered(r#"{"until": "12:30", "more": 1}"#)).await;
    let bench = bench(&peer).await;
    let input = json!({ "zone": "a/b ?", "minutes": 30, "why": "\"}, \"x\": {" });
    assert_eq!(call(&bench, "boost", input).await, Ok(json!("12:30")));
    let asked = &peer.asked()[0];
    assert_eq!(asked.line(), "POST /heater/boost/a%2Fb%20%3F");
    let body: Json = serde_json::from_str(&asked.body).expect("JSON, whatever the input is");
    assert_eq!(body, json!({ "minutes": 30, "why": "\"}, \"x\": {" }));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn an_input_never_leads_to_another_resource() {
    let peer = Peer::start(|_| answered(r#"{"until": "12:30"}"#)).await;
    let bench = bench(&peer).await;
    for zone in ["", ".", "..", "a\tb", "\n", ".\u{7f}."] {
        let input = json!({ "zone": zone, "minutes": 1, "why": "" });
        let reason = format!(
            "the input `zone` is {}, which is no part of a path (a name or a number, on one line)",
            json!(zone)
        );
        assert_eq!(call(&bench, "boost", input).await, Err(Fault::Config(reason)));
    }
    assert_eq!(peer.asked(), []);
    for (zone, sent) in
        [("../reset", "..%2Freset"), ("..\\reset", "..%5Creset"), ("%2e%2e", "%252e%252e"), ("...", "...")]
    {
        let input = json!({ "zone": zone, "minutes": 1, "why": "" });
        assert!(call(&bench, "boost", input).await.is_ok());
        assert_eq!(peer.lines().last().cloned(), Some(format!("POST /heater/boost/{sent}")));
    }
}

#[tokio::test]
async fn without_a_payload_the_input_is_sent_and_without_an_output_the_answer_is_the_result() {
    let peer = Peer::start(|asked| match asked.path.as_str() {
        "/heater/look" => reply("200 OK", &[], "all is well\n"),
        _ => answered(r#"{"done": [1, 2]}"#),
    })
    .await;
    let bench = bench(&peer).await;
    assert_eq!(call(&bench, "plain", json!({ "a": 1 })).await, Ok(json!({ "done": [1, 2] })));
    assert_eq!((peer.lines()[0].as_str(), peer.asked()[0].body.as_str()), ("PUT /heater/plain", r#"{"a":1}"#));
    assert_eq!(call(&bench, "look", json!({})).await, Ok(json!("all is well")));
    assert_eq!((peer.lines()[1].as_str(), peer.asked()[1].body.as_str()), ("GET /heater/look", ""));
    let quiet = Peer::start(|_| reply("204 No Content", &[], "")).await;
    assert_eq!(call(&self::bench(&quiet).await, "plain", json!({})).await, Ok(Json::Null));
}

#[tokio::test]
async fn what_went_wrong_is_said() {
    let peer = Peer::start(|_| reply("409 Conflict", &[], "busy")).await;
    let bench = bench(&peer).await;
    let url = format!("{}/heater/plain", peer.address());
    assert_eq!(call(&bench, "plain", json!({})).await, Err(Fault::Step(format!("{url} answered 409 Conflict: busy"))));
    let missing = call(&bench, "boost", json!({ "zone": 1 })).await.expect_err("an input is missing");
    assert_eq!(missing, Fault::Config("the service wants `{minutes}`, and there is no such input".into()));
    let unknown = call(&bench, "bost", json!({})).await.expect_err("no such service");
    assert_eq!(
        unknown,
        Fault::Config("the device has no service `bost` under `services` (did you mean `boost`?)".into())
    );
    assert_eq!(peer.asked().len(), 1, "only the first was sent");
}

#[tokio::test]
async fn a_call_that_may_have_been_done_is_not_sent_again() {
    for act in [Act::Silent, Act::Last(vec![]), reply("500 Internal Server Error", &[], "")] {
        let told = act.clone();
        let peer = Peer::start(move |_| told.clone()).await;
        let bench = bench(&peer).await;
        assert!(matches!(call(&bench, "plain", json!({})).await, Err(Fault::Device(_))), "{act:?}");
        assert_eq!(peer.asked().len(), 1, "{act:?}");
    }
    let peer = Peer::start(|_| answered(r#"{"else": 1}"#)).await;
    let input = json!({ "zone": 1, "minutes": 1, "why": "" });
    assert!(matches!(call(&bench(&peer).await, "boost", input).await, Err(Fault::Device(_))), "done, and no result");
}
