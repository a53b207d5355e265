//! Every example of the README is a part of a tested file.

use std::path::Path;

#[test]
fn examples_are_parts_of_tested_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(folder.join("README.md")).expect("readable");
    let tested = ["cases", "../sites/hotel/scenes", "../sites/wind-farm/scenes", "tests/scenes"];
    let files: String = tested.iter().map(|name| all(&folder.join(name))).collect();
    let examples: Vec<&str> = text.split("```js\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 4);
    for example in examples {
        assert!(files.contains(example), "no tested file has this:\n{example}");
    }
}

fn all(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).expect("a folder").filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(|file| file.is_file()).filter_map(|file| std::fs::read_to_string(file).ok()).collect()
}
