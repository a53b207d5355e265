//! `edgeway journal`: what can be said.

use super::Output;
use clap::Subcommand;
use std::path::PathBuf;

/// Which journal.
#[derive(clap::Args, Clone)]
pub(crate) struct Where {
    /// The site's folder, or the journal's own
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

#[derive(Subcommand)]
pub(crate) enum JournalCommand {
    /// List the files of the journal with what is in them
    #[command(after_help = "Example:\n  edgeway journal list my-site")]
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        place: Where,
    },
    /// Sum up each class, and show every consumer's place
    #[command(after_help = "Example:\n  edgeway journal stat my-site")]
    Stat {
        #[command(flatten)]
        place: Where,
    },
    /// Read every byte and check it against its checksum
    ///
    /// Exits with 0 if all is sound, 1 if anything is damaged. Changes nothing.
    #[command(after_help = "Example:\n  edgeway journal verify my-site")]
    Verify {
        #[command(flatten)]
        place: Where,
    },
    /// Print messages, one JSON object a line
    #[command(
        after_help = "Examples:\n  edgeway journal dump my-site --subject 'event/#'\n  edgeway journal dump my-site --from 4711 --count 10"
    )]
    Dump {
        #[command(flatten)]
        place: Where,
        /// Begin at this offset
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// End after so many messages
        #[arg(long)]
        count: Option<u64>,
        /// Only these subjects, with MQTT wildcards
        #[arg(long)]
        subject: Vec<String>,
    },
    /// Write messages into a file of JSON lines
    #[command(after_help = "Example:\n  edgeway journal export my-site --file messages.jsonl")]
    Export {
        #[command(flatten)]
        place: Where,
        /// The file to write; it must not exist
        #[arg(long)]
        file: PathBuf,
        /// Begin at this offset
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Only these subjects, with MQTT wildcards
        #[arg(long)]
        subject: Vec<String>,
    },
}
