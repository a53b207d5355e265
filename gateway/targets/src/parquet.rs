//! Parquet files.

use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::ParquetTarget as ParquetSite;

pub(crate) struct ParquetTarget {}

impl ParquetTarget {
    pub(crate) fn new(route: &str, site: &ParquetSite) -> Self {
        let _ = (route, site);
        ParquetTarget {}
    }
}

#[async_trait]
impl Target for ParquetTarget {
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
