//! A link's options.

use super::serial::{self, DataBits, Parity, Rs485, SerialOptions};
use super::{BITS_MAX, Endpoint, Framing, REGISTERS_MAX, check_duration, within};
use edgeway_sdk::{Json, Problem, options};
use std::time::Duration;

/// Below this, answers are lost to the scheduling of the machine.
const TIMEOUT_MIN: Duration = Duration::from_millis(10);
/// The gateway gives no transaction more time than this.
const DURATION_MAX: Duration = Duration::from_secs(10);
/// Most servers queue no more.
const IN_FLIGHT_MAX: u16 = 16;

/// A link's options, checked.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) endpoint: Endpoint,
    /// Where else the same units are reached, tried in turn.
    pub(crate) backup: Vec<Endpoint>,
    pub(crate) framing: Framing,
    /// Set for a serial port.
    pub(crate) serial: Option<SerialOptions>,
    pub(crate) timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// How long after a question its answer may still come.
    pub(crate) late: Duration,
    pub(crate) pause: Duration,
    pub(crate) in_flight: u16,
    pub(crate) registers_max: u16,
    pub(crate) bits_max: u16,
    pub(crate) gap_registers_max: u16,
}

/// A link's options, as written.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Modbus link")]
pub(crate) struct Written {
    /// `tcp://host:port` (port 502 unless named), `serial:///dev/serial/by-id/...`, or `listen://0.0.0.0:port` for devices that dial in
    endpoint: String,
    /// Where else the same units are reached; tried in turn when the endpoint is not there
    #[serde(default)]
    backup: Vec<String>,
    /// How messages are framed. Default: rtu on a serial port, else tcp
    framing: Option<Framing>,
    /// How long an answer may take, 10ms to 10s
    #[serde(default = "timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    timeout: Duration,
    /// How long opening the connection may take, 10ms to 10s
    #[serde(default = "connect_timeout_default", with = "options::duration")]
    #[schemars(with = "String")]
    connect_timeout: Duration,
    /// With rtu and ascii: how long after a question its answer may still come, up to 60s. Until then a unit that has not answered is asked nothing else. Default: three timeouts
    #[serde(default, with = "options::maybe_duration")]
    #[schemars(with = "Option<String>")]
    late: Option<Duration>,
    /// Silence after each transaction, 0s to 10s
    #[serde(default, with = "options::duration")]
    #[schemars(with = "String", default)]
    pause: Duration,
    /// Requests on their way at the same time, 1 to 16. More than one is only possible with the framing tcp, and not every device takes it
    #[serde(default = "in_flight_default")]
    #[schemars(range(min = 1, max = 16))]
    in_flight: i64,
    /// The most registers in one request, 1 to 125
    #[serde(default = "max_registers_default")]
    #[schemars(range(min = 1, max = 125))]
    max_registers: i64,
    /// The most coils or discrete inputs in one request, 1 to 2000
    #[serde(default = "max_bits_default")]
    #[schemars(range(min = 1, max = 2000))]
    max_bits: i64,
    /// Unused registers that are read along to make one request of two, 0 to 124
    #[serde(default = "max_gap_registers_default")]
    #[schemars(range(min = 0, max = 124))]
    max_gap_registers: i64,
    /// Serial: bits per second, 300 to 4000000. Default: 19200
    baud: Option<i64>,
    /// Serial: 7 or 8. Default: 8, with ascii 7
    data_bits: Option<i64>,
    /// Serial: none, even or odd. Default: even
    parity: Option<Parity>,
    /// Serial: 1 or 2. Default: 1
    stop_bits: Option<i64>,
    /// Serial: let the port's driver switch the transmitter of an RS-485 line
    rs485: Option<Rs485>,
}

fn timeout_default() -> Duration {
    Duration::from_secs(1)
}

fn connect_timeout_default() -> Duration {
    Duration::from_secs(3)
}

fn in_flight_default() -> i64 {
    1
}

fn max_registers_default() -> i64 {
    REGISTERS_MAX.into()
}

fn max_bits_default() -> i64 {
    BITS_MAX.into()
}

fn max_gap_registers_default() -> i64 {
    8
}

