//! A broker that is killed and comes back, pauses, or is taken over.

use super::broker::Broker;
use crate::bench::Bench;
use crate::wait::wait_for;
use edgeway_sdk::{Access, Fault, Quality};
use serde_json::json;
use std::time::{Duration, Instant};

async fn bench(broker: &Broker, more: serde_json::Value) -> Bench {
    Bench::new(broker.link(more), json!({ "topic": "t" }), &[("v", json!({}), Access::ReadWrite)]).await
}

/// Open files and threads of this process.
fn held() -> (usize, usize) {
    let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[tokio::test]
async fn after_twenty_restarts_data_still_comes_and_nothing_has_grown() {
    let mut broker = Broker::start().await;
    for version in ["5", "3.1.1"] {
        let bench = bench(&broker, json!({ "version": version, "client_id": format!("gateway-{version}") })).await;
        bench.connect().await.expect("the broker is there");
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let before = (held().0, tasks());
        for n in 0..20 {
            broker.kill().await;
            let why = bench.lost().await;
            assert!(why.contains("closed") || why.contains("reset"), "{why}");
            broker.resume().await;
            bench.reconnect().await;
            broker.publish("t", n.to_string(), &[]).await;
            bench.told("v", n, Quality::Good).await;
        }
        wait_for("what was closed to be gone", async || {
            let now = (held().0, tasks());
            // Other tests run beside this one, so a few files may be theirs.
            (now.0 <= before.0 + 12 && now.1 <= before.1).then_some(())
        })
        .await;
        let sessions = broker.log().matches("connected from 127.0.0.1:").count();
        assert!(sessions > 0, "{}", broker.log());
        bench.link.close(crate::wait::soon()).await;
        wait_for("the broker to be told goodbye", async || {
            broker.log().contains(&format!("Client gateway-{version} disconnected.")).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn nobody_at_the_endpoint_is_told_at_once() {
    let mut broker = Broker::start().await;
    broker.kill().await;
    for version in ["5", "3.1.1"] {
        let bench = bench(&broker, json!({ "version": version })).await;
        let fault = bench.connect().await.expect_err("nobody is there");
        assert_eq!(fault, Fault::Link(format!("{}: nobody takes connections there", broker.endpoint())));
    }
}

/// The connection stays open, and nothing comes any more.
#[tokio::test]
async fn a_broker_that_falls_silent_is_given_up_after_one_and_a_half_keep_alives() {
    let broker = Broker::start().await;
    for version in ["5", "3.1.1"] {
        let bench = bench(&broker, json!({ "version": version, "keep_alive": "1s" })).await;
        bench.connect().await.expect("the broker is there");
        tokio::time::sleep(Duration::from_secs(3)).await;
        broker.publish("t", "1", &[]).await;
        bench.told("v", 1, Quality::Good).await;
        broker.pause("-STOP").await;
        let began = Instant::now();
        let why = bench.lost().await;
        broker.pause("-CONT").await;
        assert!(why.contains("nothing was heard for 1.5 s") || why.contains("ping"), "{why}");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        bench.reconnect().await;
    }
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_no_connection() {
    let broker = Broker::start().await;
    broker.pause("-STOP").await;
    for version in ["5", "3.1.1"] {
        let bench = bench(&broker, json!({ "version": version, "timeout": "300ms" })).await;
        let began = Instant::now();
        let fault = bench.connect().await.expect_err("it is silent");
        assert_eq!(fault, Fault::Link(format!("{}: the broker does not answer", broker.endpoint())));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    broker.pause("-CONT").await;
}

#[tokio::test]
async fn another_client_with_the_same_id_is_told() {
    let broker = Broker::start().await;
    // With MQTT 5 the broker says so, if its connection does not end before that is read.
    for version in ["5", "3.1.1"] {
        let options = json!({ "version": version, "client_id": "one" });
        let (first, second) = (bench(&broker, options.clone()).await, bench(&broker, options).await);
        first.connect().await.expect("the broker is there");
        second.connect().await.expect("the broker is there");
        let why = first.lost().await;
        assert!(why.contains("the same `client_id`"), "{why}");
    }
    let (first, second) = (bench(&broker, json!({})).await, bench(&broker, json!({})).await);
    first.connect().await.expect("the broker is there");
    second.connect().await.expect("the broker is there");
    broker.publish("t", "1", &[]).await;
    first.told("v", 1, Quality::Good).await;
    second.told("v", 1, Quality::Good).await;
}

/// What is under way when the wire breaks may have been applied: nobody knows, and it is not sent again.
#[tokio::test]
async fn a_write_on_a_wire_that_breaks_is_not_sent_again() {
    let mut broker = Broker::start().await;
    let bench = bench(&broker, json!({ "timeout": "10s" })).await;
    bench.connect().await.expect("the broker is there");
    broker.pause("-STOP").await;
    let killing = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        broker.kill().await;
    };
    let (written, ()) = tokio::join!(bench.write("v", 7), killing);
    assert!(matches!(written, Err(Fault::Link(_))), "{written:?}");
    broker.resume().await;
    bench.reconnect().await;
    broker.publish("t", "1", &[]).await;
    bench.told("v", 1, Quality::Good).await;
    assert!(!broker.log().contains("t/set"), "{}", broker.log());
    bench.link.close(crate::wait::soon()).await;
    let fault = bench.write("v", 7).await.expect_err("it is closed");
    assert_eq!(fault, Fault::Link("not connected".into()));
}
