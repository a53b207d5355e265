//! `edgeway check`: every mistake of a site at once.

mod wires;

use super::arguments::Output;
use super::{exit, queries};
use crate::client::table::Colours;
use crate::program::{self, Program};
use edgeway_sdk::Severity;
use edgeway_site::Finding;
use std::path::Path;
use std::time::Duration;
use wires::Wire;

/// With an answer time, the wires are planned too.
pub(super) async fn run(site: &Path, output: Output, answer_time: Option<Duration>) -> u8 {
    if !site.is_dir() {
        eprintln!("error: there is no folder {}; `edgeway init` makes a new site", site.display());
        return exit::USAGE;
    }
    let loaded = program::load(site);
    let (mut findings, program) = match loaded {
        Ok(mut program) => (std::mem::take(&mut program.warnings), Some(program)),
        Err(findings) => (findings, None),
    };
    let wires = match (&program, answer_time) {
        (Some(program), Some(answer_time)) => match wires::plan(program, answer_time).await {
            Ok(wires) => wires,
            Err((link, fault)) => {
                eprintln!("error: link {link} cannot be planned: {fault}");
                return exit::FINDINGS;
            }
        },
        (Some(program), None) => {
            findings.extend(wires::warnings(program).await);
            vec![]
        }
        (None, _) => vec![],
    };
    match output {
        Output::Table => print_all(&findings, program.as_ref(), &wires),
        Output::Json if answer_time.is_some() => {
            let wires: edgeway_sdk::Json =
                program.iter().flat_map(|p| wires.iter().map(|wire| wire.json(&p.site))).collect();
            println!("{}", serde_json::json!({ "findings": json(&findings), "wires": wires }));
        }
        Output::Json => println!("{}", json(&findings)),
    }
    if findings.is_empty() && wires.iter().all(Wire::is_right) { exit::OK } else { exit::FINDINGS }
}

fn print_all(findings: &[Finding], program: Option<&Program>, wires: &[Wire]) {
    print_text(findings, program.map(summary).as_deref());
    let Some(program) = program else { return };
    print!("{}", queries::notes(&program.site));
    for wire in wires {
        print!("\n{}", wire.text(&program.site, Colours::of_stdout()));
    }
}

fn summary(program: &Program) -> String {
    let site = &program.site;
    format!(
        "{}: {} devices, {} links, {} scene files, {} queries, {} routes",
        site.name,
        site.things.devices().count(),
        site.links.len(),
        site.scenes.len(),
        site.queries.len(),
        site.routes.len()
    )
}

/// Findings for people; what is wrong goes to standard output, so that it can be piped into a pager.
fn print_text(findings: &[Finding], summary: Option<&str>) {
    for finding in findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error).count();
    let warnings = findings.len() - errors;
    match summary {
        Some(summary) if warnings == 0 => println!("ok: {summary}"),
        Some(summary) => println!("{} and runs all the same: {summary}", count(warnings, "warning")),
        None => println!("{} and {}; the site does not run", count(errors, "error"), count(warnings, "warning")),
    }
}

/// `2 errors`
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}

fn json(findings: &[Finding]) -> serde_json::Value {
    let one = |finding: &Finding| {
        serde_json::json!({
            "file": finding.file,
            "line": finding.line,
            "column": finding.column,
            "key": finding.key,
            "severity": if finding.severity == Severity::Error { "error" } else { "warning" },
            "message": finding.message,
            "help": finding.help,
        })
    };
    findings.iter().map(one).collect()
}
