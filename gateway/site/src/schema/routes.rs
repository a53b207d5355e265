//! `routes.toml`.

use super::keys::{Key, Kind, table};
use edgeway_sdk::Json;
use serde_json::json;

const TOP: [Key; 2] = [
    ("target", Kind::Named("target"), "Northbound destinations"),
    ("route", Kind::List("route"), "Which messages go to which target, in which form"),
];

const ROUTE: [Key; 19] = [
    ("name", Kind::Text, "Also the name of its place in the journal: another name begins anew"),
    ("subjects", Kind::Texts, "What it takes, with MQTT wildcards"),
    ("except", Kind::Texts, "What does not go all the same"),
    ("class", Kind::Choice(&["critical", "normal", "bulk"]), "Only messages of this class. Default: all"),
    ("where", Kind::Text, "Only messages for which this SQL expression is true"),
    ("select", Kind::Text, "What to send of them: SQL expressions, as after SELECT"),
    ("target", Kind::Text, "Where it goes"),
    ("topic", Kind::Text, "With {site}, {subject}, {kind}, {model}, {device}; for MQTT, NATS and Kafka"),
    ("format", Kind::Choice(&FORMATS), "What a payload is. Default: json, or the preset's"),
    ("sparkplug", Kind::Ref("sparkplug"), "Of the format sparkplug-b"),
    ("alink", Kind::Ref("alink"), "Of the format alink"),
    ("template", Kind::Ref("template"), "Of the format template"),
    ("batch", Kind::Ref("batch"), "Several messages in one payload"),
    ("on_full", Kind::Ref("on_full"), "When the journal is full of what this route has not sent. Default: drop_oldest"),
    ("ttl", Kind::Duration, "Older messages are not sent any more, but counted as expired; 1s to 365d"),
    ("rate", Kind::Ref("rate"), "How much it sends at most"),
    (
        "order",
        Kind::Choice(&["device", "strict"]),
        "In order for each device, or in the one order of the journal. Default: device",
    ),
    ("unset_clock", Kind::Choice(&["send", "hold"]), "Messages from before the clock was set. Default: send"),
    ("from", Kind::Choice(&["start", "now"]), "Where a new route begins. Default: now"),
];

const FORMATS: [&str; 8] = ["json", "json-lines", "csv", "arrow", "protobuf", "sparkplug-b", "alink", "template"];

const SPARKPLUG: [Key; 2] =
    [("group", Kind::Text, "The group"), ("node", Kind::Text, "The node. Default: the site's name")];

const ALINK: [Key; 1] = [("product_keys", Kind::TextTable, "The product key of each model. Default: the model's name")];

const TEMPLATE: [Key; 3] = [
    ("text", Kind::Text, "The Jinja template"),
    ("file", Kind::Text, "Or the file that it is in, relative to the site"),
    ("content_type", Kind::Text, "What it makes. Default: text/plain"),
];

const BATCH: [Key; 3] = [
    (
        "messages",
        Kind::Whole(1, 10_000),
        "Messages in one payload, at most. Default: 1; http 100; postgres, parquet 1000",
    ),
    ("bytes", Kind::Size, "Bytes in one payload of several messages, at most, 1KiB to 16MiB. Default: 128KiB"),
    (
        "age",
        Kind::Duration,
        "How long a message waits for others, 0s to 1h. Default: 0s; http 500ms; postgres, parquet 1s",
    ),
];

const RATE: [Key; 3] = [
    ("messages", Kind::Within(0.001, 1e6), "Messages a second"),
    ("bytes", Kind::Size, "Payload bytes a second, from 128B"),
    ("live_share", Kind::Within(0.0, 1.0), "The part that new messages have while a backlog drains. Default: 0.5"),
];

const LOGIN: [Key; 2] =
    [("username", Kind::Text, "Login"), ("password", Kind::Text, "Login; `${NAME}` or `file:///path`")];

const TLS: [Key; 3] = [
    ("ca", Kind::Text, "Certificates to trust, PEM, relative to the site. Default: the system's"),
    ("cert", Kind::Text, "The gateway's own certificate, PEM"),
    ("key", Kind::Text, "Its key, PEM"),
];

const ENCRYPTED: [Key; 1] = [("tls", Kind::Choice(&["off", "on"]), "Encryption. Default: off")];

const MQTT: [Key; 13] = [
    ("url", Kind::Text, "`mqtt://host:port`, or `mqtts://` for TLS"),
    ("preset", Kind::Choice(&PRESETS), "The platform behind the broker. Default: generic"),
    ("version", Kind::Choice(&["5", "3.1.1"]), "Of MQTT. Default: 5; alink, azure-iot-hub 3.1.1"),
    ("client_id", Kind::Text, "Unique on the broker. Default: edgeway-{site}-{target}"),
    ("keep_alive", Kind::Duration, "Sign of life, 1s to 65535s. Default: 30s"),
    ("inflight", Kind::Whole(1, 65_535), "Publishes under way, at most. Default: 20"),
    ("commands", Kind::Text, "Topic on which commands come, with {device} and {site}"),
    ("replies", Kind::Text, "Topic of their results, with {device} and {site}"),
    ("product_key", Kind::Text, "Of the preset alink: the gateway's product"),
    ("device_name", Kind::Text, "Of the preset alink: the gateway's name"),
    ("device_secret", Kind::Text, "Of the preset alink: the gateway's secret; `${NAME}` or `file:///path`"),
    ("shared_access_key", Kind::Text, "Of the preset azure-iot-hub: the device's key; `${NAME}` or `file:///path`"),
    ("token", Kind::Text, "Of the preset thingsboard: the access token; `${NAME}` or `file:///path`"),
];

