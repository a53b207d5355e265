//! `edgeway test`: the tests of a site's scenes and queries, and what they have not reached.

mod junit;

use super::arguments::TestOptions;
use super::exit;
use super::queries::{Failure, load, report, testing as queries};
use super::scenes;
use crate::client::table::{Colours, Tone, paint};
use edgeway_rules::Coverage;

/// What came of a test.
pub(super) struct Tested {
    /// `scenes` or `queries`.
    pub(super) suite: &'static str,
    pub(super) name: String,
    /// Where it is written.
    pub(super) place: String,
    /// What is worth knowing of one that passed; may be empty.
    pub(super) note: String,
    /// What went wrong; may have several lines.
    pub(super) failed: Option<String>,
}

pub(super) fn run(options: &TestOptions) -> u8 {
    report(test(options))
}

fn test(options: &TestOptions) -> Result<u8, Failure> {
    let site = load(&options.site)?;
    let only = options.only.as_deref();
    let (mut tests, coverage) = scenes::testing::run(&site, only)?;
    tests.extend(queries::run(&site, options.update, only)?);
    if tests.is_empty() {
        return Err(format!(
            "{}: no tests, neither scenes/*_test.rhai nor tests/NAME.jsonl with NAME.csv",
            options.site.display()
        ));
    }
    let code = show(&tests);
    if only.is_none() {
        print!("{}", coverage_text(&coverage));
    }
    if let Some(file) = &options.junit {
        junit::write(file, &tests)?;
    }
    Ok(code)
}

/// A line for each test, with what went wrong below it.
pub(super) fn show(tests: &[Tested]) -> u8 {
    let mut failed = 0;
    for test in tests {
        let Some(message) = &test.failed else {
            let note = if test.note.is_empty() { String::new() } else { format!(" ({})", test.note) };
            println!("ok      {}{note}", test.name);
            continue;
        };
        failed += 1;
        println!("{}  {}  {}", paint("FAILED", Tone::Bad, Colours::of_stdout()), test.name, test.place);
        message.lines().for_each(|line| println!("        {line}"));
    }
    println!("{} tests, {failed} failed", tests.len());
    if failed == 0 { exit::OK } else { exit::FINDINGS }
}

/// Which steps of scenes no test has reached.
pub(super) fn coverage_text(coverage: &Coverage) -> String {
    let (reached, all) = coverage.steps();
    if all == 0 {
        return String::new();
    }
    let mut text = format!("{reached} of {all} steps of scenes were reached\n");
    for scene in &coverage.scenes {
        let file = &scene.file;
        text.extend(scene.unreached.iter().map(|(line, step)| format!("not reached  {file}:{line}  {step}\n")));
    }
    text
}
