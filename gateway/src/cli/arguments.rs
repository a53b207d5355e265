//! What can be said on the command line. Every command has an example in its help.

mod ask;
mod drivers;
mod journal;

pub(crate) use ask::{
    Ask, DeadletterCommand, DeviceCommand, ExportOptions, GraphForm, GraphOptions, ImportOptions, LinkCommand, OnOff,
    QueryCommand, ReachOptions, ReplayOptions, RouteCommand, SceneCommand, SceneReplayOptions, SimulateOptions,
};

pub(crate) use drivers::{
    BrowseOptions, DriverCommand, NewDriverOptions, PointCommand, ProbeOptions, SolveOptions, TestDriverOptions,
    TestPointOptions,
};
pub(crate) use journal::{JournalCommand, Where};

use clap::{Parser, Subcommand, ValueEnum};
use edgeway_site::SchemaOf;
use std::path::PathBuf;
use std::time::Duration;

/// An edge gateway in one binary: devices become typed things, scenes link them, SQL asks them, and what matters reaches
/// the cloud.
#[derive(Parser)]
#[command(
    name = "edgeway",
    version,
    arg_required_else_help = true,
    after_help = "Start with `edgeway demo`, then `edgeway init my-site`."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show a wind farm and a hotel floor, with nothing else installed
    ///
    /// The devices are simulated, the protocol is not: the gateway polls them over Modbus TCP on loopback. An embedded MQTT
    /// broker plays the cloud.
    #[command(after_help = "Examples:\n  edgeway demo\n  edgeway demo --for 30s --json")]
    Demo(DemoOptions),
    /// Write a small commented site that runs
    #[command(after_help = "Example:\n  edgeway init my-site && edgeway run my-site")]
    Init {
        /// The folder to write into; it must not exist or be empty
        folder: PathBuf,
        /// The site's name; the folder's name unless given
        #[arg(long)]
        name: Option<String>,
    },
    /// Report every mistake of a site, each with file, line, column and what would be right
    ///
    /// Exits with 0 if there is nothing to report, 1 if there is, 2 for wrong usage.
    #[command(
        after_help = "Examples:\n  edgeway check my-site\n  edgeway check my-site -o json | jq '.[].file'\n  edgeway check my-site --plan"
    )]
    Check {
        /// The site's folder
        #[arg(default_value = ".")]
        site: PathBuf,
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
        /// Say how busy every wire will be, and what to change where it is too much
        #[arg(long)]
        plan: bool,
        /// With --plan: how long a device takes to answer, beside what its bytes take on a serial line
        #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5ms", requires = "plan")]
        answer_time: Duration,
    },
    /// Run a site until SIGTERM or Ctrl-C
    ///
    /// A first signal sends what can be sent within 5 s and exits with 0; a second one ends at once. Log lines go to
    /// standard error; EDGEWAY_LOG=debug shows more of them.
    #[command(after_help = "Example:\n  edgeway run my-site")]
    Run {
        /// The site's folder
        #[arg(default_value = ".")]
        site: PathBuf,
    },
    /// Drivers: list them, describe their options, look for devices
    #[command(subcommand, after_help = "Example:\n  edgeway driver describe modbus")]
    Driver(DriverCommand),
    /// Points: read one before it is saved, find out how a value lies in its registers
    #[command(
        subcommand,
        after_help = "Example:\n  edgeway point test 'modbus:tcp://10.0.0.20;unit=7;holding:100;f32'"
    )]
    Point(PointCommand),
    /// Print the JSON Schema of a site's file, for editors that complete and check while one types
    ///
    /// That of devices knows the options of all drivers. `edgeway init` writes them into .schemas, where .taplo.toml leads
    /// editors with Even Better TOML; for others begin a file with `#:schema .schemas/devices.json`.
    #[command(
        after_help = "Examples:\n  edgeway schema devices\n  edgeway schema --folder .schemas    # all of them, anew after an update"
    )]
    Schema(SchemaOptions),
    /// Look into the journal of a site, whether the gateway runs or not
    #[command(subcommand, after_help = "Example:\n  edgeway journal stat my-site")]
    Journal(JournalCommand),
    /// Ask a site's journal in SQL, whether the gateway runs or not
    ///
    /// The statement is one that a query could say, over what the journal holds; without a window an aggregate is over all
    /// of it, and ORDER BY and LIMIT are allowed. It can name the site's queries.
    #[command(
        after_help = "Examples:\n  edgeway sql 'SELECT device, avg(wind_speed) AS ws FROM wind_turbine GROUP BY device' --from 1h\n  edgeway sql --live 'SELECT device, ts, active_power FROM wind_turbine' -o csv"
    )]
    Sql(SqlOptions),
    /// Run the tests of a site's scenes and queries, in virtual time
    ///
    /// scenes/*_test.rhai in the site's folder are the tests of its scenes. tests/NAME.jsonl holds messages, tests/NAME.csv
    /// the rows that the query NAME must make of them. At the end it says which steps of scenes no test has reached.
    #[command(
        after_help = "Examples:\n  edgeway test my-site\n  edgeway test my-site --junit results.xml\n  edgeway test my-site --update"
    )]
    Test(TestOptions),
    #[command(flatten)]
    Ask(Ask),
    /// Measure this machine
    #[command(subcommand, after_help = "Example:\n  edgeway bench path --json")]
    Bench(Bench),
    /// Print the completion script of a shell
    #[command(after_help = "Example:\n  edgeway completions bash > /etc/bash_completion.d/edgeway")]
    Completions {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command into a folder
    #[command(after_help = "Examples:\n  edgeway man | man -l -\n  edgeway man --folder /usr/local/share/man/man1")]
    Man {
        /// Where to write a page for each command
        #[arg(long)]
        folder: Option<PathBuf>,
    },
}

