//! Scenes through the whole gateway: from a register to a register, over restarts, and exchanged while they run.

use super::plant::SOON;
use harness::{Gateway, ModbusServer, free_port};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const ROOMS: u8 = 12;
/// Registers of a room, and of a turbine.
const CARD: u16 = 0;
const LIGHT: u16 = 10;
const CURTAIN: u16 = 11;
const WIND: u16 = 20;
const LIMIT: u16 = 30;

const MODEL: &str = r#"{
  "properties": [
    {"identifier": "card", "name": "Key card", "accessMode": "r", "dataType": {"type": "int", "specs": {"min": "0", "max": "1"}}},
    {"identifier": "light", "name": "Light", "accessMode": "rw", "dataType": {"type": "int", "specs": {"min": "0", "max": "100", "unit": "%"}}},
    {"identifier": "curtain", "name": "Curtain", "accessMode": "rw", "dataType": {"type": "int", "specs": {"min": "0", "max": "100", "unit": "%"}}},
    {"identifier": "wind", "name": "Wind", "accessMode": "r", "dataType": {"type": "int", "specs": {"min": "0", "max": "100", "unit": "m/s"}}},
    {"identifier": "limit", "name": "Limit", "accessMode": "rw", "dataType": {"type": "int", "specs": {"min": "0", "max": "3000", "unit": "kW"}}}
  ], "events": [], "services": []
}"#;

/// A site of twelve rooms whose cloud is not there.
struct House {
    modbus: ModbusServer,
    folder: tempfile::TempDir,
}

impl House {
    fn new(script: &str) -> House {
        let modbus = ModbusServer::start();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let house = House { modbus, folder };
        for name in ["models", "scenes"] {
            std::fs::create_dir(house.path().join(name)).expect("a writable folder");
        }
        let put = |name: &str, text: &str| std::fs::write(house.path().join(name), text).expect("a writable folder");
        put(
            "edgeway.toml",
            &format!("name = \"house\"\n[api]\nlisten = \"127.0.0.1:{}\"\n[scenes]\njournal = true\n", free_port()),
        );
        put("models/room.json", MODEL);
        put("devices.toml", &devices(house.modbus.port));
        put(
            "routes.toml",
            &format!(
                "[target.cloud]\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\n[[route]]\nname = \"all\"\nsubjects = [\"#\"]\ntarget = \"cloud\"\ntopic = \"x/{{subject}}\"\n",
                free_port()
            ),
        );
        house.write(script);
        house
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, script: &str) {
        std::fs::write(self.path().join("scenes/house.rhai"), script).expect("a writable folder");
    }

    fn wait(&mut self, unit: u8, register: u16, value: u16) {
        let what = format!("register {register} of unit {unit} to be {value}");
        harness::wait_for(&what, SOON, || (self.modbus.get(unit, register) == value).then_some(()));
    }
}

fn devices(port: u16) -> String {
    let mut text = format!(
        "[link.floor]\ndriver = \"modbus\"\nendpoint = \"tcp://127.0.0.1:{port}\"\ntimeout = \"500ms\"\n\
         [template.room]\nmodel = \"room\"\nlink = \"floor\"\npoll = \"100ms\"\n[template.room.points]\n"
    );
    let points = [("card", CARD), ("light", LIGHT), ("curtain", CURTAIN), ("wind", WIND), ("limit", LIMIT)];
    for (name, register) in points {
        let _ = writeln!(text, "{name} = {{ at = \"holding:{register}\", type = \"u16\" }}");
    }
    for unit in 1..=ROOMS {
        let _ =
            writeln!(text, "[[device]]\nid = \"room-{unit:02}\"\ntemplate = \"room\"\nmodbus = {{ unit = {unit} }}");
    }
    text
}

fn known(gateway: &Gateway, device: &str, property: &str, value: u64) {
    harness::wait_for(&format!("{device}.{property} to be {value}"), SOON, || {
        let view = gateway.json(&["device", "get", device, property]);
        (view["value"] == value && view["quality"] == "good").then_some(())
    });
}

fn scene(gateway: &Gateway, name: &str) -> Value {
    let list = gateway.json(&["scene", "list"]);
    let scenes = list["scenes"].as_array().expect("a list").clone();
    scenes.into_iter().find(|scene| scene["name"] == name).expect("it is there")
}

