//! Services that are methods.

use super::asyncua::Asyncua;
use super::{link, link_with};
use crate::host::Host;
use edgeway_sdk::Fault;
use serde_json::json;

fn device() -> serde_json::Value {
    json!({
        "namespace": "http://lab",
        "methods": { "reset": { "method": "s=WTG01.Reset" }, "none": { "object": "s=WTG01", "method": "s=Nothing" } },
    })
}

#[tokio::test]
async fn a_method_is_called_with_its_arguments_by_name() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), device(), &[]);
    host.connect().await.unwrap();
    let input = json!({ "reason": "storm", "steps": [1, 2, 3], "delay": 0 });
    assert_eq!(host.call("reset", input).await, Ok(json!({ "done": true, "echo": "storm 6" })));
    host.close().await;
}

#[tokio::test]
async fn a_call_may_take_longer_than_other_questions() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link_with(server.port, json!({ "timeout": "300ms" })), device(), &[]);
    host.connect().await.unwrap();
    let input = json!({ "reason": "slow", "steps": [], "delay": 800 });
    assert_eq!(host.call("reset", input).await, Ok(json!({ "done": true, "echo": "slow 0" })));
    host.close().await;
}

#[tokio::test]
async fn a_call_that_cannot_be_is_told_why() {
    let server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), device(), &[]);
    host.connect().await.unwrap();
    let wrong = async |service: &str, input| match host.call(service, input).await {
        Err(Fault::Config(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong("stop", json!({})).await, "the device has no method for `stop`");
    assert_eq!(wrong("reset", json!({ "delay": 0, "reason": "x" })).await, "the method wants `steps`");
    assert_eq!(wrong("reset", json!({ "dely": 0 })).await, "the method takes no `dely` (did you mean `delay`?)");
    let input = |delay: i64| json!({ "delay": delay, "reason": "x", "steps": [1] });
    assert_eq!(wrong("reset", input(-1)).await, "`delay`: `-1` is not a UInt32");
    let out_of_range = wrong("reset", input(5000)).await;
    assert!(out_of_range.contains("BadOutOfRange"), "{out_of_range}");
    let nothing = wrong("none", json!({})).await;
    assert!(nothing.contains("Bad"), "{nothing}");
    host.close().await;
}

#[tokio::test]
async fn a_method_of_several_objects_is_called_on_none_until_one_is_named() {
    let mut server = Asyncua::start(&[]).await;
    server.ask("share").await;
    let mut named = device();
    named["methods"]["named"] = json!({ "method": "s=WTG01.Reset", "object": "s=WTG01" });
    let host = Host::new(&link(server.port), named, &[]);
    host.connect().await.unwrap();
    let input = || json!({ "reason": "storm", "steps": [1], "delay": 0 });
    let Err(Fault::Config(reason)) = host.call("reset", input()).await else { panic!("it has been called") };
    assert_eq!(reason, "`nsu=http://lab;s=WTG01.Reset` belongs to 2 objects; name the one it is called on in `object`");
    assert_eq!(host.call("named", input()).await, Ok(json!({ "done": true, "echo": "storm 1" })));
    host.close().await;
}