/// How engines are measured.
#[derive(clap::Args, Clone)]
pub(crate) struct EngineBenchOptions {
    /// A tenth of the work: quicker and rougher
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which schema.
#[derive(clap::Args, Clone)]
pub(crate) struct SchemaOptions {
    /// The schema to print
    #[arg(value_enum, required_unless_present = "folder")]
    pub(crate) file: Option<SchemaFile>,
    /// Write all of them into this folder, over older ones
    #[arg(long, conflicts_with = "file")]
    pub(crate) folder: Option<PathBuf>,
    /// A site whose own drivers are known too
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) site: PathBuf,
}

/// A file that there is a schema of.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SchemaFile {
    /// edgeway.toml
    Edgeway,
    /// devices.toml and devices/*.toml
    Devices,
    /// routes.toml
    Routes,
}

impl SchemaFile {
    pub(crate) fn of(self) -> SchemaOf {
        match self {
            SchemaFile::Edgeway => SchemaOf::Edgeway,
            SchemaFile::Devices => SchemaOf::Devices,
            SchemaFile::Routes => SchemaOf::Routes,
        }
    }
}

/// Which messages of a journal are meant.
#[derive(clap::Args, Clone)]
pub(crate) struct RecordedOptions {
    /// The site's folder
    #[arg(long, default_value = ".")]
    pub(crate) site: PathBuf,
    /// Only what the gateway has got since: 24h, or 2026-11-26T10:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Only what the gateway got before
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
}

/// What is asked.
#[derive(clap::Args, Clone)]
pub(crate) struct SqlOptions {
    /// A SELECT
    pub(crate) statement: String,
    #[command(flatten)]
    pub(crate) recorded: RecordedOptions,
    /// Follow what comes, until Ctrl-C
    #[arg(long)]
    pub(crate) live: bool,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Rows,
}

/// Which tests run.
#[derive(clap::Args, Clone)]
pub(crate) struct TestOptions {
    /// The site's folder
    #[arg(default_value = ".")]
    pub(crate) site: PathBuf,
    /// Write the rows that come out, to be read and kept
    #[arg(long)]
    pub(crate) update: bool,
    /// Only tests in whose name this stands
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Write the results as JUnit XML, for CI
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

/// The form of rows.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Rows {
    /// For people
    #[default]
    Table,
    /// One JSON object for each row
    Json,
    Csv,
}

/// How the demo runs.
#[derive(clap::Args, Clone)]
pub(crate) struct DemoOptions {
    /// End by itself after this long, `30s`
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) time: Option<Duration>,
    /// Print the summary as one JSON object, as the last line of standard output
    #[arg(long)]
    pub(crate) json: bool,
    /// Plain lines, also on a terminal
    #[arg(long)]
    pub(crate) plain: bool,
    /// What the simulated weather and guests are drawn from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// What can be measured.
