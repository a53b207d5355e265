//! Which query gets its rows from where.

use super::super::{Queries, Source};
use super::Planned;
use crate::aside::Aside;
use crate::catalog::{Catalog, Feed};
use crate::clock::Patience;
use crate::df::TIME;
use crate::dialect::Options;
use crate::intake::Intake;
use crate::query::{From, Identity, Input, Query};
use crate::ranks::Ranks;
use crate::rows::NEVER;
use crate::source;
use edgeway_thing_models::Things;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Connects the planned blocks.
pub(super) fn build(
    things: Arc<Things>,
    ranks: &Arc<Ranks>,
    planned: Vec<Planned>,
    files: &[Source],
    catalog: &Catalog,
) -> Queries {
    let mut wiring = Wiring::new(&planned);
    let table_of = |feed: Feed| catalog.tables().find(|table| table.feed == feed);
    let read = wiring.read.values();
    let feeds: Vec<Feed> = wiring.order.clone();
    let intake = |(feed, read): (&Feed, &BTreeSet<usize>)| Some(Intake::new(table_of(*feed)?, read, &things, ranks));
    let intakes = feeds.iter().zip(read).filter_map(intake).collect();
    let is_read: BTreeSet<usize> =
        planned.iter().flat_map(|block| &block.feeds).filter_map(|feed| query_of(*feed)).collect();
    let mut queries = vec![];
    for (at, block) in planned.into_iter().enumerate() {
        let inputs = block.feeds.iter().zip(&block.plan.columns).zip(&block.options);
        let inputs = inputs.filter_map(|((feed, columns), options)| {
            let table = table_of(*feed).map_or("", |table| &*table.name);
            wiring.input(*feed, columns, patience(options), table)
        });
        let inputs = inputs.collect();
        let table = is_read.contains(&at).then(|| block.schema.clone());
        queries.push(Query {
            identity: identity(&block, &files[block.source]),
            inputs,
            steps: block.plan.steps,
            account: Default::default(),
            aside: Aside::new(block.tells_late),
            table,
            watermark: NEVER,
            is_off: false,
            busy_nanos: 0,
        });
    }
    let feeds = feeds.into_iter().enumerate().map(|(at, feed)| (feed, at)).collect();
    Queries { things, intakes, feeds, sources: wiring.sources, queries, next: None, stopwatch: None }
}

/// Which columns of which messages are read, and with what patience.
struct Wiring {
    /// The feeds of messages, in the order of their intakes.
    order: Vec<Feed>,
    /// The columns that are read, by intake.
    read: BTreeMap<usize, BTreeSet<usize>>,
    sources: Vec<source::Source>,
}

impl Wiring {
    fn new(planned: &[Planned]) -> Wiring {
        let mut wiring = Wiring { order: vec![], read: BTreeMap::new(), sources: vec![] };
        for block in planned {
            for (feed, columns) in block.feeds.iter().zip(&block.plan.columns) {
                if is_messages(*feed) {
                    let at = wiring.intake(*feed);
                    wiring.read.entry(at).or_default().extend(columns);
                }
            }
        }
        wiring
    }

    fn intake(&mut self, feed: Feed) -> usize {
        self.order.iter().position(|other| *other == feed).unwrap_or_else(|| {
            self.order.push(feed);
            self.order.len() - 1
        })
    }

    /// `None` for a table whose rows are there from the start: the step that joins it has them.
    fn input(&mut self, feed: Feed, columns: &[usize], patience: Patience, table: &str) -> Option<Input> {
        if let Some(at) = query_of(feed) {
            return Some(Input { from: From::Query(at), places: columns.to_vec() });
        }
        if !is_messages(feed) {
            return None;
        }
        let intake = self.intake(feed);
        let place = |column: &usize| self.read[&intake].iter().position(|other| other == column);
        let places = columns.iter().map(|column| place(column).expect("all columns of the plan are read")).collect();
        let same = |source: &source::Source| source.intake == intake && source.patience == patience;
        let at = self.sources.iter().position(same).unwrap_or_else(|| {
            self.sources.push(source::Source::new(intake, table, patience));
            self.sources.len() - 1
        });
        Some(Input { from: From::Source(at), places })
    }
}

fn patience(options: &Options) -> Patience {
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    Patience { delay: nanos(options.delay()), skew: nanos(options.skew()), idle: nanos(options.idle()) }
}

fn is_messages(feed: Feed) -> bool {
    matches!(feed, Feed::Reports(_) | Feed::Events(..) | Feed::Kind(_))
}

fn query_of(feed: Feed) -> Option<usize> {
    match feed {
        Feed::Query(at) => Some(at),
        _ => None,
    }
}

fn identity(block: &Planned, file: &Source) -> Identity {
    Identity {
        is_hidden: block.is_hidden,
        name: block.name.as_str().into(),
        file: file.file.clone(),
        sql: file.text.as_str().into(),
        times: block.plan.schema.fields().iter().map(|field| *field.data_type() == TIME).collect(),
        columns: block.plan.schema.fields().iter().map(|field| field.name().as_str().into()).collect(),
    }
}
