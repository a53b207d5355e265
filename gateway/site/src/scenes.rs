//! `scenes/`: scripts, their tests, and what templates among them are used for.

use crate::folder::Folder;
use crate::report::{Mark, Report};
use crate::section::Section;
use crate::tree::toml;
use crate::variable::Variables;
use crate::{SceneUses, SourceFile};
use edgeway_sdk::{Json, Problem};
use std::path::Path;

/// How the name of a script with tests ends.
const TEST: &str = "_test";
/// The layout of a file with uses.
const VERSION: i64 = 1;

/// What the folder `scenes` holds.
#[derive(Default)]
pub(crate) struct Scenes {
    pub(crate) scripts: Vec<SourceFile>,
    pub(crate) tests: Vec<SourceFile>,
    pub(crate) uses: Vec<SceneUses>,
}

pub(crate) fn read(folder: &Folder, variables: Variables<'_>, report: &mut Report) -> Scenes {
    let files = folder.sources("scenes", "rhai", report).into_iter().map(|(_, source)| source);
    let (tests, scripts): (Vec<_>, Vec<_>) = files.partition(|source| source.name.ends_with(TEST));
    let mut uses = vec![];
    for (file, source) in folder.sources("scenes", "toml", report) {
        let script = Path::new("scenes").join(format!("{}.rhai", source.name));
        if !scripts.iter().any(|other| other.path == script) {
            let problem = Problem::new(format!("there is no script {} that this could be of", script.display()));
            report.add(&Mark::file(file), problem.help("uses of a template have its name, with `.toml`"));
            continue;
        }
        let table = toml::read(file, &source.text, variables, report);
        uses.push(SceneUses { script, uses: uses_of(&table, &source, report) });
    }
    Scenes { scripts, tests, uses }
}

fn uses_of(
    table: &crate::tree::Table,
    source: &SourceFile,
    report: &mut Report,
) -> Vec<(serde_json::Map<String, Json>, String)> {
    let mut section = Section::of(table);
    if let Some(found) = section.int("version", 1..=999, report).filter(|found| found.value != VERSION) {
        let problem = Problem::new(format!("this gateway does not know uses of version {}", found.value));
        report.add(&found.mark, problem.help(format!("it reads version {VERSION}")));
    }
    let uses = section.list("use", report);
    section.finish(&[], report);
    if uses.is_empty() {
        let problem = Problem::new("this template is used for nothing").help("write `[[use]]` with its parameters");
        report.add(&table.mark, problem.warning());
    }
    let place = |line: usize| format!("{}:{line}", source.path.display());
    let one = |table: &crate::tree::Table| match table.to_json() {
        Json::Object(values) => (values, place(table.mark.line)),
        _ => (serde_json::Map::new(), place(table.mark.line)),
    };
    uses.into_iter().map(one).collect()
}
