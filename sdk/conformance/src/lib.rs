//! Puts a driver to the test.
//!
//! [`run`] takes any [`Driver`] and a [`Subject`]: which device it talks to, with which options, and what the device holds.
//! It calls the driver as the gateway does, through a proxy that delays, cuts, repeats, damages and withholds answers, and
//! says in a [`Report`] what the driver promised and did not keep. Above all: **no wrong value, ever.**
//!
//! ```text
//!  driver under test ──> proxy (chaos) ──> device
//!         ^                  ^
//!         └── host, parts ───┘      what the gateway would do, and what goes wrong meanwhile
//! ```
//!
//! The driver runs on threads of its own, so that one that panics, hangs or blocks ends its part and not the run.
//!
//! **It is not** a proof, and no measure of speed. It knows no protocol: a value in an answer that was damaged in a way that
//! nobody could notice is no finding, which is why the subject says what of an answer can be told to be wrong.
//!
//! What a subject looks like, what each part checks and in which numbers is in the package's README.
//!
//! ```
//! use edgeway_conformance::Subject;
//!
//! let subject = Subject::parse(
//!     r#"
//!     version = 1
//!     timeout = "200ms"
//!     [peer]
//!     address = "127.0.0.1:502"
//!     [link]
//!     endpoint = "tcp://{address}"
//!     timeout = "200ms"
//!     [[device]]
//!     id = "meter"
//!     options = { unit = 7 }
//!     [[point]]
//!     id = "power"
//!     device = "meter"
//!     options = { at = "holding:100" }
//!     valu = 3405
//!     "#,
//!     ".",
//! );
//! let problems = subject.expect_err("there is a typing error").problems;
//! assert!(problems[0].to_string().starts_with("16:5: unknown field `valu`"));
//! ```
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod counts;
mod ground;
mod host;
mod parts;
mod peer;
mod port;
mod proxy;
mod report;
mod stage;
mod subject;
mod verdict;

pub use port::free_port;
pub use report::{Outcome, PartReport, Report, Score};
pub use subject::{Subject, SubjectError};

use edgeway_sdk::Driver;
use ground::Ground;
use std::sync::Arc;

/// How to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The same seed does the same to the same answers.
    pub seed: u64,
    /// Two minutes and more instead of some seconds: about ten times as many rounds of everything.
    pub long: bool,
}

impl Options {
    /// A short run.
    pub fn short(seed: u64) -> Self {
        Options { seed, long: false }
    }

    /// A long run.
    pub fn long(seed: u64) -> Self {
        Options { seed, long: true }
    }
}

/// Why a driver could not be put to the test.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The device that the driver is to talk to is not there.
    #[error("the device of the subject is not there: {0}")]
    Peer(String),
    /// The machine gives no port, thread or process.
    #[error("the test bench could not be set up")]
    Bench(#[from] std::io::Error),
}

/// Puts a driver to the test, part by part, and tells of each part as soon as it has ended.
///
/// # Errors
/// [`Error`] if the test could not be made. What the driver does wrong is in the report.
pub async fn run(
    driver: Arc<dyn Driver>,
    subject: &Subject,
    options: Options,
    progress: &mut (dyn FnMut(&PartReport) + Send),
) -> Result<Report, Error> {
    let manifest = driver.manifest().clone();
    let ground = Ground::prepare(driver, subject, options).await?;
    let mut parts = vec![];
    for part in parts::ALL {
        let report = part.report(&ground).await?;
        progress(&report);
        parts.push(report);
    }
    Ok(Report::new(&manifest, options, parts))
}
