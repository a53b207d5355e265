//! How much of a route goes at a time, how fast, in which order, and what becomes of what cannot.

use super::target::Form;
use crate::report::Report;
use crate::section::{Section, refuse};
use crate::site::{OnFull, Order, Rate, TargetKind};
use crate::tree::{Entry, Item};
use edgeway_sdk::{Problem, did_you_mean};
use std::ops::RangeInclusive;
use std::time::Duration;

const BATCH_BYTES: u64 = 128 << 10;
const BATCH_BYTES_RANGE: RangeInclusive<u64> = 1 << 10..=16 << 20;
const HOUR: Duration = Duration::from_secs(3600);
const TTL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(365 * 24 * 3600);
const SAMPLE: RangeInclusive<i64> = 2..=1000;
/// Of a rate, while a backlog drains.
const LIVE_SHARE: f64 = 0.5;

const WORDS: [(&str, OnFull); 3] =
    [("drop_oldest", OnFull::DropOldest), ("drop_newest", OnFull::DropNewest), ("block", OnFull::Block)];

/// What fits into one payload.
pub(super) struct Batch {
    pub(super) messages: usize,
    pub(super) bytes: usize,
    pub(super) age: Duration,
}

pub(super) fn batch(section: &mut Section<'_>, target: Option<&TargetKind>, report: &mut Report) -> Batch {
    let (messages, age) = target.map_or_else(Form::default, Form::of).batch;
    let default = Batch { messages, bytes: BATCH_BYTES as usize, age };
    let Some(table) = section.table("batch", report) else { return default };
    let mut part = Section::of(table);
    let messages = part.int("messages", 1..=10_000, report).map_or(messages, |found| found.value as usize);
    if messages == 1 {
        check_single(&mut part, report);
    }
    let bytes = part.bytes("bytes", BATCH_BYTES_RANGE, report).map_or(BATCH_BYTES, |found| found.value);
    let age = part.duration("age", Duration::ZERO..=HOUR, report).map_or(default.age, |found| found.value);
    part.finish(&[], report);
    // One message waits for no others.
    let age = if messages == 1 { Duration::ZERO } else { age };
    Batch { messages, bytes: bytes as usize, age }
}

fn check_single(part: &mut Section<'_>, report: &mut Report) {
    for key in ["bytes", "age"] {
        let why = format!("`{key}` has no meaning for payloads of one message");
        part.forbid(key, &why, &format!("raise `messages` or leave `{key}` out"), report);
    }
}

/// A word, or `{ sample = 10 }`.
pub(super) fn on_full(section: &mut Section<'_>, report: &mut Report) -> OnFull {
    let read = section.entry("on_full").and_then(|entry| match &entry.node.item {
        Item::Table(table) => {
            let mut part = Section::of(table);
            let sample = sample(&mut part, report);
            part.finish(&[], report);
            sample
        }
        Item::Text(word) => on_full_word(entry, word, report),
        _ => {
            refuse(entry, "a word or `{ sample = 10 }`", report);
            None
        }
    });
    read.unwrap_or(OnFull::DropOldest)
}

fn sample(part: &mut Section<'_>, report: &mut Report) -> Option<OnFull> {
    if part.entry("sample").is_none() {
        let mark = part.mark();
        report.add(mark, Problem::new(mark.say("`sample` is missing")).help("on_full = { sample = 10 }"));
    }
    part.int("sample", SAMPLE, report).map(|found| OnFull::Sample(found.value as u32))
}

fn on_full_word(entry: &Entry, word: &str, report: &mut Report) -> Option<OnFull> {
    let found = WORDS.iter().find(|(known, _)| *known == word).map(|(_, found)| *found);
    if found.is_none() {
        let problem = Problem::new(entry.mark.say(format!("`on_full` cannot be `{word}`")));
        let help = match word {
            "sample" => Some("on_full = { sample = 10 } keeps one report in ten".into()),
            _ => did_you_mean(word, WORDS.iter().map(|(word, _)| *word)),
        };
        report.add(&entry.node.mark, problem.maybe_help(help));
    }
    found
}

pub(super) fn ttl(section: &mut Section<'_>, report: &mut Report) -> Option<Duration> {
    section.duration("ttl", TTL, report).map(|found| found.value)
}

pub(super) fn order(section: &mut Section<'_>, report: &mut Report) -> Order {
    let orders = [("device", Order::Device), ("strict", Order::Strict)];
    section.choice("order", &orders, report).map_or(Order::Device, |found| found.value)
}

pub(super) fn rate(section: &mut Section<'_>, order: Order, report: &mut Report) -> Option<Rate> {
    let table = section.table("rate", report)?;
    let mut part = Section::of(table);
    let messages_per_second = part.number_within("messages", 0.001..=1_000_000.0, report).map(|found| found.value);
    let bytes_per_second = part.bytes("bytes", 128..=u64::MAX, report).map(|found| found.value);
    let live_share = live_share(&mut part, order, report);
    if part.entry("messages").is_none() && part.entry("bytes").is_none() {
        let problem = Problem::new(table.mark.say("a rate without a limit"));
        report.add(&table.mark, problem.help("`messages`, `bytes` or both, each a second"));
    }
    part.finish(&[], report);
    Some(Rate { messages_per_second, bytes_per_second, live_share })
}

/// New messages cannot overtake old ones and keep the journal's order.
fn live_share(part: &mut Section<'_>, order: Order, report: &mut Report) -> f64 {
    let found = part.number_within("live_share", 0.0..=1.0, report);
    match (order, found) {
        (Order::Device, found) => found.map_or(LIVE_SHARE, |found| found.value),
        (Order::Strict, Some(found)) if found.value > 0.0 => {
            let problem = Problem::new(found.mark.say("nothing overtakes in strict order"));
            report.add(&found.mark, problem.help("live_share = 0, or order = \"device\""));
            0.0
        }
        (Order::Strict, _) => 0.0,
    }
}
