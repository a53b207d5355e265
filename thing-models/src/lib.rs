//! Thing models: what a device means.
//!
//! A [`Model`] says which properties, events and services a kind of device has, in Alibaba's TSL; [`Things`] is the
//! registry of a loaded site: its models and devices, each with a small number; a [`Message`] is what flows through
//! the gateway and refers to them by number. Names are resolved once, when the site is loaded.
//!
//! **It is not** a store and it does no I/O: no file, no socket, no clock. Time comes in as an argument.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod message;
mod model;
mod subject;
mod things;

pub use message::{
    Action, Body, Command, CommandRecord, CommandState, Event, Firing, Ledger, Message, Notice, Observation, Online, Origin,
    Report, Row, Status,
};
pub use model::{CallType, DataType, EventKind, EventModel, Field, Model, Property, Range, Service};
pub use subject::{Filter, FilterError};
pub use things::{Device, EventIx, ModelIx, PropertyIx, ServiceIx, Things};