#[derive(Subcommand, Clone)]
pub(crate) enum Bench {
    /// The whole way: simulated values through model, journal, 100 scenes, 5 queries and a route to the embedded broker
    ///
    /// Without --rate, looks for the highest rate that is sustained without lag; with it, holds that rate.
    #[command(after_help = "Examples:\n  edgeway bench path\n  edgeway bench path --rate 100000 --json")]
    Path(PathOptions),
    /// The journal alone: append and drain against a bare file in the same run
    ///
    /// Groups of 1, 64 and 1,024 messages of 300 bytes. With the Cargo feature `bench-peers` other stores run beside it.
    #[command(after_help = "Examples:\n  edgeway bench journal\n  edgeway bench journal --json")]
    Journal(JournalBenchOptions),
    /// MQTT, HTTP, CoAP, OPC UA and BLE from the wire to the twin, each beside the bare client of the library that its driver uses
    ///
    /// The devices are processes of their own. MQTT goes through mosquitto where it is installed; OPC UA needs a Python with asyncua, BLE dbus-daemon.
    #[command(
        after_help = "Examples:\n  edgeway bench drivers\n  edgeway bench drivers --only mqtt --for 10s --json\n  edgeway bench drivers --python .venv/bin/python"
    )]
    Drivers(DriversBenchOptions),
    /// Modbus TCP from the wire to the twin, beside the bare client of tokio-modbus; 100,000 values/s from 100 devices
    ///
    /// The devices are a process of their own. Where libmodbus is installed, its C client is measured too.
    #[command(after_help = "Examples:\n  edgeway bench modbus\n  edgeway bench modbus --for 10s --json")]
    Modbus(ModbusBenchOptions),
    /// The contract of drivers: in process, and through processes in Rust and in Python
    #[command(after_help = "Examples:\n  edgeway bench sdk\n  edgeway bench sdk --python .venv/bin/python --json")]
    Sdk(SdkBenchOptions),
    /// The query engine: windows, sessions, state and planning, beside batch queries over the same rows
    #[command(after_help = "Examples:\n  edgeway bench queries\n  edgeway bench queries --quick --json")]
    Queries(EngineBenchOptions),
    /// The scene engine: evaluating, deciding, tracing, loading, replaying, beside bare loops over the same rules
    #[command(after_help = "Examples:\n  edgeway bench scenes\n  edgeway bench scenes --quick --json")]
    Scenes(EngineBenchOptions),
}

/// How the journal is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct JournalBenchOptions {
    /// Where; a temporary folder below this one is used and removed
    #[arg(long, default_value = ".")]
    pub(crate) folder: PathBuf,
    /// What the bench calls itself with: open a journal, read it, and say what that took
    #[arg(long, hide = true)]
    pub(crate) open: Option<PathBuf>,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// How Modbus is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct ModbusBenchOptions {
    /// How long each figure is measured
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub(crate) time: Duration,
    /// What the bench calls itself with: be the devices, until standard input ends
    #[arg(long, hide = true)]
    pub(crate) serve: bool,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// How drivers are measured.
#[derive(clap::Args, Clone)]
pub(crate) struct DriversBenchOptions {
    /// Only these
    #[arg(long, value_name = "DRIVER", value_delimiter = ',')]
    pub(crate) only: Vec<BenchedDriver>,
    /// How long each figure is measured
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "5s")]
    pub(crate) time: Duration,
    /// A Python in which asyncua is installed
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: PathBuf,
    /// What the bench calls itself with: be the devices of this driver, until standard input ends
    #[arg(long, hide = true)]
    pub(crate) serve: Option<BenchedDriver>,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// A driver that has a bench.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BenchedDriver {
    Mqtt,
    Http,
    Coap,
    Opcua,
    Ble,
}

/// How the contract of drivers is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct SdkBenchOptions {
    /// How long each figure is measured
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "3s")]
    pub(crate) time: Duration,
    /// A Python in which `sdk/python` is installed
    #[arg(long, value_name = "PROGRAM", default_value = "python3")]
    pub(crate) python: PathBuf,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// How the way is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct PathOptions {
    /// Hold this many values per second
    #[arg(long)]
    pub(crate) rate: Option<u64>,
    /// How long each rate is held
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub(crate) time: Duration,
    /// Print one JSON object per figure
    #[arg(long)]
    pub(crate) json: bool,
}

/// The form of what is printed.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Output {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}

/// `30s`, `250ms`, `2h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    edgeway_sdk::options::duration::parse(text)
        .ok_or_else(|| "write a duration with its unit: 250ms, 30s, 5m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        fn without(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            for sub in command.get_subcommands() {
                let path = format!("{path} {}", sub.get_name());
                if !sub.get_after_help().is_some_and(|help| help.to_string().contains(&path)) {
                    found.push(path.clone());
                }
                without(sub, &path, found);
            }
        }
        let mut found = vec![];
        without(&Arguments::command(), "edgeway", &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
