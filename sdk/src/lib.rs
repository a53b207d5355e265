//! The vocabulary of Edgeway and the contract of its drivers.
//!
//! A driver author needs this package alone. It holds what flows on the south side (values with their
//! [`Quality`] and source [`Timestamp`], in columnar [`Batch`]es), what can go wrong there ([`Fault`], which
//! always says how far the damage reaches), and the two traits a driver implements ([`Driver`] and [`Link`]).
//!
//! **It is not** a runtime: the gateway owns every loop. It connects, paces, retries, backs off, ages values,
//! counts and shuts down; a driver turns one request into one wire transaction and says what came of it.
//! It knows no models, no SQL and no scripts.
//!
//! # The shape of a driver
//!
//! ```text
//! Driver   one per protocol    what options look like, which wire an endpoint is
//!   Link   one per wire        plan: points to steps (cold)   exec: one step, one transaction (hot)
//! ```
//!
//! A device is a number ([`DeviceIx`]), a point is a number ([`PointIx`]); names stay with the gateway.
//! `plan` parses addresses once and groups points into [`Step`]s. The gateway then calls `exec` step by step.
//! Between two steps it may put a write, another device or a pause, so fairness and "one dead device must not
//! stop its neighbours" are solved once, for every protocol.
//!
//! # A whole driver
//!
//! ```
//! use async_trait::async_trait;
//! use edgeway_sdk::*;
//! use std::sync::{Arc, LazyLock};
//! use std::time::Duration;
//!
//! /// Every point answers with the number that is its address.
//! struct Constant;
//!
//! #[derive(serde::Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Point {
//!     at: f64,
//! }
//!
//! #[async_trait]
//! impl Driver for Constant {
//!     fn manifest(&self) -> &Manifest {
//!         static MANIFEST: LazyLock<Manifest> =
//!             LazyLock::new(|| Manifest::new("constant", "0.1.0", "answers with its address"));
//!         &MANIFEST
//!     }
//!     fn check_link(&self, _: &Json) -> Result<String, Vec<Problem>> {
//!         Ok("constant".into())
//!     }
//!     fn check_device(&self, _: &Json) -> Vec<Problem> {
//!         vec![]
//!     }
//!     fn check_point(&self, point: &Json, _: Access) -> Vec<Problem> {
//!         options::parse::<Point>(point).err().into_iter().collect()
//!     }
//!     fn open(&self, _: Json) -> Result<Arc<dyn Link>, Fault> {
//!         Ok(Arc::new(Wire { values: Default::default() }))
//!     }
//! }
//!
//! struct Wire {
//!     values: std::sync::Mutex<Vec<(PointIx, f64)>>,
//! }
//!
//! #[async_trait]
//! impl Link for Wire {
//!     async fn plan(&self, _: &[DeviceSpec], points: &[PointSpec], _: Split<'_>) -> Result<Plan, Fault> {
//!         let mut plan = Plan::default();
//!         for point in points {
//!             let at = options::parse::<Point>(&point.options).map_err(|p| Fault::Config(p.to_string()))?.at;
//!             let mut values = self.values.lock().expect("no thread panics while it holds this lock");
//!             let id = StepIx(values.len() as u32);
//!             plan.steps.push(Step { id, device: point.device, points: vec![point.ix], period: point.period, wire_time: Duration::ZERO });
//!             values.push((point.ix, at));
//!         }
//!         Ok(plan)
//!     }
//!     async fn connect(&self, _: Deadline) -> Result<LinkInfo, Fault> {
//!         Ok(LinkInfo::default())
//!     }
//!     async fn exec(&self, step: StepIx, out: &mut Batch, _: Deadline) -> Result<(), Fault> {
//!         let (point, at) = self.values.lock().expect("no thread panics while it holds this lock")[step.0 as usize];
//!         out.good(point, Value::Float(at), Timestamp::now());
//!         Ok(())
//!     }
//!     async fn close(&self, _: Deadline) {}
//! }
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod batch;
mod driver;
mod fault;
mod offer;
pub mod options;
mod problem;
mod time;
mod value;

pub use batch::Batch;
pub use driver::{
    Access, Capabilities, Deadline, DeviceIx, DeviceSpec, Driver, Link, LinkInfo, Manifest, Plan, PointIx, PointSpec,
    Schemas, Sink, Split, Step, StepIx, WriteOp,
};
pub use fault::Fault;
pub use offer::{Discovered, Holds, Offer};
pub use problem::{Place, Problem, Severity, did_you_mean};
pub use serde_json::Value as Json;
pub use time::Timestamp;
pub use value::{Quality, Value};
