//! All queries of a site.

mod explain;
pub(crate) mod load;

use crate::catalog::Feed;
use crate::intake::Intake;
use crate::lookups::LookupFile;
use crate::operator::Held;
use crate::query::{From, Query, Step};
use crate::rows::{Flow, Mark, NEVER};
use crate::selection::Kind;
use crate::source::{Source as Judge, Taken};
use crate::state::{Reader, Writer};
use edgeway_sdk::{Problem, Timestamp};
use edgeway_thing_models::{Body, Message, ModelIx, PropertyIx, Things};
use jiff::tz::TimeZone;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The most messages that are made into one batch.
const BATCH_MESSAGES_MAX: usize = 4096;

/// What queries can name beside each other.
#[derive(Debug, Clone)]
pub struct Site {
    /// Models and devices.
    pub things: Arc<Things>,
    /// Where its days and months begin.
    pub zone: TimeZone,
    /// Its CSV files.
    pub tables: Vec<LookupFile>,
    /// How much memory the state of all queries may take together, in bytes.
    pub memory: usize,
}

impl std::convert::From<Arc<Things>> for Site {
    /// In UTC, without tables, and without a limit for all queries.
    fn from(things: Arc<Things>) -> Self {
        Site { things, zone: TimeZone::UTC, tables: vec![], memory: usize::MAX }
    }
}

/// A file of queries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path, to name it in problems.
    pub file: Arc<str>,
    /// The name of a query that gives itself none: the file's, without `.sql`, in snake_case.
    pub name: Arc<str>,
    /// `SELECT`, or statements such as `CREATE QUERY name WITH (...) AS SELECT`, with `;` between them.
    pub text: String,
}

/// A mistake in a query's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file.
    pub file: Arc<str>,
    /// The mistake.
    pub problem: Problem,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.problem)
    }
}

/// A query, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryInfo {
    /// Its name.
    pub name: Arc<str>,
    /// Its file.
    pub file: Arc<str>,
    /// Its text.
    pub sql: Arc<str>,
    /// The columns of its rows.
    pub columns: Arc<[Arc<str>]>,
    /// Which of them are times, in milliseconds since 1970.
    pub times: Arc<[bool]>,
    /// The properties of devices that it reads, of itself or through other queries.
    pub reads: Arc<[(ModelIx, PropertyIx)]>,
    /// Rows of its table that it got.
    pub rows_in: u64,
    /// Rows that it told.
    pub rows_out: u64,
    /// Rows left out because their window had closed.
    pub late: u64,
    /// Rows left out because their time was too far ahead of the gateway's clock.
    pub future: u64,
    /// Rows left out because the query's state was full: too many windows, groups or bytes.
    pub dead: u64,
    /// Up to which time it takes its rows to be complete; `None` before the first row.
    pub watermark: Option<Timestamp>,
    /// Windows that are open; where windows share rows, the parts that they are made of.
    pub open_windows: usize,
    /// Groups in them, or keys of which something is remembered.
    pub groups: usize,
    /// How much memory its state takes, in bytes.
    pub state_bytes: usize,
    /// Windows told early and keys forgotten, to make room.
    pub evicted: u64,
    /// Rows left out because an expression failed for them, as a division by zero does.
    pub errors: u64,
    /// How long it has worked, in nanoseconds, if that is [measured](Queries::measure).
    pub busy_nanos: u64,
}

/// All queries of a site, and their state.
///
/// The host pushes messages in the order of the journal and calls [`advance`](Queries::advance) about once a second.
/// Both only compute; nothing waits, nothing fails.
pub struct Queries {
    things: Arc<Things>,
    intakes: Vec<Intake>,
    /// Which intake the messages of a feed go to.
    feeds: HashMap<Feed, Vec<usize>>,
    /// What queries with the same patience share.
    sources: Vec<Judge>,
    /// Each after those that it reads.
    queries: Vec<Query>,
    /// The offset after the last message seen.
    next: Option<u64>,
    /// How much memory all of them may take together.
    memory: usize,
    /// Messages since that was last looked at.
    unweighed: usize,
    stopwatch: Option<fn() -> u64>,
}

impl Queries {
    /// Reads, checks and plans queries. They see reports and events of the site's models, its tables, and each other's rows.
    ///
    /// # Errors
    /// All mistakes in all files, by file.
    pub fn load(site: &Site, sources: &[Source]) -> Result<Queries, Vec<FileProblem>> {
        load::load(site, sources)
    }

