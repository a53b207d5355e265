//! The messages that a site has recorded, from some time on: those of its journal, and from before it those in the
//! Parquet files on this machine that its routes have written.

use super::Failure;
use crate::cli::arguments::RecordedOptions;
use crate::cli::journal::{Journal, told};
use crate::client::wording;
use crate::clock::Clocks;
use edgeway_codec::MessageCodec;
use edgeway_journal::Class;
use edgeway_journal::inspect::{self, Depth};
use edgeway_sdk::{Timestamp, options::duration};
use edgeway_site::{ObjectStore, RouteSite, Site, TargetKind};
use edgeway_targets::{Archive, Wanted};
use edgeway_thing_models::{GatewayId, Message, Things};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Messages read at a time.
const FETCH: usize = 4096;
/// How long it may take before there is a progress bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Messages with their offsets.
pub(in crate::cli) type Entries = Vec<(u64, Arc<Message>)>;

/// Reads messages, in the order of the journal.
pub(in crate::cli) struct Recorded {
    pub(in crate::cli) things: Arc<Things>,
    entries: inspect::Entries<MessageCodec>,
    /// What the journal does not have any more.
    archive: Option<Archive>,
    gateway: GatewayId,
    /// Read from the journal, and behind what comes next of the archive.
    waiting: VecDeque<(u64, Arc<Message>)>,
    /// Whether all of the journal has been read.
    is_read: bool,
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

    fn holds(&self, message: &Message) -> bool {
        message.time >= self.from && message.time < self.to
    }
}

fn before(now: Timestamp, ago: Duration) -> Timestamp {
    Timestamp::from_nanos(now.as_nanos().saturating_sub(i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX)))
}

impl Recorded {
    /// Of a site.
    pub(in crate::cli) fn open(options: &RecordedOptions, site: &Site) -> Result<Recorded, Failure> {
        let (folder, now) = (&*options.site, Timestamp::now());
        let span = Span::of(options.from.as_deref(), options.to.as_deref(), now)?;
        let journal = Journal::find(folder)?;
        let (dir, gateway) = (journal.dir.clone(), journal.gateway);
        let Offsets { first, complete, end } = offsets(&dir, span)?;
        let (things, codec) = journal.codec()?;
        let entries = inspect::entries(&dir, codec, None, first).map_err(told)?;
        let clocks = Clocks::load(dir.parent().unwrap_or(&dir));
        let wanted = Wanted { from: span.from, to: span.to, before: (gateway, complete) };
        let mut archive = archive(site, &things, wanted)?;
        let lost = warn(archive.troubles());
        let archive = archive.peek().is_some().then_some(archive);
        let (waiting, begun) = (VecDeque::new(), Instant::now());
        let (is_read, bar) = (false, None);
        Ok(Recorded { things, entries, archive, gateway, waiting, is_read, clocks, span, dir, begun, bar, end, lost })
    }

    /// The next messages; `None` at the end.
    pub(in crate::cli) fn next(&mut self) -> Result<Option<Entries>, Failure> {
        if self.archive.is_none() {
            return self.journal();
        }
        let mut entries = vec![];
        while entries.len() < FETCH {
            while self.waiting.is_empty() && !self.is_read {
                match self.journal()? {
                    Some(entries) => self.waiting.extend(entries),
                    None => self.is_read = true,
                }
            }
            let Some(entry) = self.archived() else {
                // From here on the journal has all.
                self.archive = None;
                entries.extend(self.waiting.drain(..));
                break;
            };
            entries.push(entry);
        }
        self.show();
        entries.retain(|(_, message)| self.span.holds(message));
        Ok(Some(entries))
    }

    /// The next message, as long as the archive has any: its own, or what the journal has before that.
    fn archived(&mut self) -> Option<(u64, Arc<Message>)> {
        let archive = self.archive.as_mut()?;
        self.lost += warn(archive.troubles());
        let id = archive.peek()?;
        let is_own = id.gateway == self.gateway;
        if is_own && let Some((offset, _)) = self.waiting.front().filter(|(offset, _)| *offset <= id.offset) {
            if *offset == id.offset {
                archive.next();
            }
            return self.waiting.pop_front();
        }
        let (id, message) = archive.next()?;
        // Of another journal, its places mean nothing here.
        let offset = if is_own { id.offset } else { 0 };
        Some((offset, Arc::new(message)))
    }

    /// The next messages of the journal.
    fn journal(&mut self) -> Result<Option<Entries>, Failure> {
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
        Ok(Some(corrected.filter(|(_, message)| self.span.holds(message)).collect()))
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
            let style = ProgressStyle::with_template("{bar:40} {msg}{human_pos} of {human_len} messages, {eta} left");
            self.bar = Some(ProgressBar::new(self.end).with_style(style.expect("the template is sound")));
        }
        let Some(bar) = &self.bar else { return };
        if let Some(archive) = &self.archive {
            let (read, all) = archive.progress();
            bar.set_message(format!("{} of {} of Parquet files, ", wording::bytes(read), wording::bytes(all)));
        } else {
            bar.set_message("");
        }
        bar.set_position(self.entries.position());
    }
}

/// What the routes of a site have written into folders here. A `select` writes less than messages.
fn archive(site: &Site, things: &Arc<Things>, wanted: Wanted) -> Result<Archive, Failure> {
    let whole = site.routes.iter().filter(|route| route.select.is_none());
    let folder = |route: &RouteSite| match &site.targets[route.target].kind {
        TargetKind::Parquet(target) => match &target.store {
            ObjectStore::Folder(folder) => Some(folder.clone()),
            ObjectStore::S3 { .. } => None,
        },
        _ => None,
    };
    let folders: BTreeSet<PathBuf> = whole.filter_map(folder).collect();
    let folders: Vec<PathBuf> = folders.into_iter().collect();
    Archive::open(&folders, things.clone(), wanted).map_err(|error| {
        let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        format!("{}: {error}", names.join(", "))
    })
}

/// Tells of files that are passed over; how many.
fn warn(troubles: Vec<String>) -> u64 {
    troubles.iter().for_each(|trouble| eprintln!("warning: {trouble}"));
    troubles.len() as u64
}

/// Places in the journal.
struct Offsets {
    /// Where to begin, so that nothing of the span is missed.
    first: u64,
    /// From here on the journal has all.
    complete: u64,
    /// Behind the last message.
    end: u64,
}

fn offsets(dir: &Path, span: Span) -> Result<Offsets, Failure> {
    let segments = inspect::segments(dir, Depth::Headers).map_err(told)?;
    let of_class = |class: Class| segments.iter().filter(move |segment| segment.class == class);
    let first = |class: Class| {
        // The last segment that was begun before the span, or the first that there is.
        let mut before = of_class(class).filter(|segment| segment.created.wall_nanos <= span.from.as_nanos());
        before.next_back().or(of_class(class).next()).map(|segment| segment.first)
    };
    let complete = Class::ALL.into_iter().filter_map(|class| Some(of_class(class).next()?.first)).max();
    let end = segments.iter().map(|segment| segment.end).max().unwrap_or_default();
    let first = Class::ALL.into_iter().filter_map(first).min().unwrap_or_default();
    Ok(Offsets { first, complete: complete.unwrap_or_default(), end })
}
