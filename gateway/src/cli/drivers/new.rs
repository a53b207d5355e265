//! `edgeway driver new`: a driver that works, for an imaginary protocol, to be made into one's own.
//!
//! The files are those of `sdk/template` and `sdk/python/examples/acme`, which are built and tested like everything else.

use crate::cli::arguments::NewDriverOptions;
use crate::cli::{complain, exit};
use edgeway_sdk::Problem;
use std::path::{Path, PathBuf};

/// Where a file goes, and what is in it.
type File = (&'static str, &'static str);

macro_rules! template {
    ($base:literal: $($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../", $base, "/", $file)))),*]
    };
}

const RUST: &[File] = template!("sdk/template":
    ".gitignore",
    "Cargo.toml",
    "README.md",
    "src/main.rs",
    "src/lib.rs",
    "src/config.rs",
    "src/plan.rs",
    "src/codec.rs",
    "src/driver.rs",
    "tests/conformance.rs",
);

const PYTHON: &[File] = template!("sdk/python/examples/acme": "driver.py", "README.md");

/// What both have: a device, how it is put to the test, a site to try it with.
const BOTH: &[File] = template!("sdk/python/examples/acme": "device.py", "conformance.toml");
const SITE: &[File] = template!("sdk/template": "site/edgeway.toml", "site/devices.toml", "site/models/oven.json");

/// What the template is called.
const TEMPLATE: &str = "acme";
/// Where the template's test finds what `BOTH` puts beside it.
const SUBJECT_THERE: &str = "../python/examples/acme/conformance.toml";
const SUBJECT_HERE: &str = "conformance.toml";
/// How the site of the template starts it.
const RUST_COMMAND: &str = "[\"../target/release/edgeway-driver-acme\"]";
const PYTHON_COMMAND: &str = "[\"python3\", \"../driver.py\"]";

pub(super) fn run(options: &NewDriverOptions) -> u8 {
    match write(options) {
        Ok(folder) => {
            print!("{}", next_steps(options, &folder));
            exit::OK
        }
        Err(problem) => complain(&[problem]),
    }
}

fn write(options: &NewDriverOptions) -> Result<PathBuf, Problem> {
    let name = Name::new(&options.name)?;
    let folder = options.folder.clone().unwrap_or_else(|| PathBuf::from(&options.name));
    if folder.exists() {
        return Err(
            Problem::new(format!("{} is there already", folder.display())).help("name another place with --folder")
        );
    }
    let own = if options.python { PYTHON } else { RUST };
    let mut files: Vec<(&str, String)> =
        [own, BOTH, SITE].into_iter().flatten().map(|(path, text)| (*path, name.put_into(text))).collect();
    for (path, text) in &mut files {
        match *path {
            "Cargo.toml" => *text = manifest(text, &sdk(&folder, options.sdk.as_deref())?),
            "tests/conformance.rs" => *text = text.replace(&name.put_into(SUBJECT_THERE), SUBJECT_HERE),
            "site/edgeway.toml" if options.python => {
                *text = text.replace(&name.put_into(RUST_COMMAND), PYTHON_COMMAND);
            }
            _ => {}
        }
    }
    for (path, text) in files {
        put(&folder.join(path), &text)
            .map_err(|error| Problem::new(format!("{}: {error}", folder.join(path).display())))?;
    }
    Ok(folder)
}

fn put(path: &Path, text: &str) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    std::fs::write(path, text)
}

/// A package of its own, with the SDK where it is.
fn manifest(text: &str, sdk: &Path) -> String {
    let text = text.replace("\"../../sdk", &format!("\"{}", sdk.display()));
    format!("{text}\n# A package of its own, wherever it lies.\n[workspace]\n")
}

