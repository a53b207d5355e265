//! `link list` and `link show`.

use super::Session;
use super::error::ClientError;
use super::screen::Screen;
use super::table::{Cell, Tone};
use crate::api::{LinkList, LinkView};

pub(super) async fn list(session: &Session) -> Result<(), ClientError> {
    let answer = session.client.get(&["links"], &[]).await?;
    session.screen.show(&answer, |list: LinkList| table(&list.links, session.screen))
}

pub(super) async fn show(session: &Session, name: &str) -> Result<(), ClientError> {
    let answer = session.client.get(&["links", name], &[]).await?;
    session.screen.show(&answer, |link: LinkView| text(&link))
}

/// One line for each link.
pub(super) fn table(links: &[LinkView], screen: Screen) -> String {
    let tone = |state: &str| match state {
        "up" => Tone::Good,
        "down" => Tone::Bad,
        _ => Tone::Doubtful,
    };
    let row = |link: &LinkView| {
        vec![
            Cell::text(&link.name),
            Cell::text(&link.driver),
            Cell::text(&link.state).tone(tone(&link.state)),
            Cell::number(busy(link)),
            Cell::number(link.values),
            Cell::number(link.bad_values),
            Cell::number(link.faults),
            Cell::number(link.overruns),
            Cell::text(link.reason.as_deref().unwrap_or_default()),
        ]
    };
    let rows: Vec<_> = links.iter().map(row).collect();
    screen.table(&["link", "driver", "state", "busy", "values", "bad", "faults", "overruns", "reason"], &rows)
}

fn busy(link: &LinkView) -> String {
    format!("{:.0} %", link.load * 100.0)
}

fn text(link: &LinkView) -> String {
    let mut lines = vec![
        ("link", format!("{} of driver {}, {}", link.name, link.driver, link.wire)),
        ("state", [&*link.state, link.reason.as_deref().unwrap_or_default()].join(" ").trim_end().to_owned()),
        ("busy", busy(link)),
        ("readings", format!("{} with {} values, {} of them not good", link.readings, link.values, link.bad_values)),
        ("faults", format!("{}; opened {} times, {} readings skipped", link.faults, link.connects, link.overruns)),
    ];
    if link.suppressed > 0 {
        lines.push(("suppressed", format!("{} values were no news and are in no report", link.suppressed)));
    }
    if link.merged > 0 {
        lines.push(("merged", format!("{} values and events came faster than they were taken", link.merged)));
    }
    if let Some(reactions) = &link.reactions {
        let (p50, p99) = (reactions.p50_ms, reactions.p99_ms);
        lines.push(("scenes", format!("{} commands, p50 {p50:.2} ms, p99 {p99:.2} ms", reactions.count)));
    }
    let counters = link.counters.iter().map(|(name, count)| (name.as_str(), count.to_string()));
    let lines = lines.into_iter().chain(counters);
    lines.map(|(title, text)| format!("{title:<16}  {text}\n")).collect()
}
