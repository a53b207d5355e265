//! The site that the bench runs: waves in process, through everything.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::Path;

/// Values in one reading.
pub(super) const PROPERTIES: u64 = 20;
/// Readings of one device per second.
pub(super) const READINGS_PER_SECOND: u64 = 10;
/// Links that the devices are spread over.
const LINKS: u64 = 2;
const SCENES: u64 = 100;
/// Devices that scenes watch: so many properties cross a limit once in a while and set something.
const WATCHED: u64 = 50;

/// Devices needed for a rate in values per second.
pub(super) fn devices(rate: u64) -> u64 {
    (rate / (PROPERTIES * READINGS_PER_SECOND)).max(WATCHED)
}

/// Writes the site.
pub(super) fn write(folder: &Path, rate: u64, broker: SocketAddr) -> std::io::Result<()> {
    Site { properties: PROPERTIES, template: template(), list: list(devices(rate)), broker }.write(folder)
}

/// Devices `probe-0` and so on of model `probe`, with everything that may work on them: 100 scenes, 5 queries, a route.
pub(super) struct Site {
    /// How many the model has, `p0` and so on, beside `limit`. At least 8.
    pub(super) properties: u64,
    /// `devices.toml`: links and template.
    pub(super) template: String,
    /// `devices.csv`.
    pub(super) list: String,
    /// Where the route sends.
    pub(super) broker: SocketAddr,
}

impl Site {
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        for sub in ["models", "scenes", "queries"] {
            std::fs::create_dir_all(folder.join(sub))?;
        }
        let put = |name: &str, text: &str| std::fs::write(folder.join(name), text);
        put("edgeway.toml", SETTINGS)?;
        put("models/probe.json", &model(self.properties))?;
        put("devices.toml", &self.template)?;
        put("devices.csv", &self.list)?;
        put("scenes/watch.rhai", &scenes())?;
        for (name, select) in QUERIES {
            put(&format!("queries/{name}.sql"), &format!("{select}\n"))?;
        }
        put("routes.toml", &routes(self.broker))
    }
}

/// `edgeway.toml`.
pub(super) const SETTINGS: &str = "name = \"bench\"\n[api]\nlisten = \"127.0.0.1:0\"\n[journal]\nsize = \"256MiB\"\n";

const QUERIES: [(&str, &str); 5] = [
    (
        "mean",
        "SELECT device, window_start, avg(p0) AS p0, avg(p1) AS p1 FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')",
    ),
    (
        "extremes",
        "SELECT device, min(p2) AS low, max(p2) AS high FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '1 minute')",
    ),
    (
        "total",
        "SELECT window_start, sum(p3) AS total, count(*) AS n FROM probe GROUP BY TUMBLE(ts, INTERVAL '1 second')",
    ),
    (
        "spread",
        "SELECT device, stddev(p4) AS spread FROM probe WHERE p5 > 0 GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')",
    ),
    ("high", "SELECT device, ts, p6 FROM probe WHERE p6 > 9.999"),
];

/// The model with so many properties.
pub(super) fn model(properties: u64) -> String {
    let mut text = String::new();
    for at in 0..properties {
        let _ = write!(
            text,
            r#"{{"identifier":"p{at}","name":"p{at}","accessMode":"r","dataType":{{"type":"double","specs":{{"min":"-1000","max":"1000","unit":"V"}}}}}},"#
        );
    }
    format!(
        r#"{{"properties":[{text}{{"identifier":"limit","name":"limit","accessMode":"rw","dataType":{{"type":"double","specs":{{"min":"-1000","max":"1000","unit":"V"}}}}}}],"events":[],"services":[]}}"#
    )
}

fn template() -> String {
    let mut text = String::new();
    for link in 0..LINKS {
        let _ = writeln!(text, "[link.wire-{link}]\ndriver = \"simulator\"\nworld = \"waves\"\nseed = {link}\n");
    }
    let period = 1000 / READINGS_PER_SECOND;
    let _ = writeln!(text, "[template.probe]\nmodel = \"probe\"\npoll = \"{period}ms\"\n[template.probe.points]");
    for at in 0..PROPERTIES {
        let _ = writeln!(text, "p{at} = {{ at = \"sine\", cycle = \"4s\", amplitude = 10.0 }}");
    }
    let _ = writeln!(text, "limit = {{ at = \"register\", poll = \"10s\" }}");
    text
}

fn list(devices: u64) -> String {
    let mut text = "id,link,template\n".to_owned();
    for at in 0..devices {
        let _ = writeln!(text, "probe-{at},wire-{},probe", at % LINKS);
    }
    text
}

fn scenes() -> String {
    format!(
        r#"for i in 0..{WATCHED} {{
    let d = `probe-${{i}}`;
    scene(`${{d}}.high`).when(prop(d, "p0") > 5.0).only_if(prop(d, "p1") < 100.0).at_most(1000000, "1s").then([set(d, "limit", 1.0)]);
}}
for i in 0..{} {{
    let d = `probe-${{i}}`;
    scene(`${{d}}.never`).when(prop(d, "p7") > 500.0).then([notify("log", "never")]);
}}
"#,
        SCENES - WATCHED
    )
}

fn routes(broker: SocketAddr) -> String {
    format!(
        r##"[target.cloud]
kind = "mqtt"
url = "mqtt://{broker}"
inflight = 64

[[route]]
name = "all"
subjects = ["#"]
target = "cloud"
topic = "edgeway/{{site}}/{{kind}}"
batch = {{ messages = 100, age = "50ms" }}
from = "now"
"##
    )
}