#[test]
fn twelve_key_cards_at_once_light_twelve_rooms_while_the_cloud_is_gone() {
    let mut house = House::new(
        r#"for room in devices(#{ model: "room" }) {
            scene(`${room}.welcome`).when(prop(room, "card") == 1)
                .then([set(room, "light", 80).confirmed(), set(room, "curtain", 100)]);
        }"#,
    );
    let gateway = Gateway::run(house.path());
    (1..=ROOMS).for_each(|unit| known(&gateway, &format!("room-{unit:02}"), "card", 0));
    (1..=ROOMS).for_each(|unit| house.modbus.set(unit, CARD, &[1]));
    for unit in 1..=ROOMS {
        house.wait(unit, LIGHT, 80);
        house.wait(unit, CURTAIN, 100);
    }
    let links = gateway.json(&["status"])["links"].clone();
    println!("from the Modbus answer to the Modbus write: {}", links[0]["reactions"]);
    let why = String::from_utf8(gateway.cli(&["scene", "why", "room-07.welcome"]).stdout).expect("UTF-8");
    assert!(why.contains("applied set room-07.light = 80 %") && why.contains("(command "), "{why}");
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_gust_derates_at_the_right_time_though_the_gateway_was_killed_in_the_middle() {
    const HELD: Duration = Duration::from_secs(8);
    let mut house = House::new(
        r#"scene("derate").when(held(prop("room-01", "wind") > 20, "8s")).only_if(prop("room-01", "limit") > 1500)
               .then([set("room-01", "limit", 1500)]);
           scene("restore").when(held(prop("room-01", "wind") < 15, "2s")).only_if(prop("room-01", "limit") == 1500)
               .then([set("room-01", "limit", 3000)]);"#,
    );
    house.modbus.set(1, LIMIT, &[3000]);
    let gateway = Gateway::run(house.path());
    known(&gateway, "room-01", "wind", 0);
    house.modbus.set(1, WIND, &[25]);
    let gust = Instant::now();
    known(&gateway, "room-01", "wind", 25);
    harness::wait_for("half of the time", SOON, || (gust.elapsed() > HELD / 2).then_some(()));
    gateway.kill();
    let killed = Instant::now();
    let gateway = Gateway::run(house.path());
    known(&gateway, "room-01", "wind", 25);
    let away = killed.elapsed();
    house.wait(1, LIMIT, 1500);
    let took = gust.elapsed();
    println!("derated after {took:?}, of which the gateway was away for {away:?}");
    assert!(took >= HELD, "not before the wind has been seen for 8 s: {took:?}");
    // The clock is kept once a second, and nobody watched while the gateway was away.
    assert!(took <= HELD + away + Duration::from_secs(3), "{took:?}, away {away:?}");
    // Between 15 and 20 nothing changes.
    house.modbus.set(1, WIND, &[17]);
    known(&gateway, "room-01", "wind", 17);
    std::thread::park_timeout(Duration::from_secs(3));
    assert_eq!(house.modbus.get(1, LIMIT), 1500);
    house.modbus.set(1, WIND, &[10]);
    house.wait(1, LIMIT, 3000);
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn a_run_that_sleeps_goes_on_after_a_kill() {
    let mut house = House::new(
        r#"scene("stairs").resume_within("1m").then([set("room-02", "light", 100), delay("6s"), set("room-02", "light", 0)]);"#,
    );
    let gateway = Gateway::run(house.path());
    known(&gateway, "room-02", "light", 0);
    assert!(gateway.cli(&["scene", "run", "stairs"]).status.success());
    house.wait(2, LIGHT, 100);
    std::thread::park_timeout(Duration::from_secs(1));
    gateway.kill();
    let gateway = Gateway::run(house.path());
    assert_eq!(house.modbus.get(2, LIGHT), 100);
    house.wait(2, LIGHT, 0);
    let why = String::from_utf8(gateway.cli(&["scene", "why", "stairs"]).stdout).expect("UTF-8");
    assert!(why.contains("RESUMED") && why.contains("applied set room-02.light = 0 %"), "{why}");
    assert_eq!(gateway.stop(), 0);
}

#[test]
fn scenes_are_exchanged_shadowed_and_switched_off_while_the_gateway_runs() {
    let lit = |scene: &str, level: u16| {
        format!(
            "scene(\"{scene}\").when(changed(prop(\"room-03\", \"card\"))).then([set(\"room-03\", \"light\", {level})]);\n"
        )
    };
    let mut house = House::new(&lit("one", 10));
    let gateway = Gateway::run(house.path());
    known(&gateway, "room-03", "card", 0);

    house.write(&(lit("one", 10) + &lit("two", 20).replace("card", "wind")));
    let reloaded = gateway.json(&["scene", "reload"]);
    assert_eq!((&reloaded["added"], &reloaded["kept"]), (&serde_json::json!(["two"]), &serde_json::json!(["one"])));
    house.modbus.set(3, WIND, &[5]);
    house.wait(3, LIGHT, 20);

    house.write(&lit("one", 1000));
    let refused = gateway.cli(&["scene", "reload"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("house.rhai:1:") && text.contains("maximum of 100 %"), "{text}");
    assert_eq!(scene(&gateway, "two")["fired"], 1, "what ran goes on");

    assert!(gateway.cli(&["scene", "shadow", "one", "on"]).status.success());
    assert!(gateway.cli(&["scene", "disable", "two"]).status.success());
    house.modbus.set(3, CARD, &[1]);
    house.modbus.set(3, WIND, &[6]);
    harness::wait_for("the shadow to fire", SOON, || (scene(&gateway, "one")["would_have_fired"] == 1).then_some(()));
    assert_eq!(house.modbus.get(3, LIGHT), 20);
    assert_eq!(gateway.stop(), 0);

    house.write(&(lit("one", 10) + &lit("two", 20).replace("card", "wind")));
    let gateway = Gateway::run(house.path());
    assert_eq!(scene(&gateway, "one")["shadow"], true, "also after a restart");
    assert_eq!(scene(&gateway, "two")["off"], "switched off");
    let why_not = String::from_utf8(gateway.cli(&["scene", "why-not", "two"]).stdout).expect("UTF-8");
    assert!(why_not.contains("held back: switched off"), "{why_not}");
    assert!(gateway.cli(&["scene", "shadow", "one", "off"]).status.success());
    known(&gateway, "room-03", "card", 1);
    house.modbus.set(3, CARD, &[0]);
    house.wait(3, LIGHT, 10);
    let trace = String::from_utf8(gateway.cli(&["scene", "trace", "one"]).stdout).expect("UTF-8");
    assert!(trace.contains("one  ") && trace.contains("FIRED  cause: room-03.card changed"), "{trace}");
    assert_eq!(gateway.stop(), 0);
    let path = house.path().display().to_string();
    let dumped = harness::edgeway(&["journal", "dump", &path, "--subject", "stream/scene_decisions"]);
    let rows = String::from_utf8(dumped.stdout).expect("UTF-8");
    assert!(rows.lines().any(|row| row.contains("\"shadow\"") && row.contains("\"one\"")), "{rows}");
}

#[test]
fn a_new_version_is_tried_on_what_the_journal_has() {
    let mut house =
        House::new("scene(\"lit\").when(prop(\"room-04\", \"card\") == 1).then([set(\"room-04\", \"light\", 60)]);\n");
    let gateway = Gateway::run(house.path());
    known(&gateway, "room-04", "card", 0);
    for card in [1, 0, 1] {
        house.modbus.set(4, CARD, &[card]);
        known(&gateway, "room-04", "card", card.into());
    }
    house.wait(4, LIGHT, 60);
    std::fs::create_dir(house.path().join("new")).expect("a writable folder");
    let file = house.path().join("new/house.rhai");
    std::fs::write(
        &file,
        "scene(\"lit\").when(prop(\"room-04\", \"card\") == 1).then([set(\"room-04\", \"light\", 70)]);\n",
    )
    .expect("a writable folder");
    let replay = |more: &[&str]| {
        let file = file.display().to_string();
        let output = gateway.cli(&[&["scene", "replay", &file, "--from", "1h"], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let alone = replay(&[]);
    assert_eq!(alone.matches("set room-04.light = 70 %").count(), 2, "{alone}");
    let compared = replay(&["--compare"]);
    assert!(compared.contains("2 commands and notices before, 2 after; 0 are the same, 4 lines differ"), "{compared}");
    assert_eq!(house.modbus.get(4, LIGHT), 60, "nothing was sent");
    assert_eq!(gateway.stop(), 0);
}
