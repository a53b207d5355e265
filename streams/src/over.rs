//! `OVER`: functions of a row and those before it, or of all rows of one window.

mod calls;
mod frame;
mod memory;
mod running;
mod whole;

pub(crate) use calls::{Call, Frame, Lagging, Over, markers};
pub(crate) use running::Running;
pub(crate) use whole::{Sorting, Whole};
