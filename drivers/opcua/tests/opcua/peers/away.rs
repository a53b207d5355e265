//! Servers that go, come back, and are not the same any more.

use super::asyncua::Asyncua;
use super::proxy::{Mood, Proxy};
use super::{lab, link, link_with, polled, told};
use crate::host::Host;
use crate::{soon, wait_for};
use edgeway_sdk::{Fault, Quality, Value};
use serde_json::json;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Threads, open files and tasks of this process. Other tests run at the same time, so only growth over many rounds says
/// something.
fn held() -> [usize; 3] {
    let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    [count("/proc/self/task"), count("/proc/self/fd"), tasks]
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted_twenty_times_tells_again_every_time() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Power", "WTG01.Name"]));
    host.listen().await.unwrap();
    let mut tasks = vec![];
    for round in 0..20 {
        server.set("WTG01.Power", f64::from(round)).await;
        host.hears(0, f64::from(round)).await;
        server.kill().await;
        let reason = host.hears_loss().await;
        assert!(reason.contains("hung up"), "{reason}");
        let refused = host.connect().await;
        assert!(matches!(&refused, Err(Fault::Link(why)) if why.contains("no connection")), "{refused:?}");
        server.resume(&[]).await;
        host.listen_again().await;
        host.hears(0, 1450.5).await;
        assert_eq!(server.load().await, (1, 1), "one session, and one subscription");
        tasks.push(held()[2]);
    }
    assert_eq!(tasks[1], tasks[19], "{tasks:?}");
    assert_eq!(host.counted("sessions"), 21);
    host.close().await;
}

#[tokio::test]
async fn a_session_is_closed_when_the_gateway_connects_anew() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Name"]));
    let before = held();
    for _ in 0..20 {
        host.listen().await.unwrap();
        host.hears(0, "WTG-01").await;
        assert_eq!(server.load().await, (1, 1));
    }
    host.close().await;
    wait_for("sessions to end", async || (server.load().await == (0, 0)).then_some(())).await;
    wait_for("tasks to end", async || (held()[2] <= before[2]).then_some(())).await;
}

#[tokio::test]
async fn a_session_whose_connection_is_cut_ends_with_its_timeout() {
    let mut server = Asyncua::start(&[]).await;
    let proxy = Proxy::to(server.port).await;
    let host = Host::new(&link_with(proxy.port, json!({ "session_timeout": "10s" })), lab(), &told(&["WTG01.Name"]));
    for _ in 0..5 {
        host.listen_again().await;
        host.hears(0, "WTG-01").await;
        proxy.be(Mood::Away);
        host.hears_loss().await;
        proxy.be(Mood::Passes);
    }
    host.listen_again().await;
    wait_for("one session", async || (server.load().await == (1, 1)).then_some(())).await;
    host.close().await;
}

#[tokio::test]
async fn a_node_is_found_by_its_namespace_wherever_that_has_gone() {
    let mut server = Asyncua::start(&[]).await;
    let points = [told(&["WTG01.Power"]), polled(&["WTG01.Name"])].concat();
    let host = Host::new(&link(server.port), lab(), &points);
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    for namespaces in ["urn:first", "urn:first,urn:second", "urn:second"] {
        server.kill().await;
        host.hears_loss().await;
        server.resume(&["--namespaces", namespaces]).await;
        host.listen_again().await;
        host.hears(0, 1450.5).await;
        assert_eq!(host.readings().await.unwrap()[0].0, Value::from("WTG-01"), "the polled one");
    }
    host.close().await;
}

#[tokio::test]
async fn a_namespace_that_comes_late_is_found() {
    let mut server = Asyncua::start(&[]).await;
    let late = json!({ "at": "nsu=urn:late;s=Late" });
    let mut asked = late.clone();
    asked["watch"] = json!("poll");
    let host = Host::new(&link(server.port), lab(), &[late, asked]);
    host.connect().await.unwrap();
    server.ask("namespace urn:late").await;
    host.link.watch(host.heard.clone(), soon()).await.unwrap();
    host.hears(0, 7).await;
    assert_eq!(host.values().await, [Value::Int(7)]);
    host.close().await;
}

#[tokio::test]
async fn a_node_that_is_gone_costs_nobody_else_and_comes_back() {
    let mut server = Asyncua::start(&[]).await;
    let points = [told(&["WTG01.Power", "WTG01.Name"]), polled(&["WTG01.Power", "WTG01.Name"])].concat();
    let host = Host::new(&link(server.port), lab(), &points);
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    server.kill().await;
    host.hears_loss().await;
    server.resume(&["--without", "WTG01.Power"]).await;
    host.listen_again().await;
    host.hears(1, "WTG-01").await;
    host.hears_quality(0, Quality::BadConfig).await;
    assert_eq!(host.counted("refused_items"), 1);
    let steps = host.plan().await.steps;
    let mut batch = edgeway_sdk::Batch::default();
    host.link.exec(steps[0].id, &mut batch, soon()).await.unwrap();
    assert_eq!(batch.qualities, [Quality::BadConfig, Quality::Good]);
    server.kill().await;
    host.hears_loss().await;
    server.resume(&[]).await;
    host.listen_again().await;
    host.hears(0, 1450.5).await;
    assert_eq!(host.counted("refused_items"), 0);
    host.close().await;
}

