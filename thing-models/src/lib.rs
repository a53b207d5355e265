//! Thing models: what a device means.
//!
//! A [`Model`] says which properties, events and services a kind of device has, in Alibaba's TSL; [`Things`] is the
//! registry of a loaded site: its models and devices, each with a small number; a [`Message`] is what flows through
//! the gateway and refers to them by number. Names are resolved once, when the site is loaded.
//!
//! Around these three:
//!
//! - [`Model::parse`] reads a TSL file and tells all its mistakes at once; [`ready_made`] holds four models; a [`Proposal`] is one
//!   made of what a device offers.
//! - [`Binding`] turns a driver's raw values into reports, and a value to set into a raw one. The hot path.
//! - [`Model::check_set`], [`Model::check_invoke`] and [`DataType::coerce`] hold commands against the model.
//! - [`Names`] and [`Translator`] keep recorded numbers readable after the site has changed.
//! - [`Rendered`] is the one JSON form of a message.
//!
//! **It is not** a store and it does no I/O: no file, no socket, no clock. Time comes in as an argument.
//!
//! # Limits
//!
//! | what | at most |
//! | --- | --- |
//! | models of a site, retired ones included | 65,535 |
//! | properties, events or services of a model, each | 65,535 |
//! | bytes of a text property | 10,240 |
//! | characters of an identifier | 64 |
//! | nesting | a struct in an array; no struct or array in a struct, no array in an array |
//! | whole numbers | 64 bits, signed; exact through a scale up to 2^53 |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod bind;
mod check;
mod id;
mod message;
mod model;
mod names;
mod parse;
mod proposal;
mod ready_made;
mod render;
mod subject;
mod things;

pub use bind::{Binding, Bound, PointBinding};
pub use check::{CheckError, NamedValues, Unfit};
pub use id::{GatewayId, MessageId, NoMessageId};
pub use message::{
    Account, Action, Balance, Body, Command, CommandRecord, CommandState, Event, Firing, Ledger, Message, Notice,
    Observation, Online, Origin, Report, Row, Status,
};
pub use model::{CallType, DataType, EventKind, EventModel, Field, Model, Property, Range, Service};
pub use names::{Names, Translator};
pub use proposal::Proposal;
pub use ready_made::{ready_made, ready_made_source};
pub use render::{ClockState, Rendered, Rfc3339, Selected, Typed};
pub use subject::{Filter, FilterError};
pub use things::{Device, EventIx, ModelIx, PropertyIx, ServiceIx, Things};
