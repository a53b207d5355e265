//! The tests of a site's scenes.

use crate::cli::queries::{Failure, told};
use crate::cli::testing::Tested;
use crate::program;
use edgeway_rules::{Coverage, TestResult};
use edgeway_site::Site;
use std::sync::Arc;

/// Runs the tests in whose name `only` stands.
pub(in crate::cli) fn run(site: &Site, only: Option<&str>) -> Result<(Vec<Tested>, Coverage), Failure> {
    let things = Arc::new(site.things.clone());
    let queries = program::compile_queries(&things, site).map(|queries| queries.list()).ok();
    let options = program::scene_options(&things, site, queries.as_deref());
    let (scenes, tests) = (program::scripts(&site.scenes), program::scripts(&site.scene_tests));
    let report = edgeway_rules::test(&things, &scenes, options, &tests, only)
        .map_err(|problems| told(&program::located(problems)))?;
    Ok((report.tests.into_iter().map(tested).collect(), report.coverage))
}

fn tested(test: TestResult) -> Tested {
    let line = test.failed.as_ref().map_or(test.line, |failed| failed.line);
    let failed = test.failed.map(|failed| {
        let trace = failed.trace.lines().map(|line| format!("  | {line}\n")).collect::<String>();
        format!("{}\n{trace}", failed.message)
    });
    Tested { suite: "scenes", name: test.name, place: format!("{}:{line}", test.file), note: String::new(), failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_scenes_and_queries_of_the_example_sites_do_what_they_promise() {
        for name in ["wind-farm", "hotel"] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sites").join(name);
            let site = crate::cli::queries::load(&folder).expect("a site");
            let (tests, coverage) = run(&site, None).expect("runs");
            let queries = crate::cli::queries::testing::run(&site, false, None).expect("runs");
            for test in tests.iter().chain(&queries) {
                assert_eq!(test.failed, None, "{name}: {}", test.name);
            }
            assert!(!tests.is_empty() && !queries.is_empty(), "{name}");
            assert_eq!(
                crate::cli::testing::coverage_text(&coverage).lines().count(),
                1,
                "{name}: all steps are reached"
            );
        }
    }
}
