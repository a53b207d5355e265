//! Webhooks: what devices send by themselves.

mod counters;
mod desk;
mod door;
mod repeats;
mod routes;
mod server;

pub(crate) use counters::Counters;
pub(crate) use desk::Desk;
pub(crate) use door::Door;
pub(crate) use routes::Routes;
pub(crate) use server::serve;
