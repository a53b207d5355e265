//! `edgeway check`: every mistake of a site at once.

use super::arguments::Output;
use super::{exit, queries};
use crate::program;
use edgeway_sdk::Severity;
use edgeway_site::Finding;
use std::path::Path;

pub(super) fn run(site: &Path, output: Output) -> u8 {
    if !site.is_dir() {
        eprintln!("error: there is no folder {}; `edgeway init` makes a new site", site.display());
        return exit::USAGE;
    }
    let (findings, summary, notes) = match program::load(site) {
        Ok(program) => {
            let notes = queries::notes(&program.site);
            let site = &program.site;
            let summary = format!(
                "{}: {} devices, {} links, {} scene files, {} queries, {} routes",
                site.name,
                site.things.devices().count(),
                site.links.len(),
                site.scenes.len(),
                site.queries.len(),
                site.routes.len()
            );
            (program.warnings, Some(summary), notes)
        }
        Err(findings) => (findings, None, String::new()),
    };
    match output {
        Output::Table => {
            print_text(&findings, summary.as_deref());
            print!("{notes}");
        }
        Output::Json => println!("{}", json(&findings)),
    }
    if findings.is_empty() { exit::OK } else { exit::FINDINGS }
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

fn count(n: usize, what: &str) -> String {
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
