//! `edgeway driver test`: puts a driver to the test.

use crate::cli::arguments::{Output, TestDriverOptions};
use crate::cli::drivers::{failed, known};
use crate::cli::{complain, exit};
use crate::client::table::harmless;
use edgeway_conformance::{Options, PartReport, Report, Subject};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is looked for in a driver's folder.
const SUBJECT: &str = "conformance.toml";

pub(super) async fn run(options: &TestDriverOptions) -> u8 {
    let drivers = match known(&options.site) {
        Ok(drivers) => drivers,
        Err(code) => return code,
    };
    let driver = match drivers.find(&options.driver) {
        Ok(driver) => driver,
        Err(problem) => return complain(&[problem]),
    };
    let subject = match subject(options) {
        Ok(subject) => subject,
        Err(reason) => return refused(&reason),
    };
    let _running = match drivers.running(|name| name == options.driver).await {
        Ok(running) => running,
        Err(fault) => return failed(&fault),
    };
    let seed = options.seed.unwrap_or_else(any_seed);
    let how = if options.long { Options::long(seed) } else { Options::short(seed) };
    let table = options.output == Output::Table;
    let mut progress = |part: &PartReport| {
        if table {
            println!("{}", harmless(&part.to_string()));
        }
    };
    match edgeway_conformance::run(driver, &subject, how, &mut progress).await {
        Ok(report) => tell(&report, table),
        Err(error) => refused(&error.to_string()),
    }
}

fn subject(options: &TestDriverOptions) -> Result<Subject, String> {
    let beside = || [options.site.join(SUBJECT), options.site.join("..").join(SUBJECT)];
    let found = || beside().into_iter().find(|path| path.is_file()).unwrap_or_else(|| options.site.join(SUBJECT));
    let path = options.subject.clone().unwrap_or_else(found);
    Subject::read(&path).map_err(|error| error.to_string())
}

fn tell(report: &Report, table: bool) -> u8 {
    match table {
        true => {
            let form = if report.long { ", long form" } else { "" };
            println!("score {} of {}, seed {}{form}", report.score.passed, report.score.of, report.seed);
        }
        false => println!("{:#}", serde_json::json!(report)),
    }
    if report.is_clean() { exit::OK } else { exit::FINDINGS }
}

fn refused(reason: &str) -> u8 {
    eprintln!("error: {}", harmless(reason));
    exit::USAGE
}

/// One that can be typed.
fn any_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as u64 % 1_000_000
}
