//! What the folder `scenes` and the site say of scenes.

use crate::load;
use std::fs;

#[test]
fn scripts_tests_and_uses_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("scenes")).unwrap();
    put("edgeway.toml", "name = \"x\"\nlatitude = 52.5\nlongitude = 13.4\n[scenes]\ndecisions = 8\njournal = true\n");
    put("scenes/rooms.rhai", "");
    put("scenes/rooms_test.rhai", "");
    put(
        "scenes/rooms.toml",
        "version = 1\n[[use]]\nroom = { floor = \"3\" }\nsetpoint = 21.5\n[[use]]\nroom = \"r\"\n",
    );
    let site = load(folder.path()).unwrap().site;
    let names = |files: &[edgeway_site::SourceFile]| files.iter().map(|file| file.name.to_string()).collect::<Vec<_>>();
    assert_eq!((names(&site.scenes), names(&site.scene_tests)), (vec!["rooms".into()], vec!["rooms_test".into()]));
    assert_eq!(site.position, Some((52.5, 13.4)));
    assert_eq!((site.scene_options.decisions, site.scene_options.journal), (8, true));
    let [uses] = &site.scene_uses[..] else { panic!("{:?}", site.scene_uses) };
    assert_eq!(uses.script.to_string_lossy(), "scenes/rooms.rhai");
    assert_eq!(uses.uses[0].0["room"]["floor"], "3");
    assert_eq!(uses.uses[0].0["setpoint"], 21.5);
    assert_eq!(uses.uses[1].1, "scenes/rooms.toml:5");
}
