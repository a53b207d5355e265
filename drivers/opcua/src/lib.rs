//! OPC UA driver: subscriptions, reads, writes, methods and events.
#![forbid(unsafe_code)]