    /// Takes in messages, each with its offset in the journal, in ascending order. Rows that they complete go to `out`:
    /// those of a query in the order of their windows, then of their keys; a query after those that feed it.
    ///
    /// Reports and events are read. Rows are not: queries that read other queries get theirs directly.
    ///
    /// `now` is what the gateway's clock shows; it becomes the time of the rows.
    pub fn push(&mut self, now: Timestamp, entries: &[(u64, Arc<Message>)], out: &mut Vec<Message>) {
        for part in entries.chunks(BATCH_MESSAGES_MAX) {
            let mut heard = Vec::with_capacity(part.len());
            for (offset, message) in part {
                self.collect(*offset, message);
                heard.push((*offset, message.time.as_nanos()));
                self.next = Some(offset + 1);
            }
            let cause = self.last_seen();
            let taken: Vec<Option<Taken>> = self.intakes.iter_mut().map(Intake::take).collect();
            let judge = |source: &mut Judge| source.push(now.as_nanos(), taken[source.intake].as_ref(), &heard, cause);
            let flows = self.sources.iter_mut().map(judge).collect();
            self.run(now, flows, out);
            self.unweighed += part.len();
            if self.unweighed >= BATCH_MESSAGES_MAX {
                self.share_memory();
            }
        }
    }

    /// Takes in rows of the only table that is read, as the benches make them. What comes of them is not made into messages.
    pub(crate) fn push_taken(&mut self, taken: &Taken) {
        let cause = taken.offsets.last().copied().unwrap_or_default();
        let now = taken.heard.last().copied().unwrap_or_default();
        let flows = self.sources.iter_mut().map(|source| source.push(now, Some(taken), &[], cause)).collect();
        self.queries.iter_mut().for_each(|query| query.identity.is_hidden = true);
        self.next = Some(cause + 1);
        self.run(Timestamp::from_nanos(now), flows, &mut vec![]);
    }

    /// Lets time pass: windows of queries that nothing came for close as well. Call it about once a second, but not while
    /// old messages are pushed again.
    pub fn advance(&mut self, now: Timestamp, out: &mut Vec<Message>) {
        let cause = self.last_seen();
        let flows = self.sources.iter_mut().map(|source| source.tick(now.as_nanos(), cause)).collect();
        self.run(now, flows, out);
        self.share_memory();
    }

    /// If all steps take too much memory together, those that take most have to do with the same, and the others go on.
    fn share_memory(&mut self) {
        self.unweighed = 0;
        let held = self.queries.iter().flat_map(|query| &query.steps).map(|step| step.held().bytes);
        let share = share_of(held.collect(), self.memory);
        self.queries.iter_mut().for_each(|query| query.account.share = share);
    }

    /// What all of them hold.
    pub(crate) fn held(&self) -> Held {
        let mut all = Held::default();
        self.queries.iter().for_each(|query| all += query.held());
        all
    }

    /// Nothing more comes: all that is open is told as it is.
    pub(crate) fn finish(&mut self, out: &mut Vec<Message>) {
        const TIMES_MAX: usize = 1000;
        let mut reached = NEVER;
        for _ in 0..TIMES_MAX {
            let horizon = self.queries.iter().flat_map(|query| &query.steps).map(Step::horizon).max().unwrap_or(NEVER);
            if horizon <= reached {
                return;
            }
            reached = horizon;
            let cause = self.last_seen();
            let flows = self.sources.iter_mut().map(|source| source.reach(horizon, cause)).collect();
            self.run(Timestamp::from_nanos(horizon), flows, out);
        }
    }

    /// Forgets the queries that one of them does not need.
    pub(crate) fn keep_only(&mut self, name: &str) {
        let mut needed = vec![false; self.queries.len()];
        for at in (0..self.queries.len()).rev() {
            needed[at] |= &*self.queries[at].identity.name == name;
            if needed[at] {
                let reads = self.queries[at].inputs.iter().filter_map(|input| match input.from {
                    From::Query(at) => Some(at),
                    From::Source(_) => None,
                });
                reads.for_each(|read| needed[read] = true);
            }
        }
        // Places stay as they are: a query that is not needed does nothing, and takes nothing in.
        for (query, needed) in self.queries.iter_mut().zip(needed) {
            query.is_off = !needed;
        }
    }

    /// All that the queries remember, to be kept once the rows told so far are safe. They go on unchanged.
    ///
    /// # Errors
    /// If a function cannot say its state.
    pub fn save(&mut self) -> Result<Vec<u8>, StateError> {
        let mut writer = Writer::default();
        writer.index.next = self.next;
        writer.index.clocks = self.sources.iter().map(|source| (source.name.clone(), source.hands())).collect();
        for query in &mut self.queries {
            for step in &mut query.steps {
                let tables = step.save().map_err(|error| StateError(error.strip_backtrace()))?;
                if !tables.is_empty() {
                    let added = writer.add(&query.identity.name, step.fingerprint, &tables);
                    added.map_err(|error| StateError(error.strip_backtrace()))?;
                }
            }
        }
        Ok(writer.finish())
    }

