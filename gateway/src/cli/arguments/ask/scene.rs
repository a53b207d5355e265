//! `edgeway scene`.

use super::super::RecordedOptions;
use super::ReachOptions;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum SceneCommand {
    /// List scenes with how often they fired and declined
    #[command(after_help = "Example:\n  edgeway scene list")]
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Show a scene as it was understood: what it waits for, what it does
    #[command(after_help = "Example:\n  edgeway scene show wt-07.gear-oil-hot")]
    Show {
        scene: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Say why a scene fired or did not
    #[command(
        after_help = "Examples:\n  edgeway scene why wt-07.gear-oil-hot\n  edgeway scene why wt-07.gear-oil-hot --at 2026-11-26T03:00:00Z"
    )]
    Why {
        scene: String,
        /// Without the decisions since
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Say why a scene does not fire now, and what it would take
    #[command(after_help = "Example:\n  edgeway scene why-not wt-07.gear-oil-hot")]
    WhyNot {
        scene: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Print what scenes decided lately
    #[command(after_help = "Examples:\n  edgeway scene trace\n  edgeway scene trace wt-07.gear-oil-hot --follow")]
    Trace {
        /// Only this one
        scene: Option<String>,
        /// Go on with what they decide, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Run a scene now; its triggers are not asked, its conditions and cooldown are
    #[command(after_help = "Example:\n  edgeway scene run farm.curtail")]
    Run {
        scene: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Let a scene decide and send nothing, or let it send again; also after a restart
    #[command(after_help = "Example:\n  edgeway scene shadow wt-07.gear-oil-hot on")]
    Shadow {
        scene: String,
        #[arg(value_enum)]
        to: OnOff,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Switch a scene on, also one that was switched off because its script ran away
    #[command(after_help = "Example:\n  edgeway scene enable wt-07.gear-oil-hot")]
    Enable {
        scene: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Switch a scene off, also after a restart; its runs end
    #[command(after_help = "Example:\n  edgeway scene disable wt-07.gear-oil-hot")]
    Disable {
        scene: String,
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Take in the site's scenes as they are now; those that have not changed go on as if nothing had happened
    ///
    /// If there is a mistake in the folder, all stays as it is. Models, devices and routes are taken in at a start.
    #[command(after_help = "Example:\n  edgeway scene reload")]
    Reload {
        #[command(flatten)]
        reach: ReachOptions,
    },
    /// Check a file as if it were one of the site's scripts
    #[command(after_help = "Example:\n  edgeway scene check new.rhai --site my-site")]
    Check {
        /// The file
        file: PathBuf,
        /// The site's folder
        #[arg(long, default_value = ".")]
        site: PathBuf,
    },
    /// Run the tests of a site's scenes: scenes/*_test.rhai
    #[command(after_help = "Examples:\n  edgeway scene test my-site\n  edgeway scene test my-site --only derate")]
    Test {
        /// The site's folder
        #[arg(default_value = ".")]
        site: PathBuf,
        /// Only tests in whose name this stands
        #[arg(long, value_name = "TEXT")]
        only: Option<String>,
    },
    /// Run a new version of a script over the journal: what would it have sent, and how does that differ from the version in force
    ///
    /// The file's name says which script it is. Nothing is sent. Commands count as done at once.
    #[command(
        after_help = "Examples:\n  edgeway scene replay new/gear-oil.rhai --from 7d --site my-site\n  edgeway scene replay new/gear-oil.rhai --from 7d --compare"
    )]
    Replay(SceneReplayOptions),
    /// Draw which scene sets off which, and through what
    #[command(
        after_help = "Examples:\n  edgeway scene graph my-site > scenes.dot\n  edgeway scene graph my-site --form svg > scenes.svg"
    )]
    Graph(GraphOptions),
    /// Make a script of a scene of Alibaba Link Edge
    #[command(after_help = "Example:\n  edgeway scene import rule.json --site my-site > my-site/scenes/rule.rhai")]
    Import {
        /// The scene's JSON, `{"type":"IFTTT", ..}`
        file: PathBuf,
        /// The scene's name; the file's name unless given
        #[arg(long)]
        name: Option<String>,
        /// The site's folder
        #[arg(long, default_value = ".")]
        site: PathBuf,
    },
    /// Print the words of scenes as Rhai definitions, for editors
    #[command(after_help = "Example:\n  edgeway scene definitions > my-site/edgeway.d.rhai")]
    Definitions,
}

/// `on` or `off`.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnOff {
    On,
    Off,
}

/// What is replayed.
#[derive(clap::Args, Clone)]
pub(crate) struct SceneReplayOptions {
    /// The new version
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) recorded: RecordedOptions,
    /// Show only what differs from the version in force
    #[arg(long)]
    pub(crate) compare: bool,
    /// How many lines to show at most
    #[arg(long, default_value_t = 50)]
    pub(crate) count: usize,
}

/// What is drawn.
#[derive(clap::Args, Clone)]
pub(crate) struct GraphOptions {
    /// The site's folder
    #[arg(default_value = ".")]
    pub(crate) site: PathBuf,
    /// Only scenes in whose name this stands, and what they have to do with
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub(crate) form: GraphForm,
}

/// The form of a drawing.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum GraphForm {
    /// Graphviz
    #[default]
    Dot,
    /// A picture
    Svg,
}

impl SceneCommand {
    /// Whether it needs no running gateway.
    pub(crate) fn is_local(&self) -> bool {
        matches!(
            self,
            SceneCommand::Check { .. }
                | SceneCommand::Test { .. }
                | SceneCommand::Replay(_)
                | SceneCommand::Graph(_)
                | SceneCommand::Import { .. }
                | SceneCommand::Definitions
        )
    }
}
