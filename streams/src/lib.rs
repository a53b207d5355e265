//! Continuous SQL over messages.
//!
//! A site's `.sql` files become steps that take in messages batch by batch and give out rows: filters and projections
//! at once, aggregates when their window closes, joins when both sides have come. DataFusion parses, types and simplifies
//! the SQL and lends its expressions, key tables and accumulators; no plan is executed and nothing is run twice.
//!
//! ```text
//! message ─> intake ─> source ─> step ─> step ─> ... ─> rows, and what reads the query
//!            columns   watermark  (join, condition, windows, columns, ...)
//! ```
//!
//! Each row carries the watermark that it brings ([`Queries::push`]), so that what comes out depends on the order of the
//! journal and not on how it was cut into pushes. Of each feed there is one intake, and of each feed and patience one
//! source, however many queries read it.
//!
//! ```
//! use edgeway_sdk::Timestamp;
//! use edgeway_streams::{Queries, Source};
//! use edgeway_thing_models::{Model, Things};
//! use std::sync::Arc;
//!
//! let mut things = Things::default();
//! # let (title, properties, events, services) = Default::default();
//! things.add_model(Arc::new(Model { name: "wind-turbine".into(), title, properties, events, services }));
//! let text = "SELECT device, window_end, count(*) AS reports
//!             FROM wind_turbine GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')";
//! let source = Source { file: "queries/reports.sql".into(), name: "reports".into(), text: text.into() };
//! let mut queries = Queries::load(&Arc::new(things).into(), &[source]).expect("no mistakes in it");
//!
//! let (journal, mut rows) = (vec![], vec![]);
//! queries.push(Timestamp::from_secs(100), &journal, &mut rows);
//! queries.advance(Timestamp::from_secs(101), &mut rows);
//! assert!(rows.is_empty());
//! ```
//!
//! A [`Selection`] is the same language for one message at a time: what a route's `where` and `select` say. A [`History`]
//! asks the past.
//!
//! **It is not** a database. It does no I/O and reads no clock; time comes in as an argument. What it remembers is written
//! down by [`Queries::save`] and taken up by [`Queries::restore`].
//!
//! # Limits
//!
//! Per query: 4,096 open windows; per step 100,000 groups and 64 MiB of state unless set otherwise. What would go beyond is
//! counted as `dead` ([`QueryInfo::dead`]) and left out.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
mod answer;
mod aside;
pub mod bench;
mod catalog;
mod clock;
mod df;
mod dialect;
mod fingerprint;
mod functions;
mod graph;
mod history;
mod intake;
mod join;
mod lookups;
mod marker;
mod operator;
mod over;
mod plan;
mod queries;
mod query;
mod ranks;
mod rows;
mod segment;
mod selection;
mod shaper;
mod sorted;
mod source;
mod spans;
mod state;
mod unnest;
mod windows;

pub use history::History;
pub use lookups::LookupFile;
pub use queries::{FileProblem, Queries, QueryInfo, Restored, Site, Source, StateError};
pub use selection::{Part, Selection, SelectionError, Verdict};
