//! The cases in `rules/cases`: one for each promise, named by it. `NAME.rhai` has scenes, `NAME_test.rhai` their tests;
//! what loading has to find stands in lines that begin with `//!`.

use super::site::{options, things};
use edgeway_rules::{FileProblem, Scenes, Script, test};
use std::path::{Path, PathBuf};

#[test]
fn every_promise_is_kept() {
    let cases = cases();
    assert!(cases.len() >= 30, "{} cases", cases.len());
    let broken: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let files = std::fs::read_dir(folder).expect("the cases").filter_map(|entry| Some(entry.ok()?.path()));
    let mut cases: Vec<PathBuf> = files.filter(|file| !file.to_string_lossy().ends_with("_test.rhai")).collect();
    cases.sort();
    cases
}

fn check(case: &Path) -> Result<(), String> {
    let name = case.file_stem().expect("a name").to_string_lossy().into_owned();
    let scenes = script(case);
    let expected: Vec<String> =
        scenes.text.lines().filter_map(|line| line.strip_prefix("//! ")).map(str::to_owned).collect();
    let found = match Scenes::load(things(), std::slice::from_ref(&scenes), options()) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    // Tests run scenes by hand.
    let found = found.iter().map(line).filter(|line| !line.contains("nothing sets off scene"));
    let found: Vec<String> = found.collect();
    if found != expected {
        return Err(format!("{name}: found\n{}", found.iter().map(|line| format!("//! {line}\n")).collect::<String>()));
    }
    let tests = case.with_file_name(format!("{name}_test.rhai"));
    if !tests.exists() {
        return if expected.is_empty() { Err(format!("{name}: nothing is expected")) } else { Ok(()) };
    }
    let report = test(&things(), &[scenes], options(), &[script(&tests)], None).map_err(|problems| {
        format!("{name}: {}", problems.iter().map(|problem| format!("{problem}\n")).collect::<String>())
    })?;
    let failed = report.tests.iter().filter_map(|test| {
        let failed = test.failed.as_ref()?;
        Some(format!("{name}:{} {}\n{}\n{}", failed.line, test.name, failed.message, failed.trace))
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}

fn script(file: &Path) -> Script {
    let name = file.file_name().expect("a name").to_string_lossy();
    Script { file: name.as_ref().into(), text: std::fs::read_to_string(file).expect("readable") }
}

/// Without the file, which has only this case.
fn line(found: &FileProblem) -> String {
    let text = found.to_string();
    text.split_once(':').map_or(text.clone(), |(_, rest)| rest.to_owned())
}
