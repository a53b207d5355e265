//! The drivers of a site: those of this build, and those that are processes of their own.

use edgeway_driver_host::{DriverHost, HostError, Launch, Listen, ProcessDriver};
use edgeway_sdk::{Driver, Fault, Manifest, Problem, did_you_mean};
use edgeway_site::{DriverListen, DriverSite, DriverStart, Finding};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a process may take to be there for a command.
const READY_WITHIN: Duration = Duration::from_secs(10);
const FILE: &str = "edgeway.toml";

/// All drivers that a site can name.
#[derive(Clone)]
pub(crate) struct Drivers {
    /// In the order that [`LinkSite::driver`](edgeway_site::LinkSite::driver) counts.
    pub(crate) all: Vec<Arc<dyn Driver>>,
    /// Those of them that are processes.
    pub(crate) processes: Vec<Arc<ProcessDriver>>,
}

impl Drivers {
    /// Asks each process that `edgeway.toml` names what it is. Says which cannot be asked.
    pub(crate) fn of(root: &Path) -> (Self, Vec<Finding>) {
        let mut drivers = Drivers { all: super::drivers(), processes: vec![] };
        let mut findings = vec![];
        let (sites, data) = edgeway_site::drivers(root);
        for site in sites {
            match drivers.process(&site, root, &kept(&data, &site.name)) {
                Ok((process, doubt)) => {
                    findings.extend(doubt);
                    let process = Arc::new(process);
                    drivers.all.push(process.clone());
                    drivers.processes.push(process);
                }
                Err(reason) => findings.push(finding(&site, &reason)),
            }
        }
        let findings = findings.into_iter().map(|problem| Finding::of(FILE, problem)).collect();
        (drivers, findings)
    }

    /// Keeps what the processes said that they are: one that cannot be asked at the next start is taken by its word, so that
    /// the others run.
    pub(crate) fn keep(&self, data: &Path) {
        for process in &self.processes {
            let path = kept(data, &process.manifest().name);
            let text = serde_json::to_vec(process.manifest()).unwrap_or_default();
            let kept = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
            if let Err(error) = kept {
                tracing::warn!(path = %path.display(), %error, "A driver's manifest cannot be kept.");
            }
        }
    }

    /// A driver; with a finding if it could not be asked. Then it is what it was the last time, or takes any options, so that
    /// nothing else is found wrong because of it.
    fn process(&self, site: &DriverSite, root: &Path, kept: &Path) -> Result<(ProcessDriver, Option<Problem>), String> {
        if self.all.iter().any(|driver| driver.manifest().name == *site.name) {
            return Err("a driver of this name is there already: give it another one".into());
        }
        match &site.start {
            DriverStart::Launched { command, environment, memory_max, cpu_max } => {
                let launch = Launch {
                    name: site.name.to_string(),
                    folder: root.to_owned(),
                    command: command.clone(),
                    environment: environment.clone(),
                    memory_max: *memory_max,
                    cpu_max: *cpu_max,
                };
                let (manifest, doubt) = match edgeway_driver_host::manifest(&launch) {
                    Ok(manifest) => (manifest, None),
                    Err(reason) => match read(kept) {
                        Ok(manifest) => {
                            let reason = format!("{reason}; it is taken as it was at the last start");
                            (manifest, Some(finding(site, &reason).warning()))
                        }
                        Err(_) => (Manifest::new(&site.name, "", ""), Some(finding(site, &reason))),
                    },
                };
                Ok((ProcessDriver::launched(launch, manifest)?, doubt))
            }
            DriverStart::Elsewhere { manifest, token } => {
                let manifest = read(manifest)?;
                if manifest.name != *site.name {
                    return Err(format!("its manifest says that it is driver `{}`", manifest.name));
                }
                Ok((ProcessDriver::remote(manifest, token.reveal().to_owned())?, None))
            }
        }
    }

    /// Starts the processes; nothing if there are none.
    pub(crate) async fn host(
        &self,
        data: &Path,
        listen: Option<&DriverListen>,
    ) -> Result<Option<DriverHost>, HostError> {
        if self.processes.is_empty() {
            return Ok(None);
        }
        let listen = listen.map(|DriverListen { address, ca, cert, key }| Listen {
            address: *address,
            ca: ca.clone(),
            cert: cert.clone(),
            key: key.clone(),
        });
        DriverHost::start(data, &self.processes, listen.as_ref()).await.map(Some)
    }
}

/// Processes for as long as this lives.
pub(crate) struct Running {
    _host: DriverHost,
    _folder: TempDir,
}

impl Drivers {
    /// Starts the processes of these drivers for a command that talks to devices itself, and waits until they are there.
    ///
    /// # Errors
    /// Which one is not there, and why.
    pub(crate) async fn running(&self, wanted: impl Fn(&str) -> bool) -> Result<Option<Running>, Fault> {
        let wanted = |process: &&Arc<ProcessDriver>| wanted(&process.manifest().name);
        let processes: Vec<_> = self.processes.iter().filter(wanted).cloned().collect();
        if processes.is_empty() {
            return Ok(None);
        }
        let failed = |error: &dyn std::fmt::Display| Fault::Config(error.to_string());
        let folder = tempfile::tempdir().map_err(|error| failed(&error))?;
        let host = DriverHost::start(folder.path(), &processes, None).await.map_err(|error| failed(&error))?;
        let by = Instant::now() + READY_WITHIN;
        for process in &processes {
            process.ready(by).await?;
        }
        Ok(Some(Running { _host: host, _folder: folder }))
    }

    /// The driver of this name.
    ///
    /// # Errors
    /// If there is none; with the one that was probably meant.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<dyn Driver>, Problem> {
        let names: Vec<&str> = self.all.iter().map(|driver| driver.manifest().name.as_str()).collect();
        let near = did_you_mean(name, names.clone()).unwrap_or_default();
        let near =
            if near.starts_with("one of") { format!("{near}; --site names a site that adds others") } else { near };
        let problem = || Problem::new(format!("unknown driver `{name}`")).help(near.clone());
        self.all.iter().find(|driver| driver.manifest().name == name).cloned().ok_or_else(problem)
    }
}

fn finding(site: &DriverSite, reason: &str) -> Problem {
    Problem::at(site.line, site.column, format!("driver {}: {reason}", site.name))
}

/// Where the manifest of a driver is kept.
fn kept(data: &Path, name: &str) -> PathBuf {
    data.join("drivers").join(format!("{name}.json"))
}

fn read(path: &Path) -> Result<Manifest, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("its manifest {}: {error}", path.display()))?;
    serde_json::from_str(&text).map_err(|error| format!("{} is no manifest: {error}", path.display()))
}
