//! Drivers that are processes of their own.

use super::Secret;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// A driver that is not compiled in.
#[derive(Debug, Clone, PartialEq)]
pub struct DriverSite {
    /// `acme` of `[driver.acme]`.
    pub name: Arc<str>,
    /// Where its process comes from.
    pub start: DriverStart,
    /// Where `edgeway.toml` says so: line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// Where a driver's process comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum DriverStart {
    /// The gateway starts it, in the site's folder.
    Launched {
        /// The program and its arguments. Not empty.
        command: Vec<String>,
        /// Variables for it alone.
        environment: BTreeMap<String, String>,
        /// Resident memory, in bytes.
        memory_max: Option<u64>,
        /// Cores.
        cpu_max: Option<f64>,
    },
    /// It dials in from another machine.
    Elsewhere {
        /// The file with what `--manifest` prints there.
        manifest: PathBuf,
        /// What it says to be let in.
        token: Secret,
    },
}

/// Where drivers on other machines dial in, over TLS with certificates on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverListen {
    /// The address.
    pub address: SocketAddr,
    /// The authorities whose certificates drivers show, PEM.
    pub ca: PathBuf,
    /// The gateway's certificate, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
}
