//! The sites that come along are right, with the real drivers.

use super::real_drivers;
use edgeway_site::{ClassSite, Loaded, TargetKind, load_with_variables};
use std::path::Path;

fn loaded(root: &Path) -> Loaded {
    let loaded = load_with_variables(root, &real_drivers(), &|_| None).unwrap_or_else(|failed| panic!("{failed}"));
    assert_eq!(loaded.warnings, [], "{}", root.display());
    loaded
}

fn example(name: &str) -> Loaded {
    loaded(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sites").join(name))
}

#[test]
fn the_wind_farm_has_eight_turbines_two_of_another_make_and_a_mast() {
    let site = example("wind-farm").site;
    assert_eq!(site.things.devices().len(), 8 + 2 + 1);
    let points = 8 * (13 + 1) + 2 * 13 + 5;
    assert_eq!(site.points.len(), points, "13 properties, on Modbus one point for orders, five of the mast");
    assert_eq!((site.events.len(), site.services.len()), (8 + 2, 8 * 3));
}

#[test]
fn the_hotel_has_twelve_rooms_a_meter_and_five_things_of_other_protocols() {
    let site = example("hotel").site;
    assert_eq!(site.things.devices().len(), 12 + 1 + 5);
    let outside = 2 * 4 + 9 + 3 + 4;
    assert_eq!(site.points.len(), 12 * (14 + 1) + 11 + outside);
    assert_eq!(site.services.len(), 12);
}

/// Both folders in one: TOML files one after the other, everything else side by side.
fn merge(into: &Path) {
    for name in ["wind-farm", "hotel"] {
        let site = example(name).site;
        for file in ["devices.toml", "devices.csv", "routes.toml"] {
            let text = std::fs::read_to_string(site.root.join(file)).unwrap_or_default();
            let before = std::fs::read_to_string(into.join(file)).unwrap_or_default();
            std::fs::write(into.join(file), format!("{before}{text}")).unwrap();
        }
        for folder in ["devices", "models"] {
            for file in std::fs::read_dir(site.root.join(folder)).into_iter().flatten() {
                let file = file.unwrap().path();
                std::fs::create_dir_all(into.join(folder)).unwrap();
                std::fs::copy(&file, into.join(folder).join(file.file_name().unwrap())).unwrap();
            }
        }
        for source in site.scenes.iter().chain(&site.queries) {
            let path = into.join(&source.path);
            assert!(!path.exists(), "{} is in both", source.path.display());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &*source.text).unwrap();
        }
    }
    std::fs::write(into.join("edgeway.toml"), "name = \"demo\"\n").unwrap();
}

#[test]
fn the_two_sites_can_live_in_one_gateway() {
    let folder = tempfile::tempdir().unwrap();
    merge(folder.path());
    let site = loaded(folder.path()).site;
    assert_eq!((site.things.devices().len(), site.links.len(), site.routes.len()), (29, 7, 6));
    assert_eq!((site.scenes.len(), site.queries.len()), (11, 20));
}

#[test]
fn a_new_site_is_right_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("my-site");
    let files = edgeway_site::init(&root, "my-site").unwrap();
    assert!(files.iter().all(|file| root.join(file).is_file()));
    let site = loaded(&root).site;
    assert_eq!((&*site.name, site.things.devices().len()), ("my-site", 3));
    assert_eq!((site.scenes.len(), site.queries.len(), site.routes.len()), (1, 1, 1));
}

#[test]
fn what_is_urgent_has_a_route_of_its_own_and_history_stays_here() {
    for (name, routes) in [("wind-farm", 3), ("hotel", 3)] {
        let site = example(name).site;
        assert_eq!(site.routes.len(), routes);
        let urgent = &site.routes[0];
        assert_eq!((urgent.class, urgent.ttl, urgent.batch_messages), (Some(ClassSite::Critical), None, 1), "{name}");
        let history = site.routes.last().unwrap();
        assert!(matches!(site.targets[history.target].kind, TargetKind::Parquet(_)), "{name}");
    }
}
