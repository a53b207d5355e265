//! What a site folder amounts to: parsed, checked, compiled. Nothing is opened or started here.

mod drivers;
#[cfg(any(test, not(all(feature = "ble", feature = "opcua"))))]
mod left_out;

pub(crate) use drivers::{Drivers, Running};

use crate::router::Select;
use edgeway_driver_coap::Coap;
use edgeway_driver_http::Http;
use edgeway_driver_modbus::Modbus;
use edgeway_driver_mqtt::Mqtt;
use edgeway_driver_simulator::Simulator;
use edgeway_rules::{Scenes, Script, Stopwatch, Use};
use edgeway_sdk::{DeviceIx, Driver, Json, Problem};
use edgeway_site::{Finding, FormatSite, RouteSite, Site, SourceFile, TableFile, TargetKind, TargetSite};
use edgeway_streams::{LookupFile, Queries, QueryInfo, Source};
use edgeway_thing_models::{PropertyIx, Things};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The drivers of this build: the one list.
pub(crate) fn drivers() -> Vec<Arc<dyn Driver>> {
    vec![ble(), Arc::new(Coap), Arc::new(Http), Arc::new(Modbus), Arc::new(Mqtt), opcua(), Arc::new(Simulator)]
}

#[cfg(feature = "ble")]
fn ble() -> Arc<dyn Driver> {
    Arc::new(edgeway_driver_ble::Ble)
}

#[cfg(not(feature = "ble"))]
fn ble() -> Arc<dyn Driver> {
    Arc::new(left_out::LeftOut::new("ble"))
}

#[cfg(feature = "opcua")]
fn opcua() -> Arc<dyn Driver> {
    Arc::new(edgeway_driver_opcua::OpcUa)
}

#[cfg(not(feature = "opcua"))]
fn opcua() -> Arc<dyn Driver> {
    Arc::new(left_out::LeftOut::new("opcua"))
}

/// A site that can run.
pub(crate) struct Program {
    pub(crate) site: Site,
    pub(crate) drivers: Drivers,
    pub(crate) warnings: Vec<Finding>,
}

/// Reads and checks a site: files, models, devices, routes, scenes and queries, all of it, so that every mistake is
/// found at once.
///
/// # Errors
/// Everything that was found, warnings included.
pub(crate) fn load(root: &Path) -> Result<Program, Vec<Finding>> {
    let (drivers, unknown) = Drivers::of(root);
    let (site, mut findings) = match edgeway_site::load(root, &drivers.all) {
        Ok(loaded) => (Some(loaded.site), loaded.warnings),
        Err(failed) => (failed.partial.map(|site| *site), failed.findings),
    };
    findings.extend(unknown);
    let Some(site) = site else { return Err(findings) };
    let things = Arc::new(site.things.clone());
    let queries = match compile_queries(&things, &site) {
        Ok(queries) => Some(queries.list()),
        Err(problems) => {
            findings.extend(problems);
            None
        }
    };
    match compile_scenes(&things, &site, queries.as_deref()) {
        Ok((_, warnings)) => findings.extend(warnings),
        Err(problems) => findings.extend(problems),
    }
    findings.extend(check_routes(&things, &site, &queries.unwrap_or_default()));
    edgeway_site::sort(&mut findings);
    match findings.iter().any(Finding::is_error) {
        true => Err(findings),
        false => Ok(Program { site, drivers, warnings: findings }),
    }
}

/// Reads a site without compiling anything.
///
/// # Errors
/// All mistakes found.
pub(crate) fn read(root: &Path) -> Result<Site, Vec<Finding>> {
    let (drivers, unknown) = Drivers::of(root);
    let site = edgeway_site::load(root, &drivers.all).map(|loaded| loaded.site).map_err(|failed| failed.findings);
    match site {
        Ok(_) if unknown.iter().any(Finding::is_error) => Err(unknown),
        Ok(site) => Ok(site),
        Err(findings) => Err(findings.into_iter().chain(unknown).collect()),
    }
}

/// Findings as the text of an error.
pub(crate) fn listed(findings: &[Finding]) -> String {
    edgeway_site::render(findings).trim_end().to_owned()
}

/// What is wrong with the SQL and the templates of the routes.
fn check_routes(things: &Arc<Things>, site: &Site, queries: &[QueryInfo]) -> Vec<Finding> {
    let sql = site.routes.iter().filter_map(|route| Select::new(route, things, queries).err()).flatten();
    let templates = site.routes.iter().filter_map(check_template);
    sql.chain(templates).chain(site.targets.iter().filter_map(check_kafka)).collect()
}

fn check_kafka(target: &TargetSite) -> Option<Finding> {
    let missing = matches!(target.kind, TargetKind::Kafka(_)) && !cfg!(feature = "kafka");
    let problem = || Problem::new(format!("target {} is of kind `kafka`, which this build leaves out", target.name));
    missing.then(|| Finding::of("routes.toml", problem().help("build with `cargo build --release --features kafka`")))
}

