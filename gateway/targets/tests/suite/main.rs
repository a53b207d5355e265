//! What every target promises, against a peer of its own, and what is special about each.
//!
//! `promises` is written once; a target joins by implementing `Peer` and naming itself in `suite!`. Peers that have to be
//! installed need the feature `peers`.

mod file;
mod http;
#[cfg(all(feature = "kafka", feature = "peers"))]
mod kafka;
#[cfg(feature = "peers")]
mod mqtt;
mod mqtt_links;
#[cfg(feature = "peers")]
mod nats;
#[cfg(not(feature = "kafka"))]
mod no_kafka;
#[cfg(feature = "peers")]
mod parquet;
mod peer;
#[cfg(feature = "peers")]
mod postgres;
#[cfg(feature = "peers")]
mod process;
mod promises;
mod route;
mod stdout;
#[cfg(feature = "peers")]
mod tables;
