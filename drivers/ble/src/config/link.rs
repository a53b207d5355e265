//! A link's options: one adapter.

use super::check_duration;
use edgeway_sdk::{Json, Problem, options};
use std::time::Duration;

/// BlueZ has its own limits below this.
const CONNECTIONS_MAX: i64 = 32;
/// The gateway gives no transaction more time than this.
const TRANSACTION_MAX: Duration = Duration::from_secs(10);

/// A link's options, checked.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LinkOptions {
    /// `hci0`; `None`: the only one.
    pub(crate) adapter: Option<String>,
    /// Where D-Bus is; `None`: where the system says.
    pub(crate) bus: Option<String>,
    pub(crate) watchdog: Duration,
    pub(crate) connections: u16,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
}

/// A link's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "BLE link")]
pub(crate) struct Written {
    /// The adapter, as `bluetoothctl list` and `hciconfig` number them: `hci0`. Default: the only one
    adapter: Option<String>,
    /// Where D-Bus is, `unix:path=/run/dbus/system_bus_socket`. Default: $DBUS_SYSTEM_BUS_ADDRESS, or that socket
    bus: Option<String>,
    /// If nobody at all is heard for so long although somebody was before, the scan is started again, and after as long again the connection to BlueZ is made anew. 1s to 1d
    #[serde(default = "watchdog_default", with = "options::duration")]
    #[schemars(with = "String")]
    watchdog: Duration,
    /// How many devices are connected at the same time, 1 to 32. Many adapters manage 5 to 10
    #[serde(default = "connections_default")]
    #[schemars(range(min = 1, max = 32))]
    connections: i64,
    /// How long connecting to a device and finding its services may take, 1s to 60s. A step and a write have no more than 10s in all
    #[serde(default = "connect_timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    connect_timeout: Duration,
    /// How long reading or writing a characteristic may take, 100ms to 10s
    #[serde(default = "timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
}

fn watchdog_default() -> Duration {
    Duration::from_secs(5 * 60)
}

fn connections_default() -> i64 {
    4
}

fn connect_timeout_default() -> Duration {
    Duration::from_secs(8)
}

fn timeout_default() -> Duration {
    Duration::from_secs(5)
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let mut problems = vec![];
        problems.extend(written.adapter.as_deref().and_then(adapter_problem));
        problems.extend(written.bus.as_deref().and_then(bus_problem));
        let second = Duration::from_secs(1);
        check_duration(&mut problems, "watchdog", written.watchdog, second..=second * 24 * 60 * 60);
        check_duration(&mut problems, "connect_timeout", written.connect_timeout, second..=second * 60);
        check_duration(&mut problems, "timeout", written.timeout, second / 10..=TRANSACTION_MAX);
        let connections = connections(written.connections, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        let Written { adapter, bus, watchdog, connect_timeout, timeout, .. } = written;
        Ok(LinkOptions { adapter, bus, watchdog, connections, connect_timeout, timeout })
    }

    /// What the wire is called: two links with one name would share an adapter.
    pub(crate) fn wire(&self) -> String {
        let adapter = self.adapter.as_deref().unwrap_or("the only adapter");
        match &self.bus {
            None => format!("ble {adapter}"),
            Some(bus) => format!("ble {adapter} on {bus}"),
        }
    }
}

fn adapter_problem(adapter: &str) -> Option<Problem> {
    let is_one =
        adapter.strip_prefix("hci").is_some_and(|n| n.parse::<u16>().is_ok_and(|number| number.to_string() == n));
    let problem = || Problem::key("adapter", format!("`{adapter}` is not an adapter"));
    (!is_one).then(|| problem().help("`hci0`, `hci1`, ..."))
}

fn bus_problem(bus: &str) -> Option<Problem> {
    let problem = || Problem::key("bus", format!("`{bus}` is not an address of D-Bus"));
    bus.parse::<zbus::Address>().err().map(|_| problem().help("`unix:path=/run/dbus/system_bus_socket`"))
}

fn connections(number: i64, problems: &mut Vec<Problem>) -> u16 {
    match u16::try_from(number) {
        Ok(connections) if (1..=CONNECTIONS_MAX).contains(&number) => connections,
        _ => {
            problems.push(Problem::key("connections", format!("{number} is out of range")).help("1 to 32"));
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_empty_table_is_the_only_adapter() {
        let link = LinkOptions::parse(&json!({})).expect("valid");
        assert_eq!((link.connections, link.watchdog), (4, Duration::from_secs(300)));
        assert_eq!(link.wire(), "ble the only adapter");
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        let options = json!({ "adapter": "hci01", "bus": "/run/dbus", "watchdog": "10ms", "connections": 0, "connect_timeout": "2m", "timeout": "0s" });
        let problems = LinkOptions::parse(&options).expect_err("wrong");
        assert_eq!(
            problems.iter().map(Problem::to_string).collect::<Vec<_>>(),
            [
                "`adapter`: `hci01` is not an adapter (`hci0`, `hci1`, ...)",
                "`bus`: `/run/dbus` is not an address of D-Bus (`unix:path=/run/dbus/system_bus_socket`)",
                "`watchdog`: 10ms is out of range (1s to 86400s)",
                "`connect_timeout`: 120s is out of range (1s to 60s)",
                "`timeout`: 0s is out of range (100ms to 10s)",
                "`connections`: 0 is out of range (1 to 32)",
            ]
        );
    }
}
