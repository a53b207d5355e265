//! `status` and `query`.

use super::Session;
use super::error::ClientError;
use super::links;
use super::routes::route_table;
use super::screen::Screen;
use super::table::{Cell, Tone, harmless, paint};
use super::wording::{bytes, span};
use crate::api::{ClassView, QueryList, QueryView, ReloadBody, ReloadView, StatusView, WITHIN_DEFAULT};
use edgeway_sdk::Timestamp;
use reqwest::Method;
use std::time::Duration;

/// How long the journal of the past may take to be read.
const WARM_WITHIN: Duration = Duration::from_secs(600);

pub(super) async fn status(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["status"], &[]).await?;
    session.screen.show(&answer, |status: StatusView| status_text(&status, session.screen))
}

pub(super) async fn queries(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["queries"], &[]).await?;
    session.screen.show(&answer, |list: QueryList| query_table(&list.queries, session.screen))
}

pub(super) async fn query_stat(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["queries"], &[]).await?;
    session.screen.show(&answer, |list: QueryList| stat_table(&list.queries, Timestamp::now(), session.screen))
}

pub(super) async fn reload_queries(session: &Session, warm: Option<String>) -> Result<(), ClientError> {
    let within = if warm.is_some() { WARM_WITHIN } else { WITHIN_DEFAULT };
    let answer = session.client.command(Method::POST, &["queries", "reload"], &ReloadBody { warm }, within).await?;
    session.screen.show(&answer, |view: ReloadView| reload_text(&view))
}

/// A line for each sort of change; a query that goes on is only counted.
fn reload_text(view: &ReloadView) -> String {
    let begins = match view.warm_since.as_deref() {
        None => "begins with the next message".to_owned(),
        Some(since) => format!("begins with the messages since {}", harmless(since)),
    };
    let sorts = [
        ("added", &view.added, &*begins),
        ("changed", &view.anew, &begins),
        ("removed", &view.removed, "has told its last row"),
    ];
    let lines = sorts
        .iter()
        .flat_map(|(what, names, note)| names.iter().map(move |name| format!("{what} {}: {note}\n", harmless(name))));
    let kept = match view.kept.len() {
        1 => "1 query goes on with what it remembers\n".to_owned(),
        n => format!("{n} queries go on with what they remember\n"),
    };
    let lost = match view.warm_lost {
        0 => String::new(),
        lost => format!("{lost} messages of the past could not be read\n"),
    };
    lines.chain([kept, lost]).collect()
}

fn stat_table(queries: &[QueryView], now: Timestamp, screen: Screen) -> String {
    let row = |query: &QueryView| {
        let behind = query.watermark.as_deref().and_then(Timestamp::parse).map(|watermark| now.since(watermark));
        vec![
            Cell::text(&query.name),
            Cell::number(query.open_windows),
            Cell::number(query.groups),
            Cell::number(bytes(query.state_bytes)),
            Cell::number(behind.and_then(span).unwrap_or_default()),
            Cell::number(format!("{:.3} s", query.busy_seconds)),
            Cell::number(query.late + query.future + query.dead + query.errors),
            Cell::number(query.evicted),
        ]
    };
    let rows: Vec<_> = queries.iter().map(row).collect();
    screen.table(&["query", "windows", "groups", "state", "behind", "worked", "left out", "evicted"], &rows)
}

fn status_text(status: &StatusView, screen: Screen) -> String {
    let up = span(Duration::from_secs_f64(status.uptime_seconds.max(0.0))).unwrap_or_else(|| "0 s".to_owned());
    let facts = [
        ("gateway", format!("{}, Edgeway {}, up {up}", status.gateway, status.version)),
        ("devices", devices(status)),
        (
            "readings",
            format!("{} with {} values, {} of them not good", status.readings, status.values, status.bad_values),
        ),
        ("commands", format!("{} applied, {} not", status.commands.ok, status.commands.failed)),
        ("scenes", format!("{} loaded, fired {} times", status.scenes.len(), status.scene_firings)),
        ("queries", format!("{} loaded, {} rows", status.queries.len(), status.query_rows)),
        ("journal", journal(status)),
        ("classes", classes(status)),
        ("letters", dead_letters(status)),
        ("broker", status.broker.clone().unwrap_or_default()),
        ("panics", Some(status.part_restarts).filter(|n| *n > 0).map(|n| n.to_string()).unwrap_or_default()),
    ];
    let told = facts.iter().filter(|(_, text)| !text.is_empty());
    let mut text: String = told.map(|(name, text)| format!("{name:<10}{}\n", harmless(text))).collect();
    if let Some(error) = &status.journal.error {
        text += &paint(&format!("the disk takes no messages: {}", harmless(error)), Tone::Bad, screen.colours);
        text += "\n";
    }
    let tables = [
        Some(links::table(&status.links, screen)).filter(|_| !status.links.is_empty()),
        Some(route_table(&status.routes, screen)).filter(|_| !status.routes.is_empty()),
    ];
    tables.into_iter().flatten().fold(text, |text, table| text + "\n" + table.as_str())
}

