//! The whole gateway from outside, one module for each promise. `tests/run` runs all of it.
#![forbid(unsafe_code)]

mod e2e {
    mod bad_input;
    #[cfg(feature = "peers")]
    mod broker_outage;
    #[cfg(feature = "peers")]
    mod commands;
    mod demo;
    #[cfg(feature = "peers")]
    mod device_outage;
    #[cfg(feature = "peers")]
    mod hotel;
    mod journal;
    #[cfg(feature = "peers")]
    mod kills;
    mod lifecycle;
    #[cfg(feature = "peers")]
    mod path;
    #[cfg(feature = "peers")]
    mod plant;
    #[cfg(feature = "peers")]
    mod processes;
    mod routes;
    #[cfg(feature = "peers")]
    mod scenes;
    #[cfg(feature = "peers")]
    mod security;
    #[cfg(feature = "peers")]
    mod seen;
    #[cfg(feature = "peers")]
    mod shared_wire;
    #[cfg(feature = "peers")]
    mod wind_farm;
}