    /// Takes up what an earlier run has [saved](Queries::save). To be called before the first push; then push what the
    /// journal holds from [`next_offset`](Queries::next_offset) on. `now` is what the gateway's clock shows, `head` the offset
    /// after the journal's last message: a state from beyond it is of another journal.
    ///
    /// A step of a query whose words have changed, or those of a query that feeds it, begins with nothing; the others go
    /// on. Comments and white space do not count.
    ///
    /// # Errors
    /// Why the bytes are not a state; then nothing has been taken up.
    pub fn restore(&mut self, now: Timestamp, head: u64, bytes: &[u8]) -> Result<Restored, StateError> {
        let reader = Reader::new(bytes).map_err(|why| StateError(why.to_owned()))?;
        if reader.index.next > Some(head) {
            return Err(StateError("it is of another journal".to_owned()));
        }
        self.next = reader.index.next;
        Ok(self.take_up(now, &[reader]))
    }

    /// Each step takes up the first of the states that has one for it. Without one in the very first it counts as begun anew.
    fn take_up(&mut self, now: Timestamp, states: &[Reader<'_>]) -> Restored {
        for source in &mut self.sources {
            let mut clocks = states.iter().flat_map(|state| &state.index.clocks);
            if let Some((_, hands)) = clocks.find(|(name, _)| *name == source.name) {
                source.set(*hands, now.as_nanos());
            }
        }
        let operators = |state: &Reader<'_>| -> HashMap<_, _> {
            state.operators().filter_map(|(entry, tables)| Some((entry.key(), tables.ok()?))).collect()
        };
        let mut kept: Vec<HashMap<_, _>> = states.iter().map(operators).collect();
        let mut restored = Restored::default();
        for query in &mut self.queries {
            let name = query.identity.name.clone();
            let mut take_up = |step: &mut Step| {
                let key = (name.clone(), step.fingerprint);
                let fits =
                    |kept: &mut HashMap<_, Vec<_>>| kept.remove(&key).is_some_and(|tables| step.load(&tables).is_ok());
                kept.iter_mut().position(fits) == Some(0) || !step.remembers()
            };
            // Each step is asked, whatever came of those before it.
            let anew = query.steps.iter_mut().filter_map(|step| (!take_up(step)).then_some(())).count() > 0;
            if anew {
                restored.anew.push(query.identity.shown_name());
            }
        }
        restored.anew.dedup();
        restored
    }

    /// Takes the place of queries that ran until now: with their state where it still fits, as after a
    /// [restart](Queries::restore), and with the counters of those whose name is the same. They are unchanged by it.
    ///
    /// Steps of which there is nothing to take up begin with what `warm` remembers: the new queries once more, which have
    /// seen earlier messages and those that the old ones have seen.
    ///
    /// # Errors
    /// Why the state cannot be passed on; then the old ones can go on.
    pub fn take_over(
        &mut self,
        now: Timestamp,
        old: &mut Queries,
        mut warm: Option<&mut Queries>,
    ) -> Result<Restored, StateError> {
        if let Some(warm) = &mut warm {
            // Time that has passed in silence closes windows there as well.
            warm.follow(old);
            warm.advance(now, &mut vec![]);
        }
        let states = [Some(old.save()?), warm.map(Queries::save).transpose()?];
        let readers: Result<Vec<_>, _> = states.iter().flatten().map(|bytes| Reader::new(bytes)).collect();
        let readers = readers.map_err(|why| StateError(why.to_owned()))?;
        self.next = old.next;
        let restored = self.take_up(now, &readers);
        self.stopwatch = old.stopwatch;
        for query in &mut self.queries {
            if let Some(before) = old.queries.iter().find(|before| before.identity.name == query.identity.name) {
                query.account.counters = before.account.counters;
                query.busy_nanos = before.busy_nanos;
            }
        }
        self.follow(old);
        Ok(restored)
    }

    /// Takes time from the clocks of others.
    fn follow(&mut self, others: &Queries) {
        for source in &mut self.sources {
            if let Some(other) = others.sources.iter().find(|other| other.name == source.name) {
                source.follow(other);
            }
        }
    }

    /// Says which message is the first, before any is pushed and if no state has been [restored](Queries::restore).
    pub fn begin_at(&mut self, offset: u64) {
        self.next = self.next.or(Some(offset));
    }

    /// The offset of the next message; `None` if they have seen nothing.
    pub fn next_offset(&self) -> Option<u64> {
        self.next
    }

    /// Measures the time that each query takes, by a clock that counts nanoseconds. The package itself reads none.
    pub fn measure(&mut self, clock: fn() -> u64) {
        self.stopwatch = Some(clock);
    }

