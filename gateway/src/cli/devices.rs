//! `edgeway device import` and `edgeway device export`: a site's points as a CSV file, and back.

mod simulate;

use super::arguments::{DeviceCommand, ExportOptions, ImportOptions};
use super::check::count;
use super::{exit, print_long};
use crate::program::{self, Drivers};
use edgeway_sdk::did_you_mean;
use edgeway_site::{Finding, Imported, Sheet};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Where files that are imported belong.
const FOLDER: &str = "devices";
/// A sheet is read into memory as a whole.
const SHEET_BYTES_MAX: u64 = 128 << 20;

/// Why it did not work, and with which exit code.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn usage(message: String) -> Self {
        Failure { message, code: exit::USAGE }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Failure { message, code: exit::FINDINGS }
    }
}

pub(super) fn run(command: &DeviceCommand) -> u8 {
    let done = match command {
        DeviceCommand::Import(options) => import(options),
        DeviceCommand::Export(options) => export(options),
        DeviceCommand::Simulate(options) => simulate::fleet(options).map_err(Failure::from).map(|text| {
            print!("{text}");
            exit::OK
        }),
        // The others talk to a running gateway.
        _ => Ok(exit::OK),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {}", failure.message);
        failure.code
    })
}

fn import(options: &ImportOptions) -> Result<u8, Failure> {
    let ImportOptions { file, site, .. } = options;
    if !site.is_dir() {
        let message = format!("there is no folder {}; `edgeway init` makes a new site", site.display());
        return Err(Failure::usage(message));
    }
    let into = into(options)?;
    let path = site.join(&into);
    if path.exists() && !options.force && !options.dry_run {
        let message = format!("{} is there already; --force replaces it, --dry-run shows by what", path.display());
        return Err(Failure::usage(message));
    }
    let text = read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let (drivers, unknown) = Drivers::of(site);
    if !unknown.is_empty() {
        return Ok(refused(&unknown));
    }
    let name = if is_standard_input(file) { Path::new("standard input") } else { file.as_path() };
    match edgeway_site::import(site, &drivers.all, &Sheet { name, text: &text, into: &into }) {
        Err(failed) => Ok(refused(&failed.findings)),
        Ok(imported) if options.dry_run => {
            eprintln!("would write {}: {}", path.display(), summary(&imported));
            Ok(print_long(&imported.text))
        }
        Ok(imported) => {
            write(&path, &imported.text, options.force).map_err(|error| format!("{}: {error}", path.display()))?;
            println!("wrote {}: {}", path.display(), summary(&imported));
            println!("\nNext:\n  edgeway check {}", site.display());
            Ok(exit::OK)
        }
    }
}

/// Says what is wrong, as `edgeway check` does.
fn refused(findings: &[Finding]) -> u8 {
    findings.iter().for_each(|finding| println!("{finding}"));
    println!("{}; nothing was written", count(findings.len(), "error"));
    exit::FINDINGS
}

fn is_standard_input(file: &Path) -> bool {
    file == Path::new("-")
}

/// Where it goes, relative to the site.
fn into(options: &ImportOptions) -> Result<PathBuf, Failure> {
    let named = options.into.clone().unwrap_or_else(|| {
        let stem = if is_standard_input(&options.file) { None } else { options.file.file_stem() };
        Path::new(FOLDER).join(stem.unwrap_or(OsStr::new("points"))).with_added_extension("toml")
    });
    let stem = named.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    let is_name = stem.starts_with(|c: char| c.is_ascii_alphanumeric())
        && stem.len() <= 64
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if is_name && named.parent() == Some(Path::new(FOLDER)) && named.extension() == Some(OsStr::new("toml")) {
        return Ok(named);
    }
    let help = "a site has files of devices as devices/NAME.toml, the name of letters, digits, `-`, `_` and `.`";
    Err(Failure::usage(format!("cannot write into {}: {help}; say where with --into", named.display())))
}

fn read(file: &Path) -> Result<String, String> {
    let source: Box<dyn Read> = match is_standard_input(file) {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(file).map_err(|error| error.to_string())?),
    };
    let mut bytes = vec![];
    source.take(SHEET_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > SHEET_BYTES_MAX {
        return Err("this file is too large: at most 128 MiB".into());
    }
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line} is not UTF-8 text; save the file as CSV UTF-8")
    })
}

