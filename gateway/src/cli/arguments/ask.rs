//! The commands that talk to a running gateway.

mod scene;

pub(crate) use scene::{GraphForm, GraphOptions, OnOff, SceneCommand, SceneReplayOptions};

use super::{Output, RecordedOptions, duration};
use clap::Subcommand;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Subcommand)]
pub(crate) enum Ask {
    /// Devices: list them, read them, set properties, call services; import and export their points as sheets
    #[command(subcommand, after_help = "Example:\n  edgeway device list --site my-site")]
    Device(DeviceCommand),
    /// Links: how busy each wire is, and what its driver counts
    #[command(subcommand, after_help = "Example:\n  edgeway link list --site my-site")]
    Link(LinkCommand),
    /// Scenes: list them, ask why and why not, test, replay and reload them
    #[command(subcommand, after_help = "Example:\n  edgeway scene list --site my-site")]
    Scene(SceneCommand),
    /// Queries: list them, see what they hold, explain, check and replay them
    #[command(subcommand, after_help = "Example:\n  edgeway query list --site my-site")]
    Query(QueryCommand),
    /// Routes: list them, see what became of their messages, pause, resume, seek, test
    #[command(subcommand, after_help = "Example:\n  edgeway route list --site my-site")]
    Route(RouteCommand),
    /// Dead letters: messages that a target refused for good
    #[command(subcommand, after_help = "Example:\n  edgeway deadletter list --site my-site")]
    Deadletter(DeadletterCommand),
    /// Print messages as they come, until Ctrl-C
    #[command(
        after_help = "Examples:\n  edgeway tap 'property/wind-turbine/+'\n  edgeway tap 'scene/#' 'command/#' -o json"
    )]
    Tap {
        /// Which subjects, with MQTT wildcards
        #[arg(default_value = "#")]
        filters: Vec<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show how the gateway is doing
    #[command(after_help = "Examples:\n  edgeway status\n  edgeway status -o json | jq .routes")]
    Status {
        #[command(flatten)]
        reach: ReachOptions,
    },
}

/// How to reach the gateway, and how to print.
#[derive(clap::Args, Clone)]
pub(crate) struct ReachOptions {
    /// The site's folder, for the API's address and token; the current folder unless given
    #[arg(long)]
    pub(crate) site: Option<PathBuf>,
    /// The API's address instead, `http://127.0.0.1:8080` (or EDGEWAY_URL)
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// The file with the API's token (or EDGEWAY_TOKEN with the token itself)
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Subcommand)]
pub(crate) enum LinkCommand {
    /// List links with how busy they are
    #[command(after_help = "Example:\n  edgeway link list")]
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show one link with everything that is counted
    #[command(after_help = "Example:\n  edgeway link show farm")]
    Show {
        link: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
}

#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// List devices with their state
    #[command(
        after_help = "Examples:\n  edgeway device list\n  edgeway device list --model wind-turbine --state offline"
    )]
    List {
        /// Only devices of this model
        #[arg(long)]
        model: Option<String>,
        /// Only devices in this state: online, degraded, offline, unknown
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show a device's properties with quality and age
    #[command(after_help = "Examples:\n  edgeway device get wt-07\n  edgeway device get wt-07 wind_speed -o json")]
    Get {
        device: String,
        /// Only this property
        property: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Set a property and wait for the device's answer
    #[command(
        after_help = "Examples:\n  edgeway device set wt-07 power_limit 1500\n  edgeway device set room-301 ac_mode cool --within 3s"
    )]
    Set {
        device: String,
        property: String,
        /// A number, true or false, a label of an enum, or JSON
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// The command is never applied later than this
        #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
        within: Duration,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Call a service and wait for its result
    #[command(
        after_help = "Examples:\n  edgeway device call wt-07 stop mode=normal\n  edgeway device call room-301 identify '{\"seconds\": 5}'"
    )]
    Call {
        device: String,
        service: String,
        /// The input as NAME=VALUE, or one JSON object
        input: Vec<String>,
        /// The command is never applied later than this
        #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
        within: Duration,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Make a CSV file with a row for each point into a file of a site
    ///
    /// Every mistake is told with its row and column, and nothing is written unless all is right. The columns are those of
    /// `edgeway device export`, in any order; the site's README explains them. The file is read at the next start.
    #[command(
        after_help = "Examples:\n  edgeway device import points.csv --dry-run\n  edgeway device import points.csv --into devices/meters.toml --site my-site"
    )]
    Import(ImportOptions),
    /// Print the points of a site as CSV, a row for each
    #[command(
        after_help = "Examples:\n  edgeway device export --site my-site > points.csv\n  edgeway device export --device wt-01 --device wt-02"
    )]
    Export(ExportOptions),
    /// Print a file with simulated devices of a model: plausible values, events and services
    ///
    /// Put it into the site's folder `devices`. Every value in it may be changed.
    #[command(
        after_help = "Examples:\n  edgeway device simulate wind-turbine --count 50 > devices/fleet.toml\n  edgeway device simulate my-pump --site my-site --prefix pump"
    )]
    Simulate(SimulateOptions),
}

impl DeviceCommand {
    /// Whether it needs no running gateway.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self, DeviceCommand::Import(_) | DeviceCommand::Export(_) | DeviceCommand::Simulate(_))
    }
}