const PRESETS: [&str; 5] = ["generic", "aws-iot", "azure-iot-hub", "alink", "thingsboard"];

const HTTP: [Key; 4] = [
    ("url", Kind::Text, "`http://host:port/path?query`, or `https://` for TLS"),
    ("token", Kind::Text, "Login with `Authorization: Bearer`; `${NAME}` or `file:///path`"),
    ("headers", Kind::TextTable, "More headers, by name"),
    ("timeout", Kind::Duration, "How long one request may take, 1s to 10m. Default: 30s"),
];

const NATS: [Key; 6] = [
    ("urls", Kind::Texts, "`nats://host:port` of each server of a cluster, or `tls://` for all"),
    ("stream", Kind::Text, "The stream that must take the messages"),
    ("create", Kind::Texts, "The subjects of the stream if it has to be made"),
    ("token", Kind::Text, "Login; `${NAME}` or `file:///path`"),
    ("credentials", Kind::Text, "Login, a `.creds` file"),
    ("inflight", Kind::Whole(1, 65_535), "Publishes under way, at most. Default: 256"),
];

const KAFKA: [Key; 3] = [
    ("brokers", Kind::Texts, "`host:port` of each"),
    ("sasl", Kind::Choice(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]), "With username and password"),
    ("compression", Kind::Choice(&["none", "gzip", "lz4", "zstd", "snappy"]), "Default: lz4"),
];

const POSTGRES: [Key; 6] = [
    ("host", Kind::Text, "Name or address"),
    ("port", Kind::Whole(1, 65_535), "Default: 5432"),
    ("database", Kind::Text, "The database"),
    ("schema", Kind::Text, "Where the tables are. Default: public"),
    ("table_prefix", Kind::Text, "Put before each table's name"),
    ("tables", Kind::Choice(&["create", "create-hypertables", "existing"]), "Who makes them. Default: create"),
];

const PARQUET: [Key; 9] = [
    ("path", Kind::Text, "The folder, relative to the data folder; or `bucket`"),
    ("bucket", Kind::Text, "The bucket; or `path`"),
    ("prefix", Kind::Text, "Put before all names in the bucket"),
    ("endpoint", Kind::Text, "`http://` or `https://` of the object store. Default: Amazon's"),
    ("region", Kind::Text, "Default: us-east-1"),
    ("access_key", Kind::Text, "Login. Default: the environment's"),
    ("secret", Kind::Text, "Login; `${NAME}` or `file:///path`"),
    ("size", Kind::Size, "A file is finished at about this size, 64KiB to 1GiB. Default: 32MiB"),
    ("age", Kind::Duration, "Or when its first message is this old, 1s to 1d. Default: 15m"),
];

const FILE: [Key; 2] = [
    ("path", Kind::Text, "The file, relative to the data folder"),
    ("size", Kind::Size, "At this size it is renamed to NAME.1 and begun anew, from 64KiB. Default: 64MiB"),
];

pub(super) fn schema() -> Json {
    let mut schema = table(&TOP, &[]);
    schema["$defs"] = json!({
        "target": { "oneOf": targets() },
        "route": table(&ROUTE, &["name", "subjects", "target"]),
        "sparkplug": table(&SPARKPLUG, &["group"]),
        "alink": table(&ALINK, &[]),
        "template": table(&TEMPLATE, &[]),
        "batch": table(&BATCH, &[]),
        "rate": table(&RATE, &[]),
        "on_full": {
            "oneOf": [
                { "enum": ["drop_oldest", "drop_newest", "block"] },
                table(&[("sample", Kind::Whole(2, 1_000), "Only every n-th report of each device is stored")], &["sample"]),
            ],
        },
    });
    schema
}

/// One for each kind, which says what else there may be.
fn targets() -> Vec<Json> {
    [
        target("mqtt", &[&MQTT, &LOGIN, &TLS], &["url"]),
        target("http", &[&HTTP, &LOGIN, &TLS], &["url"]),
        target("nats", &[&NATS, &LOGIN, &TLS], &["urls", "stream"]),
        target("kafka", &[&KAFKA, &LOGIN, &ENCRYPTED, &TLS], &["brokers"]),
        target("postgres", &[&POSTGRES, &LOGIN, &ENCRYPTED, &TLS], &["host", "database", "username"]),
        target("parquet", &[&PARQUET], &[]),
        target("file", &[&FILE], &["path"]),
        target("stdout", &[], &[]),
    ]
    .to_vec()
}

fn target(kind: &str, keys: &[&[Key]], required: &[&str]) -> Json {
    let mut schema = table(&keys.concat(), &[required, &["kind"]].concat());
    schema["properties"]["kind"] = json!({ "const": kind, "description": "What it is" });
    schema
}