/// All of it or nothing, and over nothing that nobody wanted replaced.
fn write(path: &Path, text: &str, force: bool) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".import-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    let kept = if force { file.persist(path) } else { file.persist_noclobber(path) };
    readable(&kept.map_err(|error| error.error)?)
}

/// Temporary files are for their owner alone; files of a site are for whoever may read the others.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

fn summary(imported: &Imported) -> String {
    let Imported { templates, devices, points, .. } = imported;
    format!("{points} points of {devices} devices, {templates} new templates")
}

fn export(options: &ExportOptions) -> Result<u8, Failure> {
    let site = match program::read(&options.site) {
        Ok(site) => site,
        Err(findings) => {
            findings.iter().for_each(|finding| eprintln!("{finding}"));
            return Err("a site with mistakes cannot be exported".to_owned().into());
        }
    };
    for id in &options.device {
        if site.things.device_ix(id).is_none() {
            let known = did_you_mean(id, site.things.devices().map(|(_, device)| &*device.id));
            let help = known.map(|help| format!("; {help}")).unwrap_or_default();
            return Err(Failure::usage(format!("the site has no device `{id}`{help}")));
        }
    }
    let is_wanted = |ix| options.device.is_empty() || options.device.contains(&site.things.device(ix).id.to_string());
    let (drivers, _) = Drivers::of(&options.site);
    let sheet = edgeway_site::export(&site, &drivers.all, is_wanted);
    for column in sheet.secrets {
        eprintln!("note: `{column}` holds secrets and was left out");
    }
    Ok(print_long(&sheet.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHEET: &str = "device,model,link,property,at\nm-1,energy-meter,line,energy_import,holding:0\n";

    /// A site with one link, and a sheet beside it.
    fn site(sheet: &str) -> (tempfile::TempDir, ImportOptions) {
        let folder = tempfile::tempdir().expect("a folder");
        let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writable");
        put("edgeway.toml", "name = \"site\"\n");
        put("devices.toml", "[link.line]\ndriver = \"modbus\"\nendpoint = \"tcp://192.0.2.1\"\n");
        put("meters.sheet", sheet);
        let (file, site) = (folder.path().join("meters.sheet"), folder.path().to_owned());
        (folder, ImportOptions { file, into: None, site, dry_run: false, force: false })
    }

    fn code(options: &ImportOptions) -> u8 {
        import(options).unwrap_or_else(|failure| failure.code)
    }

    #[test]
    fn a_sheet_becomes_a_file_that_the_site_can_run_with() {
        let (folder, options) = site(SHEET);
        assert_eq!(code(&options), exit::OK);
        let site = program::read(folder.path()).unwrap_or_else(|findings| panic!("{findings:?}"));
        assert!(site.things.device_ix("m-1").is_some());
        assert!(folder.path().join("devices/meters.toml").is_file());
        let left = std::fs::read_dir(folder.path().join("devices")).expect("readable").count();
        assert_eq!(left, 1, "and nothing else is left there");
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_if_that_is_wanted() {
        let (folder, options) = site(SHEET);
        let file = folder.path().join("devices/meters.toml");
        std::fs::create_dir(folder.path().join("devices")).expect("a folder");
        std::fs::write(&file, "# mine\n").expect("writable");
        assert_eq!(code(&options), exit::USAGE);
        assert_eq!(code(&ImportOptions { dry_run: true, ..options.clone() }), exit::OK);
        assert_eq!(std::fs::read_to_string(&file).expect("readable"), "# mine\n");
        assert_eq!(code(&ImportOptions { force: true, ..options }), exit::OK);
        assert!(std::fs::read_to_string(&file).expect("readable").contains("m-1"));
    }

    #[test]
    fn nothing_is_written_where_anything_is_wrong() {
        let (folder, options) = site(&SHEET.replace("holding:0", "nowhere:0"));
        assert_eq!(code(&options), exit::FINDINGS);
        assert!(!folder.path().join("devices").exists());
    }

    #[test]
    fn a_file_of_devices_belongs_into_their_folder() {
        let (_folder, options) = site(SHEET);
        for wrong in ["devices.toml", "devices/a.csv", "devices/../x.toml", "devices/a/b.toml", "devices/ä.toml"] {
            let options = ImportOptions { into: Some(wrong.into()), ..options.clone() };
            assert_eq!(code(&options), exit::USAGE, "{wrong}");
        }
    }
}
