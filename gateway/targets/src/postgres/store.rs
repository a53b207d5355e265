//! Writing what waits, a transaction at a time.

use super::catalogue::{Catalogue, Known, Shape};
use super::rows;
use super::session::Session;
use super::verdict::{self, Failure};
use crate::worker::{Job, Request};
use crate::{Outcome, TargetError};
use bytes::{Bytes, BytesMut};
use edgeway_formats::{Content, Table};
use edgeway_site::PostgresTarget as PostgresSite;
use futures::SinkExt;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::{Client, Error, Transaction};

/// How long a transaction may take.
const WRITTEN_WITHIN: Duration = Duration::from_secs(30);
/// Rows go to the server in pieces of about this size.
const PIECE_BYTES: usize = 1 << 18;

/// Writes what it is asked for until nobody asks any more, or the connection ends.
pub(super) async fn run(
    session: Session,
    site: PostgresSite,
    mut asked: mpsc::Receiver<Request>,
) -> Result<(), TargetError> {
    let mut connection = pin!(session.connection);
    let mut store = Store { client: session.client, catalogue: Catalogue::new(site) };
    loop {
        tokio::select! {
            request = asked.recv() => match request {
                Some(Request::Take(job)) => store.take(together(job, &mut asked)).await?,
                Some(Request::Finish) => {}
                None => return Ok(()),
            },
            ended = &mut connection => return Err(lost(ended)),
        }
    }
}

/// A job and all that wait behind it.
fn together(first: Job, asked: &mut mpsc::Receiver<Request>) -> Vec<Job> {
    let mut jobs = vec![first];
    while let Ok(request) = asked.try_recv() {
        if let Request::Take(job) = request {
            jobs.push(job);
        }
    }
    jobs
}

fn lost(ended: Result<Result<(), Error>, tokio::task::JoinError>) -> TargetError {
    match ended {
        Ok(Err(error)) => verdict::of(&error),
        _ => TargetError::Away("the server closed the connection".into()),
    }
}

struct Store {
    client: Client,
    catalogue: Catalogue,
}

impl Store {
    /// Writes jobs, all of them together if the server takes all, else in ever smaller groups.
    async fn take(&mut self, jobs: Vec<Job>) -> Result<(), TargetError> {
        let mut groups = vec![jobs];
        while let Some(mut jobs) = groups.pop() {
            let written = tokio::time::timeout(WRITTEN_WITHIN, self.write(&jobs)).await;
            match written.unwrap_or_else(|_| Err(too_slow().into())) {
                Ok(()) => jobs.into_iter().for_each(|job| job.answer(Outcome::Delivered)),
                Err(Failure::Connection(error)) => return Err(error),
                Err(Failure::Data(reason)) if jobs.len() == 1 => {
                    jobs.into_iter().for_each(|job| refuse(job, &reason));
                }
                Err(Failure::Data(_)) => {
                    let second = jobs.split_off(jobs.len() / 2);
                    groups.extend([second, jobs]);
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self, jobs: &[Job]) -> Result<(), Failure> {
        let groups = by_shape(jobs)?;
        self.catalogue.room(&self.client, groups.len()).await?;
        let mut writes = vec![];
        for (shape, tables) in groups {
            writes.push((self.catalogue.get(&mut self.client, &shape).await?, tables));
        }
        let transaction = self.client.transaction().await?;
        for (known, tables) in &writes {
            fill(&transaction, known, tables).await.map_err(verdict::of_writing)?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The tables of all jobs, those of the same shape together.
fn by_shape(jobs: &[Job]) -> Result<Vec<(Shape, Vec<&Table>)>, Failure> {
    let mut groups: Vec<(Shape, Vec<&Table>)> = vec![];
    for job in jobs {
        let Content::Table(table) = &job.delivery.content else {
            return Err(Failure::Data("this target takes only tables".into()));
        };
        let shape = Shape::of(table).map_err(Failure::Data)?;
        match groups.iter_mut().find(|(known, _)| *known == shape) {
            Some((_, tables)) => tables.push(table),
            None => groups.push((shape, vec![table])),
        }
    }
    Ok(groups)
}

/// Rows into the temporary table, and on into the right one.
async fn fill(transaction: &Transaction<'_>, known: &Known, tables: &[&Table]) -> Result<(), Error> {
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(&known.copy).await?);
    let mut out = BytesMut::new();
    rows::put_header(&mut out);
    for table in tables {
        rows::put_rows(&table.batch, &mut out);
        if out.len() >= PIECE_BYTES {
            sink.send(out.split().freeze()).await?;
        }
    }
    rows::put_trailer(&mut out);
    sink.send(out.freeze()).await?;
    sink.finish().await?;
    transaction.execute(&known.insert, &[]).await?;
    Ok(())
}

fn refuse(job: Job, reason: &str) {
    let outcome = job.delivery.refused(reason);
    job.answer(outcome);
}

fn too_slow() -> TargetError {
    TargetError::Away(format!("a transaction took more than {} s", WRITTEN_WITHIN.as_secs()))
}
