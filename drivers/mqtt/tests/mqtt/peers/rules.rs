//! A broker that does not let everybody do everything.

use super::broker::Broker;
use crate::bench::Bench;
use edgeway_sdk::{Access, Fault, Json, Quality};
use serde_json::json;

const RULES: &str = "user gateway\ntopic read open/#\ntopic write open/set\n";

async fn broker() -> Broker {
    let settings = "allow_anonymous false\npassword_file {folder}/passwords\nacl_file {folder}/rules\n";
    Broker::with_files(settings, &[("rules", RULES), ("passwords", &password())]).await
}

/// `gateway` with the password `right`, as mosquitto_passwd writes it.
fn password() -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("passwords");
    let made = std::process::Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(&file)
        .args(["gateway", "right"])
        .status();
    assert!(made.is_ok_and(|status| status.success()), "mosquitto_passwd; tests/run installs it");
    std::fs::read_to_string(file).expect("it was written")
}

fn login(version: &str, password: &str) -> Json {
    json!({ "version": version, "username": "gateway", "password": password })
}

#[tokio::test]
async fn a_wrong_password_is_a_matter_for_a_person() {
    let broker = broker().await;
    for version in ["5", "3.1.1"] {
        let point = || [("v", json!({}), Access::Read)];
        let bench = Bench::new(broker.link(login(version, "wrong")), json!({ "topic": "open/a" }), &point()).await;
        let fault = bench.connect().await.expect_err("the password is wrong");
        assert!(
            matches!(&fault, Fault::Config(why) if why.contains("`password`") || why.contains("password")),
            "{fault:?}"
        );
        let bench = Bench::new(broker.link(login(version, "right")), json!({ "topic": "open/a" }), &point()).await;
        bench.connect().await.expect("the password is right");
    }
}

#[tokio::test]
async fn what_the_rules_do_not_allow_costs_only_the_points_that_need_it() {
    let broker = broker().await;
    let points = [
        ("open", json!({ "topic": "open/a", "set": "closed/set" }), Access::ReadWrite),
        ("written", json!({ "set": "open/set", "format": "text" }), Access::Write),
    ];
    let bench = Bench::new(broker.link(login("5", "right")), json!({ "topic": "closed" }), &points).await;
    bench.connect().await.expect("the password is right");
    assert_eq!(
        bench.write("written", "x").await.expect_err("nobody listens").to_string(),
        "nobody listens to `open/set`, so nothing was written"
    );
    let fault = bench.write("open", 1).await.expect_err("the rules do not allow it");
    assert!(matches!(&fault, Fault::Point { reason, .. } if reason.contains("rules do not allow")), "{fault:?}");
}

/// mosquitto takes a subscription that its rules do not allow if its `acl_file` says nothing of `subscribe`; what one that is
/// refused means, `hostile` has.
#[tokio::test]
async fn a_topic_that_the_rules_deny_says_nothing_and_costs_the_others_nothing() {
    let broker = Broker::with_files(
        "allow_anonymous true\nacl_file {folder}/rules\n",
        &[("rules", "topic deny closed/#\ntopic readwrite #\n")],
    )
    .await;
    for version in ["5", "3.1.1"] {
        let points = [
            ("closed", json!({ "topic": "closed/v" }), Access::Read),
            ("open", json!({ "topic": "open/v" }), Access::Read),
        ];
        let bench = Bench::new(broker.link(json!({ "version": version })), json!({}), &points).await;
        bench.connect().await.expect("the broker is there");
        for topic in ["closed/v", "open/v"] {
            broker.publish(topic, "7", &[]).await;
        }
        bench.told("open", 7, Quality::Good).await;
        assert!(bench.all("closed").iter().all(|told| told.quality.is_bad()), "{:?}", bench.all("closed"));
    }
}
