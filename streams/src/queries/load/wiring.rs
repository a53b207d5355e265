//! Which query gets its rows from where.

use super::super::{Queries, Site, Source};
use super::{Planned, has_quality, reads};
use crate::aside::Aside;
use crate::catalog::{Catalog, Feed};
use crate::clock::Patience;
use crate::df::TIME;
use crate::dialect::Options;
use crate::intake::Intake;
use crate::query::{From, Identity, Input, Query, Work};
use crate::ranks::Ranks;
use crate::rows::NEVER;
use crate::source;
use edgeway_sdk::Quality;
use edgeway_thing_models::{ModelIx, PropertyIx};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Connects the planned blocks.
pub(super) fn build(
    site: &Site,
    ranks: &Arc<Ranks>,
    planned: Vec<Planned>,
    files: &[Source],
    catalog: &Catalog,
) -> Queries {
    let things = site.things.clone();
    let mut wiring = Wiring::new(&planned);
    let table_of = |feed: Feed| catalog.tables().find(|table| table.feed == feed);
    let read = wiring.read.values();
    let order = wiring.order.clone();
    let intake = |((feed, worst), read): (&Taking, &BTreeSet<usize>)| {
        Some(Intake::new(table_of(*feed)?, read, *worst, &things, ranks))
    };
    let intakes = order.iter().zip(read).filter_map(intake).collect();
    let is_read: BTreeSet<usize> =
        planned.iter().flat_map(|block| &block.feeds).filter_map(|feed| query_of(*feed)).collect();
    let is_union = |block: &Planned| {
        block.plan.steps.iter().any(|step| matches!(&step.work, Work::Meet(_, join) if join.needs_steps()))
    };
    let has_steps = planned.iter().any(is_union);
    let mut reads = reads::reads(&things, &planned, catalog).into_iter();
    let mut queries = vec![];
    for (at, block) in planned.into_iter().enumerate() {
        let inputs = block.feeds.iter().zip(&block.plan.columns).zip(&block.options);
        let inputs = inputs.filter_map(|((feed, columns), options)| {
            let table = table_of(*feed).map_or("", |table| &*table.name);
            wiring.input(*feed, columns, options, table)
        });
        let inputs = inputs.collect();
        let table = is_read.contains(&at).then(|| block.schema.clone());
        queries.push(Query {
            identity: identity(&block, &files[block.source], reads.next().unwrap_or_default()),
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
    wiring.sources.iter_mut().for_each(|source| source.has_steps = has_steps);
    let mut feeds: HashMap<Feed, Vec<usize>> = HashMap::new();
    for (at, (feed, _)) in order.into_iter().enumerate() {
        feeds.entry(feed).or_default().push(at);
    }
    Queries {
        things,
        intakes,
        feeds,
        sources: wiring.sources,
        queries,
        next: None,
        memory: site.memory,
        unweighed: 0,
        stopwatch: None,
    }
}

/// A feed of messages, and the worst quality whose values count.
type Taking = (Feed, Quality);

/// Which columns of which messages are read, and with what patience.
struct Wiring {
    /// What is taken in, in the order of the intakes.
    order: Vec<Taking>,
    /// The columns that are read, by intake.
    read: BTreeMap<usize, BTreeSet<usize>>,
    sources: Vec<source::Source>,
}

impl Wiring {
    fn new(planned: &[Planned]) -> Wiring {
        let mut wiring = Wiring { order: vec![], read: BTreeMap::new(), sources: vec![] };
        for block in planned {
            for ((feed, columns), options) in block.feeds.iter().zip(&block.plan.columns).zip(&block.options) {
                if is_messages(*feed) {
                    let at = wiring.intake(*feed, options);
                    wiring.read.entry(at).or_default().extend(columns);
                }
            }
        }
        wiring
    }

    fn intake(&mut self, feed: Feed, options: &Options) -> usize {
        let worst = if has_quality(feed) { options.quality() } else { Quality::Good };
        let taking = (feed, worst);
        self.order.iter().position(|other| *other == taking).unwrap_or_else(|| {
            self.order.push(taking);
            self.order.len() - 1
        })
    }

    /// `None` for a table whose rows are there from the start: the step that joins it has them.
    fn input(&mut self, feed: Feed, columns: &[usize], options: &Options, table: &str) -> Option<Input> {
        if let Some(at) = query_of(feed) {
            return Some(Input { from: From::Query(at), places: columns.to_vec() });
        }
        if !is_messages(feed) {
            return None;
        }
        let (intake, patience) = (self.intake(feed, options), patience(options));
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

fn identity(block: &Planned, file: &Source, reads: BTreeSet<(ModelIx, PropertyIx)>) -> Identity {
    Identity {
        is_hidden: block.is_hidden,
        name: block.name.as_str().into(),
        file: file.file.clone(),
        sql: file.text.as_str().into(),
        times: block.plan.schema.fields().iter().map(|field| *field.data_type() == TIME).collect(),
        columns: block.plan.schema.fields().iter().map(|field| field.name().as_str().into()).collect(),
        reads: reads.into_iter().collect(),
    }
}
