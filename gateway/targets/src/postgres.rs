//! PostgreSQL and TimescaleDB.

use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::PostgresTarget as PostgresSite;

pub(crate) struct PostgresTarget {}

impl PostgresTarget {
    pub(crate) fn new(route: &str, site: &PostgresSite) -> Self {
        let _ = (route, site);
        PostgresTarget {}
    }
}

#[async_trait]
impl Target for PostgresTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        Err(TargetError::Away("not built yet".into()))
    }

    async fn send(&mut self, _batch: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        Err(TargetError::Away("not built yet".into()))
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        std::future::pending().await
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        Ok(vec![])
    }

    async fn close(&mut self) {}
}
