//! The site's words in librdkafka's.

use edgeway_site::{KafkaTarget as KafkaSite, TlsFiles};
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// What the client itself takes at most. The broker's own limit is 1 MB unless it was changed.
const MESSAGE_BYTES_MAX: &str = "16777216";
/// Messages are sent together up to this size. A broker refuses what is too large as a whole, so this has to be below any
/// broker's limit: then what is refused is one message.
const TOGETHER_BYTES_MAX: &str = "65536";

pub(super) fn of(route: &str, site: &KafkaSite) -> ClientConfig {
    let mut configuration = ClientConfig::new();
    configuration
        .set("bootstrap.servers", site.brokers.join(","))
        .set("client.id", format!("edgeway-{route}"))
        .set("compression.type", &site.compression)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        // Without end: the target decides when it is enough.
        .set("message.timeout.ms", "0")
        .set("message.max.bytes", MESSAGE_BYTES_MAX)
        .set("batch.size", TOGETHER_BYTES_MAX)
        .set("linger.ms", "5")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", "10000")
        .set("partitioner", "murmur2_random")
        .set_log_level(RDKafkaLogLevel::Warning);
    configuration.set("security.protocol", protocol(site));
    if let Some((mechanism, user, password)) = &site.sasl {
        configuration.set("sasl.mechanism", mechanism);
        configuration.set("sasl.username", user).set("sasl.password", password.reveal());
    }
    if let Some(files) = &site.tls {
        tls(files, &mut configuration);
    }
    configuration
}

fn protocol(site: &KafkaSite) -> &'static str {
    match (&site.sasl, &site.tls) {
        (None, None) => "plaintext",
        (Some(_), None) => "sasl_plaintext",
        (None, Some(_)) => "ssl",
        (Some(_), Some(_)) => "sasl_ssl",
    }
}

fn tls(files: &TlsFiles, configuration: &mut ClientConfig) {
    if let Some(ca) = &files.ca {
        configuration.set("ssl.ca.location", ca.to_string_lossy());
    }
    if let Some((certificate, key)) = &files.identity {
        configuration.set("ssl.certificate.location", certificate.to_string_lossy());
        configuration.set("ssl.key.location", key.to_string_lossy());
    }
}
