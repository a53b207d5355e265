//! The router: each route is a task with a place of its own in the journal.
//!
//! A route takes what is durable, keeps what it chooses, makes payloads, sends them, and moves its place once they are
//! settled. A target that is away is a place that waits: nothing else notices, and nothing is copied. What was sent but not
//! settled is sent again after a reconnect, in the same order and with the same ids.
//!
//! | file | what |
//! | --- | --- |
//! | `books.rs` | what was taken, and what became of it |
//! | `accountant.rs` | counts for all routes what is new in the journal and what is removed from it |
//! | `select.rs`, `reader.rs` | which messages, and from where |
//! | `topic.rs`, `grouping.rs`, `packer.rs` | messages to deliveries |
//! | `inflight.rs`, `rate.rs` | what is under way, and how fast |
//! | `task.rs` | the loop |
//! | `desk.rs` | what people ask of a route |
//! | `outage.rs` | how long a target may stay away |

mod accountant;
mod books;
mod desk;
mod grouping;
mod inflight;
mod outage;
mod packer;
mod rate;
mod reader;
mod select;
mod task;
mod topic;

pub(crate) use accountant::{Accountant, run as account};
pub(crate) use books::{Holder, NOBODY};
pub(crate) use desk::RouteState;
pub(crate) use select::Select;
pub(crate) use task::Route;

use crate::clock::Clocks;
use crate::deadletters::DeadLetters;
use crate::spine::MessageJournal;
use edgeway_journal::StateStore;
use edgeway_streams::QueryInfo;
use edgeway_thing_models::Things;
use std::sync::Arc;

/// How the names of routes' cursors begin.
pub(crate) const CURSOR: &str = "route/";

/// What all routes share.
pub(crate) struct Surroundings<'a> {
    pub(crate) gateway: &'a str,
    pub(crate) site_name: &'a str,
    pub(crate) things: &'a Arc<Things>,
    pub(crate) queries: &'a [QueryInfo],
    pub(crate) journal: &'a MessageJournal,
    pub(crate) store: &'a StateStore,
    pub(crate) clocks: &'a Arc<Clocks>,
    pub(crate) letters: &'a Arc<DeadLetters>,
}
