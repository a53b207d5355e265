//! Values in JSON, told by whoever publishes.

use super::broker::Broker;
use crate::bench::Bench;
use edgeway_sdk::{Access, Quality};
use serde_json::json;

#[tokio::test]
async fn what_is_published_is_told_in_both_versions() {
    let broker = Broker::start().await;
    for version in ["5", "3.1.1"] {
        let device = json!({ "topic": format!("plant/{version}/pump") });
        let points = [("speed", json!({ "at": "speed" }), Access::Read), ("on", json!({ "at": "on" }), Access::Read)];
        let bench = Bench::new(broker.link(json!({ "version": version })), device, &points).await;
        bench.connect().await.expect("the broker is there");
        broker.publish(&format!("plant/{version}/pump"), r#"{"speed": 1450, "on": true}"#, &[]).await;
        bench.told("speed", 1450, Quality::Good).await;
        bench.told("on", true, Quality::Good).await;
    }
}
