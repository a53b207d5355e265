//! What comes out of `routes.toml` and `[journal]`.

use crate::{case, load};
use edgeway_site::{
    ClassSite, FormatSite, HttpAuth, MqttPreset, MqttTarget, MqttVersion, ObjectStore, OnFull, Order, Rate, RouteSite,
    Site, SyncSite, TargetKind, Transport, UnsetClock,
};
use std::path::Path;
use std::time::Duration;

fn valid() -> Site {
    load(&case("valid")).unwrap_or_else(|failed| panic!("{failed}")).site
}

fn target<'s>(site: &'s Site, name: &str) -> &'s TargetKind {
    &site.targets.iter().find(|target| &*target.name == name).expect("a target of this name").kind
}

fn broker<'s>(site: &'s Site, name: &str) -> &'s MqttTarget {
    let TargetKind::Mqtt(mqtt) = target(site, name) else { panic!("{name} is a broker") };
    mqtt
}

fn route<'s>(site: &'s Site, name: &str) -> &'s RouteSite {
    site.routes.iter().find(|route| &*route.name == name).expect("a route of this name")
}

/// A site with some routes and a broker, a service and standard output to send to.
fn site_of(routes: &str) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let targets = "[target.cloud]\nkind = \"mqtt\"\nurl = \"mqtt://h\"\ncommands = \"c/{device}\"\n";
    std::fs::write(folder.path().join("edgeway.toml"), "name = \"x\"\n").unwrap();
    std::fs::write(folder.path().join("routes.toml"), format!("{targets}{routes}")).unwrap();
    load(folder.path()).unwrap_or_else(|failed| panic!("{failed}")).site
}

#[test]
fn a_route_has_its_defaults() {
    let site = site_of("[[route]]\nname = \"r\"\nsubjects = [\"#\"]\ntarget = \"cloud\"\n");
    let route = route(&site, "r");
    assert_eq!((&route.format, route.topic.as_str()), (&FormatSite::Json, "edgeway/x/{subject}"));
    assert_eq!((route.batch_messages, route.batch_bytes, route.batch_age), (1, 128 << 10, Duration::ZERO));
    assert_eq!((route.on_full, route.order, route.unset_clock), (OnFull::DropOldest, Order::Device, UnsetClock::Send));
    assert_eq!((&route.filter, &route.select, route.class, route.ttl, route.rate), (&None, &None, None, None, None));
}

#[test]
fn a_route_says_what_it_takes_and_how() {
    let site = valid();
    let web = route(&site, "web");
    assert_eq!((web.class, &web.format), (Some(ClassSite::Normal), &FormatSite::JsonLines));
    assert_eq!((web.on_full, web.ttl), (OnFull::Sample(10), Some(Duration::from_secs(2 * 86_400))));
    let rate = Rate { messages_per_second: Some(200.0), bytes_per_second: Some(1 << 20), live_share: 0.5 };
    assert_eq!((web.rate, web.unset_clock), (Some(rate), UnsetClock::Hold));
    let stream = route(&site, "stream");
    assert_eq!((stream.on_full, stream.order), (OnFull::Block, Order::Strict));
    assert_eq!(stream.rate.unwrap().live_share, 0.0, "nothing overtakes in strict order");
    assert_eq!((stream.batch_messages, stream.batch_bytes, stream.batch_age.as_secs()), (100, 64 << 10, 1));
}

#[test]
fn sql_knows_where_its_first_character_is() {
    let site = valid();
    let text = std::fs::read_to_string(case("valid").join("routes.toml")).unwrap();
    let web = route(&site, "web");
    for sql in [web.filter.as_ref().unwrap(), web.select.as_ref().unwrap()] {
        let line = text.lines().nth(sql.line - 1).unwrap();
        let from_there: String = line.chars().skip(sql.column - 1).collect();
        let first = sql.text.lines().next().unwrap();
        assert!(from_there.starts_with(first), "`{from_there}` should begin with `{first}`");
    }
}

