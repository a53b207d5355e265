//! TLS with certificates on both sides, in both versions of MQTT.

use super::plant::{self, Plant, SOON, value};
use harness::{Broker, Certificates};

#[test]
fn values_arrive_over_tls_with_a_client_certificate_in_mqtt_5() {
    arrives_over_tls("5");
}

#[test]
fn values_arrive_over_tls_with_a_client_certificate_in_mqtt_3_1_1() {
    arrives_over_tls("3.1.1");
}

fn arrives_over_tls(version: &str) {
    let certificates = Certificates::new();
    let (broker, tls_port) = Broker::with_tls(&certificates);
    let [ca, cert, key] = ["ca.pem", "gateway.pem", "gateway.key"].map(|name| certificates.path(name));
    let more = format!("version = {version:?}\nca = {ca:?}\ncert = {cert:?}\nkey = {key:?}\n");
    let routes = plant::routes(tls_port, &more).replace("mqtt://", "mqtts://");
    let mut plant = Plant::start_with(broker, &routes);
    plant.cloud.wait_for("values over TLS", SOON, |message| value(message, "probe-1", "temperature").is_some());
}
