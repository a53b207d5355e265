//! `edgeway driver`: what drivers there are, what their options are, and what is on their wires.

mod describe;
mod new;
mod offered;
mod propose;
mod test;

use super::arguments::{BrowseOptions, DriverCommand, Output, ProbeOptions};
use super::locator::{Locator, What};
use super::{complain, exit};
use crate::client::table::{Cell, Colours, harmless, layout};
use crate::program::{Drivers, Running};
use edgeway_sdk::options::duration::show as show_duration;
use edgeway_sdk::{Capabilities, Deadline, DeviceIx, DeviceSpec, Discovered, Fault, Json, Manifest, Split};
use edgeway_site::Finding;
use serde_json::json;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

/// How many devices may be found before they are shown.
const FOUND_MAX: usize = 16;
/// Who has looked for so long is told for how long it may go on.
const SOON: Duration = Duration::from_secs(2);

pub(super) async fn run(command: &DriverCommand) -> u8 {
    match command {
        DriverCommand::List { site, output } => known(site).map_or_else(|code| code, |drivers| list(&drivers, *output)),
        DriverCommand::Describe { driver, site, output } => known(site).map_or_else(
            |code| code,
            |drivers| match drivers.find(driver) {
                Ok(driver) => describe::show(driver.manifest(), *output),
                Err(problem) => complain(&[problem]),
            },
        ),
        DriverCommand::Status { driver, reach } => crate::client::driver_status(driver.as_deref(), reach).await,
        DriverCommand::New(options) => new::run(options),
        DriverCommand::Test(options) => test::run(options).await,
        DriverCommand::Probe(options) => probe(options).await,
        DriverCommand::Browse(options) => browse(options).await,
    }
}

/// The drivers of this build, and those that a site adds. What cannot be asked is complained about.
pub(super) fn known(site: &Path) -> Result<Drivers, u8> {
    let (drivers, unknown) = Drivers::of(site);
    unknown.iter().for_each(|finding| eprintln!("{finding}"));
    if unknown.iter().any(Finding::is_error) { Err(exit::FINDINGS) } else { Ok(drivers) }
}

fn list(drivers: &Drivers, output: Output) -> u8 {
    let manifests = drivers.all.iter().map(|driver| driver.manifest());
    match output {
        Output::Json => {
            let one =
                |m: &Manifest| json!({ "name": m.name, "version": m.version, "summary": m.summary, "can": m.can });
            println!("{:#}", manifests.map(one).collect::<Json>());
        }
        Output::Table => {
            let row = |m: &Manifest| {
                vec![Cell::text(&m.name), Cell::text(&m.version), Cell::text(abilities(m.can)), Cell::text(&m.summary)]
            };
            let rows: Vec<_> = manifests.map(row).collect();
            print!("{}", layout(&["driver", "version", "can", "speaks"], &rows, Colours::of_stdout()));
        }
    }
    exit::OK
}

fn abilities(can: Capabilities) -> String {
    let all = [
        ("write", can.write),
        ("watch", can.watch),
        ("call", can.call),
        ("browse", can.browse),
        ("probe", can.discover),
    ];
    let can = all.into_iter().filter(|(_, can)| *can).map(|(word, _)| word);
    ["read"].into_iter().chain(can).collect::<Vec<_>>().join(", ")
}

/// Shows each device as soon as it is found.
async fn probe(options: &ProbeOptions) -> u8 {
    let (locator, _running) = match located(options).await {
        Ok(located) => located,
        Err(code) => return code,
    };
    let (sender, mut found) = mpsc::channel(FOUND_MAX);
    let looking = locator.driver.discover(locator.link.clone(), sender, Instant::now() + options.within);
    let mut count = 0;
    let showing = async {
        while let Some(device) = found.recv().await {
            show(&device, Some(&locator.driver.manifest().name), options.output);
            count += 1;
        }
    };
    let (looked, ()) = patiently(async { tokio::join!(looking, showing) }, options.within).await;
    match looked {
        Err(fault) => failed(&fault),
        Ok(()) if count == 0 => {
            eprintln!("nobody has answered");
            exit::FINDINGS
        }
        Ok(()) => exit::OK,
    }
}

/// Says at a terminal, if it is not over soon, for how long it may go on.
async fn patiently<T>(looking: impl Future<Output = T>, within: Duration) -> T {
    tokio::pin!(looking);
    if let Ok(looked) = timeout(SOON, &mut looking).await {
        return looked;
    }
    if stderr().is_terminal() {
        eprintln!("looking for {} at most (`--within`); Ctrl-C ends it", show_duration(within));
    }
    looking.await
}