#[test]
fn a_template_knows_its_file_and_its_first_line() {
    let site = valid();
    let place = |name| route(&site, name).template_place.clone().unwrap();
    let lines = place("screen-lines");
    assert_eq!((lines.file.as_path(), lines.line, lines.column), (Path::new("templates/line.j2"), 1, 1));
    let names = place("board-names");
    let text = std::fs::read_to_string(case("valid").join("routes.toml")).unwrap();
    assert!(text.lines().nth(names.line - 1).unwrap().starts_with("{\"{{ message.device"));
    assert_eq!(route(&site, "board").template_place, None, "the preset's own template is in no file of the site");
}

#[test]
fn each_kind_of_target_has_its_own_topics_formats_and_batches() {
    let site = valid();
    let shape = |name| {
        let route = route(&site, name);
        (route.topic.as_str(), route.batch_messages, route.batch_age.as_millis())
    };
    assert_eq!(shape("web"), ("", 100, 500));
    assert_eq!(shape("bus"), ("edgeway.valid.{kind}", 1, 0));
    assert_eq!(shape("db"), ("", 1000, 1000));
    assert_eq!(shape("disk"), ("", 1000, 1000));
    assert_eq!(shape("screen"), ("", 1, 0));
    assert_eq!(shape("plant"), ("", 1, 0));
    assert_eq!(shape("hub"), ("devices/gateway-1/messages/events/", 1, 0));
    assert_eq!(shape("board"), ("v1/gateway/telemetry", 1, 0));
    assert_eq!(shape("aws"), ("dt/valid/{subject}", 1, 0));
    let node = FormatSite::SparkplugB { group: "north".into(), node: "valid".into() };
    assert_eq!(route(&site, "plant").format, node);
    let product_keys = [("wind-turbine".to_owned(), "a1".to_owned())].into();
    assert_eq!(route(&site, "ali").format, FormatSite::Alink { product_keys });
}

#[test]
fn presets_log_in_as_their_platforms_want() {
    let site = valid();
    let hub = broker(&site, "hub");
    assert_eq!((hub.preset, hub.version), (MqttPreset::AzureIotHub, MqttVersion::V3));
    assert_eq!(hub.username.as_deref(), Some("hub.example/gateway-1/?api-version=2021-04-12"));
    assert_eq!(hub.password.as_ref().unwrap().reveal(), "c2VjcmV0");
    let ali = broker(&site, "ali");
    assert_eq!(ali.username.as_deref(), Some("gateway&a1b2c3"));
    assert_eq!(ali.password.as_ref().unwrap().reveal(), "s3cret");
    let board = broker(&site, "board");
    assert_eq!((board.username.as_deref(), board.password.as_ref().unwrap().reveal()), (None, "s3cret"));
    assert_eq!(broker(&site, "aws").commands.as_deref(), Some("edgeway/valid/command/{device}"));
}

#[test]
fn services_streams_and_brokers_are_resolved() {
    let site = valid();
    let TargetKind::Http(web) = target(&site, "web") else { panic!("a web service") };
    assert_eq!((web.url.as_str(), web.timeout.as_secs()), ("https://broker.example/in?site=1", 10));
    assert!(matches!(&web.auth, HttpAuth::Bearer(token) if token.reveal() == "s3cret"));
    assert_eq!((web.headers[0].0.as_str(), web.headers[0].1.reveal()), ("X-Tenant", "north"));
    let TargetKind::Nats(stream) = target(&site, "stream") else { panic!("NATS") };
    assert_eq!((stream.urls.len(), stream.stream.as_str(), stream.inflight), (2, "EDGE", 64));
    assert_eq!(stream.create.as_deref(), Some(&["edgeway.>".to_owned()][..]));
    let TargetKind::Kafka(bus) = target(&site, "bus") else { panic!("Kafka") };
    assert_eq!((bus.brokers.len(), bus.compression.as_str(), bus.tls.is_some()), (2, "zstd", true));
    assert_eq!(bus.sasl.as_ref().unwrap().0, "SCRAM-SHA-512");
}

