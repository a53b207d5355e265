//! Making tables, and adding the columns that a model gained.

use super::{Shape, relation};
use crate::TargetError;
use crate::postgres::column::ColumnType;
use crate::postgres::names;
use crate::postgres::verdict;
use edgeway_site::PostgresTarget as PostgresSite;
use std::collections::HashMap;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

/// One connection at a time makes tables: `IF NOT EXISTS` alone loses the race of two. The number is arbitrary.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7310868735423665)";

/// Makes the table, or adds what is not among its `columns`.
pub(super) async fn make(
    client: &mut Client,
    site: &PostgresSite,
    shape: &Shape,
    columns: &HashMap<String, String>,
) -> Result<(), TargetError> {
    let made = match columns.is_empty() {
        true => create(client, site, shape).await,
        false => widen(client, site, shape, columns).await,
    };
    made.map_err(|error| match error.code() {
        Some(code) if site.hypertables && *code == SqlState::UNDEFINED_FUNCTION => TargetError::Denied(
            "this database has no TimescaleDB; `CREATE EXTENSION timescaledb`, or set `hypertables = false`".into(),
        ),
        _ => verdict::of(&error),
    })
}

async fn create(client: &mut Client, site: &PostgresSite, shape: &Shape) -> Result<(), Error> {
    let relation = relation(site, shape);
    let transaction = client.transaction().await?;
    transaction.batch_execute(LOCK).await?;
    let schema = names::quoted(&site.schema);
    if transaction.query_opt("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&site.schema]).await?.is_none() {
        transaction.batch_execute(&format!("CREATE SCHEMA {schema}")).await?;
    }
    // TimescaleDB wants the time in every key, and makes an index on it by itself.
    let key = if site.hypertables { "id, time" } else { "id" };
    let columns = definitions(&shape.columns);
    let table = format!("CREATE TABLE IF NOT EXISTS {relation} ({columns}, PRIMARY KEY ({key}))");
    transaction.batch_execute(&table).await?;
    match site.hypertables {
        true => {
            let hypertable = "SELECT create_hypertable(to_regclass($1), 'time', if_not_exists => TRUE)::text";
            transaction.query(hypertable, &[&relation]).await?;
        }
        false => {
            let name = names::fitting(&format!("{}_time_idx", names::table(&site.table_prefix, &shape.table)));
            let index = format!("CREATE INDEX IF NOT EXISTS {} ON {relation} (time)", names::quoted(&name));
            transaction.batch_execute(&index).await?;
        }
    }
    transaction.commit().await
}

async fn widen(
    client: &mut Client,
    site: &PostgresSite,
    shape: &Shape,
    columns: &HashMap<String, String>,
) -> Result<(), Error> {
    let missing = shape.columns.iter().filter(|(name, _)| !columns.contains_key(name));
    let added: Vec<_> = missing
        .map(|(name, column)| format!("ADD COLUMN IF NOT EXISTS {} {}", names::quoted(name), column.sql()))
        .collect();
    client.batch_execute(&format!("ALTER TABLE {} {}", relation(site, shape), added.join(", "))).await
}

/// `"id" uuid, "time" timestamp with time zone, ...`
pub(super) fn definitions(columns: &[(String, ColumnType)]) -> String {
    let column = |(name, column): &(String, ColumnType)| format!("{} {}", names::quoted(name), column.sql());
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}