/// Where to look, and the driver's process, if it has one.
async fn located(options: &ProbeOptions) -> Result<(Locator, Option<Running>), u8> {
    let drivers = known(&options.site)?;
    let locator = Locator::parse(&options.place, What::Device, &drivers).map_err(|problem| complain(&[problem]))?;
    let running = drivers.running(|name| name == locator.driver.manifest().name).await;
    running.map(|running| (locator, running)).map_err(|fault| failed(&fault))
}

/// `name` is that of the table that it would be in a file; what is named in no file has none.
fn show(found: &Discovered, name: Option<&str>, output: Output) {
    let identity = found.identity.iter();
    match output {
        Output::Json => {
            let identity: serde_json::Map<_, _> = identity.map(|(name, text)| (name.clone(), json!(text))).collect();
            let mut shown = json!({ "options": found.options, "identity": identity });
            if let Some(offer) = &found.offer {
                shown["offer"] = json!(offer);
            }
            println!("{shown}");
        }
        Output::Table => {
            let said: Vec<String> = identity.map(|(name, text)| format!("{name} {text}")).collect();
            let offer = found.offer.as_ref().map(offered::line);
            let about: Vec<String> = offer.into_iter().chain((!said.is_empty()).then(|| said.join(", "))).collect();
            let at = name.map_or_else(|| "#".to_owned(), |name| format!("{name} = {}", inline(&found.options)));
            println!("{}", harmless(format!("{at}  {}", about.join("; ")).trim_end()));
        }
    }
}

/// Methods, and notes of the driver, are found among points.
fn is_point(found: &Discovered) -> bool {
    found.offer.is_some() || found.options.as_object().is_some_and(|options| !options.is_empty())
}

/// As a table is written in `devices.toml`.
fn inline(options: &Json) -> String {
    let pairs = options.as_object().into_iter().flatten().map(|(key, value)| format!("{key} = {value}"));
    format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
}

async fn browse(options: &BrowseOptions) -> u8 {
    let (locator, _running) = match located(&options.at).await {
        Ok(located) => located,
        Err(code) => return code,
    };
    let problems = locator.problems(What::Device);
    if !problems.is_empty() {
        return complain(&problems);
    }
    let within = options.at.within;
    let found = match patiently(offers(&locator, Instant::now() + within), within).await {
        Ok(found) => found,
        Err(fault) => return failed(&fault),
    };
    if found.is_empty() {
        eprintln!("nothing was found");
        return exit::FINDINGS;
    }
    match &options.propose {
        Some(id) => propose(&options.at.site, id, &locator, &found),
        None => {
            found.iter().for_each(|found| show(found, is_point(found).then_some("point"), options.at.output));
            exit::OK
        }
    }
}

fn propose(site: &Path, id: &str, locator: &Locator, found: &[Discovered]) -> u8 {
    let notes = found.iter().flat_map(|found| &found.identity).filter(|(name, _)| name == "note");
    notes.for_each(|(_, text)| eprintln!("note: {}", harmless(text)));
    let found: Vec<Discovered> = found.iter().filter(|found| is_point(found)).cloned().collect();
    match propose::write(site, id, locator, &found) {
        Ok((files, left_out)) => {
            files.iter().for_each(|file| println!("wrote {}", file.display()));
            if left_out > 0 {
                eprintln!(
                    "note: {left_out} of {} points were left out: no property of a model can hold them",
                    found.len()
                );
            }
            println!("\nNext: edit them, then\n  edgeway check {0}\n  edgeway run {0}", site.display());
            exit::OK
        }
        Err(reason) => {
            eprintln!("error: {}", harmless(&reason));
            exit::FINDINGS
        }
    }
}

async fn offers(locator: &Locator, by: Deadline) -> Result<Vec<Discovered>, Fault> {
    let link = locator.open()?;
    let device = DeviceSpec { ix: DeviceIx(0), options: locator.device.clone() };
    link.plan(&[device], &[], Split::Nothing).await?;
    link.connect(by).await?;
    let found = link.browse(DeviceIx(0), None, by).await;
    link.close(by).await;
    found
}

/// Says why it did not work.
pub(super) fn failed(fault: &Fault) -> u8 {
    eprintln!("error: {}", harmless(&fault.to_string()));
    exit::FINDINGS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_and_notes_are_no_points() {
        assert!(is_point(&Discovered::new(json!({ "at": "s=Power" }))));
        assert!(!is_point(&Discovered::new(json!({})).said("method", "s=Reset")));
    }
}
