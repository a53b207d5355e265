//! The messages of Sparkplug B.
#![forbid(unsafe_code)]
