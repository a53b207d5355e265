//! Folders and files that are not what they should be.

use crate::{findings, load};
use std::fs;
use std::path::Path;

/// A folder with the least that is a site.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("edgeway.toml"), "name = \"x\"\n").unwrap();
    folder
}

const NO_DEVICES: &str = "devices.toml: warning: this site has no devices\n";

#[test]
fn a_folder_that_is_not_there_has_no_partial_site() {
    let failed = load(Path::new("/nowhere/at/all")).expect_err("no folder");
    assert!(failed.partial.is_none());
    assert_eq!(
        failed.to_string(),
        "/nowhere/at/all: error: this is not a site's folder: entity not found\n  help: `edgeway init` makes a new site\n"
    );
}

#[test]
fn an_empty_site_is_loaded_with_a_warning() {
    assert_eq!(findings(site().path()), NO_DEVICES);
}

#[test]
fn a_file_above_16_mib_is_refused() {
    let folder = site();
    fs::File::create(folder.path().join("routes.toml")).unwrap().set_len((16 << 20) + 1).unwrap();
    let expected = format!("{NO_DEVICES}routes.toml: error: this file is too large\n  help: at most 16 MiB\n");
    assert_eq!(findings(folder.path()), expected);
}

#[test]
fn a_folder_in_a_files_place_is_refused() {
    let folder = site();
    fs::create_dir(folder.path().join("routes.toml")).unwrap();
    assert_eq!(findings(folder.path()), format!("{NO_DEVICES}routes.toml: error: this is not a file\n"));
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_must_stay_inside() {
    let (folder, outside) = (site(), site());
    fs::create_dir(folder.path().join("scenes")).unwrap();
    fs::write(folder.path().join("real"), "// a scene\n").unwrap();
    fs::write(outside.path().join("real"), "// another\n").unwrap();
    std::os::unix::fs::symlink("../real", folder.path().join("scenes/in.rhai")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("real"), folder.path().join("scenes/out.rhai")).unwrap();
    std::os::unix::fs::symlink("gone", folder.path().join("scenes/torn.rhai")).unwrap();
    let said = findings(folder.path());
    assert_eq!(
        said,
        format!(
            "{NO_DEVICES}scenes/out.rhai: error: this symbolic link leads out of the site\n  help: copy the file into the site\n\
             scenes/torn.rhai: error: this file cannot be read: no such file or directory\n"
        )
    );
    let partial = load(folder.path()).expect_err("two bad links").partial.unwrap();
    assert_eq!(partial.scenes.iter().map(|scene| &*scene.name).collect::<Vec<_>>(), ["in"]);
}

#[test]
fn a_secret_comes_from_the_file_that_is_named() {
    let folder = site();
    let secret = folder.path().join("secret");
    fs::write(&secret, "s3cret\n").unwrap();
    let url = format!("file://{}", secret.display());
    let routes = format!(
        "[target.t]\nkind = \"mqtt\"\nurl = \"mqtt://h\"\nusername = \"u\"\npassword = \"{url}\"\n\
         [[route]]\nname = \"r\"\nsubjects = [\"#\"]\ntarget = \"t\"\n"
    );
    fs::write(folder.path().join("routes.toml"), routes).unwrap();
    let site = load(folder.path()).unwrap_or_else(|failed| panic!("{failed}")).site;
    let edgeway_site::TargetKind::Mqtt(mqtt) = &site.targets[0].kind else { panic!("a broker") };
    assert_eq!(mqtt.password.as_ref().unwrap().reveal(), "s3cret");
    fs::remove_file(&secret).unwrap();
    assert!(
        findings(folder.path())
            .contains("routes.toml:5:12: error: this file cannot be read: no such file or directory")
    );
}

#[test]
fn init_never_writes_over_anything() {
    let folder = site();
    let error = edgeway_site::init(folder.path(), "x").expect_err("not empty");
    assert!(matches!(error, edgeway_site::Error::NotEmpty(_)), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let error = edgeway_site::init(&folder.path().join("new"), "Not A Name").expect_err("a bad name");
    assert!(matches!(error, edgeway_site::Error::Name(_)), "{error}");
    assert!(!folder.path().join("new").exists());
}