#[tokio::test]
async fn a_changed_type_is_read_and_written_as_what_it_is_now() {
    let mut server = Asyncua::start(&[]).await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Limit"]));
    host.listen().await.unwrap();
    host.hears(0, 4812).await;
    assert_eq!(host.write(0, 7).await, Ok(Some(Value::Int(7))));
    server.kill().await;
    host.hears_loss().await;
    server.resume(&["--as", "WTG01.Limit=Double"]).await;
    host.listen_again().await;
    assert_eq!(host.write(0, 7.5).await, Ok(Some(Value::Float(7.5))));
    server.kill().await;
    host.hears_loss().await;
    server.resume(&["--as", "WTG01.Limit=String"]).await;
    host.listen_again().await;
    host.hears(0, "4812").await;
    let refused = host.write(0, 7).await;
    assert!(matches!(refused, Err(Fault::Point { quality: Quality::BadOutOfRange, .. })), "{refused:?}");
    host.close().await;
}

#[tokio::test]
async fn a_server_that_falls_silent_is_lost_and_found_again() {
    let mut server = Asyncua::start(&[]).await;
    let proxy = Proxy::to(server.port).await;
    let impatient = link_with(proxy.port, json!({ "keep_alive": "1s", "timeout": "1s" }));
    let host = Host::new(&impatient, lab(), &[told(&["WTG01.Power"]), polled(&["WTG01.Name"])].concat());
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    proxy.be(Mood::Silent);
    let read = host.readings();
    let asked = Instant::now();
    let fault = read.await.expect_err("nobody answers");
    assert!(matches!(fault, Fault::Device(_) | Fault::Link(_)), "{fault:?}");
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let reason = host.hears_loss().await;
    assert!(reason.contains("has not answered for 3s") || reason.contains("has said nothing"), "{reason}");
    proxy.be(Mood::Passes);
    host.listen_again().await;
    server.set("WTG01.Power", 7.5).await;
    host.hears(0, 7.5).await;
    host.close().await;
}

/// It is lost after three times `keep_alive`, and not by the first answer that is late.
#[tokio::test]
async fn a_server_that_is_slow_for_a_while_is_not_given_up() {
    let mut server = Asyncua::start(&[]).await;
    let proxy = Proxy::to(server.port).await;
    let host = Host::new(
        &link_with(proxy.port, json!({ "keep_alive": "2s", "timeout": "1s" })),
        lab(),
        &told(&["WTG01.Power"]),
    );
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    proxy.be(Mood::Slow);
    // The state is asked for meanwhile.
    sleep(Duration::from_millis(3100)).await;
    proxy.be(Mood::Passes);
    server.set("WTG01.Power", 7.5).await;
    host.hears(0, 7.5).await;
    assert_eq!(host.heard.told().lost, Vec::<String>::new());
    host.close().await;
}

/// Nothing comes from the server any more, but all that is said to it arrives.
#[tokio::test]
async fn a_session_that_is_given_up_is_closed() {
    let mut server = Asyncua::start(&[]).await;
    let proxy = Proxy::to(server.port).await;
    let impatient = link_with(proxy.port, json!({ "keep_alive": "1s", "session_timeout": "10m" }));
    let host = Host::new(&impatient, lab(), &told(&["WTG01.Name"]));
    host.listen().await.unwrap();
    host.hears(0, "WTG-01").await;
    proxy.be(Mood::Silent);
    host.hears_loss().await;
    assert_eq!(server.load().await, (1, 1));
    let began = Instant::now();
    host.close().await;
    assert!(began.elapsed() < Duration::from_secs(3), "it is closed, and not waited for: {:?}", began.elapsed());
    wait_for("the session to end", async || (server.load().await == (0, 0)).then_some(())).await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_and_found_when_it_comes() {
    let mut server = Asyncua::start(&[]).await;
    server.kill().await;
    let host = Host::new(&link(server.port), lab(), &told(&["WTG01.Name"]));
    let fault = host.connect().await.expect_err("nobody is there");
    assert!(matches!(&fault, Fault::Link(why) if why.contains("refused")), "{fault:?}");
    server.resume(&[]).await;
    host.listen_again().await;
    host.hears(0, "WTG-01").await;
    host.close().await;
}

#[tokio::test]
async fn a_flood_is_merged_by_the_server_and_the_newest_value_wins() {
    let mut server = Asyncua::start(&[]).await;
    let points = [json!({ "at": "s=WTG01.Power", "sampling": "0s", "queue": 10 }), json!({ "at": "s=WTG01.Name" })];
    let host = Host::new(&link(server.port), lab(), &points);
    host.listen().await.unwrap();
    host.hears(0, 1450.5).await;
    for n in 0..2000 {
        server.set("WTG01.Power", f64::from(n)).await;
    }
    host.hears(0, 1999.0).await;
    let told: Vec<f64> =
        host.heard.told().all.iter().filter_map(|(ix, value, _)| (*ix == 0).then(|| value.as_f64())?).collect();
    assert!(told.windows(2).skip(1).all(|pair| pair[0] < pair[1]), "in order, each once: {told:?}");
    assert_eq!(host.heard.told().lost, Vec::<String>::new());
    host.close().await;
}