/// What is imported.
#[derive(clap::Args, Clone)]
pub(crate) struct ImportOptions {
    /// The CSV file; `-` for standard input
    pub(crate) file: PathBuf,
    /// The file to write, in the site's folder `devices`; called like the CSV file unless given
    #[arg(long, value_name = "devices/NAME.toml")]
    pub(crate) into: Option<PathBuf>,
    /// The site's folder
    #[arg(long, default_value = ".")]
    pub(crate) site: PathBuf,
    /// Print what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace a file that is there already
    #[arg(long)]
    pub(crate) force: bool,
}

/// What is simulated.
#[derive(clap::Args, Clone)]
pub(crate) struct SimulateOptions {
    /// A model of the site, or a ready-made one
    pub(crate) model: String,
    /// How many devices
    #[arg(long, default_value_t = 20)]
    pub(crate) count: u32,
    /// What their ids begin with; the model's name unless given
    #[arg(long)]
    pub(crate) prefix: Option<String>,
    /// The name of their link
    #[arg(long, default_value = "fleet")]
    pub(crate) link: String,
    /// Another seed, another fleet
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The site's folder
    #[arg(long, default_value = ".")]
    pub(crate) site: PathBuf,
}

/// What is exported.
#[derive(clap::Args, Clone)]
pub(crate) struct ExportOptions {
    /// Only these devices
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) device: Vec<String>,
    /// The site's folder
    #[arg(long, default_value = ".")]
    pub(crate) site: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum QueryCommand {
    /// List queries with rows in, rows out, late rows and watermark
    #[command(after_help = "Example:\n  edgeway query list")]
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show what queries hold and how they keep up: groups, memory, watermark, time they take
    #[command(after_help = "Example:\n  edgeway query stat")]
    Stat {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Take in the site's queries and tables as they are now; those that have not changed go on with what they remember
    ///
    /// If there is a mistake in the folder, all stays as it is. Models, devices and routes are taken in at a start.
    #[command(after_help = "Examples:\n  edgeway query reload\n  edgeway query reload --warm 1h")]
    Reload {
        /// Let new and changed queries begin as if they had run for so long; longer than their longest window is right
        #[arg(long, value_name = "DURATION")]
        warm: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show what a query of a site does, step by step
    #[command(after_help = "Example:\n  edgeway query explain power_1m --site my-site")]
    Explain {
        /// Its name
        query: String,
        /// The site's folder
        #[arg(long, default_value = ".")]
        site: PathBuf,
    },
    /// Check a file as if it were one of the site's queries
    #[command(after_help = "Example:\n  edgeway query check new.sql --site my-site")]
    Check {
        /// The file
        file: PathBuf,
        /// The site's folder
        #[arg(long, default_value = ".")]
        site: PathBuf,
    },
    /// Run a new version of a query over the journal, and show the rows that differ from the version in force
    ///
    /// The file's name says which query it is.
    #[command(after_help = "Example:\n  edgeway query replay new/power_1m.sql --from 24h --site my-site")]
    Replay(ReplayOptions),
}

impl QueryCommand {
    /// Whether it needs no running gateway.
    pub(crate) fn is_local(&self) -> bool {
        !matches!(self, QueryCommand::List { .. } | QueryCommand::Stat { .. } | QueryCommand::Reload { .. })
    }
}

/// What is replayed.
#[derive(clap::Args, Clone)]
pub(crate) struct ReplayOptions {
    /// The new version
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) recorded: RecordedOptions,
    /// How many lines to show at most
    #[arg(long, default_value_t = 50)]
    pub(crate) count: usize,
}

#[derive(Subcommand)]
pub(crate) enum RouteCommand {
    /// List routes with what became of their messages
    #[command(after_help = "Example:\n  edgeway route list")]
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show what became of a route's messages, by device: taken = delivered + queued + expired + dropped + dead
    #[command(after_help = "Examples:\n  edgeway route stat telemetry\n  edgeway route stat telemetry -o json")]
    Stat {
        route: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Open a second connection to a route's target and close it again; nothing is sent
    #[command(after_help = "Example:\n  edgeway route test telemetry")]
    Test {
        route: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Stop a route from sending, also after a restart; its messages wait
    #[command(after_help = "Example:\n  edgeway route pause telemetry")]
    Pause {
        route: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Let a paused route send again
    #[command(after_help = "Example:\n  edgeway route resume telemetry")]
    Resume {
        route: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Let a route go on at another place of the journal: what waits before it is dropped, what lies behind it is sent again
    #[command(after_help = "Examples:\n  edgeway route seek telemetry start\n  edgeway route seek telemetry 4711")]
    Seek {
        route: String,
        /// `start` (the oldest message kept), `end` (the next new one) or an offset
        to: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
}

#[derive(Subcommand)]
pub(crate) enum DeadletterCommand {
    /// List messages that a target refused for good, oldest first
    #[command(after_help = "Examples:\n  edgeway deadletter list\n  edgeway deadletter list --route telemetry")]
    #[command(visible_alias = "ls")]
    List {
        /// Only those of this route
        #[arg(long)]
        route: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show a dead letter with its message
    #[command(after_help = "Example:\n  edgeway deadletter show 12")]
    Show {
        number: u64,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Send dead letters again; each is struck off once its target has taken it
    #[command(
        after_help = "Examples:\n  edgeway deadletter redrive 12 13\n  edgeway deadletter redrive --route telemetry\n  edgeway deadletter redrive --all"
    )]
    Redrive {
        /// Which; or all of a route, or all
        #[arg(required_unless_present_any = ["route", "all"], conflicts_with_all = ["route", "all"])]
        numbers: Vec<u64>,
        /// All of this route
        #[arg(long, conflicts_with = "all")]
        route: Option<String>,
        /// All there are
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        reach: ReachOptions,
    },
}
