//! `cases/NAME/` is a site, `cases/NAME/expected.txt` everything that is said of it.
//!
//! `EDGEWAY_BLESS=1 cargo test -p edgeway-site` writes what is said now; read the difference before it is committed.

use crate::{case, findings, load};
use std::path::PathBuf;

fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(case("")).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn every_case_says_exactly_what_is_expected() {
    let bless = std::env::var_os("EDGEWAY_BLESS").is_some();
    let mut wrong = vec![];
    for case in cases() {
        let found = findings(&case);
        let expected = case.join("expected.txt");
        if bless {
            std::fs::write(&expected, &found).unwrap();
        }
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if found != wanted {
            wrong.push(format!("== {}\n-- expected\n{wanted}-- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_site_that_fails_still_shows_its_devices() {
    for case in cases() {
        let Err(failed) = load(&case) else { continue };
        assert!(failed.findings.iter().any(edgeway_site::Finding::is_error), "{}", case.display());
        let partial = failed.partial.expect("the folder is there");
        assert!(partial.links.iter().all(|link| link.devices.len() <= partial.things.devices().len()));
    }
    let partial = load(&case("mistakes-of-points")).expect_err("a site with mistakes").partial.expect("partial");
    assert!(partial.things.device_ix("wt-01").is_some(), "scenes about wt-01 can still be checked");
}

#[test]
fn the_valid_case_is_valid() {
    assert_eq!(findings(&case("valid")), "");
}
