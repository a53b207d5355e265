//! Sheets: a row for each point, into a site and out of it.
//!
//! `sheets/NAME/` is a site with a `points.csv` that is no part of it, and `expected.toml`, the file that it becomes, or
//! `expected.txt`, everything that is said of it. `EDGEWAY_BLESS=1 cargo test -p edgeway-site` writes what comes out now.

use super::real_drivers;
use edgeway_site::{Failed, Imported, Sheet, Site, export, import, load_with_variables};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const INTO: &str = "devices/points.toml";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sheets").join(name)
}

fn loaded(root: &Path) -> Site {
    load_with_variables(root, &real_drivers(), &|_| None).unwrap_or_else(|failed| panic!("{failed}")).site
}

fn imported(root: &Path, text: &str) -> Result<Imported, Failed> {
    import(root, &real_drivers(), &Sheet { name: Path::new("points.csv"), text, into: Path::new(INTO) })
}

fn said_of(root: &Path, text: &str) -> String {
    match imported(root, text) {
        Ok(imported) => panic!("nothing is wrong:\n{}", imported.text),
        Err(failed) => failed.to_string(),
    }
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn every_sheet_becomes_what_is_expected() {
    let bless = std::env::var_os("EDGEWAY_BLESS").is_some();
    let mut wrong = vec![];
    for case in std::fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().path()) {
        let sheet = std::fs::read_to_string(case.join("points.csv")).unwrap();
        let (expected, found) = match imported(&case, &sheet) {
            Ok(imported) => ("expected.toml", imported.text),
            Err(failed) => ("expected.txt", failed.to_string()),
        };
        if bless {
            std::fs::write(case.join(expected), &found).unwrap();
        }
        let wanted = std::fs::read_to_string(case.join(expected)).unwrap_or_default();
        let expectations = ["expected.toml", "expected.txt"].iter().filter(|name| case.join(name).exists()).count();
        assert_eq!(expectations, 1, "{} becomes a file or is refused, not both", case.display());
        if found != wanted {
            wrong.push(format!("== {}\n-- expected\n{wanted}-- found\n{found}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Everything that a site says of its devices, whatever numbers they have and wherever it is written.
fn said(site: &Site) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let things = &site.things;
    for (ix, device) in things.devices() {
        let mut text = format!("{} {:?}", things.model_of(ix).name, device.labels);
        for link in &site.links {
            for spec in link.devices.iter().filter(|spec| spec.ix == ix) {
                write!(text, " on {} with {}", link.name, spec.options).unwrap();
            }
        }
        for event in site.events.iter().filter(|event| event.device == ix) {
            write!(text, " {:?}", (event.event, event.on, &event.output)).unwrap();
        }
        all.insert(device.id.to_string(), text);
    }
    for (at, point) in site.points.iter().enumerate() {
        let Some(property) = point.property else { continue };
        let specs = || site.links.iter().flat_map(|link| &link.points).find(|spec| spec.ix.0 as usize == at);
        let key = format!("{}.{}", things.device(point.device).id, things.property(point.device, property).identifier);
        let how = (point.scale, point.offset, point.access, point.period, point.stale_after, point.reporting);
        all.insert(key, format!("{how:?} {}", specs().map(|spec| spec.options.to_string()).unwrap_or_default()));
    }
    for ((device, service), writes) in &site.services {
        let writes: Vec<_> = writes.iter().map(|write| &write.from).collect();
        all.insert(format!("{}/{}", things.device(*device).id, service.0), format!("{writes:?}"));
    }
    all
}

/// Writes what a site says of devices without the devices themselves, and without templates unless these stay.
fn put_without_devices(from: &Path, into: &Path, templates_stay: bool) {
    let files = |folder: &str| {
        let entries = std::fs::read_dir(from.join(folder)).into_iter().flatten();
        entries.map(|entry| Path::new(folder).join(entry.unwrap().file_name())).collect::<Vec<_>>()
    };
    for model in files("models") {
        put(into, model.to_str().unwrap(), &std::fs::read_to_string(from.join(&model)).unwrap());
    }
    for file in files("devices").into_iter().chain([PathBuf::from("devices.toml")]) {
        let mut table: toml::Table = std::fs::read_to_string(from.join(&file)).unwrap().parse().unwrap();
        table.remove("device");
        if !templates_stay {
            table.remove("template");
        }
        put(into, file.to_str().unwrap(), &table.to_string());
    }
}

/// Exports a site, imports the sheet into one that has the same links, and the same templates if these stay, and compares.
fn comes_back(root: &Path, templates_stay: bool) {
    let site = loaded(root);
    let sheet = export(&site, &real_drivers(), |_| true);
    assert_eq!(sheet.secrets, Vec::<String>::new());
    let copy = tempfile::tempdir().unwrap();
    put(copy.path(), "edgeway.toml", "name = \"copy\"\n");
    put_without_devices(root, copy.path(), templates_stay);
    let imported = imported(copy.path(), &sheet.text).unwrap_or_else(|failed| panic!("{failed}\n{}", sheet.text));
    put(copy.path(), INTO, &imported.text);
    let again = loaded(copy.path());
    let (mut before, mut after) = (said(&site), said(&again));
    if !templates_stay {
        // Services and events stand in templates alone; a sheet does not have them.
        for all in [&mut before, &mut after] {
            all.retain(|key, _| !key.contains('/'));
            all.values_mut().for_each(|text| text.truncate(text.find(" (EventIx").unwrap_or(text.len())));
        }
    }
    assert_eq!(before, after, "{}", imported.text);
    if templates_stay {
        assert_eq!(export(&again, &real_drivers(), |_| true), sheet, "and the sheet is the same");
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sites").join(name)
}

#[test]
fn what_is_exported_and_imported_again_is_the_same_site() {
    for name in ["wind-farm", "hotel"] {
        comes_back(&example(name), true);
        comes_back(&example(name), false);
    }
    comes_back(&folder("../sheets-sources/all-keys"), true);
    comes_back(&folder("../sheets-sources/all-keys"), false);
}

#[test]
fn the_order_of_rows_and_columns_makes_no_difference() {
    let case = folder("new-templates");
    let sheet = std::fs::read_to_string(case.join("points.csv")).unwrap();
    let mut rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(sheet.as_bytes())
        .records()
        .map(|record| record.unwrap().iter().rev().map(str::to_owned).collect())
        .collect();
    rows[1..].reverse();
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(vec![]);
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let turned = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    assert_ne!(turned, sheet);
    assert_eq!(imported(&case, &turned).unwrap(), imported(&case, &sheet).unwrap());
}

#[test]
fn what_spreadsheets_make_of_a_file_is_read_all_the_same() {
    let case = folder("new-templates");
    let plain = "device,model,link,modbus.unit,property,at,type,scale,write\n\
                 m-1,energy-meter,line,1,energy_import,40101,f32,0.5,\n\
                 m-1,energy-meter,line,1,active_power,holding:2,i16,1,false\n";
    let wanted = imported(&case, plain).unwrap_or_else(|failed| panic!("{failed}")).text;
    let excel = "\u{feff}device;model;link;modbus.unit;property;at;type;scale;write;;\r\n\
                 \"m-1\";energy-meter;line;1;\"energy_import\";40101;f32;0,5;;;\r\n\
                 m-1;energy-meter; line ;1;active_power;holding:2;i16;1;FALSE\r\n\
                 ;;;;;;;;;;\r\n\r\n";
    assert_eq!(imported(&case, excel).unwrap_or_else(|failed| panic!("{failed}")).text, wanted);
    let told = format!("sep=|\n{}", plain.replace(',', "|"));
    assert_eq!(imported(&case, &told).unwrap_or_else(|failed| panic!("{failed}")).text, wanted);
    assert_eq!(imported(&case, &plain.replace(',', "\t")).unwrap_or_else(|failed| panic!("{failed}")).text, wanted);
}

#[test]
fn a_mistake_is_told_at_its_line_whatever_comes_before_it() {
    let case = folder("new-templates");
    let sheet = "sep=;\n# a comment\n\ndevice;model;link;property;at\nm-1;energy-meter;line;energy_import;nowhere:1\n";
    let found = said_of(&case, sheet);
    assert!(found.starts_with("points.csv:5:37: error: "), "{found}");
    assert!(found.contains("in column at"), "{found}");
}

#[test]
fn devices_of_the_file_that_is_replaced_do_not_count_and_others_do() {
    let root = tempfile::tempdir().unwrap();
    put(root.path(), "edgeway.toml", "name = \"site\"\n");
    put(root.path(), "devices.toml", "[link.line]\ndriver = \"modbus\"\nendpoint = \"tcp://192.0.2.1\"\n");
    let sheet = "device,model,link,property,at\nm-1,energy-meter,line,energy_import,holding:0\n";
    let first = imported(root.path(), sheet).unwrap();
    put(root.path(), INTO, &first.text);
    assert_eq!(imported(root.path(), sheet).unwrap(), first);
    put(root.path(), "devices/others.toml", &first.text);
    let found = said_of(root.path(), sheet);
    assert!(found.contains("a second device `m-1`"), "{found}");
}

#[test]
fn a_secret_does_not_get_into_a_sheet() {
    let mut site = loaded(&example("wind-farm"));
    let device = &mut site.links[0].devices[0];
    device.options["password"] = "s3cret".into();
    let sheet = export(&site, &real_drivers(), |_| true);
    assert!(!sheet.text.contains("s3cret"));
    assert_eq!(sheet.secrets, ["modbus.password"]);
}

#[test]
fn only_the_devices_that_are_wanted_are_exported() {
    let site = loaded(&example("wind-farm"));
    let wanted = site.things.device_ix("wt-02").unwrap();
    let sheet = export(&site, &real_drivers(), |ix| ix == wanted).text;
    assert!(sheet.lines().skip(1).all(|line| line.starts_with("wt-02,")) && sheet.lines().count() > 10, "{sheet}");
}

/// What mistakes in a cell are made of.
const CELLS: [&str; 20] = [
    "",
    "m-1",
    "x",
    "0",
    "-1",
    "1e999",
    "2 %",
    "change",
    "always",
    "5m",
    "1s",
    "false",
    "true",
    "[1]",
    "{\"a\":1}",
    "$$",
    "${X",
    "\"a\nb\"",
    "ü€𝄞",
    "energy-meter",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// The file is checked as it will be read, so this holds for every sheet.
    #[test]
    fn a_mangled_sheet_is_refused_or_becomes_a_file_that_the_site_can_run_with(
        case in prop::sample::select(vec!["new-templates", "site-templates"]),
        edits in prop::collection::vec((any::<usize>(), any::<usize>(), 0..CELLS.len()), 1..5),
    ) {
        let sheet = std::fs::read_to_string(folder(case).join("points.csv")).unwrap();
        let mut rows: Vec<Vec<&str>> = sheet.lines().map(|line| line.split(',').collect()).collect();
        for (row, column, cell) in edits {
            let row = row % rows.len();
            let column = column % rows[row].len();
            rows[row][column] = CELLS[cell];
        }
        let text: Vec<String> = rows.iter().map(|row| row.join(",")).collect();
        if let Ok(imported) = imported(&folder(case), &text.join("\n")) {
            let root = tempfile::tempdir().unwrap();
            for file in ["edgeway.toml", "devices.toml"] {
                std::fs::copy(folder(case).join(file), root.path().join(file)).unwrap();
            }
            put(root.path(), INTO, &imported.text);
            let loaded = load_with_variables(root.path(), &real_drivers(), &|_| None);
            prop_assert!(loaded.is_ok(), "{}\n{}", loaded.unwrap_err(), imported.text);
        }
    }
}
