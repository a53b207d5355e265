//! What can be done with queries without a running gateway: ask the journal, explain, replay, test.

mod answer;
pub(super) mod recorded;
mod replay;
mod sql;
pub(super) mod testing;

use super::arguments::{QueryCommand, SqlOptions};
use super::exit;
use crate::program;
use crate::queries::Kept;
use edgeway_sdk::Timestamp;
use edgeway_site::{Finding, Site};
use edgeway_streams::{Queries, Source};
use edgeway_thing_models::Things;
use std::path::Path;
use std::sync::Arc;

/// Why an errand could not be done; for the edge, so a text.
pub(super) type Failure = String;

/// `edgeway sql`.
pub(super) fn ask(options: &SqlOptions) -> u8 {
    report(if options.live { sql::follow(options) } else { sql::ask(options) })
}

/// The part of `edgeway query` that needs no gateway.
pub(super) fn run(command: &QueryCommand) -> u8 {
    report(match command {
        QueryCommand::Explain { query, site } => explain(query, site),
        QueryCommand::Replay(options) => replay::run(options),
        QueryCommand::Check { file, site } => check(file, site),
        QueryCommand::List { .. } | QueryCommand::Stat { .. } | QueryCommand::Reload { .. } => Ok(exit::OK),
    })
}

pub(super) fn report(done: Result<u8, Failure>) -> u8 {
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        exit::FINDINGS
    })
}

fn explain(query: &str, folder: &Path) -> Result<u8, Failure> {
    let site = load(folder)?;
    let things = Arc::new(site.things.clone());
    let queries = program::compile_queries(&things, &site).map_err(|findings| told(&findings))?;
    let text = queries.explain(query).ok_or_else(|| {
        let names = queries.list().into_iter().map(|info| info.name.to_string()).collect::<Vec<_>>();
        format!("there is no query {query} in {} (there are {})", folder.display(), names.join(", "))
    })?;
    print!("{text}");
    Ok(exit::OK)
}

/// Checks one file as if it were the site's.
fn check(file: &Path, folder: &Path) -> Result<u8, Failure> {
    let site = load(folder)?;
    let new = source_of(file)?;
    match with(&site, &Arc::new(site.things.clone()), new) {
        Ok(mut queries) => {
            println!("ok: {}", file.display());
            print!("{}", begun_anew(&mut queries, &site.data));
            Ok(exit::OK)
        }
        Err(findings) => {
            findings.iter().for_each(|finding| println!("{finding}"));
            Ok(exit::FINDINGS)
        }
    }
}

/// What is worth knowing of a site's queries beside its mistakes.
pub(super) fn notes(site: &Site) -> String {
    let queries = program::compile_queries(&Arc::new(site.things.clone()), site);
    queries.map_or_else(|_| String::new(), |mut queries| begun_anew(&mut queries, &site.data))
}

/// Which queries would forget what they remember at the next start, a line each: all of which a part has changed, and those
/// that read them.
fn begun_anew(queries: &mut Queries, data: &Path) -> String {
    let kept = match Kept::new(data).load() {
        Ok(kept) => kept,
        Err(error) => return format!("note: {}: {error}, so what begins anew is not known\n", data.display()),
    };
    // Without a state there is nothing to lose, and one that cannot be used is told of at the next start.
    let restored = kept.and_then(|bytes| queries.restore(Timestamp::now(), u64::MAX, &bytes).ok()).unwrap_or_default();
    let line = |name| {
        format!("note: query {name} begins anew: it is new, or its words have changed, or those of what it reads\n")
    };
    restored.anew.iter().map(line).collect()
}

/// The site's queries with one file more, or in the place of the one of its name.
fn with(site: &Site, things: &Arc<Things>, new: Source) -> Result<Queries, Vec<Finding>> {
    let mut sources = program::query_sources(site);
    sources.retain(|source| source.name != new.name);
    sources.push(new);
    program::plan_queries(things, site, &sources)
}

fn source_of(file: &Path) -> Result<Source, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Source { file: file.to_string_lossy().into(), name: name.as_ref().into(), text })
}

/// A site, if it has no mistakes outside of its queries that keep it from being read.
pub(super) fn load(folder: &Path) -> Result<Site, Failure> {
    program::read(folder).map_err(|findings| told(&findings))
}

pub(super) fn told(findings: &[Finding]) -> Failure {
    program::listed(findings)
}
