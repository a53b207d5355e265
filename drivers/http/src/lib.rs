//! HTTP driver: polls, and webhooks.
#![forbid(unsafe_code)]