/// The folder of the SDK: as named, or the one of the checkout in which the new folder will be.
fn sdk(folder: &Path, named: Option<&Path>) -> Result<PathBuf, Problem> {
    let here = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let found = match named {
        Some(named) => std::path::absolute(named).ok().filter(|sdk| is_sdk(sdk)),
        None => here.ancestors().map(|parent| parent.join("sdk")).find(|sdk| is_sdk(sdk)),
    };
    let problem = || match named {
        Some(named) => Problem::new(format!("{} is not Edgeway's SDK", named.display())),
        None => Problem::new(format!("Edgeway's SDK is in no folder above {}", here.display())),
    };
    found.ok_or_else(|| problem().help("--sdk names the folder `sdk` of a checkout of Edgeway"))
}

fn is_sdk(folder: &Path) -> bool {
    folder.join("wire/proto/driver.proto").is_file()
}

/// A driver's name, in the forms that code has it in.
struct Name {
    /// `acme-plus`
    plain: String,
    /// `acme_plus`
    snake: String,
    /// `AcmePlus`
    camel: String,
}

impl Name {
    fn new(name: &str) -> Result<Self, Problem> {
        let right = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !name.ends_with('-')
            && name.len() <= 64;
        if !right {
            let problem = Problem::new(format!("`{name}` cannot be a driver's name"));
            return Err(problem.help("lower-case letters, digits and `-`, at most 64, beginning with a letter"));
        }
        let capital = |word: &str| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        };
        Ok(Name {
            plain: name.to_owned(),
            snake: name.replace('-', "_"),
            camel: name.split('-').map(capital).collect(),
        })
    }

    /// The template's text with this name.
    fn put_into(&self, text: &str) -> String {
        let text = text.replace("edgeway_driver_acme", &format!("edgeway_driver_{}", self.snake));
        text.replace("Acme", &self.camel).replace(TEMPLATE, &self.plain)
    }
}

fn next_steps(options: &NewDriverOptions, folder: &Path) -> String {
    let (name, folder) = (&options.name, folder.display());
    let build = match options.python {
        true => "pip install PATH/TO/edgeway/sdk/python".to_owned(),
        false => "cargo build --release".to_owned(),
    };
    format!(
        "{folder} is a driver that works, for an imaginary line protocol. To try it:\n\n  \
         cd {folder}\n  {build}\n  edgeway driver test {name} --site site --subject conformance.toml\n  \
         python3 device.py 4000 &\n  edgeway run site\n  edgeway device get oven-1 --site site     # in another terminal\n\nThen make it your own; drivers/README.md says how.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(folder: &Path, name: &str, python: bool) -> Result<PathBuf, Problem> {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
        let folder = Some(folder.join(name));
        write(&NewDriverOptions { name: name.to_owned(), folder, python, sdk: Some(sdk) })
    }

    #[test]
    fn a_new_driver_has_its_own_name_everywhere() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for python in [false, true] {
            let name = if python { "line-two" } else { "line-one" };
            let made = new(folder.path(), name, python).expect("made");
            let mut pending = vec![made];
            let mut files = 0;
            while let Some(path) = pending.pop() {
                if path.is_dir() {
                    pending.extend(
                        std::fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()),
                    );
                    continue;
                }
                let text = std::fs::read_to_string(&path).expect("readable");
                assert!(!text.to_lowercase().contains(TEMPLATE), "{}", path.display());
                files += 1;
            }
            assert!(files >= 7, "{files} files");
        }
        let main = std::fs::read_to_string(folder.path().join("line-one/src/main.rs")).expect("there");
        assert!(main.contains("edgeway_driver_line_one::LineOne"));
        let site = std::fs::read_to_string(folder.path().join("line-two/site/edgeway.toml")).expect("there");
        assert!(site.contains("[driver.line-two]\ncommand = [\"python3\", \"../driver.py\"]"), "{site}");
    }

    #[test]
    fn nothing_is_overwritten_and_a_name_is_checked() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        new(folder.path(), "mine", true).expect("made");
        assert!(new(folder.path(), "mine", true).expect_err("there").to_string().contains("is there already"));
        for name in ["", "Mine", "9lives", "a b", "a-", "über"] {
            assert!(new(folder.path(), name, true).is_err(), "{name}");
        }
    }
}
