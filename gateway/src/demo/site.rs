//! The demo's site: the two example sites of this repository, merged.

use super::devices::Wires;
use std::net::SocketAddr;
use std::path::Path;

/// A file of an example site, compiled in.
macro_rules! example {
    ($path:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../sites/", $path))
    };
}

const FARM_DEVICES: &str = example!("wind-farm/devices.toml");
const FARM_ENDPOINT: &str = "tcp://127.0.0.1:1502";
const HOTEL_DEVICES: &str = example!("hotel/devices.toml");
const HOTEL_ENDPOINT: &str = "tcp://127.0.0.1:1503";

/// Taken as they are.
const FILES: [(&str, &str); 15] = [
    ("devices.csv", example!("hotel/devices.csv")),
    ("scenes/farm-alarm.rhai", example!("wind-farm/scenes/farm-alarm.rhai")),
    ("scenes/farm-gear-oil.rhai", example!("wind-farm/scenes/farm-gear-oil.rhai")),
    ("scenes/farm-night.rhai", example!("wind-farm/scenes/farm-night.rhai")),
    ("scenes/farm-wind.rhai", example!("wind-farm/scenes/farm-wind.rhai")),
    ("scenes/hotel-leave.rhai", example!("hotel/scenes/hotel-leave.rhai")),
    ("scenes/hotel-welcome.rhai", example!("hotel/scenes/hotel-welcome.rhai")),
    ("scenes/hotel-window.rhai", example!("hotel/scenes/hotel-window.rhai")),
    ("queries/farm_alarm_storm.sql", example!("wind-farm/queries/farm_alarm_storm.sql")),
    ("queries/farm_mast_minute.sql", example!("wind-farm/queries/farm_mast_minute.sql")),
    ("queries/farm_power_minute.sql", example!("wind-farm/queries/farm_power_minute.sql")),
    ("queries/farm_turbine_10s.sql", example!("wind-farm/queries/farm_turbine_10s.sql")),
    ("queries/hotel_energy_minute.sql", example!("hotel/queries/hotel_energy_minute.sql")),
    ("queries/hotel_floor_minute.sql", example!("hotel/queries/hotel_floor_minute.sql")),
    ("queries/hotel_room_10s.sql", example!("hotel/queries/hotel_room_10s.sql")),
];

/// Writes the site into an empty folder.
pub(super) fn write(folder: &Path, wires: &Wires, api: SocketAddr, broker: SocketAddr) -> std::io::Result<()> {
    for sub in ["scenes", "queries"] {
        std::fs::create_dir(folder.join(sub))?;
    }
    let farm = FARM_DEVICES.replace(FARM_ENDPOINT, &format!("tcp://{}", wires.farm));
    let hotel = HOTEL_DEVICES.replace(HOTEL_ENDPOINT, &format!("tcp://{}", wires.hotel));
    std::fs::write(folder.join("devices.toml"), format!("{farm}\n{hotel}"))?;
    std::fs::write(folder.join("edgeway.toml"), settings(api))?;
    std::fs::write(folder.join("routes.toml"), routes(broker))?;
    FILES.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

fn settings(api: SocketAddr) -> String {
    format!("name = \"demo\"\ntime_zone = \"Europe/Berlin\"\n[api]\nlisten = \"{api}\"\n[journal]\nsize = \"256MiB\"\n")
}

fn routes(broker: SocketAddr) -> String {
    format!(
        r##"[target.cloud]
kind = "mqtt"
url = "mqtt://{broker}"
commands = "edgeway/{{site}}/command/{{device}}"
replies = "edgeway/{{site}}/reply/{{device}}"

[[route]]
name = "critical"
subjects = ["#"]
except = ["property/#", "stream/#"]
target = "cloud"
topic = "edgeway/{{site}}/{{subject}}"

[[route]]
name = "data"
subjects = ["property/#", "stream/#"]
target = "cloud"
topic = "edgeway/{{site}}/data/{{kind}}"
batch = {{ messages = 100, age = "500ms" }}
"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_sites_have_the_endpoints_that_are_replaced() {
        assert!(FARM_DEVICES.contains(FARM_ENDPOINT));
        assert!(HOTEL_DEVICES.contains(HOTEL_ENDPOINT));
    }

    #[test]
    fn the_merged_site_is_clean() {
        let folder = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let farm = SocketAddr::from(([127, 0, 0, 1], 2));
        write(folder.path(), &Wires { farm, hotel: address }, address, address).expect("writable");
        let findings = crate::program::load(folder.path()).map_or_else(|findings| findings, |program| program.warnings);
        assert!(findings.is_empty(), "{findings:#?}");
    }
}
