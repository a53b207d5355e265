//! The plant of these tests: two probes on a pymodbus server, a scene, a query, and a route to mosquitto.

use harness::{Broker, Gateway, Message, ModbusServer, Subscriber};
use std::path::Path;
use std::time::Duration;

pub(super) const SOON: Duration = Duration::from_secs(20);
/// Where a probe's temperature (a float) and its output (a percentage) are.
pub(super) const TEMPERATURE: u16 = 100;
pub(super) const OUTPUT: u16 = 200;

pub(super) struct Plant {
    pub(super) modbus: ModbusServer,
    pub(super) broker: Broker,
    pub(super) cloud: Subscriber,
    pub(super) gateway: Gateway,
    _folder: tempfile::TempDir,
}

impl Plant {
    /// Starts everything; values have not necessarily arrived yet.
    pub(super) fn start() -> Plant {
        let broker = Broker::new();
        let routes = routes(broker.port, "");
        Self::start_with(broker, &routes)
    }

    /// The same with a broker that is not running yet, and other routes.
    pub(super) fn start_with(mut broker: Broker, routes: &str) -> Plant {
        let modbus = ModbusServer::start();
        broker.start();
        let cloud = Subscriber::new(&broker, "edgeway/#");
        let folder = tempfile::tempdir().expect("a temporary folder");
        write_site(folder.path(), modbus.port, routes);
        let gateway = Gateway::run(folder.path());
        Plant { modbus, broker, cloud, gateway, _folder: folder }
    }

    /// The quality that a device's temperature has at the gateway now.
    pub(super) fn quality(&self, device: &str) -> String {
        self.gateway.property(device, "temperature")["quality"].as_str().unwrap_or("none").to_owned()
    }
}

/// The route to a broker, with more keys for its target.
pub(super) fn routes(port: u16, more: &str) -> String {
    ROUTES.replace("PORT", &port.to_string()).replace("MORE", more)
}

pub(super) fn write_site(site: &Path, modbus_port: u16, routes: &str) {
    for folder in ["models", "scenes", "queries"] {
        std::fs::create_dir_all(site.join(folder)).expect("a writable folder");
    }
    let put = |name: &str, text: String| std::fs::write(site.join(name), text).expect("a writable folder");
    put(
        "edgeway.toml",
        "name = \"plant\"\n[api]\nlisten = \"127.0.0.1:0\"\n".replace(":0", &format!(":{}", harness::free_port())),
    );
    put("models/probe.json", MODEL.to_owned());
    put("devices.toml", DEVICES.replace("PORT", &modbus_port.to_string()));
    put("scenes/heat.rhai", SCENE.to_owned());
    put("queries/mean.sql", QUERY.to_owned());
    put("routes.toml", routes.to_owned());
}

const MODEL: &str = r#"{
  "properties": [
    {"identifier": "temperature", "name": "Temperature", "accessMode": "r",
     "dataType": {"type": "float", "specs": {"min": "-50", "max": "200", "unit": "°C"}}},
    {"identifier": "power", "name": "Power", "accessMode": "r",
     "dataType": {"type": "double", "specs": {"min": "-1000", "max": "1000", "unit": "kW"}}},
    {"identifier": "running", "name": "Running", "accessMode": "r",
     "dataType": {"type": "bool", "specs": {"0": "no", "1": "yes"}}},
    {"identifier": "label", "name": "Label", "accessMode": "r", "dataType": {"type": "text", "specs": {"length": "8"}}},
    {"identifier": "output", "name": "Output", "accessMode": "rw",
     "dataType": {"type": "int", "specs": {"min": "0", "max": "100", "unit": "%"}}}
  ],
  "events": [],
  "services": []
}"#;

const DEVICES: &str = r#"
[link.plc]
driver = "modbus"
endpoint = "tcp://127.0.0.1:PORT"
timeout = "500ms"

[template.probe]
model = "probe"
poll = "250ms"
[template.probe.points]
temperature = { at = "holding:100", type = "f32", order = "ABCD", unit = "°C" }
power = { at = "holding:102", type = "i32", order = "CDAB", scale = 0.1, unit = "kW" }
running = { at = "holding:104.3" }
label = { at = "holding:110", type = "string", length = 4 }
output = { at = "holding:200", type = "u16" }

[[device]]
id = "probe-1"
link = "plc"
template = "probe"
modbus = { unit = 1 }

[[device]]
id = "probe-2"
link = "plc"
template = "probe"
modbus = { unit = 2 }
"#;

const SCENE: &str = r#"
scene("probe-1.hot")
    .when(prop("probe-1", "temperature") > 30.0)
    .then([ set("probe-1", "output", 50), notify("on-call", "probe-1 is hot") ]);
"#;

const QUERY: &str = "
SELECT device, window_start, window_end, avg(temperature) AS mean, count(temperature) AS n
FROM probe GROUP BY device, TUMBLE(ts, INTERVAL '10 seconds')
";

const ROUTES: &str = r##"
[target.cloud]
kind = "mqtt"
url = "mqtt://127.0.0.1:PORT"
commands = "commands/{device}"
replies = "edgeway/replies/{device}"
MORE

[[route]]
name = "everything"
subjects = ["#"]
target = "cloud"
topic = "edgeway/{subject}"
from = "start"
"##;

/// The offset in a message's id: the last 12 of its 32 hexadecimal digits.
pub(super) fn offset(message: &Message) -> Option<u64> {
    let id = message.json["id"].as_str().filter(|id| id.len() == 32)?;
    u64::from_str_radix(&id[20..], 16).ok()
}

/// A report's value of a property.
pub(super) fn value<'m>(message: &'m Message, device: &str, property: &str) -> Option<&'m serde_json::Value> {
    (message.json["device"] == device).then(|| message.json["values"].get(property))?
}
