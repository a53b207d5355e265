//! PostgreSQL.

mod server;

use crate::mqtt::broker::Certificates;
use crate::peer::{Arrived, Peer, WITHIN, id, message, open};
use crate::promises::suite;
use crate::route::Route;
use crate::tables::{self, MIDNIGHT_MILLIS, TABLE, delivery, ids, row, rows, texts, times};
use arrow_array::{BooleanArray, Float64Array, Int64Array};
use async_trait::async_trait;
use edgeway_formats::Table;
use edgeway_site::{PostgresTarget, Secret, TargetKind, Transport};
use edgeway_targets::{Delivery, Opening, Outcome, TargetError};
use server::{PASSWORD, Server, USER};
use std::sync::Arc;

struct Postgres {
    server: Server,
}

impl Postgres {
    async fn new() -> Self {
        Postgres { server: Server::start().await }
    }

    fn target(&self, password: &str) -> PostgresTarget {
        PostgresTarget {
            host: "127.0.0.1".into(),
            port: self.server.port,
            database: "postgres".into(),
            username: USER.into(),
            password: Some(Secret::new(password)),
            transport: Transport::Plain,
            schema: "edge".into(),
            table_prefix: "farm_".into(),
            create: true,
            hypertables: false,
        }
    }

    async fn sql(&self, statements: &str) {
        self.server.client().await.batch_execute(statements).await.expect("the test's own SQL");
    }

    /// The first column of the first row, as text.
    async fn text(&self, query: &str) -> String {
        let rows = self.server.client().await.query(query, &[]).await.expect("the test's own SQL");
        rows[0].get(0)
    }
}

#[async_trait]
impl Peer for Postgres {
    fn site(&self) -> TargetKind {
        TargetKind::Postgres(Box::new(self.target(PASSWORD)))
    }

    fn stranger(&self) -> Option<TargetKind> {
        Some(TargetKind::Postgres(Box::new(self.target("guess"))))
    }

    fn message(&self, n: u64, bytes: usize) -> Delivery {
        row(n, bytes)
    }

    /// PostgreSQL's text cannot hold a zero.
    fn unwanted(&self, n: u64) -> Option<Delivery> {
        Some(delivery(n..n + 1, tables::table(TABLE, n..n + 1, MIDNIGHT_MILLIS, "a\0b")))
    }

    async fn restart(&mut self) {
        self.server.restart().await;
    }

    /// What is committed is in the table, which has no order but that of its ids.
    async fn arrived(&mut self, _wanted: usize) -> Vec<Arrived> {
        let query =
            "SELECT n, octet_length(pad), replace(id::text, '-', '') FROM edge.farm_property_wind_turbine ORDER BY id";
        let rows = self.server.client().await.query(query, &[]).await.expect("the table is there");
        let arrived = rows.iter().map(|row| Arrived {
            n: row.get::<_, i64>(0) as u64,
            bytes: row.get::<_, i32>(1) as usize,
            id: Some(row.get(2)),
        });
        arrived.collect()
    }
}

suite!(promises_of_postgres, Postgres::new());

async fn run(site: PostgresTarget, deliveries: Vec<Delivery>) -> Route {
    let mut route = Route::new(TargetKind::Postgres(Box::new(site)));
    route.run(deliveries).await;
    route
}

/// The error of a site that cannot take a delivery.
async fn error(site: PostgresTarget, delivery: Delivery) -> TargetError {
    let mut target = open(TargetKind::Postgres(Box::new(site)));
    let tried = async {
        target.connect(Opening::default()).await?;
        target.send(vec![delivery]).await?;
        target.settle().await
    };
    let tried = tokio::time::timeout(WITHIN, tried).await.expect("an answer");
    tried.expect_err("it cannot be delivered")
}

