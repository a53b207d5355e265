//! The tables of the database, as far as this connection has met them: looked at, made or widened once, then known.

mod making;
mod shape;

pub(super) use shape::Shape;

use super::names;
use super::verdict::{self, Failure};
use crate::TargetError;
use edgeway_site::PostgresTarget as PostgresSite;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use tokio_postgres::{Client, Error, Statement};

/// Tables have as many shapes as there are sets of columns that queries give values for. Before there are more than this,
/// all are forgotten, with their temporary tables; only what is written together may be more.
const SHAPES_MAX: usize = 64;

const COLUMNS: &str = "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";
const KEYS: &str = "SELECT array_to_string(ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid \
    AND a.attnum = ANY (i.indkey) ORDER BY 1), ',') FROM pg_index i WHERE i.indrelid = to_regclass($1) \
    AND i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL";

/// What this connection knows.
pub(super) struct Catalogue {
    site: PostgresSite,
    known: HashMap<Shape, Known>,
    /// Which of our tables each of the database's is for.
    owners: HashMap<String, String>,
}

/// How rows of one shape are written.
#[derive(Clone)]
pub(super) struct Known {
    /// Into the temporary table.
    pub(super) copy: Statement,
    /// From there into the table.
    pub(super) insert: Statement,
}

/// A table as it is in the database.
struct Found {
    /// Types by column.
    columns: HashMap<String, String>,
    /// The columns that make a row unique: `id`, or `id` and `time`.
    key: Option<&'static [&'static str]>,
}

impl Catalogue {
    pub(super) fn new(site: PostgresSite) -> Self {
        Catalogue { site, known: HashMap::new(), owners: HashMap::new() }
    }

    /// Makes room for so many shapes that are to be written together.
    pub(super) async fn room(&mut self, client: &Client, shapes: usize) -> Result<(), Failure> {
        if self.known.len() + shapes > SHAPES_MAX && !self.known.is_empty() {
            self.known.clear();
            client.batch_execute("DISCARD TEMP").await?;
        }
        Ok(())
    }

    /// How rows of this shape are written. Makes or widens the table first if it has to be and the site says so.
    pub(super) async fn get(&mut self, client: &mut Client, shape: &Shape) -> Result<Known, Failure> {
        if let Some(known) = self.known.get(shape) {
            return Ok(known.clone());
        }
        self.own(&names::table(&self.site.table_prefix, &shape.table), &shape.table)?;
        let found = self.ready(client, shape).await?;
        let key = found.key.ok_or_else(|| self.no_key(shape))?;
        let known = self.prepare(client, shape, key).await?;
        self.known.insert(shape.clone(), known.clone());
        Ok(known)
    }

    /// Two of our tables that differ in signs that PostgreSQL's names do not have would be mixed up.
    fn own(&mut self, table: &str, name: &str) -> Result<(), Failure> {
        match self.owners.entry(table.to_owned()) {
            Entry::Vacant(entry) => drop(entry.insert(name.to_owned())),
            Entry::Occupied(entry) if entry.get() == name => {}
            Entry::Occupied(entry) => {
                return Err(Failure::Data(format!("`{}` and `{name}` would share the table `{table}`", entry.get())));
            }
        }
        Ok(())
    }

    /// The table as it is once it has all columns.
    async fn ready(&self, client: &mut Client, shape: &Shape) -> Result<Found, Failure> {
        let mut found = self.look(client, shape).await?;
        let is_complete = shape.columns.iter().all(|(name, _)| found.columns.contains_key(name));
        if !is_complete {
            if !self.site.create {
                return Err(self.incomplete(shape, &found).into());
            }
            making::make(client, &self.site, shape, &found.columns).await?;
            found = self.look(client, shape).await?;
        }
        for (name, column) in &shape.columns {
            let type_name = found.columns.get(name).map_or("", String::as_str);
            if !column.fits(type_name) {
                let relation = self.relation(shape);
                return Err(Failure::Data(format!(
                    "column `{name}` of {relation} is {type_name} and would not keep values of type {}; alter the column \
                     or rename it",
                    column.sql()
                )));
            }
        }
        Ok(found)
    }

    async fn look(&self, client: &Client, shape: &Shape) -> Result<Found, TargetError> {
        self.ask(client, &self.relation(shape)).await.map_err(|error| verdict::of(&error))
    }

    async fn ask(&self, client: &Client, relation: &str) -> Result<Found, Error> {
        let columns = client.query(COLUMNS, &[&relation]).await?;
        let columns = columns.iter().map(|row| (row.get(0), row.get(1))).collect();
        let keys: Vec<String> = client.query(KEYS, &[&relation]).await?.iter().map(|row| row.get(0)).collect();
        let choices: [&'static [&'static str]; 2] = [&["id"], &["id", "time"]];
        let key = choices.into_iter().find(|choice| keys.contains(&choice.join(",")));
        Ok(Found { columns, key })
    }

    async fn prepare(&self, client: &Client, shape: &Shape, key: &[&str]) -> Result<Known, Failure> {
        let stage = format!("pg_temp.edgeway_stage_{}", self.known.len());
        let columns = making::definitions(&shape.columns);
        client.batch_execute(&format!("CREATE TEMPORARY TABLE {stage} ({columns}) ON COMMIT DELETE ROWS")).await?;
        let columns = names::list(shape.columns.iter().map(|(name, _)| name.as_str()));
        let copy = client.prepare(&format!("COPY {stage} ({columns}) FROM STDIN (FORMAT binary)")).await?;
        let (relation, key) = (self.relation(shape), names::list(key.iter().copied()));
        let insert =
            format!("INSERT INTO {relation} ({columns}) SELECT {columns} FROM {stage} ON CONFLICT ({key}) DO NOTHING");
        Ok(Known { copy, insert: client.prepare(&insert).await? })
    }

    fn relation(&self, shape: &Shape) -> String {
        relation(&self.site, shape)
    }

    fn incomplete(&self, shape: &Shape, found: &Found) -> TargetError {
        let relation = self.relation(shape);
        if found.columns.is_empty() {
            return TargetError::Denied(format!("there is no table {relation}; make it, or set `create = true`"));
        }
        let missing = shape.columns.iter().map(|(name, _)| name).filter(|name| !found.columns.contains_key(*name));
        let missing = names::list(missing.map(String::as_str));
        TargetError::Denied(format!("{relation} has no {missing}; add what is missing, or set `create = true`"))
    }

    fn no_key(&self, shape: &Shape) -> TargetError {
        let relation = self.relation(shape);
        TargetError::Denied(format!(
            "{relation} has no unique key over `id`, so repeats could not be dropped; add one: \
             ALTER TABLE {relation} ADD PRIMARY KEY (id)"
        ))
    }
}

/// The table with its schema, in quotes.
fn relation(site: &PostgresSite, shape: &Shape) -> String {
    let table = names::table(&site.table_prefix, &shape.table);
    format!("{}.{}", names::quoted(&site.schema), names::quoted(&table))
}
