//! Parquet files in a folder or an object store, partitioned in the manner of Hive:
//! `kind=property/model=wind_turbine/day=2026-11-26/ROUTE-FIRST_ID.parquet`.
//!
//! A file is complete or absent. It is gathered under another name (or as an upload that nobody sees), and a message is
//! delivered only when all files that were open together with its own are complete: they are finished together when the
//! first is large or old enough, so that messages are settled in order. What a crash interrupts is gathered again.

mod archive;
mod file;
mod folder;
mod gathering;
mod output;
mod partition;
mod store;

pub use archive::{Archive, Wanted};

use crate::worker::Worker;
use crate::{Delivery, Opening, Outcome, Target, TargetError};
use async_trait::async_trait;
use edgeway_site::ParquetTarget as ParquetSite;
use gathering::Gathering;
use output::Place;

/// Deliveries that wait for the task, which is busy with one. What is gathered is bounded elsewhere.
const QUEUE_MAX: usize = 16;

/// The files of one route.
pub(crate) struct ParquetTarget {
    route: String,
    site: ParquetSite,
    worker: Worker,
}

impl ParquetTarget {
    pub(crate) fn new(route: &str, site: &ParquetSite) -> Self {
        ParquetTarget { route: route.to_owned(), site: site.clone(), worker: Worker::gathering(QUEUE_MAX) }
    }
}

#[async_trait]
impl Target for ParquetTarget {
    async fn connect(&mut self, _opening: Opening) -> Result<(), TargetError> {
        // Its files have the names of those that are gathered again.
        self.worker.stop().await;
        let place = Place::open(&self.route, &self.site.store).await?;
        let gathering = Gathering::new(&self.route, &self.site, place);
        self.worker.start(move |asked| gathering.run(asked));
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
        self.worker.stop().await;
    }
}
