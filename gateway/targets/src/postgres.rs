//! PostgreSQL and TimescaleDB: rows of a kind and model go into a table of their own, and are delivered when their
//! transaction is committed.
//!
//! What waits is written in one transaction: `COPY` into a temporary table, then `INSERT ... ON CONFLICT DO NOTHING`, so a
//! row whose id is there already is dropped. If the server refuses a value, the transaction is halved until the guilty
//! delivery is alone.

mod catalogue;
mod column;
mod names;
mod rows;
mod session;
mod store;
mod verdict;

use crate::worker::Worker;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::PostgresTarget as PostgresSite;

/// The most deliveries without an answer, which is also the most in one transaction.
const DELIVERIES_MAX: usize = 256;

/// The connection of one route to a database.
pub(crate) struct PostgresTarget {
    route: String,
    site: PostgresSite,
    worker: Worker,
}

impl PostgresTarget {
    pub(crate) fn new(route: &str, site: &PostgresSite) -> Self {
        let worker = Worker::new(DELIVERIES_MAX);
        PostgresTarget { route: route.to_owned(), site: site.clone(), worker }
    }
}

#[async_trait]
impl Target for PostgresTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        // What the server has begun it rolls back.
        self.worker.abort().await;
        let session = session::open(&self.route, &self.site).await?;
        let site = self.site.clone();
        self.worker.start(move |asked| store::run(session, site, asked));
        Ok(())
    }

    async fn send(&mut self, batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        self.worker.send(batch).await
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.worker.settle().await
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        self.worker.finish().await
    }

    async fn close(&mut self) {
        self.worker.abort().await;
    }
}