    /// What a query does, step by step, with how much it may hold; `None` if there is none of this name.
    pub fn explain(&self, name: &str) -> Option<String> {
        let own = |query: &&Query| &*query.identity.shown_name() == name;
        if !self.queries.iter().any(|query| own(&query)) {
            return None;
        }
        let blocks = self.queries.iter().filter(own);
        Some(blocks.map(|query| explain::block(query, &self.queries, &self.sources)).collect::<Vec<_>>().join("\n"))
    }

    /// All queries, each after those that feed it.
    pub fn list(&self) -> Vec<QueryInfo> {
        let shown = self.queries.iter().filter(|query| !query.identity.is_hidden);
        shown.map(|query| info(query, &self.sources)).collect()
    }

    /// The offset of the message that rows made now are due to; 0 before the first.
    fn last_seen(&self) -> u64 {
        self.next.map_or(0, |next| next.saturating_sub(1))
    }

    fn collect(&mut self, offset: u64, message: &Message) {
        let feed = match &message.body {
            Body::Report(report) => Some(Feed::Reports(self.things.device(report.device).model)),
            Body::Event(event) => Some(Feed::Events(self.things.device(event.device).model, event.event)),
            _ => Kind::of(message).map(Feed::Kind),
        };
        let intakes = feed.and_then(|feed| self.feeds.get(&feed));
        for &at in intakes.into_iter().flatten() {
            self.intakes[at].take_in(&self.things, offset, message);
        }
    }

    /// Gives each query what its inputs hand on, in order.
    fn run(&mut self, now: Timestamp, sources: Vec<Flow>, out: &mut Vec<Message>) {
        let future: Vec<_> = self.sources.iter_mut().map(|source| source.account.take()).collect();
        let mut made: Vec<Flow> = Vec::with_capacity(self.queries.len());
        for query in &mut self.queries {
            let flow = |input: &crate::query::Input| match input.from {
                From::Source(at) => &sources[at],
                From::Query(at) => &made[at],
            };
            let flows: Vec<&Flow> = query.inputs.iter().map(flow).collect();
            let left_out: Vec<_> = query.inputs.iter().flat_map(|input| input.left_out(&future)).collect();
            query.tell_aside(now, left_out, out);
            if query.is_off {
                let mark = Mark { watermark: NEVER, cause: 0 };
                made.push(Flow::empty(mark));
                continue;
            }
            let begun = self.stopwatch.map(|clock| clock());
            let handed = query.push(now, &flows, out);
            query.busy_nanos += self.stopwatch.zip(begun).map_or(0, |(clock, begun)| clock().saturating_sub(begun));
            made.push(handed);
        }
    }
}

/// What each step may take at most so that all together take no more than `most`; `None` if they take less anyway.
fn share_of(mut held: Vec<usize>, most: usize) -> Option<usize> {
    if held.iter().sum::<usize>() <= most {
        return None;
    }
    held.sort_unstable();
    let (mut left, mut share) = (most, 0);
    for (at, bytes) in held.iter().enumerate() {
        share = left / (held.len() - at);
        if *bytes > share {
            break;
        }
        left -= bytes;
    }
    Some(share)
}

/// What came of a restored state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Queries of which a part begins with nothing, because it is new or has changed.
    pub anew: Vec<Arc<str>>,
}

/// Why a state cannot be saved or taken up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}

impl fmt::Debug for Queries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.queries.iter().map(|query| &query.identity.name)).finish()
    }
}

fn info(query: &Query, sources: &[Judge]) -> QueryInfo {
    let (identity, counters, held) = (query.identity.clone(), query.account.counters, query.held());
    let future = query.inputs.iter().filter_map(|input| match input.from {
        From::Source(at) => Some(sources[at].account.counters.future),
        From::Query(_) => None,
    });
    QueryInfo {
        name: identity.name,
        file: identity.file,
        sql: identity.sql,
        columns: identity.columns,
        times: identity.times,
        reads: identity.reads,
        rows_in: counters.rows_in,
        rows_out: counters.rows_out,
        late: counters.late,
        future: future.sum(),
        dead: counters.dead,
        evicted: counters.evicted,
        watermark: (query.watermark != NEVER).then(|| Timestamp::from_nanos(query.watermark)),
        open_windows: held.windows,
        groups: held.groups,
        state_bytes: held.bytes,
        errors: counters.errors,
        busy_nanos: query.busy_nanos,
    }
}

#[cfg(test)]
mod tests {
    use super::share_of;

    #[test]
    fn small_steps_keep_what_they_have_and_large_ones_share_the_rest() {
        assert_eq!(share_of(vec![10, 20, 30], 60), None);
        assert_eq!(share_of(vec![100, 1, 100], 101), Some(50));
        assert_eq!(share_of(vec![500, 2, 30], 62), Some(30));
        assert_eq!(share_of(vec![8, 8], 0), Some(0));
    }
}
