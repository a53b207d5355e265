//! Values, times and states as OPC UA has them, and as the gateway does: pure.

pub(crate) mod encode;
mod read;
mod status;
pub(crate) mod structure;

pub(crate) use encode::{Builtin, Shape, encode};
pub(crate) use read::{View, first_encoding, time};
pub(crate) use status::{Reach, leaves_open, quality, reaches};
pub(crate) use structure::Layouts;
