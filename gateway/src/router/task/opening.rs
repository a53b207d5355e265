//! Making the task of a route.

use super::Route;
use crate::router::books::{self, Books};
use crate::router::desk::{RouteState, pause_key};
use crate::router::inflight::InFlight;
use crate::router::packer::Packer;
use crate::router::rate::Pace;
use crate::router::reader::Intake;
use crate::router::select::Select;
use crate::router::{CURSOR, Surroundings};
use async_trait::async_trait;
use edgeway_site::{Finding, RouteSite, Start, TargetKind, TargetSite};
use edgeway_targets::{Delivery, Opening, Outcome, Target, TargetError};
use edgeway_thing_models::GatewayId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

impl Route {
    /// Makes the task, without any I/O but opening its cursor.
    ///
    /// # Errors
    /// What is wrong with its SQL, which a check has found before.
    pub(crate) fn new(
        site: &RouteSite,
        target: &TargetSite,
        around: &Surroundings<'_>,
    ) -> Result<Result<Self, edgeway_journal::Error>, Vec<Finding>> {
        let mut select = Select::new(site, around.things, around.queries)?;
        let state = match open_books(site, around, &mut select) {
            Ok(state) => state,
            Err(error) => return Ok(Err(error)),
        };
        Ok(Ok(Route {
            state,
            target: edgeway_targets::open(&site.name, target).unwrap_or_else(|error| Box::new(Never(error))),
            incoming: None,
            gathers: matches!(target.kind, TargetKind::Parquet(_)),
            packer: Packer::new(site, &target.kind, around),
            intake: Intake::new(select, around.journal, around.clocks, around.gateway, site),
            flight: InFlight::default(),
            gathered: HashMap::new(),
            batch_age: site.batch_age,
            order: site.order,
            pace: site.rate.as_ref().map(|rate| Pace::new(rate, Instant::now())),
            singly_below: HashMap::new(),
            letters: around.letters.clone(),
            journal: around.journal.clone(),
            gateway: GatewayId::of(around.gateway),
            clock_changes: around.clocks.changes(),
            wake_at: None,
        }))
    }
}

fn open_books(
    site: &RouteSite,
    around: &Surroundings<'_>,
    select: &mut Select,
) -> Result<Arc<RouteState>, edgeway_journal::Error> {
    let journal = around.journal;
    let start = match site.from {
        // Where a lost cursor was, nobody knows: better twice than never.
        _ if journal.recovery().cursors_lost > 0 => edgeway_journal::Start::First,
        Start::Oldest => edgeway_journal::Start::First,
        Start::Now => edgeway_journal::Start::Head,
    };
    let cursor = journal.cursor(&format!("{CURSOR}{}", site.name), start)?;
    let mut books = Books::of_slot(&cursor.place(), select.fingerprint(), journal.head());
    books::load(&mut books, &site.name, around.store, journal, select, around.things);
    let paused = around.store.get(&pause_key(&site.name)).is_some();
    Ok(RouteState::new(site.name.clone(), site.on_full, books, cursor, paused))
}

/// A target that cannot be opened at all.
struct Never(TargetError);

#[async_trait]
impl Target for Never {
    async fn connect(&mut self, _: Opening) -> Result<(), TargetError> {
        Err(self.0.clone())
    }

    async fn send(&mut self, _: Vec<Delivery>) -> Result<Vec<Outcome>, TargetError> {
        Err(self.0.clone())
    }

    async fn settle(&mut self) -> Result<Vec<Outcome>, TargetError> {
        Err(self.0.clone())
    }

    async fn finish(&mut self) -> Result<Vec<Outcome>, TargetError> {
        Err(self.0.clone())
    }

    async fn close(&mut self) {}
}
