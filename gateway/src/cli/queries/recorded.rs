//! The messages of a site's journal, from some time on.

use super::Failure;
use crate::cli::arguments::RecordedOptions;
use crate::cli::journal::{Journal, told};
use crate::clock::Clocks;
use edgeway_codec::MessageCodec;
use edgeway_journal::Class;
use edgeway_journal::inspect::{self, Depth};
use edgeway_sdk::{Timestamp, options::duration};
use edgeway_thing_models::{Message, Things};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Messages read at a time.
const FETCH: usize = 4096;
/// How long it may take before there is a progress bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Messages with their offsets.
pub(super) type Entries = Vec<(u64, Arc<Message>)>;

/// Reads messages, oldest first.
pub(super) struct Recorded {
    pub(super) things: Arc<Things>,
    entries: inspect::Entries<MessageCodec>,
    clocks: Arc<Clocks>,
    span: Span,
    dir: PathBuf,
    begun: Instant,
    bar: Option<ProgressBar>,
    end: u64,
    /// Messages that could not be read.
    pub(super) lost: u64,
}

/// From when to when, by when the gateway got a message.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: Timestamp,
    to: Timestamp,
}

impl Span {
    /// `24h` is so long ago; else a time as in RFC 3339. Without a beginning all that there is.
    fn of(from: Option<&str>, to: Option<&str>, now: Timestamp) -> Result<Span, Failure> {
        let time = |text: &str| {
            let ago = duration::parse(text).map(|ago| before(now, ago));
            ago.or_else(|| Timestamp::parse(text)).ok_or_else(|| {
                format!("`{text}` is neither a duration nor a time: write 24h, 90m or 2026-11-26T10:00:00Z")
            })
        };
        let from = from.map_or(Ok(Timestamp::from_nanos(i64::MIN)), time)?;
        Ok(Span { from, to: to.map_or(Ok(Timestamp::from_nanos(i64::MAX)), time)? })
    }
}

fn before(now: Timestamp, ago: Duration) -> Timestamp {
    Timestamp::from_nanos(now.as_nanos().saturating_sub(i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX)))
}

impl Recorded {
    /// Of the journal of a site's folder.
    pub(super) fn open(options: &RecordedOptions) -> Result<Recorded, Failure> {
        let (folder, now) = (&*options.site, Timestamp::now());
        let span = Span::of(options.from.as_deref(), options.to.as_deref(), now)?;
        let journal = Journal::find(folder)?;
        let dir = journal.dir.clone();
        let (first, end) = offsets(&dir, span)?;
        let (things, codec) = journal.codec()?;
        let entries = inspect::entries(&dir, codec, None, first).map_err(told)?;
        let clocks = Clocks::load(dir.parent().unwrap_or(&dir));
        Ok(Recorded { things, entries, clocks, span, dir, begun: Instant::now(), bar: None, end, lost: 0 })
    }

    /// The next messages; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entries>, Failure> {
        let Some(fetched) = self.entries.next(FETCH).map_err(told)? else {
            if let Some(bar) = &self.bar {
                bar.finish_and_clear();
            }
            return Ok(None);
        };
        if let Some(lost) = fetched.lost {
            self.lost += lost.count;
            eprintln!("warning: offsets {} to {}: {} lost, {}", lost.from, lost.to, lost.count, lost.reason.as_str());
        }
        self.show();
        let corrected = fetched.entries.iter().map(|entry| (entry.offset, self.clocks.correct(entry).0));
        Ok(Some(corrected.filter(|(_, m)| m.time >= self.span.from && m.time < self.span.to).collect()))
    }

    /// The offset of the next message.
    pub(super) fn position(&self) -> u64 {
        self.entries.position()
    }

    /// Goes on with what has come since.
    pub(super) fn look_again(&mut self, folder: &Path) -> Result<(), Failure> {
        let (_, codec) = Journal::find(folder)?.codec()?;
        self.entries = inspect::entries(&self.dir, codec, None, self.position()).map_err(told)?;
        Ok(())
    }

    fn show(&mut self) {
        if self.bar.is_none() && self.begun.elapsed() > PATIENCE {
            let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} messages, {eta} left");
            self.bar = Some(ProgressBar::new(self.end).with_style(style.expect("the template is sound")));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.entries.position());
        }
    }
}

/// Where to begin, so that nothing of the span is missed, and the offset behind the last message.
fn offsets(dir: &Path, span: Span) -> Result<(u64, u64), Failure> {
    let segments = inspect::segments(dir, Depth::Headers).map_err(told)?;
    let first = |class: Class| {
        let of_class = segments.iter().filter(|segment| segment.class == class);
        // The last segment that was begun before the span, or the first that there is.
        let mut before = of_class.clone().filter(|segment| segment.created.wall_nanos <= span.from.as_nanos());
        before.next_back().or(of_class.clone().next()).map(|segment| segment.first)
    };
    let end = segments.iter().map(|segment| segment.end).max().unwrap_or_default();
    Ok((Class::ALL.into_iter().filter_map(first).min().unwrap_or_default(), end))
}
