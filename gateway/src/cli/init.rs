//! `edgeway init`: a small site that runs.

use super::{exit, schema};
use crate::program;
use std::path::Path;

pub(super) fn run(folder: &Path, name: Option<&str>) -> u8 {
    let name = name.map_or_else(|| name_of(folder), str::to_owned);
    match edgeway_site::init(folder, &name) {
        Ok(files) => {
            for file in files {
                println!("wrote {}", file.display());
            }
            // A site without them runs as well.
            match schema::write(&folder.join(schema::FOLDER), &program::drivers()) {
                Ok(_) => println!("wrote {}, for editors", schema::FOLDER),
                Err(error) => eprintln!("note: {} was not written: {error}", schema::FOLDER),
            }
            println!("\nNext:\n  edgeway check {0}\n  edgeway run {0}", folder.display());
            exit::OK
        }
        Err(error) => {
            eprintln!("error: {error}");
            exit::USAGE
        }
    }
}

/// The folder's name in the form that site names have.
fn name_of(folder: &Path) -> String {
    let last = folder.file_name().map_or_else(|| "site".to_owned(), |name| name.to_string_lossy().to_lowercase());
    let name: String = last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "site".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_named_after_its_folder() {
        assert_eq!(name_of(Path::new("/srv/Wind Farm_2")), "wind-farm-2");
        assert_eq!(name_of(Path::new("/")), "site");
    }
}
