//! Files that are open together, and the deliveries that are in them.

use super::file::OpenFile;
use super::output::Place;
use super::partition::{self, Part};
use crate::worker::{Job, Request};
use crate::{Delivery, Outcome, TargetError};
use edgeway_formats::Content;
use edgeway_site::ParquetTarget as ParquetSite;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// The most memory in row groups that are not ended, of all files together.
const GROUPS_BYTES_MAX: usize = 8 << 20;
/// The most encoded bytes in memory that are too few for a part of an upload, of all files together.
const HELD_BYTES_MAX: usize = 16 << 20;
/// The most files open together. Devices whose clocks are wrong open one for each day that they dream of.
const FILES_MAX: usize = 64;
/// The most deliveries in them; each takes about 300 bytes of memory until it is settled.
const DELIVERIES_MAX: usize = 16_384;

pub(super) struct Gathering {
    route: String,
    file_bytes: u64,
    file_age: Duration,
    place: Place,
    files: Vec<OpenFile>,
    jobs: Vec<Job>,
    /// When the first of them came.
    since: Option<Instant>,
}

impl Gathering {
    pub(super) fn new(route: &str, site: &ParquetSite, place: Place) -> Self {
        let ParquetSite { file_bytes, file_age, .. } = *site;
        let (files, jobs) = (vec![], vec![]);
        Gathering { route: route.to_owned(), file_bytes, file_age, place, files, jobs, since: None }
    }

    /// Gathers what it is asked for until nobody asks any more, or something goes wrong. What is not complete then is
    /// discarded.
    pub(super) async fn run(mut self, mut asked: mpsc::Receiver<Request>) -> Result<(), TargetError> {
        let done = self.gather(&mut asked).await;
        for file in self.files {
            file.discard().await;
        }
        done
    }

    async fn gather(&mut self, asked: &mut mpsc::Receiver<Request>) -> Result<(), TargetError> {
        loop {
            let due = self.since.map(|since| since + self.file_age);
            tokio::select! {
                request = asked.recv() => match request {
                    Some(Request::Take(job)) => self.take(job).await?,
                    Some(Request::Finish) => self.complete().await?,
                    None => return Ok(()),
                },
                () = until(due) => self.complete().await?,
            }
        }
    }

    async fn take(&mut self, job: Job) -> Result<(), TargetError> {
        let parts = match parts(&job.delivery) {
            Ok(parts) => parts,
            Err(reason) => {
                let outcome = job.delivery.refused(reason);
                job.answer(outcome);
                return Ok(());
            }
        };
        for part in parts {
            self.write(part).await?;
        }
        self.since.get_or_insert_with(Instant::now);
        self.jobs.push(job);
        if self.is_full() { self.complete().await } else { Ok(()) }
    }

    async fn write(&mut self, part: Part) -> Result<(), TargetError> {
        let known = self.files.iter().position(|file| file.takes(&part));
        if known.is_none() {
            self.files.push(OpenFile::create(&self.place, &self.route, &part).await?);
        }
        let at = known.unwrap_or(self.files.len() - 1);
        self.files[at].write(part.rows).await?;
        while self.files.iter().map(OpenFile::group_bytes).sum::<usize>() > GROUPS_BYTES_MAX {
            let Some(largest) = self.files.iter_mut().max_by_key(|file| file.group_bytes()) else { break };
            largest.flush().await?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.files.len() >= FILES_MAX
            || self.jobs.len() >= DELIVERIES_MAX
            || self.files.iter().any(|file| file.file_bytes() >= self.file_bytes)
            || self.files.iter().map(OpenFile::held_bytes).sum::<usize>() >= HELD_BYTES_MAX
    }

    /// Completes all files, in the order in which they were begun, and settles what is in them.
    async fn complete(&mut self) -> Result<(), TargetError> {
        self.since = None;
        while !self.files.is_empty() {
            self.files.remove(0).complete().await?;
        }
        self.jobs.drain(..).for_each(|job| job.answer(Outcome::Delivered));
        Ok(())
    }
}

fn parts(delivery: &Delivery) -> Result<Vec<Part>, String> {
    match &delivery.content {
        Content::Table(table) => partition::parts(table),
        Content::Bytes(..) => Err("this target takes only tables".into()),
    }
}

/// Waits until then. `None`: for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