fn denied(error: &TargetError, about: &str) {
    assert!(matches!(error, TargetError::Denied(text) if text.contains(about)), "{error:?}");
}

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let peer = Postgres::new().await;
    let batch = rows([
        ("id", ids(0..2)),
        ("time", times(vec![MIDNIGHT_MILLIS + 1, -1])),
        ("power", Arc::new(Float64Array::from(vec![Some(7.1), None]))),
        ("count", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("on", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("text", texts(vec![Some("grün \"'\\"), None])),
    ]);
    let table = Table { name: "stream/ti-10min".into(), batch };
    run(peer.target(PASSWORD), vec![delivery(0..2, table)]).await;
    let row = "SELECT string_agg(concat_ws('|', replace(id::text, '-', ''), time AT TIME ZONE 'UTC', power, count, \"on\", text), \
               E'\\n' ORDER BY id) FROM edge.farm_stream_ti_10min";
    let expected = format!(
        "{}|2026-11-26 00:00:00.001|7.1|-9223372036854775808|t|grün \"'\\\n{}|1969-12-31 23:59:59.999",
        id(0),
        id(1)
    );
    assert_eq!(peer.text(row).await, expected);
}

#[tokio::test]
async fn repeats_are_dropped_in_a_transaction_and_over_connections() {
    let mut peer = Postgres::new().await;
    run(peer.target(PASSWORD), vec![row(1, 10), row(2, 10), row(1, 10)]).await;
    run(peer.target(PASSWORD), vec![row(2, 10), row(3, 10)]).await;
    let numbers: Vec<_> = peer.arrived(3).await.into_iter().map(|message| message.n).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn a_column_that_a_model_gained_is_added() {
    let peer = Postgres::new().await;
    let wider = |n: u64| {
        let columns =
            [("id", ids(n..n + 1)), ("time", times(vec![0])), ("yaw", Arc::new(Float64Array::from(vec![1.5])))];
        delivery(n..n + 1, Table { name: TABLE.into(), batch: rows(columns) })
    };
    run(peer.target(PASSWORD), vec![row(0, 10), wider(1), row(2, 10)]).await;
    let narrow = PostgresTarget { create: false, ..peer.target(PASSWORD) };
    run(narrow.clone(), vec![wider(3)]).await;
    assert_eq!(peer.text("SELECT string_agg(yaw::text, ',') FROM edge.farm_property_wind_turbine").await, "1.5,1.5");
    peer.sql("ALTER TABLE edge.farm_property_wind_turbine DROP COLUMN yaw").await;
    denied(&error(narrow, wider(4)).await, "\"yaw\"");
}

#[tokio::test]
async fn values_that_a_column_would_change_are_refused_and_others_are_not() {
    let mut peer = Postgres::new().await;
    let fraction = || {
        let columns =
            [("id", ids(1..2)), ("time", times(vec![0])), ("n", Arc::new(Float64Array::from(vec![1.5])) as _)];
        delivery(1..2, Table { name: TABLE.into(), batch: rows(columns) })
    };
    let route = run(peer.target(PASSWORD), vec![row(0, 10), fraction(), row(2, 10)]).await;
    assert!(matches!(&route.settled[1].1, Outcome::Refused(text) if text.contains("`n`")), "{:?}", route.settled);
    assert_eq!(peer.arrived(2).await.len(), 2);
}

#[tokio::test]
async fn one_guilty_row_among_many_is_found() {
    let mut peer = Postgres::new().await;
    let mut deliveries: Vec<_> = (0..200).map(|n| row(n, 10)).collect();
    deliveries[137] = peer.unwanted(137).expect("a text with a zero");
    let route = run(peer.target(PASSWORD), deliveries).await;
    let refused: Vec<_> = route.settled.iter().filter(|(_, outcome)| *outcome != Outcome::Delivered).collect();
    assert_eq!(refused.iter().map(|(refused, _)| *refused).collect::<Vec<_>>(), [id(137)]);
    assert_eq!(peer.arrived(199).await.len(), 199);
}

#[tokio::test]
async fn tables_that_are_missing_or_have_no_key_or_no_rights_are_denied() {
    let peer = Postgres::new().await;
    let site = || PostgresTarget { create: false, ..peer.target(PASSWORD) };
    denied(&error(site(), row(0, 10)).await, "create = true");
    denied(&error(PostgresTarget { database: "nowhere".into(), ..site() }, row(0, 10)).await, "nowhere");
    let columns = "id uuid, time timestamptz, device text, n int, pad varchar(10)";
    peer.sql(&format!("CREATE SCHEMA edge; CREATE TABLE edge.farm_property_wind_turbine ({columns})")).await;
    denied(&error(site(), row(0, 10)).await, "PRIMARY KEY (id)");
    peer.sql(
        "ALTER TABLE edge.farm_property_wind_turbine ADD PRIMARY KEY (id); CREATE USER weak PASSWORD 'weak'; GRANT \
              USAGE ON SCHEMA edge TO weak",
    )
    .await;
    let weak = PostgresTarget { username: "weak".into(), password: Some(Secret::new("weak")), ..site() };
    denied(&error(weak, row(0, 10)).await, "42501");
    let route = run(site(), vec![row(0, 10), row(1, 11), delivery(1 << 40..(1 << 40) + 1, wide())]).await;
    let outcomes: Vec<_> = route.settled.iter().map(|(_, outcome)| *outcome == Outcome::Delivered).collect();
    assert_eq!(outcomes, [true, false, false], "too long for the column, too large for the column");
}

/// A number that does not fit a column of PostgreSQL's `int`.
fn wide() -> Table {
    tables::table(TABLE, 1 << 40..(1 << 40) + 1, 0, "")
}

#[tokio::test]
async fn a_hypertable_is_asked_for_with_the_time_in_its_key() {
    let peer = Postgres::new().await;
    let site = PostgresTarget { hypertables: true, ..peer.target(PASSWORD) };
    denied(&error(site.clone(), row(0, 10)).await, "TimescaleDB");
    // What TimescaleDB would do; it is in no Debian.
    peer.sql(
        "CREATE TABLE asked (what text); CREATE FUNCTION create_hypertable(regclass, name, if_not_exists boolean) \
         RETURNS text LANGUAGE sql AS $$ INSERT INTO asked SELECT $1 || ' by ' || $2 RETURNING what $$",
    )
    .await;
    run(site, vec![row(0, 10), row(0, 10)]).await;
    assert_eq!(peer.text("SELECT string_agg(what, ',') FROM asked").await, "edge.farm_property_wind_turbine by time");
    let key = "SELECT string_agg(a.attname, ',' ORDER BY a.attnum) FROM pg_index i JOIN pg_attribute a ON a.attrelid = \
               i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = 'edge.farm_property_wind_turbine'::regclass";
    assert_eq!(peer.text(key).await, "id,time");
    assert_eq!(peer.text("SELECT count(*)::text FROM edge.farm_property_wind_turbine").await, "1");
}

#[tokio::test]
async fn a_table_that_is_dropped_while_we_write_is_made_again() {
    let mut peer = Postgres::new().await;
    let mut route = run(peer.target(PASSWORD), vec![row(0, 10)]).await;
    peer.sql("DROP TABLE edge.farm_property_wind_turbine").await;
    route.run(vec![row(1, 10)]).await;
    assert_eq!(peer.arrived(1).await.len(), 1);
    assert!(matches!(&route.errors[..], [TargetError::Away(_)]), "{:?}", route.errors);
}

#[tokio::test]
async fn with_tls_both_ends_show_who_they_are() {
    let certificates = Certificates::new();
    let peer = Postgres { server: Server::with_tls(&certificates).await };
    let target = |ca: &str, name: &str| {
        let [cert, key] = ["pem", "key"].map(|end| certificates.path(&format!("{name}.{end}")));
        let transport = Transport::Tls { ca: Some(certificates.path(ca)), identity: Some((cert, key)) };
        open(TargetKind::Postgres(Box::new(PostgresTarget { transport, ..peer.target(PASSWORD) })))
    };
    target("ca.pem", "gateway").connect(Opening::default()).await.expect("both are known");
    for (ca, name) in [("stranger.pem", "gateway"), ("ca.pem", "stranger")] {
        let error = target(ca, name).connect(Opening::default()).await;
        assert!(matches!(error, Err(TargetError::Denied(_))), "{ca} {name}: {error:?}");
    }
    let plain = open(TargetKind::Postgres(Box::new(peer.target(PASSWORD)))).connect(Opening::default()).await;
    denied(&plain.expect_err("only TLS is let in"), "28000");
}

#[tokio::test]
async fn bytes_are_refused() {
    let peer = Postgres::new().await;
    let route = run(peer.target(PASSWORD), vec![message(0, 10)]).await;
    assert!(matches!(route.settled[0].1, Outcome::Refused(_)));
}

#[tokio::test]
async fn two_routes_that_make_the_same_table_both_succeed() {
    let mut peer = Postgres::new().await;
    let deliveries = |numbers: std::ops::Range<u64>| numbers.map(|n| row(n, 10)).collect();
    tokio::join!(run(peer.target(PASSWORD), deliveries(0..50)), run(peer.target(PASSWORD), deliveries(50..100)));
    assert_eq!(peer.arrived(100).await.len(), 100);
}