fn devices(status: &StatusView) -> String {
    let some = status.devices.iter().filter(|(_, count)| **count > 0);
    let words: Vec<String> = some.map(|(state, count)| format!("{count} {state}")).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn journal(status: &StatusView) -> String {
    let journal = &status.journal;
    let size = bytes(journal.bytes);
    format!("{size}, {} messages kept of {}", journal.head.saturating_sub(journal.first), journal.head)
}

fn classes(status: &StatusView) -> String {
    let one = |class: &ClassView| {
        let full = if class.full { " (full)" } else { "" };
        format!("{} {} of {}{full}", class.class, bytes(class.bytes), bytes(class.bytes_max))
    };
    status.journal.classes.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn dead_letters(status: &StatusView) -> String {
    match status.dead_letters {
        0 => String::new(),
        letters => format!("{letters} dead; see edgeway deadletter list"),
    }
}

fn query_table(queries: &[QueryView], screen: Screen) -> String {
    let row = |query: &QueryView| {
        let numbers = [query.rows_in, query.rows_out, query.late, query.future, query.dead, query.errors];
        let numbers = numbers.map(Cell::number);
        [Cell::text(&query.name)].into_iter().chain(numbers).chain([Cell::text(query.columns.join(", "))]).collect()
    };
    let rows: Vec<_> = queries.iter().map(row).collect();
    screen.table(&["query", "rows in", "rows out", "late", "future", "dead", "errors", "columns"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_status_says_what_is_there_and_what_waits() {
        let status = json!({
            "name": "farm", "gateway": "farm-1", "version": "0.1.0", "started": "2026-11-23T08:00:00Z",
            "uptime_seconds": 7300.5, "devices": {"online": 8, "offline": 1, "unknown": 0},
            "readings": 10, "values": 100, "bad_values": 2, "commands": {"ok": 3, "failed": 1}, "scene_firings": 4,
            "query_rows": 5, "journal_messages": 700, "part_restarts": 0,
            "journal": {"bytes": 8_388_608, "segments": 1, "first": 100, "head": 700, "durable_head": 700, "dropped": 100,
                "classes": [{"class": "critical", "bytes": 1_048_576, "bytes_max": 67_108_864, "full": true}]},
            "dead_letters": 3,
            "links": [{"name": "farm", "driver": "modbus", "wire": "tcp:127.0.0.1:502", "state": "up", "readings": 10,
                "values": 100, "bad_values": 2, "faults": 0, "connects": 1, "overruns": 0}],
            "routes": [{"name": "telemetry", "target": "cloud", "state": "away", "connected": false, "reason": "refused",
                "taken": 12, "delivered": 0, "queued": 12, "expired": 0, "dropped": 0, "dead": 0, "sent": 0}],
            "scenes": [], "queries": [],
        });
        let status: StatusView = serde_json::from_value(status).expect("valid");
        let expected = "\
gateway   farm-1, Edgeway 0.1.0, up 2 h
devices   1 offline, 8 online
readings  10 with 100 values, 2 of them not good
commands  3 applied, 1 not
scenes    0 loaded, fired 4 times
queries   0 loaded, 5 rows
journal   8.0 MiB, 600 messages kept of 700
classes   critical 1.0 MiB of 64.0 MiB (full)
letters   3 dead; see edgeway deadletter list

link  driver  state  busy  values  bad  faults  overruns
farm  modbus  up      0 %     100    2       0         0

route      target  state  delivered  queued  expired  dropped  dead  reason
telemetry  cloud   away           0      12        0        0     0  refused
";
        assert_eq!(status_text(&status, Screen::plain()), expected);
    }
}
