//! The commands about drivers and points, which need no running gateway.

use super::{Output, ReachOptions, duration};
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Subcommand, Clone)]
pub(crate) enum DriverCommand {
    /// List the drivers of this build, and those that a site adds
    #[command(after_help = "Example:\n  edgeway driver list")]
    #[command(visible_alias = "ls")]
    List {
        /// A site whose own drivers are known too
        #[arg(long, value_name = "DIR", default_value = ".")]
        site: PathBuf,
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Show every option of a driver; as JSON, its manifest with JSON Schemas
    #[command(
        after_help = "Examples:\n  edgeway driver describe modbus\n  edgeway driver describe modbus -o json | jq .options.point"
    )]
    Describe {
        /// Its name
        driver: String,
        /// A site whose own drivers are known too
        #[arg(long, value_name = "DIR", default_value = ".")]
        site: PathBuf,
        #[arg(short, long, value_enum, default_value_t)]
        output: Output,
    },
    /// Write a new driver that works, for an imaginary protocol, to be made into your own
    #[command(
        after_help = "Examples:\n  edgeway driver new my-protocol\n  edgeway driver new my-protocol --python --folder drivers/my-protocol"
    )]
    New(NewDriverOptions),
    /// Put a driver to the test: late, damaged and missing answers, dead devices, deadlines, leaks
    ///
    /// The driver is called as the gateway calls it, through a proxy in which things go wrong. What it is tested with, a device
    /// and what it holds, is in a file whose layout `sdk/conformance/README.md` explains.
    #[command(
        after_help = "Examples:\n  edgeway driver test my-protocol --site site --subject conformance.toml\n  edgeway driver test modbus --subject drivers/modbus/conformance.toml --long --seed 17"
    )]
    Test(TestDriverOptions),
    /// Show how the processes of a running gateway's drivers are; of one, also its last lines
    #[command(after_help = "Examples:\n  edgeway driver status\n  edgeway driver status acme")]
    Status {
        /// Its name
        driver: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Look for devices on a wire
    ///
    /// A serial line, and a device that takes one connection, cannot be shared with a gateway that runs.
    #[command(
        after_help = "Examples:\n  edgeway driver probe modbus:tcp://10.0.0.20\n  edgeway driver probe 'modbus:serial:///dev/ttyUSB0;baud=9600;units=[1,32]'"
    )]
    Probe(ProbeOptions),
    /// List what a device has to offer
    ///
    /// With --propose a model and a device of that id are written into the site, made of what was found, for you to edit and keep.
    #[command(
        after_help = "Examples:\n  edgeway driver browse 'simulator:;world=hotel;unit=1'\n  edgeway driver browse 'opcua:opc.tcp://10.0.0.5:4840;root=\"nsu=urn:plc;s=Boiler\"' --propose boiler-1 --site my-site"
    )]
    Browse(BrowseOptions),
}

/// What is written.
#[derive(clap::Args, Clone)]
pub(crate) struct NewDriverOptions {
    /// The driver's name: lower-case letters, digits and `-`
    pub(crate) name: String,
    /// In Python; otherwise in Rust
    #[arg(long)]
    pub(crate) python: bool,
    /// Where; a folder of the driver's name unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// The folder `sdk` of a checkout of Edgeway, for a driver in Rust; looked for above the new folder unless given
    #[arg(long, value_name = "DIR")]
    pub(crate) sdk: Option<PathBuf>,
}

/// What is put to the test, and how.
#[derive(clap::Args, Clone)]
pub(crate) struct TestDriverOptions {
    /// Its name
    pub(crate) driver: String,
    /// What it is tested with; `conformance.toml` in the site's folder or beside it, unless given
    #[arg(long, value_name = "FILE")]
    pub(crate) subject: Option<PathBuf>,
    /// Repeat the run with this seed
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Some minutes instead of some seconds
    #[arg(long)]
    pub(crate) long: bool,
    /// A site whose own drivers are known too
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) site: PathBuf,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Where to look.
#[derive(clap::Args, Clone)]
pub(crate) struct ProbeOptions {
    /// DRIVER:ENDPOINT, then options of the link and the device, each after a semicolon
    #[arg(value_name = "WHERE")]
    pub(crate) place: String,
    /// A site whose own drivers are known too
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) site: PathBuf,
    /// Look no longer than this
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5m")]
    pub(crate) within: Duration,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// Where to look, and what to make of it.
#[derive(clap::Args, Clone)]
pub(crate) struct BrowseOptions {
    #[command(flatten)]
    pub(crate) at: ProbeOptions,
    /// Write a model and a device of this id into the site; nothing is overwritten
    #[arg(long, value_name = "DEVICE")]
    pub(crate) propose: Option<String>,
}

#[derive(Subcommand, Clone)]
pub(crate) enum PointCommand {
    /// Read one point, without a site
    ///
    /// A serial line, and a device that takes one connection, cannot be shared with a gateway that runs.
    #[command(
        after_help = "Examples:\n  edgeway point test 'modbus:tcp://10.0.0.20;unit=7;holding:100;f32'\n  edgeway point test 'modbus:serial:///dev/ttyUSB0;baud=9600;parity=none;unit=3;input:0;i16' --count 5"
    )]
    Test(TestPointOptions),
    /// Read a range, and say which addresses, types, orders and scales explain the value on the device's display
    #[command(
        after_help = "Example:\n  edgeway point solve 'modbus:tcp://10.0.0.20;unit=7;holding:0' --registers 100 --value 21.5"
    )]
    Solve(SolveOptions),
}

/// Which point.
#[derive(clap::Args, Clone)]
pub(crate) struct TestPointOptions {
    /// DRIVER:ENDPOINT;ADDRESS;TYPE, with options of the link, the device and the point as KEY=VALUE in between
    #[arg(value_name = "POINT")]
    pub(crate) place: String,
    /// A site whose own drivers are known too
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) site: PathBuf,
    /// How often to read it, a second apart
    #[arg(long, default_value_t = 1)]
    pub(crate) count: u32,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// What is looked for.
#[derive(clap::Args, Clone)]
pub(crate) struct SolveOptions {
    /// DRIVER:ENDPOINT;ADDRESS of the first register
    #[arg(value_name = "POINT")]
    pub(crate) place: String,
    /// A site whose own drivers are known too
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) site: PathBuf,
    /// How many registers to read from there
    #[arg(long, default_value_t = 100)]
    pub(crate) registers: u16,
    /// What the device shows, as precisely as it shows it: 21.50 is not 21.5
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) value: String,
    /// How many explanations to show
    #[arg(long, default_value_t = 10)]
    pub(crate) count: usize,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}