impl LinkOptions {
    /// Reads a link's table.
    ///
    /// # Errors
    /// All mistakes found.
    pub(crate) fn parse(options: &Json) -> Result<Self, Vec<Problem>> {
        let written: Written = options::parse(options).map_err(|problem| vec![problem])?;
        let problems = &mut vec![];
        let times = TIMEOUT_MIN..=DURATION_MAX;
        check_duration(problems, "timeout", written.timeout, times.clone());
        check_duration(problems, "connect_timeout", written.connect_timeout, times);
        check_duration(problems, "pause", written.pause, Duration::ZERO..=DURATION_MAX);
        if let Some(late) = written.late {
            check_duration(problems, "late", late, written.timeout..=Duration::from_secs(60));
        }
        let registers_max = within("max_registers", written.max_registers, 1..=REGISTERS_MAX, problems);
        let bits_max = within("max_bits", written.max_bits, 1..=BITS_MAX, problems);
        let gap_registers_max = within("max_gap_registers", written.max_gap_registers, 0..=REGISTERS_MAX - 1, problems);
        let in_flight = within("in_flight", written.in_flight, 1..=IN_FLIGHT_MAX, problems);
        let (endpoint, backup) = written.endpoints(problems);
        let framing = written.framing.unwrap_or(if endpoint.as_ref().is_some_and(Endpoint::is_serial) {
            Framing::Rtu
        } else {
            Framing::Tcp
        });
        let serial = written.serial_options(endpoint.as_ref(), framing, problems);
        if let (true, Some(problem)) = (in_flight > 1, cannot_tell_answers_apart(framing)) {
            problems.push(problem);
        }
        match endpoint {
            Some(endpoint) if problems.is_empty() => Ok(LinkOptions {
                endpoint,
                backup,
                framing,
                serial,
                timeout: written.timeout,
                connect_timeout: written.connect_timeout,
                late: written.late.unwrap_or(written.timeout * 3),
                pause: written.pause,
                in_flight,
                registers_max,
                bits_max,
                gap_registers_max,
            }),
            _ => Err(std::mem::take(problems)),
        }
    }
}

impl LinkOptions {
    /// For how long a unit is left alone that has not answered within the timeout.
    pub(crate) fn settle(&self) -> Duration {
        match self.framing {
            Framing::Tcp => Duration::ZERO,
            Framing::Rtu | Framing::Ascii => self.late.saturating_sub(self.timeout),
        }
    }
}

impl Written {
    fn endpoints(&self, problems: &mut Vec<Problem>) -> (Option<Endpoint>, Vec<Endpoint>) {
        let endpoint = Endpoint::parse(&self.endpoint, "endpoint").map_err(|problem| problems.push(problem)).ok();
        let mut backup = vec![];
        for (at, text) in self.backup.iter().enumerate() {
            match Endpoint::parse(text, &format!("backup[{at}]")) {
                Ok(Endpoint::Tcp { host, port }) => backup.push(Endpoint::Tcp { host, port }),
                Ok(_) => problems.push(
                    Problem::key(format!("backup[{at}]"), format!("`{text}` is no server"))
                        .help("a backup is reached by `tcp://host:port`"),
                ),
                Err(problem) => problems.push(problem),
            }
        }
        if !backup.is_empty() && !matches!(endpoint, Some(Endpoint::Tcp { .. }) | None) {
            let problem = Problem::key("backup", format!("`{}` has no backup", self.endpoint));
            problems.push(problem.help("only `tcp://` has"));
        }
        (endpoint, backup)
    }

    /// The options of a serial line; that there are some without one, or that it is framed as none can be, is noted.
    fn serial_options(
        &self,
        endpoint: Option<&Endpoint>,
        framing: Framing,
        problems: &mut Vec<Problem>,
    ) -> Option<SerialOptions> {
        let Written { baud, data_bits, parity, stop_bits, rs485, .. } = *self;
        let written = serial::Written { baud, data_bits, parity, stop_bits, rs485 };
        if !endpoint?.is_serial() {
            let problem = |key| Problem::key(key, format!("`{}` is no serial line", self.endpoint));
            problems.extend(written.first_key().map(|key| problem(key).help(format!("remove `{key}`"))));
            return None;
        }
        if framing == Framing::Tcp {
            let problem = Problem::key("framing", "`tcp` is not spoken on a serial line");
            problems.push(problem.help("`rtu` or `ascii`"));
        }
        let data_bits = if framing == Framing::Ascii { DataBits::Seven } else { DataBits::Eight };
        let options = written.check(data_bits, problems);
        if framing == Framing::Rtu && options.data_bits == DataBits::Seven {
            problems.push(Problem::key("data_bits", "`rtu` needs all 8 bits of a byte").help("8"));
        }
        Some(options)
    }
}

