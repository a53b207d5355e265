//! PostgreSQL or TimescaleDB.

use super::Around;
use super::address::{Tls, is_host};
use super::{login, tls};
use crate::report::Report;
use crate::section::{Found, Section};
use crate::site::{PostgresTarget, TargetKind, Transport};
use edgeway_sdk::Problem;
use std::sync::Arc;

const PORT: u16 = 5432;
const SCHEMA: &str = "public";
/// PostgreSQL cuts longer names off.
const NAME_BYTES_MAX: usize = 63;

/// Whose tables these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tables {
    Create,
    CreateHypertables,
    Existing,
}

const TABLES: [(&str, Tables); 3] =
    [("create", Tables::Create), ("create-hypertables", Tables::CreateHypertables), ("existing", Tables::Existing)];

pub(super) fn read(section: &mut Section<'_>, around: &Around<'_>, report: &mut Report) -> Option<TargetKind> {
    let host = section.required("host", report).filter(|found| check_host(found, report));
    let port = section.int("port", 1..=65_535, report).map_or(PORT, |found| found.value as u16);
    let database = section.required("database", report);
    section.required("username", report);
    let (username, password) = login::optional(section, report);
    let encrypted = tls::switch(section, report);
    let files = tls::files(section, Some(encrypted), "tls = \"on\"", around, report);
    let schema = identifier(section, "schema", report).unwrap_or_else(|| SCHEMA.to_owned());
    let table_prefix = identifier(section, "table_prefix", report).unwrap_or_default();
    let tables = section.choice("tables", &TABLES, report).map_or(Tables::Create, |found| found.value);
    Some(TargetKind::Postgres(Box::new(PostgresTarget {
        host: host?.value.to_string(),
        port,
        database: database?.value.to_string(),
        username: username?,
        password,
        transport: match encrypted {
            Tls::Without => Transport::Plain,
            Tls::With => Transport::Tls { ca: files.ca, identity: files.identity },
        },
        schema,
        table_prefix,
        create: tables != Tables::Existing,
        hypertables: tables == Tables::CreateHypertables,
    })))
}

fn check_host(found: &Found<Arc<str>>, report: &mut Report) -> bool {
    let right = is_host(&found.value);
    if !right {
        let problem = Problem::new(found.mark.say(format!("`{}` is not a name or an address", found.value)));
        report.add(&found.mark, problem.help("such as `db.example.com` or `192.0.2.1`; the port is a key of its own"));
    }
    right
}

/// A name that needs no quotes in SQL.
fn identifier(section: &mut Section<'_>, key: &'static str, report: &mut Report) -> Option<String> {
    let found = section.text(key, report)?;
    let right = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_name = found.value.len() <= NAME_BYTES_MAX
        && found.value.starts_with(right)
        && found.value.chars().all(|c| right(c) || c.is_ascii_digit());
    if !is_name {
        let problem = Problem::new(found.mark.say(format!("`{}` cannot be `{key}`", found.value)));
        report.add(&found.mark, problem.help("lower-case letters, digits and `_`, at most 63, not a digit first"));
    }
    Some(found.value.to_string())
}