fn check_template(route: &RouteSite) -> Option<Finding> {
    let FormatSite::Template { text, .. } = &route.format else { return None };
    let message = format!("the template of route {}: {}", route.name, edgeway_formats::check_template(text).err()?);
    Some(match &route.template_place {
        Some(place) => Finding::of(&*place.file, Problem::at(place.line, place.column, message)),
        None => Finding::of("routes.toml", Problem::new(message)),
    })
}

/// Compiles the scenes of a site. Which queries there are is not known where these have mistakes.
pub(crate) fn compile_scenes(
    things: &Arc<Things>,
    site: &Site,
    queries: Option<&[QueryInfo]>,
) -> Result<(Scenes, Vec<Finding>), Vec<Finding>> {
    match Scenes::load(things.clone(), &scripts(&site.scenes), scene_options(things, site, queries)) {
        Ok((scenes, warnings)) => Ok((scenes, located(warnings))),
        Err(problems) => Err(located(problems)),
    }
}

/// What the scenes of a site have in common.
pub(crate) fn scene_options(things: &Things, site: &Site, queries: Option<&[QueryInfo]>) -> edgeway_rules::Options {
    let reads = queries.into_iter().flatten().map(|query| (query.name.clone(), query.reads.to_vec())).collect();
    let query = |query: &QueryInfo| (query.name.clone(), query.columns.to_vec());
    let queries = queries.map(|queries| queries.iter().map(query).collect());
    let one = |(values, place): &(serde_json::Map<String, Json>, String)| Use {
        values: values.clone().into_iter().collect(),
        place: place.clone(),
    };
    let uses = site.scene_uses.iter().map(|file| {
        let script: Arc<str> = file.script.to_string_lossy().into();
        (script, file.uses.iter().map(one).collect())
    });
    let began = Instant::now();
    edgeway_rules::Options {
        stopwatch: Some(Stopwatch::new(move || began.elapsed())),
        zone: site.time_zone.clone(),
        position: site.position,
        queries,
        reads,
        periods: periods(things, site),
        uses: uses.collect(),
        decisions: site.scene_options.decisions,
        ..Default::default()
    }
}

/// How often properties are read. The things that run may know a device of the site's folder by another number.
fn periods(things: &Things, site: &Site) -> HashMap<(DeviceIx, PropertyIx), Duration> {
    let read = site.points.iter().filter(|point| point.access.reads());
    let period = |point: &edgeway_site::PointSite| {
        let property = &site.things.property(point.device, point.property?).identifier;
        let device = things.device_ix(&site.things.device(point.device).id)?;
        let (property, _) = things.model_of(device).property(property)?;
        Some(((device, property), point.period))
    };
    read.filter_map(period).collect()
}

pub(crate) fn scripts(files: &[SourceFile]) -> Vec<Script> {
    files.iter().map(|file| Script { file: name(file), text: file.text.to_string() }).collect()
}

pub(crate) fn located(problems: Vec<edgeway_rules::FileProblem>) -> Vec<Finding> {
    problems.into_iter().map(|p| Finding::of(&*p.file, p.problem)).collect()
}

/// Plans the queries of a site.
pub(crate) fn compile_queries(things: &Arc<Things>, site: &Site) -> Result<Queries, Vec<Finding>> {
    plan_queries(things, site, &query_sources(site))
}

/// Plans queries as a site's.
pub(crate) fn plan_queries(things: &Arc<Things>, site: &Site, sources: &[Source]) -> Result<Queries, Vec<Finding>> {
    Queries::load(&around_queries(things, site), sources)
        .map_err(|problems| problems.into_iter().map(|p| Finding::of(&*p.file, p.problem)).collect())
}

/// The files with a site's queries.
pub(crate) fn query_sources(site: &Site) -> Vec<Source> {
    let source = |file: &SourceFile| Source { file: name(file), name: file.name.clone(), text: file.text.to_string() };
    site.queries.iter().map(source).collect()
}

/// What queries can name beside each other.
pub(crate) fn around_queries(things: &Arc<Things>, site: &Site) -> edgeway_streams::Site {
    let table = |table: &TableFile| LookupFile {
        file: table.path.to_string_lossy().into(),
        name: table.name.replace('-', "_").into(),
        columns: table.columns.clone(),
        rows: table.rows.clone(),
    };
    let tables = site.tables.iter().map(table).collect();
    let memory = usize::try_from(site.queries_memory).unwrap_or(usize::MAX);
    edgeway_streams::Site { things: things.clone(), zone: site.time_zone.clone(), tables, memory }
}

fn name(file: &SourceFile) -> Arc<str> {
    file.path.to_string_lossy().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `check` finds in a site of these files.
    fn findings(files: &[(&str, &str)]) -> Vec<Finding> {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("writable");
        }
        load(folder.path()).map_or_else(|findings| findings, |program| program.warnings)
    }

    #[test]
    fn the_drivers_samples_are_sites_that_run() {
        for driver in drivers() {
            let name = &driver.manifest().name;
            let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../drivers/{name}/sample.toml"));
            let sample = std::fs::read_to_string(&sample).expect("every driver has a sample");
            let found = findings(&[("edgeway.toml", "name = \"sample\"\n"), ("devices.toml", &sample)]);
            assert!(found.is_empty(), "{name}: {found:#?}");
        }
    }
}
