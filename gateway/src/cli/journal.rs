//! `edgeway journal`: looks into a journal's folder, whether a gateway has it open or not. Changes nothing.

mod dump;
mod place;

use super::arguments::{JournalCommand, Output, Where};
use super::exit;
use crate::client::{table, wording};
use edgeway_journal::Class;
use edgeway_journal::inspect::{self, Condition, Depth, SegmentInfo};
use edgeway_sdk::Timestamp;
use indicatif::{ProgressBar, ProgressStyle};
pub(super) use place::Journal;
use table::{Cell, Colours, Tone};

/// Why an errand could not be done; for the edge, so a text.
type Failure = String;

pub(super) fn run(command: JournalCommand) -> u8 {
    let done = match command {
        JournalCommand::List { place } => list(&place),
        JournalCommand::Stat { place } => stat(&place),
        JournalCommand::Verify { place } => verify(&place),
        JournalCommand::Dump { place, from, count, subject } => dump::print(&place.folder, from, count, &subject),
        JournalCommand::Export { place, file, from, subject } => dump::export(&place.folder, &file, from, &subject),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        exit::FINDINGS
    })
}

fn list(place: &Where) -> Result<u8, Failure> {
    let journal = Journal::find(&place.folder)?;
    let segments = inspect::segments(&journal.dir, Depth::Headers).map_err(told)?;
    match place.output {
        Output::Json => println!("{:#}", segments.iter().map(segment_json).collect::<serde_json::Value>()),
        Output::Table => {
            let rows: Vec<_> = segments.iter().map(segment_row).collect();
            let titles = ["class", "file", "first", "end", "messages", "size", "begun", "start", "format"];
            print!("{}", table::layout(&titles, &rows, Colours::of_stdout()));
        }
    }
    Ok(exit::OK)
}

fn segment_row(segment: &SegmentInfo) -> Vec<Cell> {
    vec![
        Cell::text(segment.class.as_str()),
        Cell::text(segment.path.file_name().unwrap_or_default().to_string_lossy()),
        Cell::number(segment.first),
        Cell::number(segment.end),
        Cell::number(segment.items),
        Cell::text(wording::bytes(segment.bytes_on_disk)),
        Cell::text(begun(segment)),
        Cell::number(segment.created.epoch),
        Cell::number(segment.version),
    ]
}

fn begun(segment: &SegmentInfo) -> String {
    Timestamp::from_nanos(segment.created.wall_nanos).to_string()
}

fn segment_json(segment: &SegmentInfo) -> serde_json::Value {
    serde_json::json!({
        "class": segment.class.as_str(),
        "path": segment.path,
        "first": segment.first,
        "end": segment.end,
        "messages": segment.items,
        "bytes_on_disk": segment.bytes_on_disk,
        "begun": begun(segment),
        "epoch": segment.created.epoch,
        "version": segment.version,
    })
}

/// Reads every byte: sizes before and after compression are only known then.
fn stat(place: &Where) -> Result<u8, Failure> {
    let journal = Journal::find(&place.folder)?;
    let segments = inspect::segments(&journal.dir, Depth::Frames).map_err(told)?;
    let cursors = inspect::cursors(&journal.dir).map_err(told)?;
    let classes = Class::ALL.map(|class| Sum::of(class, &segments));
    if place.output == Output::Json {
        let cursors = cursors.iter().map(|(name, place)| (name.clone(), serde_json::json!(place.positions)));
        let cursors: serde_json::Map<String, serde_json::Value> = cursors.collect();
        let classes: Vec<_> = classes.iter().map(Sum::json).collect();
        println!("{:#}", serde_json::json!({"classes": classes, "cursors": cursors}));
        return Ok(exit::OK);
    }
    let rows: Vec<_> = classes.iter().map(Sum::row).collect();
    let titles =
        ["class", "files", "first", "end", "messages", "size", "bytes/message", "uncompressed", "damaged files"];
    print!("{}", table::layout(&titles, &rows, Colours::of_stdout()));
    let rows: Vec<_> = cursors
        .iter()
        .map(|(name, place)| [Cell::text(name)].into_iter().chain(place.positions.map(Cell::number)).collect())
        .collect();
    if !rows.is_empty() {
        print!("\n{}", table::layout(&["consumer", "critical", "normal", "bulk"], &rows, Colours::of_stdout()));
    }
    Ok(exit::OK)
}

/// A class in all.
struct Sum {
    class: Class,
    files: usize,
    first: u64,
    end: u64,
    items: u64,
    bytes_on_disk: u64,
    raw_bytes: u64,
    damaged: usize,
}

impl Sum {
    fn of(class: Class, segments: &[SegmentInfo]) -> Self {
        let of_class: Vec<&SegmentInfo> = segments.iter().filter(|segment| segment.class == class).collect();
        Sum {
            class,
            files: of_class.len(),
            first: of_class.first().map_or(0, |segment| segment.first),
            end: of_class.last().map_or(0, |segment| segment.end),
            items: of_class.iter().map(|segment| segment.items).sum(),
            bytes_on_disk: of_class.iter().map(|segment| segment.bytes_on_disk).sum(),
            raw_bytes: of_class.iter().filter_map(|segment| segment.raw_bytes).sum(),
            damaged: of_class.iter().filter(|segment| segment.condition == Condition::Damaged).count(),
        }
    }

    fn row(&self) -> Vec<Cell> {
        let per_message = self.bytes_on_disk as f64 / self.items.max(1) as f64;
        vec![
            Cell::text(self.class.as_str()),
            Cell::number(self.files),
            Cell::number(self.first),
            Cell::number(self.end),
            Cell::number(self.items),
            Cell::text(wording::bytes(self.bytes_on_disk)),
            Cell::text(if self.items > 0 { format!("{per_message:.0}") } else { String::new() }),
            Cell::text(wording::bytes(self.raw_bytes)),
            Cell::number(self.damaged).tone(if self.damaged > 0 { Tone::Bad } else { Tone::Plain }),
        ]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "class": self.class.as_str(),
            "files": self.files,
            "first": self.first,
            "end": self.end,
            "messages": self.items,
            "bytes_on_disk": self.bytes_on_disk,
            "raw_bytes": self.raw_bytes,
            "damaged_files": self.damaged,
        })
    }
}

fn verify(place: &Where) -> Result<u8, Failure> {
    let journal = Journal::find(&place.folder)?;
    let bar = bar();
    let findings = inspect::verify(&journal.dir, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let findings = findings.map_err(told)?;
    match place.output {
        Output::Json => {
            let one = |f: &inspect::Finding| serde_json::json!({"path": f.path, "byte": f.byte, "what": f.what});
            println!("{:#}", findings.iter().map(one).collect::<serde_json::Value>());
        }
        Output::Table => {
            findings.iter().for_each(|f| println!("{}: from byte {}: {}", f.path.display(), f.byte, f.what));
            match findings.len() {
                0 => println!("ok: every byte of {} is as it was written", journal.dir.display()),
                count => println!("{count} damaged; what is sound around them is read all the same"),
            }
        }
    }
    Ok(if findings.is_empty() { exit::OK } else { exit::FINDINGS })
}

/// On a terminal only.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {binary_bytes} of {binary_total_bytes}, {eta} left");
    ProgressBar::new(0).with_style(style.expect("the template is sound"))
}

pub(super) fn told(error: edgeway_journal::Error) -> Failure {
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
