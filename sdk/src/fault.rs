//! What can go wrong on a wire, by how far the damage reaches.

use crate::{PointIx, Quality};

/// A failed transaction. The variant says what the gateway does next.
///
/// A fault about a single point of a step that otherwise worked is not an error: push it into the
/// [`Batch`](crate::Batch) with its bad quality and return `Ok`.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The device refuses this one point. The gateway marks it, and asks for it again only now and then.
    #[error("{reason}")]
    Point {
        /// The point.
        point: PointIx,
        /// The quality to give it.
        quality: Quality,
        /// For the operator.
        reason: String,
    },
    /// The device refuses the step as a whole (an address in it does not exist). The gateway calls `plan` with a
    /// [`Split`](crate::Split) so that one bad point does not spoil its neighbours.
    #[error("{0}")]
    Step(String),
    /// The device is there but busy. The gateway asks again at the next poll.
    #[error("{0}")]
    Busy(String),
    /// The device does not answer, or answers nonsense. The gateway backs this device off, alone. The wire is clean:
    /// the next `exec` for another device works.
    #[error("{0}")]
    Device(String),
    /// The wire is gone. The gateway calls `connect` again, with backoff.
    #[error("{0}")]
    Link(String),
    /// An operator has to change the configuration; no retry helps.
    #[error("{0}")]
    Config(String),
    /// This driver cannot do that.
    #[error("{0} is not supported by this driver")]
    Unsupported(&'static str),
}
