//! A build without Kafka.

use edgeway_site::{KafkaTarget, TargetKind, TargetSite};
use edgeway_targets::TargetError;

#[test]
fn a_build_without_kafka_says_how_to_get_one_with_it() {
    let site =
        KafkaTarget { brokers: vec!["localhost:9092".into()], sasl: None, tls: None, compression: "none".into() };
    let site = TargetSite { name: "hub".into(), kind: TargetKind::Kafka(Box::new(site)) };
    let Err(error) = edgeway_targets::open("route", &site) else { panic!("this build has no Kafka") };
    assert!(matches!(&error, TargetError::Denied(text) if text.contains("--features kafka")), "{error:?}");
}
