//! `edgeway run`: a site, until it is told to stop.

use super::exit;
use crate::app::{Gateway, Overrides, StartError};
use crate::{program, telemetry};
use std::path::Path;
use tokio::signal::unix::{SignalKind, signal};

pub(super) async fn run(site: &Path) -> u8 {
    telemetry::init_logging();
    if !site.is_dir() {
        eprintln!("error: there is no folder {}; `edgeway init` makes a new site", site.display());
        return exit::USAGE;
    }
    let program = match program::load(site) {
        Ok(program) => program,
        Err(findings) => {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            eprintln!("the site does not run; `edgeway check {}` shows this too", site.display());
            return exit::FINDINGS;
        }
    };
    program.warnings.iter().for_each(|warning| eprintln!("{warning}"));
    let gateway = match Gateway::start(program, Overrides::default()).await {
        Ok(gateway) => gateway,
        Err(StartError::Changed(findings)) => {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            return exit::FINDINGS;
        }
        Err(error) => {
            eprintln!("error: {error}");
            return exit::FINDINGS;
        }
    };
    told_to_stop().await;
    tracing::info!("Stopping; a second signal ends at once.");
    tokio::select! {
        () = gateway.stop() => exit::OK,
        () = told_to_stop() => exit::FINDINGS,
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub(crate) async fn told_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