fn cannot_tell_answers_apart(framing: Framing) -> Option<Problem> {
    let problem = || Problem::key("in_flight", format!("with the framing `{framing}` nobody can tell answers apart"));
    (framing != Framing::Tcp).then(|| problem().help("1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problems(options: Json) -> Vec<String> {
        LinkOptions::parse(&options).expect_err("wrong").iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_link_is_told_at_once() {
        let options = json!({ "endpoint": "x", "timeout": "0s", "pause": "1m", "max_registers": 126, "max_bits": 0, "max_gap_registers": -1, "in_flight": 17, "backup": ["y"] });
        assert_eq!(
            problems(options),
            [
                "`timeout`: 0s is out of range (10ms to 10s)",
                "`pause`: 60s is out of range (0s to 10s)",
                "`max_registers`: 126 is out of range (1 to 125)",
                "`max_bits`: 0 is out of range (1 to 2000)",
                "`max_gap_registers`: -1 is out of range (0 to 124)",
                "`in_flight`: 17 is out of range (1 to 16)",
                "`endpoint`: `x` is not a Modbus endpoint (write `tcp://x`)",
                "`backup[0]`: `y` is not a Modbus endpoint (write `tcp://y`)",
            ]
        );
    }

    #[test]
    fn what_a_wire_cannot_do_is_refused() {
        let serial = "serial:///dev/ttyS0";
        for (options, problem) in [
            (json!({ "endpoint": "tcp://a", "baud": 9600 }), "`baud`: `tcp://a` is no serial line (remove `baud`)"),
            (
                json!({ "endpoint": serial, "framing": "tcp" }),
                "`framing`: `tcp` is not spoken on a serial line (`rtu` or `ascii`)",
            ),
            (json!({ "endpoint": serial, "data_bits": 7 }), "`data_bits`: `rtu` needs all 8 bits of a byte (8)"),
            (json!({ "endpoint": serial, "stop_bits": 3 }), "`stop_bits`: 3 is out of range (1 or 2)"),
            (json!({ "endpoint": serial, "baud": 0 }), "`baud`: 0 is out of range (300 to 4000000)"),
            (
                json!({ "endpoint": serial, "rs485": { "before": "2s" } }),
                "`rs485.before`: 2s is out of range (0s to 1s)",
            ),
            (
                json!({ "endpoint": "tcp://a", "framing": "rtu", "in_flight": 2 }),
                "`in_flight`: with the framing `rtu` nobody can tell answers apart (1)",
            ),
            (
                json!({ "endpoint": serial, "backup": ["tcp://a"] }),
                "`backup`: `serial:///dev/ttyS0` has no backup (only `tcp://` has)",
            ),
            (
                json!({ "endpoint": "tcp://a", "backup": [serial] }),
                "`backup[0]`: `serial:///dev/ttyS0` is no server (a backup is reached by `tcp://host:port`)",
            ),
            (json!({ "endpoint": "tcp://a", "late": "500ms" }), "`late`: 500ms is out of range (1s to 60s)"),
        ] {
            assert_eq!(problems(options), [problem]);
        }
    }

    #[test]
    fn ascii_has_seven_bits_unless_said_otherwise() {
        let bits = |options| LinkOptions::parse(&options).expect("valid").serial.expect("serial").data_bits;
        assert_eq!(bits(json!({ "endpoint": "serial:///dev/ttyS0", "framing": "ascii" })), DataBits::Seven);
        assert_eq!(
            bits(json!({ "endpoint": "serial:///dev/ttyS0", "framing": "ascii", "data_bits": 8 })),
            DataBits::Eight
        );
    }
}
