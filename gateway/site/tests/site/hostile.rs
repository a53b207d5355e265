//! Files that nobody meant: whatever is in them, there is an answer.

use crate::{case, load};
use proptest::prelude::*;
use std::path::Path;

const FILES: [&str; 4] = ["edgeway.toml", "devices.toml", "devices.csv", "routes.toml"];

/// What mistakes are made of.
const SCRAPS: [&str; 24] = [
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    "\n",
    ",",
    "#",
    "[[",
    "]]",
    "\"\"\"",
    "${",
    "${X",
    "file://",
    "-1",
    "1e999",
    "nan",
    "99999999999999999999",
    "[device]",
    "x.y.z = {}",
    "\u{0}",
    "ü€𝄞",
];

#[derive(Debug, Clone)]
struct Edit {
    at: usize,
    remove: usize,
    scrap: usize,
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (any::<usize>(), 0..40usize, 0..SCRAPS.len());
    prop::collection::vec(edit.prop_map(|(at, remove, scrap)| Edit { at, remove, scrap }), 1..6)
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    let start = edit.at % (text.len() + 1);
    let end = (start + edit.remove).min(text.len());
    text.splice(start..end, SCRAPS[edit.scrap].bytes());
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), &to).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_mangled_site_gets_findings_and_never_a_panic(file in 0..FILES.len(), edits in edits()) {
        let folder = tempfile::tempdir().unwrap();
        copy(&case("valid"), folder.path());
        let path = folder.path().join(FILES[file]);
        let mut text = std::fs::read(&path).unwrap();
        edits.iter().for_each(|edit| apply(&mut text, edit));
        let lines = 1 + text.iter().filter(|byte| **byte == b'\n').count();
        std::fs::write(&path, &text).unwrap();
        if let Err(failed) = load(folder.path()) {
            prop_assert!(failed.partial.is_some());
            prop_assert!(failed.findings.iter().any(edgeway_site::Finding::is_error));
            for finding in failed.findings.iter().filter(|finding| finding.file == Path::new(FILES[file])) {
                prop_assert!(finding.line <= lines, "{finding}");
            }
        }
    }
}
