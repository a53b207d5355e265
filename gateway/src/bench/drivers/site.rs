//! The sites that the bench runs: many devices of one model on one link.

use super::super::workload;
use std::fmt::Write;
use std::path::Path;

/// Values in one payload.
pub(super) const VALUES: u64 = 10;

/// A site of devices `probe-0` and so on.
pub(super) struct Site<'a> {
    /// `[link.wire]`, whole.
    pub(super) link: String,
    /// What all devices have in common, as a line of their template.
    pub(super) common: &'a str,
    pub(super) driver: &'a str,
    /// How often each device is asked.
    pub(super) poll: &'a str,
    /// The options of the point of this number.
    pub(super) point: &'a dyn Fn(u64) -> String,
    /// The option that tells devices apart, and its value for each.
    pub(super) key: &'a str,
    pub(super) address: &'a dyn Fn(u64) -> String,
    pub(super) devices: u64,
}

impl Site<'_> {
    /// Writes it into an empty folder.
    pub(super) fn write(&self, folder: &Path) -> Result<(), String> {
        self.put(folder).map_err(|error| error.to_string())
    }

    fn put(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder.join("models"))?;
        let put = |name: &str, text: String| std::fs::write(folder.join(name), text);
        put("edgeway.toml", workload::SETTINGS.to_owned())?;
        put("models/probe.json", workload::model(VALUES))?;
        let mut devices = self.link.clone();
        let _ = writeln!(devices, "[template.probe]\nmodel = \"probe\"\nlink = \"wire\"\npoll = \"{}\"", self.poll);
        let _ = writeln!(devices, "{}\n[template.probe.points]", self.common);
        for number in 0..VALUES {
            let _ = writeln!(devices, "p{number} = {}", (self.point)(number));
        }
        put("devices.toml", devices)?;
        let mut list = format!("id,template,{}.{}\n", self.driver, self.key);
        for device in 0..self.devices {
            let _ = writeln!(list, "probe-{device},probe,{}", (self.address)(device));
        }
        put("devices.csv", list)
    }
}

/// What every device says: `p0` to `p9`.
pub(super) fn payload() -> String {
    let fields: Vec<String> = (0..VALUES).map(|number| format!("\"p{number}\": {number}.25")).collect();
    format!("{{{}}}", fields.join(", "))
}
