//! What can be done with scenes without a running gateway: check, test, replay, draw, import, define.

mod graph;
mod import;
mod replay;
pub(super) mod testing;

use super::arguments::SceneCommand;
use super::exit;
use super::queries::{Failure, load, report, told};
use super::testing as tests;
use crate::program;
use edgeway_rules::{Scenes, Script};
use edgeway_site::{Finding, Site};
use edgeway_thing_models::Things;
use std::path::Path;
use std::sync::Arc;

/// The part of `edgeway scene` that needs no gateway.
pub(super) fn run(command: &SceneCommand) -> u8 {
    report(match command {
        SceneCommand::Check { file, site } => check(file, site),
        SceneCommand::Test { site, only } => test(site, only.as_deref()),
        SceneCommand::Replay(options) => replay::run(options),
        SceneCommand::Graph(options) => graph::run(options),
        SceneCommand::Import { file, name, site } => import::run(file, name.as_deref(), site),
        SceneCommand::Definitions => {
            print!("{}", edgeway_rules::definitions());
            Ok(exit::OK)
        }
        _ => Ok(exit::OK),
    })
}

fn test(folder: &Path, only: Option<&str>) -> Result<u8, Failure> {
    let site = load(folder)?;
    let (found, coverage) = testing::run(&site, only)?;
    if found.is_empty() {
        return Err(format!("{}: there are no tests of scenes (scenes/*_test.rhai)", folder.display()));
    }
    let code = tests::show(&found);
    if only.is_none() {
        print!("{}", tests::coverage_text(&coverage));
    }
    Ok(code)
}

/// Checks one file as if it were the site's.
fn check(file: &Path, folder: &Path) -> Result<u8, Failure> {
    let site = load(folder)?;
    let new = script_of(file)?;
    let (scenes, warnings) = match with(&site, &Arc::new(site.things.clone()), new.clone()) {
        Ok(loaded) => loaded,
        Err(findings) => {
            findings.iter().for_each(|finding| println!("{finding}"));
            return Ok(exit::FINDINGS);
        }
    };
    // What the site says without it is not its doing.
    let before = program::load(folder).map_or_else(|findings| findings, |program| program.warnings);
    let warnings: Vec<&Finding> = warnings.iter().filter(|finding| !before.contains(finding)).collect();
    warnings.iter().for_each(|finding| println!("{finding}"));
    let own = scenes.list().into_iter().filter(|scene| scene.file == new.file).count();
    println!("ok: {}: {own} scenes", file.display());
    Ok(if warnings.is_empty() { exit::OK } else { exit::FINDINGS })
}

/// The site's scenes with one script more, or in the place of the one of its name.
fn with(site: &Site, things: &Arc<Things>, new: Script) -> Result<(Scenes, Vec<Finding>), Vec<Finding>> {
    let queries = program::compile_queries(things, site).map(|queries| queries.list()).ok();
    let mut scripts = program::scripts(&site.scenes);
    scripts.retain(|script| script.file != new.file);
    scripts.push(new);
    let loaded = Scenes::load(things.clone(), &scripts, program::scene_options(things, site, queries.as_deref()));
    match loaded {
        Ok((scenes, warnings)) => Ok((scenes, program::located(warnings))),
        Err(problems) => Err(program::located(problems)),
    }
}

/// A file as the site's script of its name.
fn script_of(file: &Path) -> Result<Script, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Ok(Script { file: format!("scenes/{name}").into(), text })
}

/// The site's scenes as they are.
fn compiled(site: &Site, things: &Arc<Things>) -> Result<Scenes, Failure> {
    let queries = program::compile_queries(things, site).map(|queries| queries.list()).ok();
    program::compile_scenes(things, site, queries.as_deref())
        .map(|(scenes, _)| scenes)
        .map_err(|findings| told(&findings))
}