#[test]
fn tables_know_where_they_are_kept() {
    let site = valid();
    let TargetKind::Postgres(db) = target(&site, "db") else { panic!("a database") };
    assert_eq!((db.host.as_str(), db.port, db.database.as_str()), ("192.0.2.5", 5433, "history"));
    assert_eq!(
        (db.schema.as_str(), db.table_prefix.as_str(), db.create, db.hypertables),
        ("edge", "north_", true, true)
    );
    assert_eq!(db.transport, Transport::Tls { ca: Some(case("valid").join("ca.pem")), identity: None });
    let TargetKind::Parquet(lake) = target(&site, "lake") else { panic!("Parquet") };
    assert_eq!((lake.file_bytes, lake.file_age.as_secs()), (8 << 20, 3600));
    let ObjectStore::S3 { endpoint, region, bucket, prefix, key } = &lake.store else { panic!("a bucket") };
    assert_eq!((endpoint.as_deref(), region.as_str()), (Some("http://192.0.2.6:9000"), "eu-central-1"));
    assert_eq!((bucket.as_str(), prefix.as_str(), key.as_ref().unwrap().0.as_str()), ("lake", "edge/", "AKIA"));
    let TargetKind::Parquet(disk) = target(&site, "disk") else { panic!("Parquet") };
    assert_eq!(disk.store, ObjectStore::Folder(case("valid").join("data/history")));
}

#[test]
fn no_secret_gets_into_a_log() {
    let site = valid();
    let shown = format!("{:?}", site.targets);
    assert!(!shown.contains("s3cret") && !shown.contains("c2VjcmV0"), "{shown}");
}

#[test]
fn classes_have_their_limits_and_the_rest_their_defaults() {
    let site = valid();
    let [critical, normal, bulk] = &site.journal.classes;
    let takes =
        |class: &edgeway_site::ClassOptions, subject| class.subjects.iter().any(|filter| filter.matches(subject));
    assert_eq!((critical.size_bytes, critical.segment_bytes, critical.sync), (16 << 20, 1 << 20, SyncSite::Group));
    assert_eq!((critical.age.as_secs(), critical.group_delay), (30 * 86_400, Duration::from_millis(1)));
    assert!(takes(critical, "command/wind-turbine/wt-01") && !takes(critical, "status/wind-turbine/wt-01"));
    assert_eq!((normal.sync, normal.subjects.len()), (SyncSite::Os, 0));
    assert_eq!((bulk.size_bytes, bulk.segment_bytes, bulk.sync), (256 << 20, 1 << 20, SyncSite::Group));
    assert!(takes(bulk, "property/wind-turbine/wt-01"));
    assert!(site.journal.memory[0].matches("property/met-mast/mast-01"));
    assert_eq!(site.ledger_every, Duration::from_secs(10));
    assert_eq!(site.queries_memory, 64 << 20);
}

#[test]
fn without_a_word_on_the_journal_what_matters_is_critical() {
    let site = site_of("");
    let [critical, normal, bulk] = &site.journal.classes;
    for subject in ["event/m/d/e", "status/m/d", "command/m/d", "notify/c", "ledger/r", "scene/s"] {
        assert!(critical.subjects.iter().any(|filter| filter.matches(subject)), "{subject}");
    }
    assert!(!critical.subjects.iter().any(|filter| filter.matches("property/m/d")));
    assert_eq!((critical.sync, normal.sync, bulk.sync), (SyncSite::Disk, SyncSite::Group, SyncSite::Group));
    assert_eq!((critical.size_bytes, normal.size_bytes, bulk.size_bytes), (64 << 20, 1 << 30, 256 << 20));
    assert_eq!((bulk.subjects.len(), site.journal.memory.len(), site.ledger_every.as_secs()), (0, 0, 60));
}
